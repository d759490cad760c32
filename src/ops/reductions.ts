/** Reductions and running reductions over axes; axes may count from the end. @module */
import { ArgumentError } from '../util/errors.ts';
import { sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import * as binary from '../prims/binary.ts';
import { constantLike } from '../prims/constant.ts';
import { cumulativeSum } from '../prims/cumulative.ts';
import * as reduce from '../prims/reduce.ts';
import { concat, reshape, reverse } from '../prims/shape.ts';
import { pad, slice } from '../prims/slice.ts';
import { topK as topKLast } from '../prims/sort.ts';
import { exp, log, neg, sqrt, stopGradient } from '../prims/unary.ts';
import { normalizeAxes, normalizeAxis } from './broadcasting.ts';
import { add, div, mul, square, sub, where, equal, abs } from './elementwise.ts';
import { moveAxis } from '../prims/shape.ts';

export interface ReductionOptions {
  /** Keep reduced axes with extent one. Default false. */
  readonly keepDims?: boolean;
}

type Axes = number | readonly number[];

function reduction(name: string, f: (x: Tensor, axes: readonly number[]) => Tensor) {
  return (x: Tensor, axes?: Axes, { keepDims = false }: ReductionOptions = {}): Tensor => {
    const list = normalizeAxes(name, x.rank, axes);
    const y = f(x, list);
    return keepDims ? reshape(y, x.shape.map((n, axis) => (list.includes(axis) ? 1 : n))) : y;
  };
}

/** Sum over `axes` (default: all). */
export const sum = reduction('sum', reduce.reduceSum);
/** Largest element over `axes`; ties share the derivative. */
export const max = reduction('max', reduce.reduceMax);
/** Smallest element over `axes`; ties share the derivative. */
export const min = reduction('min', reduce.reduceMin);
/** Product over `axes`, by halving, so its derivatives hold also where factors are zero. */
export const prod = reduction('prod', (x, axes) => axes.reduceRight((y, axis) => prodAxis(y, axis), x));
/** Arithmetic mean over `axes`. */
export const mean = reduction('mean', (x, axes) => div(reduce.reduceSum(x, axes), sizeOf(axes.map((axis) => x.shape[axis]))));
/** Population variance over `axes`: the mean squared deviation. */
export const variance = reduction('variance', (x, axes) => {
  const centered = sub(x, mean(x, axes, { keepDims: true }));
  return mean(square(centered), axes);
});
/** Population standard deviation over `axes`. */
export const standardDeviation = reduction('standardDeviation', (x, axes) => sqrt(variance(x, axes)));
/** log(sum(exp(x))) over `axes`, without overflow. */
export const logSumExp = reduction('logSumExp', (x, axes) => {
  const top = stopGradient(max(x, axes, { keepDims: true }));
  const isInfinite = equal(abs(top), Infinity);
  const total = sum(exp(sub(x, where(isInfinite, 0, top))), axes, { keepDims: true });
  // A slice of all -infinity is its own result; the logarithm of its sum, zero, would make the derivative NaN.
  const y = add(log(where(isInfinite, 1, total)), top);
  return reshape(y, y.shape.filter((_, axis) => !axes.includes(axis)));
});

function prodAxis(x: Tensor, axis: number): Tensor {
  let y = x;
  if (y.shape[axis] === 0) return constantLike(1, { shape: x.shape.filter((_, i) => i !== axis), dtype: x.dtype });
  const part = (from: number, to: number): Tensor => slice(y, y.shape.map((_, i) => (i === axis ? from : 0)), y.shape.map((n, i) => (i === axis ? to : n)));
  while (y.shape[axis] > 1) {
    const n = y.shape[axis];
    const half = Math.floor(n / 2);
    const paired = binary.mul(part(0, half), part(half, 2 * half));
    y = n % 2 === 0 ? paired : concat([paired, part(n - 1, n)], axis);
  }
  return reshape(y, y.shape.filter((_, i) => i !== axis));
}

/** Position of the first largest element along `axis`, as int32. */
export const argmax = (x: Tensor, axis = -1): Tensor => reduce.argmax(x, normalizeAxis('argmax', x.rank, axis));
/** Position of the first smallest element along `axis`, as int32. */
export const argmin = (x: Tensor, axis = -1): Tensor => argmax(neg(x), axis);

export interface CumulativeOptions {
  /** From the last element to the first. Default false. */
  readonly reverse?: boolean;
}

/** Running sum along `axis`. */
export const cumsum = (x: Tensor, axis = 0, { reverse: fromEnd = false }: CumulativeOptions = {}): Tensor => cumulativeSum(x, normalizeAxis('cumsum', x.rank, axis), fromEnd);
/** Running product along `axis`, in about log2(n) doubling steps. */
export const cumprod = (x: Tensor, axis = 0, options: CumulativeOptions = {}): Tensor => doubling('cumprod', x, axis, options, binary.mul, 1);
/** Running maximum along `axis`, in about log2(n) doubling steps. */
export const cummax = (x: Tensor, axis = 0, options: CumulativeOptions = {}): Tensor => doubling('cummax', x, axis, options, binary.max, x.dtype === 'int32' ? -(2 ** 31) : -Infinity);

/** Prefix combination by shifts of 1, 2, 4, ... (Hillis & Steele 1986). */
function doubling(name: string, x: Tensor, axis: number, { reverse: fromEnd = false }: CumulativeOptions, combine: (a: Tensor, b: Tensor) => Tensor, neutral: number): Tensor {
  const along = normalizeAxis(name, x.rank, axis);
  if (fromEnd) return reverse(doubling(name, reverse(x, [along]), along, {}, combine, neutral), [along]);
  const start = constantLike(neutral, { shape: [], dtype: x.dtype });
  let y = x;
  for (let shift = 1; shift < x.shape[along]; shift *= 2) {
    const move = (sign: number): number[] => x.shape.map((_, i) => (i === along ? sign * shift : 0));
    y = combine(y, pad(y, move(1), move(-1), undefined, start));
  }
  return y;
}

/** The k largest (default) or smallest along `axis`, in order, and their positions; ties by position. */
export function topK(x: Tensor, k: number, { axis = -1, largest = true }: { readonly axis?: number; readonly largest?: boolean } = {}): [Tensor, Tensor] {
  if (x.rank === 0) throw new ArgumentError({ operation: 'topK', required: 'the argument must have at least one axis', received: 'a scalar' });
  const along = normalizeAxis('topK', x.rank, axis);
  const [values, positions] = topKLast(moveAxis(x, along, x.rank - 1), k, largest);
  return [moveAxis(values, x.rank - 1, along), moveAxis(positions, x.rank - 1, along)];
}

/** Elements in increasing order along `axis`. */
export const sort = (x: Tensor, axis = -1): Tensor => topK(x, x.shape[normalizeAxis('sort', x.rank, axis)], { axis, largest: false })[0];
/** Positions that sort `x` along `axis`; ties by position. */
export const argsort = (x: Tensor, axis = -1): Tensor => topK(x, x.shape[normalizeAxis('argsort', x.rank, axis)], { axis, largest: false })[1];

/** Euclidean norm of all elements. */
export const norm = (x: Tensor): Tensor => sqrt(sum(mul(x, x)));
