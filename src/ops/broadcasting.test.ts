import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkGrads, evaluateReference } from '../testing/index.ts';
import { AxisError, DtypeError, ShapeError, TraceError } from '../util/errors.ts';
import { draws, element, evaluateBoth, indices, int32, tabulate } from './agreement.test-helper.ts';
import { add, broadcastShapes, broadcastTo, mul, normalizeAxes, normalizeAxis, sub, where } from './index.ts';

/** Two shapes that broadcast: a common shape with axes set to one or dropped from the front. */
const pairOfShapes = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }).chain((shape) => {
  const part = fc.tuple(fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), fc.integer({ min: 0, max: shape.length }))
    .map(([ones, dropped]) => shape.map((n, i) => (ones[i] ? 1 : n)).slice(dropped));
  return fc.tuple(part, part);
});

const at = (a: { shape: readonly number[] }, index: readonly number[]): number[] => a.shape.map((n, i) => (n === 1 ? 0 : index[i + index.length - a.shape.length]));

describe('broadcasting', () => {
  test('every element meets its partner by the rule of NumPy', () => {
    fc.assert(fc.property(pairOfShapes, ([left, right]) => {
      const [x, y] = [draws(left, 1), draws(right, 2)];
      const shape = broadcastShapes('add', left, right);
      const sum = evaluateReference(add, x, y);
      expect(sum.shape).toEqual(shape);
      for (const index of indices(shape)) expect(element(sum, index)).toBe(element(x, at(x, index)) + element(y, at(y, index)));
    }), { numRuns: 60 });
  });

  test('derivatives sum over repeated axes', () => {
    fc.assert(fc.property(pairOfShapes, ([left, right]) => { checkGrads((x: Tensor, y: Tensor) => mul(x, y), [draws(left, 1), draws(right, 2)]); }), { numRuns: 10 });
  });

  test('shapes that do not fit are refused with both shapes', () => {
    expect(() => broadcastShapes('add', [2, 3], [2])).toThrow(ShapeError);
    expect(() => evaluateReference(add, draws([2, 3]), draws([4, 1, 2]))).toThrow('add: shapes must broadcast: aligned from the last axis, extents equal or one, got [2,3] and [4,1,2]');
    expect(() => evaluateReference((x: Tensor) => broadcastTo(x, [2]), draws([2, 2]))).toThrow(ShapeError);
    expect(() => evaluateReference((x: Tensor) => broadcastTo(x, [3, 4]), draws([3]))).toThrow(ShapeError);
  });

  test('an extent of zero meets an extent of one', async () => {
    const sum = await evaluateBoth(add, [draws([2, 0]), draws([2, 1])]);
    expect(sum.shape).toEqual([2, 0]);
  });

  test('a number takes the type of the tensor beside it', () => {
    expect(evaluateReference((x: Tensor) => mul(x, 3), int32([2, -1])).dtype).toBe('int32');
    expect(evaluateReference((x: Tensor) => sub(1, x), array([2])).dtype).toBe('float32');
    expect(() => evaluateReference((x: Tensor) => mul(x, 0.5), int32([2]))).toThrow(DtypeError);
    expect(() => evaluateReference((x: Tensor) => add(x, Infinity), int32([2]))).toThrow(/must be an integer, got Infinity/);
  });

  test('numbers alone, and values that are neither, are refused', () => {
    expect(() => add(1, 2)).toThrow(TraceError);
    expect(() => evaluateReference((x: Tensor) => add(x, [1] as unknown as number), draws([1]))).toThrow(/arguments must be tensors or numbers, got Array/);
  });

  test('different element types are refused', () => {
    expect(() => evaluateReference(add, draws([2]), int32([1, 2]))).toThrow(DtypeError);
  });

  test('where broadcasts its condition too', async () => {
    const y = await evaluateBoth((c, x) => where(c, x, -1), [array([[1], [0]], [2, 1], 'bool'), draws([3])]);
    expect(y).toEqual(tabulate([2, 3], (i, j) => (i === 0 ? draws([3]).data[j] : -1)));
  });
});

describe('axes', () => {
  test('count from the end when negative', () => {
    expect(normalizeAxis('sum', 3, -1)).toBe(2);
    expect(normalizeAxes('sum', 3, [-1, 0])).toEqual([0, 2]);
    expect(normalizeAxes('sum', 2)).toEqual([0, 1]);
  });

  test('are refused outside of the range, or twice', () => {
    expect(() => normalizeAxis('sum', 2, 2)).toThrow(AxisError);
    expect(() => normalizeAxis('sum', 2, -3)).toThrow('sum: the axis must lie in -2..1, got -3');
    expect(() => normalizeAxis('sum', 2, 0.5)).toThrow(AxisError);
    expect(() => normalizeAxes('sum', 2, [1, -1])).toThrow(/axes must be distinct/);
  });
});
