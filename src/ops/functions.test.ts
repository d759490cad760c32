import { describe, expect, test } from 'vitest';
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkGrads, evaluateReference, requireClose } from '../testing/index.ts';
import { grad, jacfwd } from '../transforms/index.ts';
import { draws, element, evaluateBoth, float64, indices, numbers, tabulate } from './agreement.test-helper.ts';
import {
  arange, attention, elu, expandDims, gelu, greaterEqual, leakyRelu, logSigmoid, logSoftmax, relu, rootMeanSquareNormalize, sigmoid, silu, softmax, softplus,
  standardize, sum,
} from './index.ts';

const derivative = (f: (x: Tensor) => Tensor, order: number): ((x: Tensor) => Tensor) => (order === 0 ? f : derivative(grad((x: Tensor) => sum(f(x))), order - 1));
const extremes = float64([-1e3, -100, -20, 0, 20, 100, 1e3]);

/** Value and first derivative at the extremes, in closed form where exponentials have vanished. */
const activations: Readonly<Record<string, { f: (x: Tensor) => Tensor; value: (x: number) => number; slope: (x: number) => number }>> = {
  relu: { f: relu, value: (x) => Math.max(x, 0), slope: (x) => Number(x > 0) },
  sigmoid: { f: sigmoid, value: (x) => 1 / (1 + Math.exp(-x)), slope: (x) => Math.exp(-Math.abs(x)) / (1 + Math.exp(-Math.abs(x))) ** 2 },
  softplus: { f: softplus, value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), slope: (x) => 1 / (1 + Math.exp(-x)) },
  logSigmoid: { f: logSigmoid, value: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))), slope: (x) => 1 / (1 + Math.exp(x)) },
  silu: { f: silu, value: (x) => x / (1 + Math.exp(-x)), slope: (x) => (x === 0 ? 0.5 : Number(x > 0) + (x * Math.exp(-Math.abs(x)))) },
  gelu: { f: (x) => gelu(x), value: (x) => Math.max(x, 0), slope: (x) => (Math.sign(x) + 1) / 2 },
  'gelu by tanh': { f: (x) => gelu(x, { approximate: true }), value: (x) => Math.max(x, 0), slope: (x) => (Math.sign(x) + 1) / 2 },
  elu: { f: (x) => elu(x), value: (x) => (x > 0 ? x : Math.expm1(x)), slope: (x) => (x > 0 ? 1 : Math.exp(x)) },
  leakyRelu: { f: (x) => leakyRelu(x), value: (x) => (x > 0 ? x : 0.01 * x), slope: (x) => (x > 0 ? 1 : 0.01) },
};

describe('activations', () => {
  const within = { relative: 1e-12, absolute: 1e-7 };

  test.each(Object.entries(activations))('%s and its slope are finite and right from -1e3 to 1e3', async (_, { f, value, slope }) => {
    requireClose(await evaluateBoth(f, [extremes]), float64(numbers(extremes).map(value)), within);
    requireClose(await evaluateBoth(derivative(f, 1), [extremes]), float64(numbers(extremes).map(slope)), within);
  });

  test.each(Object.entries(activations))('%s: no derivative to third order is NaN or infinite', async (_, { f }) => {
    for (const order of [2, 3]) expect(numbers(await evaluateBoth(derivative(f, order), [extremes])).every(Number.isFinite)).toBe(true);
  });

  test.each(Object.entries(activations))('%s: derivatives to third order away from kinks', (_, { f }) => {
    checkGrads(f, [float64([-2.3, -0.6, 0.4, 1.7])], { order: 3, tolerance: 1e-5 });
  });

  test('smooth ones are smooth at zero too', () => {
    for (const f of [sigmoid, softplus, logSigmoid, silu, (x: Tensor) => gelu(x)]) checkGrads(f, [float64([0])], { order: 3, tolerance: 1e-5 });
    expect(evaluateReference(derivative(softplus, 2), float64([0])).item()).toBe(0.25);
  });

  test('NaN stays NaN', () => {
    for (const { f } of Object.values(activations)) expect(evaluateReference(f, float64([NaN])).item()).toBeNaN();
  });

  test('elu and leakyRelu take their slopes', () => {
    expect(evaluateReference((x: Tensor) => elu(x, 2), float64([-1])).item()).toBeCloseTo(2 * Math.expm1(-1), 14);
    expect(evaluateReference((x: Tensor) => leakyRelu(x, 0.2), float64([-1])).item()).toBe(-0.2);
  });
});

describe('softmax', () => {
  const naive = (x: NDArray, axis: number): NDArray => tabulate(x.shape, (...index) => {
    const total = indices([x.shape[axis]]).reduce((sum_, [i]) => sum_ + Math.exp(element(x, index.map((j, a) => (a === axis ? i : j)))), 0);
    return Math.exp(element(x, index)) / total;
  });

  test('is exp(x) / sum(exp(x)) along any axis, and its logarithm', async () => {
    const x = draws([2, 3, 4]);
    for (const axis of [0, 1, 2]) {
      requireClose(await evaluateBoth((t) => softmax(t, axis), [x]), naive(x, axis), { relative: 1e-13 });
      requireClose(await evaluateBoth((t) => logSoftmax(t, axis), [x]), tabulate(x.shape, (...index) => Math.log(element(naive(x, axis), index))), { relative: 1e-12 });
    }
  });

  test('neither overflows nor loses its derivatives at 1e3', async () => {
    const x = float64([[1e3, 1e3, -1e3], [-1e3, 0, 1e3]]);
    expect(numbers(await evaluateBoth((t) => softmax(t), [x]))).toEqual([0.5, 0.5, 0, 0, 0, 1]);
    requireClose(await evaluateBoth((t) => logSoftmax(t), [x]), float64([[-Math.LN2, -Math.LN2, -2e3 - Math.LN2], [-2e3, -1e3, 0]]), { relative: 1e-14 });
    const row = float64([1e3, 1e3, -1e3]);
    expect(numbers(await evaluateBoth((t) => jacfwd((s: Tensor) => softmax(s))(t) as Tensor, [row]))).toEqual([0.25, -0.25, 0, -0.25, 0.25, 0, 0, 0, 0]);
    const hessian = await evaluateBoth((t) => jacfwd(grad((s: Tensor) => sum(logSoftmax(s))))(t) as Tensor, [row]);
    requireClose(hessian, float64([-0.75, 0.75, 0, 0.75, -0.75, 0, 0, 0, 0], [3, 3]), { absolute: 1e-13 });
  });

  test('an entry of -infinity has weight zero, and passes no derivative', async () => {
    const x = float64([-Infinity, 0, 0]);
    expect(numbers(await evaluateBoth((t) => softmax(t), [x]))).toEqual([0, 0.5, 0.5]);
    expect(numbers(await evaluateBoth((t) => jacfwd((s: Tensor) => softmax(s))(t) as Tensor, [x]))).toEqual([0, 0, 0, 0, 0.25, -0.25, 0, -0.25, 0.25]);
  });

  test('derivatives', () => {
    checkGrads((x: Tensor) => [softmax(x, 0), logSoftmax(x)], [draws([2, 3])]);
  });
});

describe('normalisation', () => {
  test('standardize gives mean zero and variance one over the axes', async () => {
    const y = await evaluateBoth((x) => standardize(x, [0, 2], 0), [draws([4, 2, 5])]);
    for (let channel = 0; channel < 2; channel++) {
      const values = indices([4, 5]).map(([i, k]) => element(y, [i, channel, k]));
      expect(values.reduce((a, b) => a + b) / 20).toBeCloseTo(0, 13);
      expect(values.reduce((a, b) => a + b * b, 0) / 20).toBeCloseTo(1, 13);
    }
  });

  test('a constant slice is standardized to zero, with finite derivatives', async () => {
    const x = float64([[3, 3, 3]]);
    expect(numbers(await evaluateBoth((t) => standardize(t, -1), [x]))).toEqual([0, 0, 0]);
    expect(numbers(await evaluateBoth(derivative((t) => standardize(t, -1), 1), [x])).every(Number.isFinite)).toBe(true);
  });

  test('rootMeanSquareNormalize divides by the root of the mean square', async () => {
    const y = await evaluateBoth((x) => rootMeanSquareNormalize(x, 0), [float64([[3, 4], [0, 2]])]);
    requireClose(y, float64([[3, 4].map((v) => v / Math.sqrt(12.5)), [0, Math.SQRT2]]), { relative: 1e-14 });
  });
});

describe('attention', () => {
  const naive = (q: NDArray, k: NDArray, v: NDArray, sees: (i: number, j: number) => boolean): NDArray => {
    const [n, width] = q.shape;
    return tabulate([n, v.shape[1]], (i, d) => {
      const weights = indices([k.shape[0]]).map(([j]) => {
        const score = indices([width]).reduce((s, [c]) => s + element(q, [i, c]) * element(k, [j, c]), 0) / Math.sqrt(width);
        return sees(i, j) ? Math.exp(score) : 0;
      });
      const total = weights.reduce((a, b) => a + b);
      return weights.reduce((s, w, j) => s + (w / total) * element(v, [j, d]), 0);
    });
  };

  test('agrees with plain loops, with and without a mask', async () => {
    const [q, k, v] = [draws([4, 3], 1), draws([4, 3], 2), draws([4, 2], 3)];
    const causal = (a: Tensor, b: Tensor, c: Tensor): Tensor => attention(a, b, c, greaterEqual(expandDims(arange(4), 1), arange(4)));
    requireClose(await evaluateBoth((a, b, c) => attention(a, b, c), [q, k, v]), naive(q, k, v, () => true), { relative: 1e-12 });
    requireClose(await evaluateBoth(causal, [q, k, v]), naive(q, k, v, (i, j) => j <= i), { relative: 1e-12 });
    checkGrads(causal, [q, k, v]);
  });

  test('takes leading axes', async () => {
    const y = await evaluateBoth((a, b, c) => attention(a, b, c), [draws([2, 3, 4, 5], 1), draws([2, 3, 6, 5], 2), draws([2, 3, 6, 2], 3)]);
    expect(y.shape).toEqual([2, 3, 4, 2]);
  });
});
