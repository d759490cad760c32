import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeTree } from './merge-tree.ts';
import { gridGraph } from './neighbours.ts';
import { barcodeData, bottleneckDistance, landscaperDiagram, persistenceDiagram, persistenceValues, type PersistencePoint } from './persistence.ts';
import { randomValues } from './topology.test-helper.ts';

const point = (birth: number, death: number): PersistencePoint => ({ birth, death });

/** The definition: all matchings of a few points, unmatched ones go to the diagonal. */
function brute(a: readonly PersistencePoint[], b: readonly PersistencePoint[]): number {
  if (a.length === 0) return Math.max(0, ...b.map(({ birth, death }) => (death - birth) / 2));
  const [first, ...rest] = a;
  const alone = Math.max((first.death - first.birth) / 2, brute(rest, b));
  return b.reduce((best, other, j) => Math.min(best, Math.max(Math.abs(first.birth - other.birth), Math.abs(first.death - other.death), brute(rest, b.filter((_, k) => k !== j)))), alone);
}

describe('bottleneck distance', () => {
  test('of known diagrams', () => {
    expect(bottleneckDistance([point(0, 4)], [point(1, 4.5)]).value).toBe(1);
    expect(bottleneckDistance([point(0, 4)], []).value).toBe(2);
    // Matching them would cost 10; both go to the diagonal.
    expect(bottleneckDistance([point(0, 2)], [point(10, 13)]).value).toBe(1.5);
    expect(bottleneckDistance([], []).value).toBe(0);
    expect(bottleneckDistance([point(0, Infinity), point(5, Infinity)], [point(5.5, Infinity), point(1, Infinity)]).value).toBe(1);
    expect(bottleneckDistance([point(0, Infinity)], []).value).toBe(Infinity);
    expect(bottleneckDistance([point(0, -Infinity)], [point(0, Infinity)]).value).toBe(Infinity);
  });

  test("in Landscaper's convention of points (0, p)", () => {
    expect(bottleneckDistance(landscaperDiagram([1, 2, 5]), landscaperDiagram([1.25, 2, 4])).value).toBe(1);
    expect(bottleneckDistance(landscaperDiagram([6]), landscaperDiagram([1])).value).toBe(3);
  });

  test('agrees with all matchings, is symmetric and fulfils the triangle inequality', () => {
    const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 8 })).map(([birth, length]) => point(birth, birth + length)), { maxLength: 5 });
    fc.assert(fc.property(points, points, points, (a, b, c) => {
      const ab = bottleneckDistance(a, b).value;
      expect(ab).toBe(brute(a, b));
      expect(bottleneckDistance(b, a).value).toBe(ab);
      expect(ab).toBeLessThanOrEqual(bottleneckDistance(a, c).value + bottleneckDistance(c, b).value);
    }), { numRuns: 200 });
  });

  test('is stable: samples that move by e move the diagram by at most e, and the error says so', () => {
    for (let seed = 0; seed < 10; seed++) {
      const graph = gridGraph([12, 12]);
      const values = randomValues(seed, 144);
      const noise = randomValues(seed + 1000, 144);
      const most = noise.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
      const moved = values.map((x, i) => x + (0.05 * noise[i]) / most);
      const distance = bottleneckDistance(persistenceDiagram(mergeTree(values, graph)), persistenceDiagram(mergeTree(moved, graph)), { sampleError: 0.05 });
      expect(distance.value).toBeGreaterThan(0);
      expect(distance.value).toBeLessThanOrEqual(0.05 + 1e-12);
      expect(distance.error).toBe(0.1);
      expect(distance.kind).toBe('bound');
    }
  });

  test('refuses diagrams that are none', () => {
    expect(() => bottleneckDistance([point(NaN, 1)], [])).toThrow('births must be finite');
    expect(() => bottleneckDistance([point(1, NaN)], [])).toThrow('births must be finite');
  });
});

describe('barcodes', () => {
  const tree = mergeTree([1, 4, 0, 6, 2, 3], gridGraph([6]));

  test('of a line: bars from minima to the saddles that join them', () => {
    expect(barcodeData(tree)).toEqual([
      { birth: 0, death: Infinity, persistence: Infinity, extremum: 2, essential: true, end: 6 },
      { birth: 2, death: 6, persistence: 4, extremum: 4, essential: false, end: 6 },
      { birth: 1, death: 4, persistence: 3, extremum: 0, essential: false, end: 4 },
    ]);
  });

  test('persistences by rising value, with maxima where asked for', () => {
    expect([...persistenceValues(tree)]).toEqual([3, 4, 6]);
    const maxima = mergeTree([1, 4, 0, 6, 2, 3], gridGraph([6]), { direction: 'superlevel' });
    expect([...persistenceValues(tree, maxima)]).toEqual([1, 3, 4, 4, 6, 6]);
  });
});
