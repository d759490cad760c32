/** The checks hold where they should, and fail where they should. */
import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { cond, customJvp, customVjp, whileLoop } from '../transforms/control.ts';
import { abs, cos, exp, floor, less, mul, sin, stopGradient, sum, tanh, where } from '../ops/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { allClose, checkBatch, checkConvergence, checkGrads, denseMatrix, evaluateReference, requireClose } from './index.ts';

const f64 = (values: number[]) => array(values, [values.length], 'float64');

describe('checkGrads', () => {
  test('accepts right derivatives to third order, of trees, beside integers', () => {
    checkGrads((p: { a: Tensor; b: Tensor }, mask: Tensor) => ({ out: where(mask, mul(sin(p.a), p.b), exp(p.b)), mask }),
      [{ a: f64([0.3, -1, 2]), b: f64([1, 0.5, -0.7]) }, array([1, 0, 1], [3], 'bool')], { order: 3 });
  });

  test('refuses a wrong forward rule', () => {
    const wrong = customJvp((x: Tensor) => sin(x), ([x], [t]) => mul(t, mul(cos(x), 1.00001)));
    expect(() => checkGrads(wrong, [f64([0.4, 1])])).toThrow(/jvp against finite differences/);
    expect(() => checkGrads(wrong, [f64([0.4, 1])], { tolerance: 1e-4 })).not.toThrow();
  });

  test('refuses a wrong reverse rule, also when only reverse mode is asked for', () => {
    const wrong = customVjp((x: Tensor) => sin(x), (x: Tensor) => [sin(x), x] as const, (x: Tensor, ct: Tensor): [Tensor] => [mul(ct, mul(cos(x), 1.01))]);
    expect(() => checkGrads(wrong, [f64([0.4, 1])], { modes: ['reverse'] })).toThrow(/vjp must agree/);
  });

  test('refuses a rule that is right to first order only', () => {
    // The rule sees a constant cosine: J is right, its derivative is missing.
    const frozen = customJvp((x: Tensor) => sin(x), ([x], [t]) => mul(t, cos(stopGradient(x))));
    expect(() => checkGrads(frozen, [f64([0.4, 1])], { order: 1 })).not.toThrow();
    expect(() => checkGrads(frozen, [f64([0.4, 1])], { order: 2 })).toThrow(/jvp of jvp against finite differences/);
  });

  test('refuses a derivative that misses a jump', () => {
    expect(() => checkGrads((x: Tensor) => mul(floor(mul(x, 300)), x), [f64([0.4, 1])])).toThrow(/finite differences/);
  });

  test('takes loops without reverse mode when it is left out', () => {
    const f = (x: Tensor) => whileLoop((y: Tensor) => less(sum(abs(y)), 4), (y: Tensor) => mul(y, tanh(mul(y, 3))), x);
    expect(() => checkGrads(f, [f64([5, -6])], { modes: ['forward', 'linearize'] })).not.toThrow();
  });

  test('refuses an order below one', () => {
    expect(() => checkGrads(sin, [f64([1])], { order: 0 })).toThrow(/order must be a positive integer/);
  });
});

describe('checkBatch', () => {
  test('accepts mapped and shared arguments along any axis', () => {
    checkBatch((x: Tensor, y: Tensor, on: Tensor) => cond(on, (a: Tensor) => mul(a, y), (a: Tensor) => sin(a), x),
      [array([[1, 2, 3], [4, 5, 6]], [2, 3], 'float64'), f64([7, 8]), array([1, 0, 1], [3], 'bool')], { inAxes: [1, null, 0] });
  });

  test('refuses a function that is another one when batched', () => {
    let calls = 0;
    expect(() => checkBatch((x: Tensor) => mul(x, ++calls === 1 ? 1 : 2), [f64([1, 2])])).toThrow(/vmap against a loop/);
  });
});

describe('comparison', () => {
  test('agrees with NaN, infinities and signed zeros', () => {
    const values = f64([NaN, Infinity, -Infinity, 0, 1]);
    expect(allClose(values, f64([NaN, Infinity, -Infinity, -0, 1 + 1e-9]))).toBe(true);
    expect(allClose(values, f64([NaN, Infinity, Infinity, 0, 1]))).toBe(false);
    expect(allClose(f64([1]), f64([NaN]))).toBe(false);
    expect(allClose(f64([NaN]), f64([1]), { scaled: 10 })).toBe(false);
    expect(allClose(f64([1e300]), f64([Infinity]))).toBe(false);
    expect(allClose(array([1, 2], [2], 'int32'), array([1, 3], [2], 'int32'), { absolute: 5 })).toBe(false);
  });

  test('names what differs', () => {
    expect(() => requireClose({ a: f64([1, 2]), b: 3 }, { a: f64([1, 2.5]), b: 3 })).toThrowErrorMatchingInlineSnapshot(`[CheckError: requireClose: element 1 at 'a' must be 2.5, got 2 (difference -0.5).]`);
    expect(() => requireClose(f64([1]), f64([1, 2]))).toThrowErrorMatchingInlineSnapshot(`[CheckError: requireClose: the value must be of shape [2], got [1].]`);
  });
});

describe('oracles', () => {
  test('denseMatrix has the products with unit vectors as columns', async () => {
    const matrix = await denseMatrix((v) => array([v.data[0] + 2 * v.data[1], 3 * v.data[0], 4 * v.data[1]], [3], 'float64'), 2);
    expect(matrix.shape).toEqual([3, 2]);
    expect([...matrix.data]).toEqual([1, 2, 3, 0, 0, 4]);
  });

  test('checkConvergence stops when the mean is close, and refuses a biased estimator', async () => {
    const draw = (bias: number) => (i: number) => 3 + bias + normal(split(key(1), i), 1, { dtype: 'float64' })[0];
    const result = await checkConvergence(draw(0), 3, { budget: 4096, tolerance: 0.02 });
    expect(Math.abs(result.mean[0] - 3)).toBeLessThan(0.06);
    expect(result.draws).toBeLessThanOrEqual(4096);
    await expect(checkConvergence(draw(0.3), 3, { budget: 4096, tolerance: 0.02 })).rejects.toThrow(/relative error below 0.02/);
  });

  test('evaluateReference runs at once, in float64', () => {
    expect(evaluateReference((x: Tensor) => sin(x), 0.5).item()).toBe(Math.sin(0.5));
  });
});
