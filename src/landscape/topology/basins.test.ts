import { describe, expect, test } from 'vitest';
import { basins, morseSmaleCells } from './basins.ts';
import { criticalPoints } from './critical-points.ts';
import { mergeTree, simplify } from './merge-tree.ts';
import { gridGraph, type NeighbourGraph } from './neighbours.ts';
import { saddleMinimumPairs, smad } from './smad.ts';
import { randomValues, range, sampled } from './topology.test-helper.ts';

/** Follows the steepest descent sample by sample. */
function descend(values: ArrayLike<number>, graph: NeighbourGraph, start: number): number {
  for (let at = start; ;) {
    let next = at;
    let steepest = 0;
    graph.each(at, (other, distance) => {
      const slope = (values[at] - values[other]) / distance;
      if (slope > steepest) { steepest = slope; next = other; }
    });
    if (next === at) return at;
    at = next;
  }
}

describe('basins', () => {
  test('each sample belongs to the minimum that steepest descent leads to', () => {
    for (let seed = 0; seed < 5; seed++) {
      const graph = gridGraph([9, 11], { spacing: [1, 0.3] });
      const values = randomValues(seed, 99);
      const tree = mergeTree(values, graph);
      const { labels, sizes } = basins(values, graph, tree);
      labels.forEach((label, i) => { expect(tree.branches[label].extremum).toBe(descend(values, graph, i)); });
      expect(sizes.reduce((sum, n) => sum + n, 0)).toBe(99);
      const maxima = mergeTree(values, graph, { direction: 'superlevel' });
      const up = basins(values, graph, maxima);
      up.labels.forEach((label, i) => { expect(maxima.branches[label].extremum).toBe(descend(values.map((x) => -x), graph, i)); });
      const cells = morseSmaleCells({ labels, sizes }, up);
      expect(cells.reduce((sum, { size }) => sum + size, 0)).toBe(99);
      for (const { minimum, maximum, size } of cells) expect(size).toBe(labels.filter((label, i) => label === minimum && up.labels[i] === maximum).length);
    }
  });

  test('steepest descent divides by the distance', () => {
    // From the middle: 1 below at distance 1, 1.2 below at distance sqrt 2, so the axis neighbour is steeper.
    const values = [-0.2, 9, 9, 9, 1, 0, 9, 9, 9];
    const graph = gridGraph([3, 3]);
    const tree = mergeTree(values, graph);
    expect(tree.branches[basins(values, graph, tree).labels[4]].extremum).toBe(5);
  });

  test('of a simplified tree hold what the cancelled ones held; masked samples belong to none', () => {
    const values = randomValues(3, 144).map((x, i) => (i % 17 === 0 ? NaN : x));
    const graph = gridGraph([12, 12]);
    const fine = mergeTree(values, graph);
    const coarse = simplify(fine, 1.2);
    expect(coarse.branches.length).toBeLessThan(fine.branches.length);
    expect(coarse.branches.length).toBeGreaterThan(1);
    const small = basins(values, graph, fine);
    const large = basins(values, graph, coarse);
    values.forEach((x, i) => { if (Number.isNaN(x)) expect([small.labels[i], large.labels[i]]).toEqual([-1, -1]); });
    const into = new Map<number, number>();
    small.labels.forEach((label, i) => {
      if (label < 0) return;
      expect(into.get(label) ?? large.labels[i]).toBe(large.labels[i]);
      into.set(label, large.labels[i]);
    });
    coarse.branches.forEach(({ extremum }, i) => { expect(large.labels[extremum]).toBe(i); });
  });

  test('a plateau has one basin', () => {
    const values = new Float64Array(20).fill(2);
    const graph = gridGraph([4, 5], { connectivity: 'axis' });
    const tree = mergeTree(values, graph);
    expect(tree.branches).toHaveLength(1);
    expect([...basins(values, graph, tree).sizes]).toEqual([20]);
  });

  test('refuses a tree of another landscape', () => {
    expect(() => basins([1, 2, 3], gridGraph([3]), mergeTree([1, 2], gridGraph([2])))).toThrow('samples of the graph');
  });
});

describe('SMAD', () => {
  // Minima 0 at 2, 1 at 0 and 2 at 4; saddles 4 at 1 and 6 at 3.
  const values = [1, 4, 0, 6, 2, 3];
  const graph = gridGraph([6]);
  const tree = mergeTree(values, graph);
  const weights = basins(values, graph, tree);

  test('of a line by hand: every minimum with the saddle next to it, the deepest included', () => {
    expect(saddleMinimumPairs(tree).map(({ minimum, saddle, gap }) => [minimum, saddle, gap])).toEqual([[2, 1, 4], [4, 3, 4], [0, 1, 3]]);
    expect(smad(tree).value).toBeCloseTo(11 / 3, 14);
    expect(smad(tree, { normalize: true }).value).toBeCloseTo(11 / 18, 14);
    // Saddle samples descend to the deeper side: 4 goes to 0, 6 to 0; basins hold 3, 2 and 1 samples.
    expect([...weights.sizes]).toEqual([3, 2, 1]);
    expect(smad(tree, { weights }).value).toBeCloseTo((4 * 3 / 6 + 4 * 2 / 6 + 3 / 6) / 3, 14);
    expect(smad(tree, { weights, normalize: true }).value).toBeCloseTo((4 * 3 / 6 + 4 * 2 / 6 + 3 / 6) / 18, 14);
  });

  test('is 0 without saddles, and refuses a superlevel tree and foreign weights', () => {
    expect(smad(mergeTree([3, 2, 1, 2, 3], gridGraph([5])))).toMatchObject({ value: 0, error: 0, pairs: [] });
    expect(() => smad(mergeTree(values, graph, { direction: 'superlevel' }))).toThrow('sublevel');
    expect(() => smad(simplify(tree, 3), { weights })).toThrow('2 basins');
  });

  test('a part without a saddle beside one that has some does not count', () => {
    expect(smad(mergeTree([0, 2, 1, NaN, 5, 6], gridGraph([6]))).value).toBeCloseTo(1.5, 14);
  });

  test('two wells: half the sum of both depths', () => {
    const axis = range(-1.5, 1.5, 301);
    const wells = mergeTree(sampled(axis, axis, (y, x) => (x * x - 1) ** 2 + y * y), gridGraph([301, 301]));
    expect(smad(wells).value).toBeCloseTo(1, 3);
  });

  test('the error covers samples that are off by as much as stated', () => {
    const noise = randomValues(5, 6);
    for (let seed = 0; seed < 20; seed++) {
      const off = randomValues(seed, 6).map((x) => 0.2 * Math.tanh(x));
      for (const normalize of [false, true]) {
        const measured = smad(mergeTree(values.map((x, i) => x + off[i]), graph), { sampleError: 0.2, normalize });
        expect(measured.uncertain).toBe(0);
        expect(Math.abs(measured.value - smad(tree, { normalize }).value)).toBeLessThanOrEqual(measured.error);
      }
    }
    expect(smad(mergeTree(values.map((x, i) => x + 0.1 * noise[i]), graph), { sampleError: 1.6 }).uncertain).toBeGreaterThan(0);
  });
});

describe('critical points', () => {
  test('of sin x sin y over whole waves', () => {
    const axis = range(0.03, 4 * Math.PI - 0.05, 160);
    const { minima, saddles, maxima, euler } = criticalPoints(sampled(axis, axis, (y, x) => Math.sin(x) * Math.sin(y)), [160, 160]);
    // Interior extrema at odd multiples of pi / 2 in both: 16, half of each kind; saddles at the 9 inner crossings of pi.
    const inner = saddles.filter(({ vertex }) => vertex % 160 > 0 && vertex % 160 < 159 && vertex >= 160 && vertex < 159 * 160);
    expect(maxima).toHaveLength(8);
    expect(minima.filter((v) => v % 160 > 0 && v % 160 < 159 && v >= 160 && v < 159 * 160)).toHaveLength(8);
    expect(inner.map(({ multiplicity }) => multiplicity)).toEqual(Array(9).fill(1));
    expect(euler).toBe(1);
  });

  test('a monkey saddle has multiplicity two', () => {
    const values = sampled([-1, 0, 1], [-1, 0, 1], () => 0);
    // The ring about the middle: right, lower right, below, left, upper left, above, alternating.
    [[5, 1], [8, -1], [7, 1], [3, -1], [0, 1], [1, -1]].forEach(([at, value]) => { values[at] = value; });
    expect(criticalPoints(values, [3, 3]).saddles).toContainEqual({ vertex: 4, multiplicity: 2 });
  });

  test('minima minus saddles plus maxima is the Euler characteristic, with holes and ties too', () => {
    for (let seed = 0; seed < 30; seed++) {
      const [rows, columns] = [7, 9];
      const values = randomValues(seed, 63, seed % 2 === 0 ? 3 : undefined).map((x, i) => (seed > 10 && (i * 7 + seed) % 5 === 0 ? NaN : x));
      const finite = (row: number, column: number): number => Number(row < rows && column < columns && Number.isFinite(values[row * columns + column]));
      let euler = 0;
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const [a, b, d, e] = [finite(r, c), finite(r, c + 1), finite(r + 1, c), finite(r + 1, c + 1)];
          euler += a - (a * b + a * d + a * e) + (a * b * e + a * d * e);
        }
      }
      const found = criticalPoints(values, [rows, columns]);
      expect(found.euler).toBe(euler);
      // The same minima as the simplicial tree, those of zero persistence counted.
      const tree = mergeTree(values, gridGraph([rows, columns], { connectivity: 'simplicial' }));
      expect(found.minima).toHaveLength(tree.branches.length + tree.absorbed.size);
      expect(found.masked).toBe(tree.masked);
    }
  });

  test('refuses values that do not fill the plane', () => expect(() => criticalPoints([1, 2, 3], [2, 2])).toThrow('fill a plane'));
});
