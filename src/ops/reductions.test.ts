import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkGrads, evaluateReference, requireClose } from '../testing/index.ts';
import { grad, hessian } from '../transforms/index.ts';
import { ShapeError } from '../util/errors.ts';
import { draws, element, evaluateBoth, float64, indices, int32, numbers, tabulate } from './agreement.test-helper.ts';
import {
  argmax, argmin, argsort, at, cummax, cumprod, cumsum, logSumExp, max, mean, min, mul, norm, prod, sort, standardDeviation, sum, takeAlongAxis, topK, variance,
} from './index.ts';

const gradientOf = (f: (x: Tensor) => Tensor) => (x: Tensor): Tensor => grad((t: Tensor) => sum(f(t)))(x);

describe('reductions', () => {
  const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);
  const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const spread = (values: readonly number[]): number => average(values.map((v) => (v - average(values)) ** 2));
  const plain: Readonly<Record<string, [typeof sum, (values: readonly number[]) => number]>> = {
    sum: [sum, (values) => values.reduce((a, b) => a + b, 0)], mean: [mean, average], max: [max, (values) => Math.max(...values)],
    min: [min, (values) => Math.min(...values)], prod: [prod, product], variance: [variance, spread],
    standardDeviation: [standardDeviation, (values) => Math.sqrt(spread(values))],
    logSumExp: [logSumExp, (values) => Math.log(values.reduce((a, b) => a + Math.exp(b), 0))],
  };
  const naive = (x: NDArray, axes: readonly number[], f: (values: readonly number[]) => number): NDArray => {
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    return tabulate(kept.map((i) => x.shape[i]), (...index) => f(indices(axes.map((i) => x.shape[i])).map((inner) =>
      element(x, x.shape.map((_, i) => (axes.includes(i) ? inner[axes.indexOf(i)] : index[kept.indexOf(i)]))))));
  };

  test.each(Object.entries(plain))('%s over every choice of axes agrees with plain loops', async (_, [f, value]) => {
    const x = draws([2, 3, 4], 3);
    for (const axes of [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]) {
      const expected = naive(x, axes, value);
      requireClose(evaluateReference((t: Tensor) => f(t, axes), x), expected, { relative: 1e-12 });
      const kept = evaluateReference((t: Tensor) => f(t, axes.map((axis) => axis - 3), { keepDims: true }), x);
      requireClose(kept, float64(expected.data, x.shape.map((n, i) => (axes.includes(i) ? 1 : n))), { relative: 1e-12 });
    }
    await evaluateBoth((t) => f(t), [x]);
    await evaluateBoth((t) => f(t, [0, 2]), [x]);
  });

  test.each(Object.entries(plain))('%s: derivatives to second order', (_, [f]) => { checkGrads((x: Tensor) => f(x, 1), [draws([2, 3], 3)]); });

  test('maxima that tie share the derivative', async () => {
    expect(numbers(await evaluateBoth(gradientOf((x) => max(x, 1)), [float64([[1, 3, 3, -2], [5, 3, -1, -2]])]))).toEqual([0, 0.5, 0.5, 0, 1, 0, 0, 0]);
    expect(numbers(await evaluateBoth(gradientOf((x) => min(x)), [float64([2, 2, 2, 2])]))).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  test('the norm', async () => {
    expect((await evaluateBoth(norm, [float64([[3, 0], [0, 4]])])).item()).toBe(5);
    checkGrads(norm, [draws([2, 2])]);
  });

  test('of integers', async () => {
    expect(numbers(await evaluateBoth((x) => sum(x, 0), [int32([[1, 2], [3, 4]])]))).toEqual([4, 6]);
    expect(numbers(await evaluateBoth((x) => max(x, 1), [int32([[1, 2], [-3, -4]])]))).toEqual([2, -3]);
  });
});

describe('products with zeros', () => {
  /** Product of all elements but those at the given places. */
  const others = (values: readonly number[], ...left: number[]): number => values.reduce((p, v, i) => (left.includes(i) ? p : p * v), 1);

  test('the gradient is the product of the others, the Hessian of the others but two', () => {
    const values = fc.array(fc.constantFrom(0, 0, 1, -2, 0.5, 3), { minLength: 1, maxLength: 7 });
    fc.assert(fc.property(values, (list) => {
      const x = float64(list);
      expect(evaluateReference(prod, x).item() + 0).toBe(others(list) + 0);
      expect(numbers(evaluateReference(grad((t: Tensor) => prod(t)), x))).toEqual(list.map((_, i) => others(list, i) + 0));
      const second = evaluateReference((t: Tensor) => hessian((s: Tensor) => prod(s))(t) as Tensor, x);
      expect(numbers(second)).toEqual(list.flatMap((_, i) => list.map((__, j) => (i === j ? 0 : others(list, i, j) + 0))));
    }), { numRuns: 60 });
  });

  test('cumulative products too', async () => {
    const list = [2, 0, -3, 0, 5];
    const x = float64(list);
    expect(numbers(await evaluateBoth((t) => cumprod(t), [x]))).toEqual([2, 0, 0, 0, 0]);
    for (let k = 0; k < list.length; k++) {
      const head = list.slice(0, k + 1);
      expect(numbers(evaluateReference(grad((t: Tensor) => at(cumprod(t), k)), x))).toEqual(list.map((_, i) => (i > k ? 0 : others(head, i) + 0)));
    }
    checkGrads((t: Tensor) => cumprod(t, 1), [float64([[2, 0, -3, 0.5, 1], [0, 1, 1, 0, 2]])]);
  });

  test('an empty product is one', async () => {
    expect(numbers(await evaluateBoth((t) => prod(t, 1), [draws([2, 0])]))).toEqual([1, 1]);
  });
});

describe('running reductions', () => {
  const running = (list: readonly number[], combine: (a: number, b: number) => number): number[] => list.map((_, i) => list.slice(0, i + 1).reduce((a, b) => combine(a, b)));
  const kinds = [[cumsum, (a: number, b: number) => a + b], [cumprod, (a: number, b: number) => a * b], [cummax, (a: number, b: number) => Math.max(a, b)]] as const;

  test('agree with loops, in both directions', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 12 }), (list) => {
      for (const [f, combine] of kinds) {
        expect(numbers(evaluateReference((t: Tensor) => f(t), float64(list)))).toEqual(running(list, combine).map((v) => v + 0));
        expect(numbers(evaluateReference((t: Tensor) => f(t), int32(list)))).toEqual(running(list, combine).map((v) => v + 0));
        expect(numbers(evaluateReference((t: Tensor) => f(t, 0, { reverse: true }), float64(list)))).toEqual(running([...list].reverse(), combine).reverse().map((v) => v + 0));
      }
    }), { numRuns: 40 });
  });

  test.each(kinds.map(([f]) => [f.name, f] as const))('%s along each axis on ONNX Runtime', async (_, f) => {
    for (const axis of [0, 1, -1]) await evaluateBoth((x) => f(x, axis), [draws([3, 2, 5])]);
    await evaluateBoth((x) => f(x, 1, { reverse: true }), [int32([[-3, -1, -2], [2, 4, 3]])]);
  });

  test('a running maximum passes the derivative to the element that set it', async () => {
    expect(numbers(await evaluateBoth(gradientOf((x) => cummax(x)), [float64([1, 0, 3, 2, -1])]))).toEqual([2, 0, 3, 0, 0]);
    checkGrads((x: Tensor) => cummax(x, 1), [float64([[1, 3, 2, 5], [-4, -1, -2, -3]])]);
  });
});

describe('logSumExp', () => {
  test('a slice of all -infinity is -infinity, with derivative zero', async () => {
    const x = float64([[-Infinity, -Infinity], [0, -Infinity], [0, 0]]);
    expect(numbers(await evaluateBoth((t) => logSumExp(t, 1), [x]))).toEqual([-Infinity, 0, Math.LN2]);
    expect(numbers(await evaluateBoth(gradientOf((t) => logSumExp(t, 1)), [x]))).toEqual([0, 0, 1, 0, 0.5, 0.5]);
  });

  test('an infinity is the result, a NaN stays', () => {
    expect(numbers(evaluateReference((t: Tensor) => logSumExp(t, 1), float64([[Infinity, 0], [NaN, 0]])))).toEqual([Infinity, NaN]);
  });

  test('neither overflows nor underflows', async () => {
    const x = float64([[1e3, 1e3], [-1e3, -1e3], [1e3, -1e3]]);
    requireClose(await evaluateBoth((t) => logSumExp(t, -1), [x]), float64([1e3 + Math.LN2, -1e3 + Math.LN2, 1e3]), { relative: 1e-15 });
    expect(numbers(await evaluateBoth(gradientOf((t) => logSumExp(t, -1)), [x]))).toEqual([0.5, 0.5, 0.5, 0.5, 1, 0]);
  });
});

describe('order', () => {
  const lists = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 10 });
  const order = (list: readonly number[], sign: number): number[] => list.map((_, i) => i).sort((a, b) => sign * (list[a] - list[b]) || a - b);

  test('sort and argsort are stable', () => {
    fc.assert(fc.property(lists, (list) => {
      const x = float64(list);
      expect(numbers(evaluateReference((t: Tensor) => sort(t), x))).toEqual([...list].sort((a, b) => a - b).map((v) => v + 0));
      expect(numbers(evaluateReference((t: Tensor) => argsort(t), x))).toEqual(order(list, 1));
    }), { numRuns: 50 });
  });

  test('ties keep their order on ONNX Runtime too, along any axis', async () => {
    const x = tabulate([5, 3, 4], (i, j, k) => (7 * i + 3 * j + 5 * k) % 4);
    for (const axis of [0, 1, 2]) {
      const [sorted, positions] = await evaluateBoth((t) => [sort(t, axis), argsort(t, axis)] as const, [x]);
      expect(evaluateReference((t: Tensor, p: Tensor) => takeAlongAxis(t, p, axis), x, positions)).toEqual(sorted);
    }
    expect(numbers(await evaluateBoth((t) => argsort(t), [int32([2, 1, 2, 1])]))).toEqual([1, 3, 0, 2]);
  });

  test('topK takes the first of equal elements, largest or smallest', async () => {
    const x = float64([[1, 3, 3, 2], [5, 5, 5, 0]]);
    const [values, positions] = await evaluateBoth((t) => topK(t, 2), [x]);
    expect([numbers(values), numbers(positions)]).toEqual([[3, 3, 5, 5], [1, 2, 0, 1]]);
    const [least, places] = await evaluateBoth((t) => topK(t, 1, { axis: 0, largest: false }), [x]);
    expect([numbers(least), numbers(places)]).toEqual([[1, 3, 3, 0], [0, 0, 0, 1]]);
  });

  test('argmax and argmin take the first', async () => {
    const x = float64([[1, 3, 3], [-2, 5, -2]]);
    expect(numbers(await evaluateBoth((t) => argmax(t), [x]))).toEqual([1, 1]);
    expect(numbers(await evaluateBoth((t) => argmin(t), [x]))).toEqual([0, 0]);
    expect(numbers(await evaluateBoth((t) => argmax(t, 0), [x]))).toEqual([0, 1, 0]);
  });

  test('derivatives follow the elements', async () => {
    const weights = array([1, 10, 100], [3], 'float64');
    expect(numbers(await evaluateBoth((x, w) => grad((t: Tensor) => sum(mul(sort(t), w)))(x), [float64([5, -1, 2]), weights]))).toEqual([100, 1, 10]);
    checkGrads((x: Tensor) => [sort(x, 0), topK(x, 2)[0]], [float64([[3, 1, 2], [0, 5, 4]])]);
  });

  test('k out of range is refused', () => {
    expect(() => evaluateReference((t: Tensor) => topK(t, 4)[0], float64([1, 2, 3]))).toThrow(ShapeError);
    expect(() => evaluateReference((t: Tensor) => topK(t, 1)[0], float64(3))).toThrow(/at least one axis/);
  });
});
