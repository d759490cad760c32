import { describe, expect, test } from 'vitest';
import type { Tensor } from '../core/tensor.ts';
import { checkGrads, evaluateReference, requireClose } from '../testing/index.ts';
import { grad, vmap } from '../transforms/index.ts';
import { draws, evaluateBoth, float64, int32, numbers } from './agreement.test-helper.ts';
import {
  abs, atan2, clip, convert, div, expm1, greater, log, log1p, maximum, minimum, mod, mul, pow, round, sign, sqrt, stopGradient, sub, sum, where,
} from './index.ts';

/** Derivative of an elementwise function at every element. */
const derivative = (f: (x: Tensor) => Tensor, order = 1): ((x: Tensor) => Tensor) => (order === 0 ? f : derivative(grad((x: Tensor) => sum(f(x))), order - 1));

describe('where', () => {
  const safeRoot = (x: Tensor): Tensor => {
    const isPositive = greater(x, 0);
    return where(isPositive, sqrt(where(isPositive, x, 1)), 0);
  };

  test('a NaN or an infinity of the other branch does not come through', async () => {
    const x = float64([-1, 0, 4, 1e300]);
    expect(numbers(await evaluateBoth((t) => where(greater(t, 0), log(t), -3), [float64([-1, 0, 1, Math.E])]))).toEqual([-3, -3, 0, 1]);
    expect(numbers(evaluateReference((t: Tensor) => where(greater(t, 0), 1, div(mul(t, t), 0)), x))).toEqual([Infinity, NaN, 1, 1]);
  });

  test('derivatives are finite when the argument of the other branch is replaced too', async () => {
    expect(numbers(await evaluateBoth(derivative(safeRoot), [float64([-1, 0, 4])]))).toEqual([0, 0, 0.25]);
    expect(numbers(await evaluateBoth(derivative(safeRoot, 2), [float64([-1, 0, 4])]))).toEqual([0, 0, -1 / 32]);
  });
});

describe('powers', () => {
  test('integer powers of zero and of negative numbers, with their derivatives', async () => {
    const x = float64([-2, 0, 3]);
    const cube = (t: Tensor): Tensor => pow(t, 3);
    expect(numbers(await evaluateBoth(cube, [x]))).toEqual([-8, 0, 27]);
    expect(numbers(await evaluateBoth(derivative(cube), [x]))).toEqual([12, 0, 27]);
    expect(numbers(await evaluateBoth(derivative(cube, 2), [x]))).toEqual([-12, 0, 18]);
    expect(numbers(await evaluateBoth(derivative(cube, 3), [x]))).toEqual([6, 6, 6]);
    expect(numbers(await evaluateBoth(derivative(cube, 4), [x]))).toEqual([0, 0, 0]);
  });

  test('the exponent zero: x^0 is 1 with derivative zero in x, also at zero', async () => {
    const one = (t: Tensor): Tensor => pow(t, sub(t, stopGradient(t)));
    expect(numbers(evaluateReference((t: Tensor) => pow(t, 0), float64([0, 2])))).toEqual([1, 1]);
    expect(numbers(evaluateReference(derivative((t) => pow(t, mul(stopGradient(t), 0))), float64([0, 2])))).toEqual([0, 0]);
    // d x^y/dy = log x at y = 0, and d2 x^y/dxdy = 1/x there.
    expect(numbers(evaluateReference(derivative(one), float64([2])))[0]).toBeCloseTo(Math.LN2, 14);
    const mixed = vmap((x: Tensor, y: Tensor) => grad((b: Tensor) => grad((a: Tensor) => pow(a, b))(x))(y));
    requireClose(await evaluateBoth(mixed, [float64([0.5, 2, 4]), float64([0, 0, 0])]), float64([2, 0.5, 0.25]), { relative: 1e-14 });
  });

  test('derivatives to third order', () => {
    checkGrads((x: Tensor, y: Tensor) => pow(x, y), [float64([0.5, 1, 2]), float64([1, 0, -1.5])], { order: 3, tolerance: 1e-5 });
  });
});

describe('ties and jumps', () => {
  test('equal arguments share the derivative of the larger and of the smaller', () => {
    const x = float64([1, 2, 3]);
    const y = float64([3, 2, 1]);
    const parts = (f: typeof maximum) => evaluateReference(grad(([a, b]: [Tensor, Tensor]) => sum(f(a, b))), [x, y]);
    expect(parts(maximum).map(numbers)).toEqual([[0, 0.5, 1], [1, 0.5, 0]]);
    expect(parts(minimum).map(numbers)).toEqual([[1, 0.5, 0], [0, 0.5, 1]]);
  });

  test('absolute value and sign at zero', async () => {
    expect(numbers(await evaluateBoth(derivative(abs), [float64([-2, 0, 3])]))).toEqual([-1, 0, 1]);
    expect(numbers(await evaluateBoth(derivative(sign), [float64([-2, 0, 3])]))).toEqual([0, 0, 0]);
  });

  test('clip: identity inside, constant outside, tensors as bounds', async () => {
    const x = float64([-3, -0.5, 0.5, 3]);
    expect(numbers(await evaluateBoth((t) => clip(t, -1, 1), [x]))).toEqual([-1, -0.5, 0.5, 1]);
    expect(numbers(await evaluateBoth(derivative((t) => clip(t, -1, 1)), [x]))).toEqual([0, 1, 1, 0]);
    expect(numbers(await evaluateBoth((t, low) => clip(t, low, 2), [x, float64([0])]))).toEqual([0, 0, 0.5, 2]);
  });

  test('rounding is to even, and conversion toward zero', async () => {
    expect(numbers(await evaluateBoth(round, [float64([0.5, 1.5, 2.5, -0.5, -1.5, 2.4])]))).toEqual([0, 2, 2, 0, -2, 2]);
    expect(numbers(await evaluateBoth((x) => convert(x, 'int32'), [float64([1.9, -1.9, 0])]))).toEqual([1, -1, 0]);
  });

  test('NaN passes through maxima and minima', async () => {
    const x = float64([NaN, 1]);
    expect(numbers(await evaluateBoth((t) => maximum(t, 2), [x]))).toEqual([NaN, 2]);
    expect(numbers(await evaluateBoth((t) => minimum(t, 0), [x]))).toEqual([NaN, 0]);
  });
});

describe('remainders and angles', () => {
  test('the remainder has the sign of the dividend', async () => {
    expect(numbers(await evaluateBoth(mod, [float64([5, -5, 5, -5]), float64([3, 3, -3, -3])]))).toEqual([2, -2, 2, -2]);
    expect(numbers(await evaluateBoth(mod, [int32([5, -5]), int32([3, 3])]))).toEqual([2, -2]);
  });

  test('atan2 in every quadrant and on the axes', async () => {
    const pairs = [[1, 1], [1, -1], [-1, -1], [-1, 1], [1, 0], [-1, 0], [0, 1], [0, -1]];
    const y = await evaluateBoth(atan2, [float64(pairs.map(([a]) => a)), float64(pairs.map(([, b]) => b))]);
    requireClose(y, float64(pairs.map(([a, b]) => Math.atan2(a, b))), { relative: 1e-15 });
  });
});

test('log1p and expm1 keep relative accuracy near zero in float32', async () => {
  const x = float64([1e-30, -1e-20, 1e-7, -1e-4, 0.3, 20]);
  await evaluateBoth(log1p, [x], { relative: 1e-6, absolute: 0, scaled: 0 });
  await evaluateBoth(expm1, [x], { relative: 1e-6, absolute: 0, scaled: 0 });
});

test('stopGradient keeps its meaning under vmap', () => {
  const f = (x: Tensor): Tensor => mul(x, stopGradient(x));
  const x = draws([3]);
  expect(evaluateReference(grad((t: Tensor) => sum(vmap(f)(t))), x)).toEqual(x);
  // A gradient under vmap is itself differentiable.
  requireClose(evaluateReference(grad((t: Tensor) => sum(vmap(grad((s: Tensor) => mul(s, mul(s, s))))(t))), x), float64(numbers(x).map((t) => 6 * t)), { relative: 1e-14 });
});
