import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sizeOf, type NDArray, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkGrads, evaluateReference, requireClose } from '../testing/index.ts';
import { grad } from '../transforms/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { draws, element, evaluateBoth, float64, indices, numbers, tabulate } from './agreement.test-helper.ts';
import { averagePool, conv, dot, einsum, matmul, maxPool, outer, sum, sumPool, vdot, type Padding } from './index.ts';

const sumOver = (shape: Shape, f: (...index: number[]) => number): number => indices(shape).reduce((sum, index) => sum + f(...index), 0);

describe('matmul', () => {
  /** NumPy's rule in loops: vectors get an axis that is dropped again, leading axes broadcast. */
  function naive(x: NDArray, y: NDArray): NDArray {
    const left = x.shape.length === 1 ? [1, ...x.shape] : x.shape;
    const right = y.shape.length === 1 ? [...y.shape, 1] : y.shape;
    const rank = Math.max(left.length, right.length) - 2;
    const lead = Array.from({ length: rank }, (_, i) => Math.max(left[i - rank + left.length - 2] ?? 1, right[i - rank + right.length - 2] ?? 1));
    const of = (a: NDArray, shape: Shape, index: readonly number[]): number => {
      const own = index.slice(index.length - shape.length).map((i, axis) => (shape[axis] === 1 ? 0 : i));
      return a.data[own.reduce((at, i, axis) => at * shape[axis] + i, 0)];
    };
    const [n, m, inner] = [left[left.length - 2], right[right.length - 1], left[left.length - 1]];
    const full = tabulate([...lead, n, m], (...index) => {
      const batch = index.slice(0, -2);
      const [i, j] = index.slice(-2);
      return sumOver([inner], (k) => of(x, left, [...batch, i, k]) * of(y, right, [...batch, k, j]));
    });
    return float64(full.data, [...lead, ...(x.shape.length === 1 ? [] : [n]), ...(y.shape.length === 1 ? [] : [m])]);
  }

  const pairs: [number[], number[]][] = [
    [[3], [3]], [[3], [3, 2]], [[2, 3], [3]], [[2, 3], [3, 4]], [[5, 2, 3], [3]], [[5, 2, 3], [3, 4]], [[3], [5, 3, 4]], [[2, 3], [5, 3, 4]],
    [[5, 2, 3], [5, 3, 4]], [[5, 1, 2, 3], [2, 3, 4]], [[1, 2, 3], [4, 5, 3, 2]], [[2, 0], [0, 3]], [[0, 2], [2, 3]],
  ];
  test.each(pairs)('[%j] times [%j]', async (left, right) => {
    const [x, y] = [draws(left, 1), draws(right, 2)];
    requireClose(await evaluateBoth(matmul, [x, y]), naive(x, y), { relative: 1e-13, absolute: 1e-14 });
  });

  test('derivatives with vectors and broadcast leading axes', () => {
    checkGrads(matmul, [draws([3], 1), draws([2, 3, 2], 2)]);
    checkGrads(matmul, [draws([2, 1, 2, 3], 1), draws([2, 3, 2], 2)]);
  });

  test('extents that do not meet are refused', () => {
    expect(() => evaluateReference(matmul, draws([2, 3]), draws([2, 3]))).toThrow("matmul: the left argument's last extent must equal the right argument's rows, got [2,3] and [2,3]");
    expect(() => evaluateReference(matmul, draws([]), draws([2]))).toThrow(ShapeError);
    expect(() => evaluateReference(matmul, draws([2, 2, 3]), draws([3, 3, 2]))).toThrow(ShapeError);
  });

  test('outer, vdot and dot', async () => {
    const [x, y] = [draws([3], 1), draws([2], 2)];
    requireClose(await evaluateBoth(outer, [x, y]), tabulate([3, 2], (i, j) => x.data[i] * y.data[j]));
    const [a, b] = [draws([2, 3], 1), draws([2, 3], 2)];
    requireClose((await evaluateBoth(vdot, [a, b])).item(), sumOver([6], (i) => a.data[i] * b.data[i]));
    const batched = await evaluateBoth((s, t) => dot(s, t, { batch: [[1], [0]], contract: [[0], [1]] }), [draws([4, 2, 3], 3), draws([2, 4], 4)]);
    requireClose(batched, tabulate([2, 3], (i, j) => sumOver([4], (k) => element(draws([4, 2, 3], 3), [k, i, j]) * element(draws([2, 4], 4), [i, k]))), { relative: 1e-13 });
  });
});

describe('einsum', () => {
  const extent: Readonly<Record<string, number>> = { a: 2, b: 3, c: 1, d: 4, e: 2 };
  const shapeOf = (letters: readonly string[]): number[] => letters.map((letter) => extent[letter]);

  /** Sums over all letters that are not in the result. */
  function naive(terms: readonly string[][], result: readonly string[], operands: readonly NDArray[]): NDArray {
    const summed = [...new Set(terms.flat())].filter((letter) => !result.includes(letter));
    return tabulate(shapeOf(result), (...index) => sumOver(shapeOf(summed), (...inner) => {
      const at = (letter: string): number => (result.includes(letter) ? index[result.indexOf(letter)] : inner[summed.indexOf(letter)]);
      return operands.reduce((product, operand, k) => product * element(operand, terms[k].map(at)), 1);
    }));
  }

  const formula = fc.array(fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e'], { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .chain((terms) => fc.tuple(fc.constant(terms), fc.shuffledSubarray([...new Set(terms.flat())])));

  test('random formulas agree with plain loops', () => {
    fc.assert(fc.property(formula, ([terms, result]) => {
      const text = `${terms.map((term) => term.join('')).join(',')}->${result.join('')}`;
      const operands = terms.map((term, k) => draws(shapeOf(term), k));
      const value = evaluateReference((...tensors: Tensor[]) => einsum(text, ...tensors), ...operands);
      requireClose(value, naive(terms, result, operands), { relative: 1e-12, absolute: 1e-12 }, text);
    }), { numRuns: 150 });
  });

  test.each(['ij,jk->ik', 'bij,bjk->bik', 'ij->ji', 'ij->', 'i,j->ij', 'bqhd,bkhd->bhqk', 'ni,oij,nj->no', ',i->i'])('%s on ONNX Runtime', async (text) => {
    const sizes: Readonly<Record<string, number>> = { i: 2, j: 3, k: 4, b: 2, q: 3, h: 2, d: 5, n: 3, o: 2 };
    const operands = text.split('->')[0].split(',').map((term, k) => draws([...term].map((letter) => sizes[letter]), k));
    await evaluateBoth((...tensors) => einsum(text, ...tensors), operands);
  });

  test('derivatives', () => {
    checkGrads((x: Tensor, w: Tensor, y: Tensor) => einsum('ni,oij,nj->no', x, w, y), [draws([2, 2], 1), draws([2, 2, 3], 2), draws([2, 3], 3)]);
  });

  test('malformed formulas are refused', () => {
    const of = (text: string, ...shapes: number[][]): (() => unknown) => () => evaluateReference((...tensors: Tensor[]) => einsum(text, ...tensors), ...shapes.map((shape) => draws(shape)));
    expect(of('ij,jk', [2, 3], [3, 2])).toThrow("einsum: the formula must look like 'ij,jk->ik', got 'ij,jk'");
    expect(of('ij,jk->ik', [2, 3])).toThrow(/the formula names 2 operands, got 1/);
    expect(of('ii->', [2, 2])).toThrow(/must name each axis of \[2,2\] by a letter of its own/);
    expect(of('ij->ii', [2, 2])).toThrow(ArgumentError);
    expect(of('ij->ik', [2, 2])).toThrow(ArgumentError);
    expect(of('ij,jk->ik', [2, 3], [4, 2])).toThrow(ShapeError);
  });
});

describe('conv', () => {
  /** Cross-correlation over two spatial axes with explicit padding. */
  function naive(x: NDArray, kernel: NDArray, strides: readonly number[], padding: readonly (readonly [number, number])[]): NDArray {
    const [out, inner, ...window] = kernel.shape;
    const space = window.map((size, i) => Math.floor((x.shape[i + 2] + padding[i][0] + padding[i][1] - size) / strides[i]) + 1);
    return tabulate([x.shape[0], out, ...space], (n, o, ...at) => sumOver([inner, ...window], (c, ...tap) => {
      const from = tap.map((t, i) => at[i] * strides[i] + t - padding[i][0]);
      return from.some((p, i) => p < 0 || p >= x.shape[i + 2]) ? 0 : element(x, [n, c, ...from]) * element(kernel, [o, c, ...tap]);
    }));
  }

  test("padding 'same' gives the extent ceil(n / stride), more of it behind", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }), (n, size, stride) => {
      const [x, kernel] = [draws([1, 1, n], 1), draws([1, 1, size], 2)];
      const y = evaluateReference((a: Tensor, b: Tensor) => conv(a, b, { padding: 'same', strides: stride }), x, kernel);
      expect(y.shape).toEqual([1, 1, Math.ceil(n / stride)]);
      const total = Math.max(0, (Math.ceil(n / stride) - 1) * stride + size - n);
      requireClose(y, naive(x, kernel, [stride], [[Math.floor(total / 2), Math.ceil(total / 2)]]), { relative: 1e-12, absolute: 1e-13 });
    }), { numRuns: 60 });
  });

  test.each<[string, number[], readonly (readonly [number, number])[]]>([
    ['valid', [1, 1], [[0, 0], [0, 0]]], ['padded', [1, 1], [[1, 1], [2, 0]]], ['strided', [2, 3], [[1, 0], [1, 1]]],
  ])('%s agrees with plain loops', async (_, strides, padding) => {
    const [x, kernel] = [draws([2, 3, 5, 6], 1), draws([4, 3, 3, 2], 2)];
    requireClose(await evaluateBoth((a, b) => conv(a, b, { strides, padding }), [x, kernel]), naive(x, kernel, strides, padding), { relative: 1e-12, absolute: 1e-13 });
  });

  test("padding 'same' counts the dilated kernel", async () => {
    const y = await evaluateBoth((a, b) => conv(a, b, { padding: 'same', kernelDilation: [2, 3] }), [draws([1, 2, 7, 8], 1), draws([3, 2, 3, 2], 2)]);
    expect(y.shape).toEqual([1, 3, 7, 8]);
  });

  test('an input dilation spreads the input: a transposed convolution', async () => {
    const y = await evaluateBoth((a, b) => conv(a, b, { inputDilation: 2, padding: [[1, 1]] }), [float64([[[1, 2, 3]]]), float64([[[1, 10]]])]);
    // 0 1 0 2 0 3 0 with [1, 10]
    expect(numbers(y)).toEqual([10, 1, 20, 2, 30, 3]);
  });

  test('groups are convolutions of their own', async () => {
    const [x, kernel] = [draws([2, 4, 6], 1), draws([6, 2, 3], 2)];
    const y = await evaluateBoth((a, b) => conv(a, b, { groups: 2 }), [x, kernel]);
    const part = (a: NDArray, axis: number, from: number, to: number): NDArray => tabulate(a.shape.map((n, i) => (i === axis ? to - from : n)), (...index) => element(a, index.map((i, k) => (k === axis ? i + from : i))));
    for (const g of [0, 1]) requireClose(part(y, 1, 3 * g, 3 * g + 3), naive(part(x, 1, 2 * g, 2 * g + 2), part(kernel, 0, 3 * g, 3 * g + 3), [1], [[0, 0]]), { relative: 1e-12, absolute: 1e-13 });
  });

  test('derivatives with everything at once', () => {
    checkGrads((a: Tensor, b: Tensor) => conv(a, b, { strides: [2, 1], padding: [[1, 2], [0, 1]], inputDilation: [2, 1], kernelDilation: [1, 2], groups: 2 }),
      [draws([1, 2, 3, 4], 1), draws([2, 1, 2, 2], 2)]);
  });

  test('shapes that do not fit are refused', () => {
    const of = (x: number[], kernel: number[], groups = 1) => () => evaluateReference((a: Tensor, b: Tensor) => conv(a, b, { groups }), draws(x), draws(kernel));
    expect(of([1, 3, 5], [2, 2, 3])).toThrow(/channels must equal kernel channels x groups/);
    expect(of([1, 4, 5], [3, 2, 3], 2)).toThrow(ShapeError);
    expect(of([1, 3], [2, 3])).toThrow(ShapeError);
    expect(() => evaluateReference((a: Tensor, b: Tensor) => conv(a, b, { padding: [[0, 0]] }), draws([1, 1, 3, 3]), draws([1, 1, 2, 2]))).toThrow(/or 2 pairs/);
  });
});

describe('pooling', () => {
  function naive(x: NDArray, window: number[], strides: number[], padding: readonly (readonly [number, number])[], combine: (values: number[]) => number): NDArray {
    const space = window.map((size, i) => Math.floor((x.shape[i + 2] + padding[i][0] + padding[i][1] - size) / strides[i]) + 1);
    return tabulate([x.shape[0], x.shape[1], ...space], (n, c, ...at) => combine(indices(window).flatMap((tap) => {
      const from = tap.map((t, i) => at[i] * strides[i] + t - padding[i][0]);
      return from.some((p, i) => p < 0 || p >= x.shape[i + 2]) ? [] : [element(x, [n, c, ...from])];
    })));
  }
  const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);

  const cases: [string, number[], number[], Padding, readonly (readonly [number, number])[]][] = [
    ['tiles', [2, 3], [2, 3], 'valid', [[0, 0], [0, 0]]],
    ['overlap', [3, 2], [1, 1], 'valid', [[0, 0], [0, 0]]],
    ['leave a rest', [2, 4], [2, 4], 'valid', [[0, 0], [0, 0]]],
    ['are padded', [3, 2], [2, 2], [[1, 1], [0, 1]], [[1, 1], [0, 1]]],
    ['cover all', [3, 3], [2, 2], 'same', [[0, 1], [0, 1]]],
  ];
  test.each(cases)('windows that %s', async (_, window, strides, padding, pairs) => {
    const x = draws([2, 2, 4, 6], 1);
    requireClose(await evaluateBoth((t) => maxPool(t, window, { strides, padding }), [x]), naive(x, window, strides, pairs, (values) => Math.max(...values)));
    requireClose(await evaluateBoth((t) => sumPool(t, window, { strides, padding }), [x]), naive(x, window, strides, pairs, total), { relative: 1e-12, absolute: 1e-13 });
    requireClose(await evaluateBoth((t) => averagePool(t, window, { strides, padding }), [x]), naive(x, window, strides, pairs, (values) => total(values) / sizeOf(window)), { relative: 1e-12, absolute: 1e-13 });
  });

  test('one and three spatial axes, a window given as one number', async () => {
    requireClose(await evaluateBoth((t) => maxPool(t, 2), [draws([2, 1, 6])]), naive(draws([2, 1, 6]), [2], [2], [[0, 0]], (values) => Math.max(...values)));
    requireClose(await evaluateBoth((t) => averagePool(t, 2), [draws([1, 2, 4, 2, 4])]), naive(draws([1, 2, 4, 2, 4]), [2, 2, 2], [2, 2, 2], [[0, 0], [0, 0], [0, 0]], (values) => total(values) / 8), { relative: 1e-12 });
  });

  test('the first of several maxima receives the derivative', async () => {
    const x = float64([[[1, 1, 0, 3, 2, 2]]]);
    expect(numbers(await evaluateBoth((t) => grad((s: Tensor) => sum(maxPool(s, 2)))(t), [x]))).toEqual([1, 0, 0, 1, 1, 0]);
    checkGrads((x: Tensor) => maxPool(x, [2, 2], { strides: 1 }), [float64([[[[1, 5, 2], [4, 3, 9], [7, 8, 6]]]])]);
  });

  test('derivatives of the averages', () => {
    checkGrads((x: Tensor) => averagePool(x, 2), [draws([1, 2, 4, 4])]);
    checkGrads((x: Tensor) => averagePool(x, 3, { strides: 2, padding: 'same' }), [draws([1, 2, 5, 4])]);
  });
});
