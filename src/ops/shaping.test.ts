import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkGrads, evaluateReference } from '../testing/index.ts';
import { grad } from '../transforms/index.ts';
import { ArgumentError, ShapeError, ThalwegError } from '../util/errors.ts';
import { draws, element, evaluateBoth, float64, indices, int32, numbers, tabulate } from './agreement.test-helper.ts';
import {
  arange, at, concat, constant, dynamicSlice, dynamicUpdateSlice, expandDims, eye, flatten, full, gather, moveAxis, mul, narrow, oneHot, ones, onesLike, pad, reshape,
  reverse, scatterAdd, scatterSet, slice, split, squeeze, stack, sum, take, takeAlongAxis, transpose, tril, triu, zeros, zerosLike,
} from './index.ts';

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

describe('shapes', () => {
  test('transpose and moveAxis put every element where it belongs', () => {
    fc.assert(fc.property(shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.shuffledSubarray(shape.map((_, i) => i), { minLength: shape.length }), fc.nat(shape.length - 1), fc.nat(shape.length - 1))), ([shape, permutation, from, to]) => {
      const x = draws(shape);
      const y = evaluateReference((t: Tensor) => transpose(t, permutation), x);
      for (const index of indices(y.shape)) expect(element(y, index)).toBe(element(x, shape.map((_, axis) => index[permutation.indexOf(axis)])));
      const z = evaluateReference((t: Tensor) => moveAxis(t, from, to), x);
      for (const index of indices(shape)) {
        const rest = index.filter((_, i) => i !== from);
        expect(element(z, [...rest.slice(0, to), index[from], ...rest.slice(to)])).toBe(element(x, index));
      }
    }), { numRuns: 40 });
  });

  test('reshape infers one extent', () => {
    expect(evaluateReference((x: Tensor) => reshape(x, [2, -1]), draws([3, 4])).shape).toEqual([2, 6]);
    expect(() => evaluateReference((x: Tensor) => reshape(x, [5, -1]), draws([3, 4]))).toThrow(ShapeError);
    expect(() => evaluateReference((x: Tensor) => reshape(x, [-1, -1]), draws([3, 4]))).toThrow(ShapeError);
    expect(() => evaluateReference((x: Tensor) => reshape(x, [5, 2]), draws([3, 4]))).toThrow(ShapeError);
  });

  test('expandDims, squeeze and flatten', () => {
    const shapeOf = (f: (x: Tensor) => Tensor, shape: number[]): readonly number[] => evaluateReference(f, draws(shape)).shape;
    expect(shapeOf((x) => expandDims(x, 1), [2, 3])).toEqual([2, 1, 3]);
    expect(shapeOf((x) => expandDims(x, -1), [2, 3])).toEqual([2, 3, 1]);
    expect(shapeOf((x) => squeeze(x), [1, 2, 1])).toEqual([2]);
    expect(shapeOf((x) => squeeze(x, -1), [1, 2, 1])).toEqual([1, 2]);
    expect(() => shapeOf((x) => squeeze(x, 1), [1, 2, 1])).toThrow(ShapeError);
    expect(shapeOf((x) => flatten(x), [2, 3, 4])).toEqual([2, 12]);
  });

  test('concat, stack and split are inverse to each other', async () => {
    const x = draws([4, 6, 2]);
    for (const axis of [0, 1, -1]) expect(await evaluateBoth((t) => concat(split(t, 2, axis), axis), [x])).toEqual(x);
    const y = await evaluateBoth((t) => stack([t, mul(t, 2)], 1), [draws([2, 3])]);
    expect(y).toEqual(tabulate([2, 2, 3], (i, k, j) => element(draws([2, 3]), [i, j]) * (k + 1)));
    expect(() => evaluateReference((t: Tensor) => split(t, 4, 1), x)).toThrow(/the number of parts must divide axis 1/);
    expect(() => evaluateReference((t: Tensor) => concat([t, t], 3), x)).toThrow(ThalwegError);
  });

  test('constants', async () => {
    expect(numbers(await evaluateBoth((x) => mul(constant(int32([2, 3])), x), [int32([5, 7])]))).toEqual([10, 21]);
    expect(evaluateReference(() => eye(2, 'float64'))).toEqual(float64([[1, 0], [0, 1]]));
    expect(evaluateReference(() => arange(3))).toEqual(int32([0, 1, 2]));
    expect(evaluateReference(() => [zeros([2], 'int32'), ones([1], 'float64'), full([2], 7, 'float64')])).toEqual([int32([0, 0]), float64([1]), float64([7, 7])]);
    expect(evaluateReference((x: Tensor) => [zerosLike(x), onesLike(x)], int32([5]))).toEqual([int32([0]), int32([1])]);
  });
});

describe('pieces', () => {
  test('slice, narrow, at and reverse', async () => {
    const x = draws([5, 6]);
    expect(await evaluateBoth((t) => slice(t, [1, 0], [5, 6], [2, 3]), [x])).toEqual(tabulate([2, 2], (i, j) => element(x, [1 + 2 * i, 3 * j])));
    expect(await evaluateBoth((t) => narrow(t, -1, 2, 4), [x])).toEqual(tabulate([5, 2], (i, j) => element(x, [i, j + 2])));
    expect(await evaluateBoth((t) => at(t, -1), [x])).toEqual(tabulate([6], (j) => element(x, [4, j])));
    expect(await evaluateBoth((t) => reverse(t, [0, -1]), [x])).toEqual(tabulate([5, 6], (i, j) => element(x, [4 - i, 5 - j])));
    expect(() => evaluateReference((t: Tensor) => at(t, 5), x)).toThrow(ThalwegError);
    expect(() => evaluateReference((t: Tensor) => narrow(t, 0, 2, 9), x)).toThrow(ThalwegError);
  });

  test('pad adds before, after and between, and removes', async () => {
    expect(numbers(await evaluateBoth((t) => pad(t, [1], [2], { interior: [1], value: 9 }), [float64([1, 2, 3])]))).toEqual([9, 1, 9, 2, 9, 3, 9, 9]);
    expect(numbers(await evaluateBoth((t) => pad(t, [-1], [1]), [float64([1, 2, 3])]))).toEqual([2, 3, 0]);
    expect(numbers(await evaluateBoth((t) => pad(t, [-2], [-1], { interior: [2] }), [float64([1, 2, 3, 4])]))).toEqual([0, 2, 0, 0, 3, 0, 0]);
    checkGrads((t: Tensor, fill: Tensor) => pad(t, [-1, 1], [2, 0], { interior: [1, 0], value: fill }), [draws([3, 2]), float64(0.5)]);
  });

  test('a dynamic slice whose start is out of range is moved inside', async () => {
    const x = draws([5, 6]);
    const block = (start: NDArray): Promise<NDArray> => evaluateBoth((t, s) => dynamicSlice(t, [at(s, 0), at(s, 1)], [2, 4]), [x, start]);
    const expected = (row: number, column: number): NDArray => tabulate([2, 4], (i, j) => element(x, [row + i, column + j]));
    expect(await block(int32([2, 1]))).toEqual(expected(2, 1));
    expect(await block(int32([4, -3]))).toEqual(expected(3, 0));
    expect(await block(int32([99, 99]))).toEqual(expected(3, 2));
    expect(await evaluateBoth((t) => dynamicSlice(t, [0, 7], [5, 1]), [x])).toEqual(tabulate([5, 1], (i) => element(x, [i, 5])));
    expect(() => evaluateReference((t: Tensor) => dynamicSlice(t, [0], [2]), x)).toThrow(ArgumentError);
    expect(() => evaluateReference((t: Tensor) => dynamicSlice(t, [0, 0], [6, 1]), x)).toThrow(ArgumentError);
  });

  test('a dynamic update replaces a block, moved inside likewise', async () => {
    const [x, u] = [draws([4, 5], 1), draws([2, 3], 2)];
    const updated = (start: NDArray): Promise<NDArray> => evaluateBoth((t, v, s) => dynamicUpdateSlice(t, v, [at(s, 0), at(s, 1)]), [x, u, start]);
    const expected = (row: number, column: number): NDArray => tabulate([4, 5], (i, j) => {
      const inside = i >= row && i < row + 2 && j >= column && j < column + 3;
      return inside ? element(u, [i - row, j - column]) : element(x, [i, j]);
    });
    expect(await updated(int32([1, 2]))).toEqual(expected(1, 2));
    expect(await updated(int32([9, -9]))).toEqual(expected(2, 0));
    checkGrads((t: Tensor, v: Tensor, s: Tensor) => dynamicUpdateSlice(t, v, [at(s, 0), 1]), [x, u, int32([1])]);
  });
});

describe('indices', () => {
  test('take puts the axes of the indices in the place of the axis', () => {
    const arguments_ = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 })));
    fc.assert(fc.property(arguments_, ([shape, axis, points]) => {
      const x = draws(shape);
      const positions = tabulate(points, (...index) => index.reduce((a, i) => 2 * a + i, 1) % shape[axis]);
      const y = evaluateReference((t: Tensor, i: Tensor) => take(t, i, axis), x, int32(positions.data, points));
      expect(y.shape).toEqual([...shape.slice(0, axis), ...points, ...shape.slice(axis + 1)]);
      for (const index of indices(y.shape)) {
        const picked = element(positions, index.slice(axis, axis + points.length));
        expect(element(y, index)).toBe(element(x, [...index.slice(0, axis), picked, ...index.slice(axis + points.length)]));
      }
    }), { numRuns: 40 });
  });

  test('take and takeAlongAxis on ONNX Runtime, and their derivatives with repeats', async () => {
    const x = draws([3, 4, 2]);
    for (const axis of [0, 1, 2]) await evaluateBoth((t, i) => take(t, i, axis), [x, int32([[0, 1], [1, 1]])]);
    const along = int32([[[0, 2], [3, 3]], [[1, 1], [0, 0]], [[2, 0], [1, 3]]]);
    const y = await evaluateBoth((t, i) => takeAlongAxis(t, i, 1), [x, along]);
    expect(y).toEqual(tabulate([3, 2, 2], (i, j, k) => element(x, [i, element(along, [i, j, k]), k])));
    checkGrads((t: Tensor, i: Tensor) => [take(t, i, 1), takeAlongAxis(t, i, -2)], [x, along]);
  });

  test('gather by points, with shared leading axes', async () => {
    const x = draws([2, 3, 4]);
    expect(await evaluateBoth((t, i) => gather(t, i), [x, int32([[1, 2], [0, 0]])])).toEqual(tabulate([2, 4], (n, k) => element(x, n === 0 ? [1, 2, k] : [0, 0, k])));
    expect(await evaluateBoth((t, i) => gather(t, i, 1), [x, int32([[[2], [0]], [[1], [1]]])]))
      .toEqual(tabulate([2, 2, 4], (b, n, k) => element(x, [b, [[2, 0], [1, 1]][b][n], k])));
  });

  test('scatterAdd adds repeats up, scatterSet replaces', async () => {
    const x = float64([[1, 2], [3, 4], [5, 6]]);
    expect(numbers(await evaluateBoth((t, u, i) => scatterAdd(t, i, u), [x, float64([[10, 10], [20, 20]]), int32([[1], [1]])]))).toEqual([1, 2, 33, 34, 5, 6]);
    expect(numbers(await evaluateBoth((t, u, i) => scatterSet(t, i, u), [x, float64([[10, 10], [20, 20]]), int32([[2], [0]])]))).toEqual([20, 20, 3, 4, 10, 10]);
    expect(numbers(await evaluateBoth((t, u, i) => scatterAdd(t, i, u), [x, float64([7]), int32([[2, 1]])]))).toEqual([1, 2, 3, 4, 5, 13]);
    checkGrads((t: Tensor, u: Tensor, i: Tensor) => [scatterAdd(t, i, u), scatterSet(t, at(reshape(i, [2, 1, 1]), 0), at(reshape(u, [2, 1, 2]), 0))], [x, draws([2, 2]), int32([[1], [1]])]);
  });

  test('an index out of range is refused by the reference', () => {
    expect(() => evaluateReference((t: Tensor, i: Tensor) => take(t, i), draws([3]), int32([3]))).toThrow(/indices must lie in 0\.\.2, got 3/);
    expect(() => evaluateReference((t: Tensor, i: Tensor) => take(t, i), draws([3]), float64([1]))).toThrow(/indices must be int32/);
  });

  test('oneHot: a label out of range has a row of zeros', async () => {
    const y = await evaluateBoth((labels) => oneHot(labels, 3), [int32([[2, 0], [1, 3]])]);
    expect(y.shape).toEqual([2, 2, 3]);
    expect(numbers(y)).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
  });
});

describe('triangles', () => {
  test('tril and triu at every offset, together the whole', async () => {
    const x = draws([2, 3, 4]);
    for (let offset = -4; offset <= 4; offset++) {
      const [lower, upper] = await evaluateBoth((t) => [tril(t, offset), triu(t, offset)] as const, [x]);
      expect(lower).toEqual(tabulate([2, 3, 4], (b, i, j) => (j <= i + offset ? element(x, [b, i, j]) : 0)));
      expect(upper).toEqual(tabulate([2, 3, 4], (b, i, j) => (j >= i + offset ? element(x, [b, i, j]) : 0)));
    }
  });

  test('what is cut away may be infinite or NaN', async () => {
    const x = float64([[1, Infinity], [NaN, 2]]);
    expect(numbers(await evaluateBoth((t) => tril(t), [float64([[1, Infinity], [3, 2]])]))).toEqual([1, 0, 3, 2]);
    expect(numbers(await evaluateBoth((t) => triu(t), [x]))).toEqual([1, Infinity, 0, 2]);
  });

  test('keep integers and booleans, and pass derivatives of the kept part', async () => {
    expect(await evaluateBoth((t) => tril(t), [int32([[1, 2], [3, 4]])])).toEqual(int32([[1, 0], [3, 4]]));
    expect(numbers(await evaluateBoth((t) => triu(t, 1), [array([[1, 1], [1, 1]], [2, 2], 'bool')]))).toEqual([0, 1, 0, 0]);
    expect(numbers(evaluateReference(grad((t: Tensor) => sum(triu(t))), draws([2, 2])))).toEqual([1, 1, 0, 1]);
    expect(() => evaluateReference((t: Tensor) => tril(t), draws([3]))).toThrow('tril: the argument must have at least two axes, got [3]');
  });
});
