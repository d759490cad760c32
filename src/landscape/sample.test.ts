import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { NDArray } from '../core/ndarray.ts';
import { gaussianClusters } from '../data/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { mlp, type MlpParameters } from '../nn/index.ts';
import { evaluate, type Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression } from '../problem/tiny-problems.test-helper.ts';
import { leaves, mapTree } from '../tree/index.ts';
import { key, split, uniform } from '../util/random/index.ts';
import { filterNormalizedDirection, randomPlane } from './directions.ts';
import { along, bowl, pointAt } from './quadratic.test-helper.ts';
import { sampleLandscape, symmetricRange } from './sample.ts';

const options = { executor: referenceExecutor };

/** A point moved along directions, on the host. */
function shifted<T extends { readonly params: unknown; readonly state: unknown }>(point: T, directions: readonly unknown[], coefficients: readonly number[]): T {
  const add = (a: NDArray, b: NDArray, c: number): NDArray => new NDArray(a.data.map((x, i) => x + c * b.data[i]), a.shape, a.dtype);
  const params = directions.reduce<unknown>((sum, direction, i) => mapTree((a: NDArray, b: NDArray) => add(a, b, coefficients[i]), sum, direction), point.params);
  return { ...point, params };
}

const bytesOf = (point: unknown): number[] => leaves<NDArray>(point).flatMap(({ data }) => [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);

describe('samples of a landscape', () => {
  test.each([{ distribute: true }, { distribute: false }])('equal the loss at the moved parameters, with %o, in equal and unequal chunks', async ({ distribute }) => {
    const problem = tinyClassification(50, [5, 8, 3]);
    const point = problem.model.init(key(0));
    const directions = [0, 1, 2].map((i) => filterNormalizedDirection(point.params, key(i)));
    const points = Array.from({ length: 6 }, (_, i) => [...uniform(split(key(9), i), 3)].map((u) => Math.fround(4 * u - 2)));
    const expected = await Promise.all(points.map((coefficients) => evaluate(problem, shifted(point, directions, coefficients), problem.train, options)));
    for (const chunk of [7, 25, 50]) {
      const samples = await sampleLandscape(problem, point, directions, points, problem.train, { ...options, chunk, distribute });
      samples.forEach(({ loss, standardError, accuracy }, i) => {
        expect(Math.abs(loss / expected[i].loss.value - 1)).toBeLessThan(1e-12);
        expect(Math.abs(standardError / expected[i].loss.error - 1)).toBeLessThan(1e-10);
        expect(accuracy).toBe(expected[i].accuracy!.value);
      });
    }
  });

  test('agree on the default backend in float32, distributed or not', async () => {
    const { train } = gaussianClusters({ samples: 90, classes: 3, dimension: 4 });
    const problem: Problem<MlpParameters> = { name: 'clusters', model: mlp({ sizes: [4, 16, 3] }), loss: crossEntropy, train };
    const point = problem.model.init(key(0));
    const directions = randomPlane(point.params, 2);
    const points = [[0, 0], [0.7, -1.1], [-2, 1.5]];
    const [kept, plain] = await Promise.all([true, false].map((distribute) => sampleLandscape(problem, point, directions, points, train, { distribute })));
    const expected = await Promise.all(points.map((coefficients) => evaluate(problem, shifted(point, directions, coefficients), train)));
    points.forEach((_, i) => {
      expect(Math.abs(kept[i].loss / expected[i].loss.value - 1)).toBeLessThan(1e-5);
      expect(Math.abs(plain[i].loss / expected[i].loss.value - 1)).toBeLessThan(1e-5);
      expect([kept[i].accuracy, plain[i].accuracy]).toEqual([expected[i].accuracy!.value, expected[i].accuracy!.value]);
    });
  });

  test('are NaN where the loss is not finite, and right beside it', async () => {
    const points = [-1e200, -1, 0, 1, 1e200].map((x) => [x]);
    const samples = await sampleLandscape(bowl, pointAt(1, 0), [along(0, 1)], points, bowl.train, options);
    expect(samples.map(({ loss }) => loss)).toEqual([NaN, 11, 1, 11, NaN]);
    expect(samples[0]).toEqual({ loss: NaN, standardError: NaN, accuracy: NaN });
  });

  test('keep a finite loss whose square overflows, without an error', async () => {
    const [{ loss, standardError }] = await sampleLandscape(bowl, pointAt(1e100, 0), [along(0, 1)], [[0]], bowl.train, options);
    expect(loss).toBeCloseTo(1e200, -190);
    expect(standardError).toBeNaN();
  });

  test('stop when interrupted: NaN for the rest', async () => {
    const interrupt = new AbortController();
    const seen: string[] = [];
    const samples = await sampleLandscape(bowl, pointAt(0, 0), [along(1, 0)], [[1], [2], [3], [4]], bowl.train, {
      ...options, cells: 1, signal: interrupt.signal, onProgress: (done, total) => { seen.push(`${done}/${total}`); if (done === 2) interrupt.abort(); },
    });
    expect(samples.map(({ loss }) => loss)).toEqual([1, 4, NaN, NaN]);
    expect(seen).toEqual(['1/4', '2/4']);
  });

  test('leave the parameters as they were, also after a failure', async () => {
    const problem = tinyRegression(20);
    const point = problem.model.init(key(0));
    const before = bytesOf(point.params);
    const directions = randomPlane(point.params, 0);
    await sampleLandscape(problem, point, directions, [[0.5, 1], [3, -2]], problem.train, options);
    expect(bytesOf(point.params)).toEqual(before);
    const failing = sampleLandscape(problem, point, directions, [[0.5, 1], [3, -2]], problem.train, { ...options, onProgress: () => { throw new Error('stop here'); } });
    await expect(failing).rejects.toThrow('stop here');
    expect(bytesOf(point.params)).toEqual(before);
  });

  test('refuse directions and points that do not fit', async () => {
    const scan = (directions: readonly unknown[], points: number[][]): Promise<unknown> => sampleLandscape(bowl, pointAt(0, 0), directions as never, points, bowl.train, options);
    await expect(scan([], [[]])).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: sampleLandscape: at least one direction, got none.]`);
    await expect(scan([along(1, 0)], [[1], [1, 2]])).rejects.toThrowErrorMatchingInlineSnapshot(`[ShapeError: sampleLandscape: each point must have 1 coefficients, got 2.]`);
    await expect(scan([{ w: along(1, 0).w, b: along(1, 0).w }], [[1]])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [TreeError: sampleLandscape: trees must have one structure; expected leaf 1 at '(none)', got 'b'.
        Try: pass trees with the same keys in the same order]
    `);
    await expect(scan([{ w: new NDArray(new Float64Array(3), [3], 'float64') }], [[1]])).rejects.toThrowErrorMatchingInlineSnapshot(`[ShapeError: sampleLandscape: a direction must hold f64[2,1] at 'w', got f64[3].]`);
  });
});

describe('symmetricRange', () => {
  test('is exactly symmetric with an exact zero in the middle', () => {
    const range = symmetricRange(0.3, 41);
    expect(range[20]).toBe(0);
    expect([range[0], range[40]]).toEqual([-0.3, 0.3]);
    range.forEach((x, i) => expect(range[40 - i]).toBe(x === 0 ? 0 : -x));
  });
  test('refuses a single point and a radius of zero', () => {
    expect(() => symmetricRange(1, 1)).toThrow(/n must be an integer of at least 2/);
    expect(() => symmetricRange(0, 3)).toThrow(/radius/);
  });
});
