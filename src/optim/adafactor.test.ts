import { describe, expect, test } from 'vitest';
import { array, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mul, square, sum } from '../ops/index.ts';
import { adafactor, type AdafactorOptions, type AdafactorState } from './adafactor.ts';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';

const onMatrix = (options: AdafactorOptions, values: number[], shape: number[], steps = 1) =>
  runOptimizer<{ w: Tensor }>(adafactor(options), ({ w }) => mul(0.5, sum(square(w))), { w: array(values, shape, 'float64') }, { steps, rate: 0.1 });
const rootMeanSquare = (values: number[]): number => Math.sqrt(values.reduce((total, value) => total + value * value, 0) / values.length);

describe('adafactor', () => {
  // The first decay is zero: V = g^2, u = sign(g) of root mean square 1; the step is 0.1 rms(3, 4). Second decay b = 1 - 2^-0.8.
  test('a vector: two steps by hand', async () => {
    const first = [3, 4].map((w) => w - 0.1 * rootMeanSquare([3, 4]));
    const b = 1 - 2 ** -0.8;
    const u = first.map((w, i) => w / Math.sqrt(b * [3, 4][i] ** 2 + (1 - b) * w * w));
    const second = first.map((w, i) => w - 0.1 * rootMeanSquare(first) * u[i] / Math.max(1, rootMeanSquare(u)));
    expect((await trace(adafactor(), [3, 4])).map(rounded)).toEqual([first, second].map(rounded));
  });
  test('updates are clipped to a root mean square', async () => {
    expect(rounded((await trace(adafactor({ clipping: 0.5 }), [3, 4]))[0])).toEqual(rounded([3, 4].map((w) => w - 0.05 * rootMeanSquare([3, 4]))));
  });
  test('parameters near zero move in proportion to the smallest scale', async () => {
    expect(rounded((await trace(adafactor({ smallestScale: 0.5 }), [0.1, -0.1]))[0])).toEqual([0.05, -0.05]);
  });
  // [[1, 2], [3, 4]]: means over the second axis 2.5 and 12.5, over the first 5 and 10, of all 7.5: V = R C / 7.5
  test('a factored matrix: one step by hand', async () => {
    const { params, state } = await onMatrix({ factoredFrom: 2 }, [1, 2, 3, 4], [2, 2]);
    const u = [1 / Math.sqrt(2.5 * 5 / 7.5), 2 / Math.sqrt(2.5 * 10 / 7.5), 3 / Math.sqrt(12.5 * 5 / 7.5), 4 / Math.sqrt(12.5 * 10 / 7.5)];
    const factor = rootMeanSquare([1, 2, 3, 4]) / Math.max(1, rootMeanSquare(u));
    expect(rounded([...params.w.data])).toEqual(rounded(u.map((value, i) => i + 1 - 0.1 * factor * value)));
    const [{ rows, columns }] = state as [AdafactorState];
    expect((rows as { w: NDArray }).w.shape).toEqual([2, 1]);
    expect((columns as { w: NDArray }).w.shape).toEqual([1, 2]);
  });
  test('squares that are a product of rows and columns are kept exactly', async () => {
    const product = [1, 2, 3].flatMap((row) => [1, 5, 7, 2].map((column) => row * column));
    const [factored, full] = await Promise.all([2, 128].map((factoredFrom) => onMatrix({ factoredFrom, epsilon: 0 }, product, [3, 4])));
    expect(rounded([...factored.params.w.data])).toEqual(rounded([...full.params.w.data]));
  });
  test('a kernel keeps its smaller axes', async () => {
    const { state } = await onMatrix({ factoredFrom: 4 }, Array.from({ length: 180 }, (_, i) => 1 + (i % 7)), [3, 5, 2, 6]);
    const [{ rows, columns }] = state as [AdafactorState];
    expect((rows as { w: NDArray }).w.shape).toEqual([3, 5, 2, 1]);
    expect((columns as { w: NDArray }).w.shape).toEqual([3, 1, 2, 6]);
  });
  // Steps are 0.1 P^-1 g, and the first goes 0.1 rms.
  test('the preconditioner is what the gradient was divided by', async () => {
    expect(rounded(await preconditionerAfter(adafactor(), [3, 4], { steps: 1 }))).toEqual(rounded([3 / rootMeanSquare([3, 4]), 4 / rootMeanSquare([3, 4])]));
  });
  test('refuses to factor axes of extent one', () => { expect(() => adafactor({ factoredFrom: 1 })).toThrow(/factoredFrom/); });
});
