import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { makeSplit } from '../data/index.ts';
import type { Model } from '../nn/index.ts';
import { matmul, mean, mul, square, sub } from '../ops/index.ts';
import { sgd } from '../optim/index.ts';
import type { Problem } from '../problem/index.ts';
import { largestStableRate } from './stable-rate.ts';

/** Half squared errors of a linear map: the Hessian is the second moment of the inputs, diag(4, 1) / 2. */
interface Weights { readonly weight: Tensor }
const model: Model<Weights> = {
  name: 'linear',
  init: () => ({ params: { weight: array([1, 1], [2, 1], 'float32') }, state: {} }),
  apply: ({ weight }, inputs) => ({ outputs: matmul(inputs, weight), state: {} }),
};
const inputs = new NDArray(Float32Array.of(2, 0, 0, 1), [2, 2], 'float32');
const problem: Problem<Weights> = { name: 'quadratic', model, loss: (outputs, targets) => mul(mean(square(sub(outputs, targets)), 1), 0.5), train: makeSplit(inputs, new NDArray(new Float32Array(2), [2, 1], 'float32')) };
const start = model.init(undefined as never);

describe('largestStableRate', () => {
  test('gradient descent on a quadratic: two over the curvature, on all examples and on single ones', async () => {
    // Full batches: 2 / 2 = 1. Single examples: the curvature is 4 on one of two steps, so that it contracts below 2 / 4 alone.
    const common = { start, optimizer: sgd(), orders: [0, 1], steps: 60 } as const;
    const whole = await largestStableRate(problem, { ...common, batchSize: 'full', rates: [0.25, 0.5, 0.9, 0.99, 1.05, 1.2] });
    expect(whole).toMatchObject({ rate: 0.99, isAtEnd: false });
    expect(whole.initialLoss).toBeCloseTo((4 + 1) / 4, 6);
    // (1 - 2 rate)^t in the steep direction, (1 - rate / 2)^t in the other.
    const expected = Array.from({ length: 20 }, (_, i) => 41 + i).reduce((sum, t) => sum + ((1 - 2 * 0.99) ** (2 * t) * 4 + (1 - 0.99 / 2) ** (2 * t)) / 4 / 20, 0);
    expect(whole.losses[3] / expected).toBeCloseTo(1, 3);
    const single = await largestStableRate(problem, { ...common, batchSize: 1, rates: [0.25, 0.45, 0.55, 0.7] });
    expect(single).toMatchObject({ rate: 0.45, isAtEnd: false });
  });
  test('the end of the grid, and a grid without a stable rate', async () => {
    const common = { start, optimizer: sgd(), orders: [0], batchSize: 'full', steps: 40 } as const;
    expect(await largestStableRate(problem, { ...common, rates: [0.1, 0.2] })).toMatchObject({ rate: 0.2, isAtEnd: true });
    const none = await largestStableRate(problem, { ...common, rates: [1.5, 1e30] });
    expect(none).toMatchObject({ rate: undefined, isAtEnd: false });
    expect(none.losses[1]).toBe(Infinity);
  });
  test('refuses impossible options', async () => {
    const common = { start, optimizer: sgd(), orders: [0], batchSize: 'full', rates: [1] } as const;
    await expect(largestStableRate(problem, { ...common, rates: [2, 1] })).rejects.toThrow(/increasing/);
    await expect(largestStableRate(problem, { ...common, orders: [] })).rejects.toThrow(/orders/);
    await expect(largestStableRate(problem, { ...common, last: 81 })).rejects.toThrow(/last/);
    await expect(largestStableRate(problem, { ...common, growth: 0.5 })).rejects.toThrow(/growth/);
  });
});
