/** Shapes, pieces and indices; axes may count from the end. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { sizeOf, type DType, type NDArray, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import * as binary from '../prims/binary.ts';
import { constant as constantPrimitive, full as fullLike, iota } from '../prims/constant.ts';
import * as indexing from '../prims/indexing.ts';
import * as prims from '../prims/shape.ts';
import { pad as padPrimitive, slice as slicePrimitive } from '../prims/slice.ts';
import { normalizeAxis, normalizeAxes, broadcastTo, type Operand, toTensor } from './broadcasting.ts';
import { clip, equal, convert, greaterEqual, where } from './elementwise.ts';

/** A host array as a tensor of the program. */
export const constant = (value: NDArray): Tensor => constantPrimitive(value);
/** An array of one repeated number. */
export const full = (shape: Shape, value: number, dtype: DType = 'float32'): Tensor => fullLike(value, { shape, dtype });
/** Zeros. */
export const zeros = (shape: Shape, dtype: DType = 'float32'): Tensor => full(shape, 0, dtype);
/** Ones. */
export const ones = (shape: Shape, dtype: DType = 'float32'): Tensor => full(shape, 1, dtype);
/** Zeros shaped as `x`. */
export const zerosLike = (x: Tensor): Tensor => full(x.shape, 0, x.dtype);
/** Ones shaped as `x`. */
export const onesLike = (x: Tensor): Tensor => full(x.shape, 1, x.dtype);
/** 0, 1, ..., n - 1. */
export const arange = (n: number, dtype: DType = 'int32'): Tensor => iota([n], dtype, 0);
/** The n x n identity matrix. */
export const eye = (n: number, dtype: DType = 'float32'): Tensor => convert(binary.equal(iota([n, n], 'int32', 0), iota([n, n], 'int32', 1)), dtype);

/** The same elements in row-major order under another shape; one extent may be -1 and is inferred. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const unknown = shape.indexOf(-1);
  if (unknown < 0) return prims.reshape(x, shape);
  const known = sizeOf(shape.filter((_, i) => i !== unknown));
  if (shape.lastIndexOf(-1) !== unknown || known === 0 || sizeOf(x.shape) % known !== 0) {
    throw new ShapeError({ operation: 'reshape', required: `one extent may be -1, and the others must divide ${sizeOf(x.shape)}`, received: `[${shape.join(',')}]` });
  }
  return prims.reshape(x, shape.map((n) => (n === -1 ? sizeOf(x.shape) / known : n)));
}

/** Axes in another order; without `permutation`, reversed. */
export const transpose = (x: Tensor, permutation?: readonly number[]): Tensor =>
  prims.transpose(x, permutation?.map((axis) => normalizeAxis('transpose', x.rank, axis)) ?? x.shape.map((_, i) => x.rank - 1 - i));
/** One axis moved to another place. */
export const moveAxis = (x: Tensor, from: number, to: number): Tensor => prims.moveAxis(x, normalizeAxis('moveAxis', x.rank, from), normalizeAxis('moveAxis', x.rank, to));
/** An axis of extent one inserted at `axis`. */
export function expandDims(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis('expandDims', x.rank + 1, axis);
  return prims.reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}
/** Axes of extent one removed: those named, or all. */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  const list = axes === undefined ? x.shape.map((_, i) => i).filter((i) => x.shape[i] === 1) : normalizeAxes('squeeze', x.rank, axes);
  if (list.some((axis) => x.shape[axis] !== 1)) throw new ShapeError({ operation: 'squeeze', required: 'the axes must have extent one', received: `[${x.shape.join(',')}]` });
  return prims.reshape(x, x.shape.filter((_, i) => !list.includes(i)));
}
/** Everything after the first `axis` axes in one axis. */
export const flatten = (x: Tensor, axis = 1): Tensor => prims.reshape(x, [...x.shape.slice(0, axis), sizeOf(x.shape.slice(axis))]);
/** Elements in reverse order along `axes`. */
export const reverse = (x: Tensor, axes: number | readonly number[]): Tensor => prims.reverse(x, normalizeAxes('reverse', x.rank, axes));
/** Arrays one after another along an axis they have. */
export const concat = (xs: readonly Tensor[], axis = 0): Tensor => prims.concat(xs, xs.length === 0 ? axis : normalizeAxis('concat', xs[0].rank, axis));
/** Arrays side by side along a new axis. */
export const stack = (xs: readonly Tensor[], axis = 0): Tensor => concat(xs.map((x) => expandDims(x, axis)), axis);
/** Equal parts along an axis. */
export function split(x: Tensor, parts: number, axis = 0): Tensor[] {
  const along = normalizeAxis('split', x.rank, axis);
  const size = x.shape[along] / parts;
  if (!Number.isInteger(size)) throw new ShapeError({ operation: 'split', required: `the number of parts must divide axis ${along} of [${x.shape.join(',')}]`, received: String(parts) });
  return Array.from({ length: parts }, (_, i) => narrow(x, along, i * size, (i + 1) * size));
}
/** `x[start:limit]` along one axis. */
export function narrow(x: Tensor, axis: number, start: number, limit: number): Tensor {
  const along = normalizeAxis('narrow', x.rank, axis);
  return slicePrimitive(x, x.shape.map((_, i) => (i === along ? start : 0)), x.shape.map((n, i) => (i === along ? limit : n)));
}
/** `x[start:limit:step]` on every axis; steps are positive. */
export const slice = (x: Tensor, start: readonly number[], limit: readonly number[], step?: readonly number[]): Tensor => slicePrimitive(x, start, limit, step);
/** One slice along an axis, without that axis. */
export function at(x: Tensor, index: number, axis = 0): Tensor {
  const along = normalizeAxis('at', x.rank, axis);
  const i = index < 0 ? index + x.shape[along] : index;
  return prims.reshape(narrow(x, along, i, i + 1), x.shape.filter((_, a) => a !== along));
}

/** Options of `pad`. Defaults: nothing between neighbours, zeros. */
export interface PadOptions {
  /** Elements between neighbours, for each axis. */
  readonly interior?: readonly number[];
  readonly value?: Operand;
}
/** `x` with elements added before, after and between; negative widths remove. */
export const pad = (x: Tensor, low: readonly number[], high: readonly number[], { interior, value = 0 }: PadOptions = {}): Tensor =>
  padPrimitive(x, low, high, interior, toTensor('pad', value, x));

/** Slices of `x` along `axis` at int32 `indices` of any shape: their axes take the place of `axis`. Indices must be in range. */
export function take(x: Tensor, indices: Tensor, axis = 0): Tensor {
  const along = normalizeAxis('take', x.rank, axis);
  const front = prims.moveAxis(x, along, 0);
  let y = indexing.gather(front, prims.reshape(indices, [...indices.shape, 1]), 0);
  // The axes of the indices stand first; the axes before `axis` go back in front of them.
  const rank = y.rank;
  const first = Array.from({ length: along }, (_, i) => indices.rank + i);
  const middle = Array.from({ length: indices.rank }, (_, i) => i);
  const last = Array.from({ length: rank - indices.rank - along }, (_, i) => indices.rank + along + i);
  y = prims.transpose(y, [...first, ...middle, ...last]);
  return y;
}

/** `result[..., i] = x[..., indices[..., i]]` along `axis`; all other axes agree. */
export function takeAlongAxis(x: Tensor, indices: Tensor, axis = -1): Tensor {
  const along = normalizeAxis('takeAlongAxis', x.rank, axis);
  const last = x.rank - 1;
  const moved = prims.moveAxis(indices, along, last);
  const y = indexing.gather(prims.moveAxis(x, along, last), prims.reshape(moved, [...moved.shape, 1]), last);
  return prims.moveAxis(y, last, along);
}

/** `x[index, ...]` for points `indices` [..., depth] over the leading `depth` axes. */
export const gather = (x: Tensor, indices: Tensor, batchAxes = 0): Tensor => indexing.gather(x, indices, batchAxes);
/** `x` with `updates` added at points `indices` [..., depth] over its leading axes. */
export const scatterAdd = (x: Tensor, indices: Tensor, updates: Tensor, batchAxes = 0): Tensor => indexing.scatter(x, indices, updates, { mode: 'add', batchAxes });
/** `x` with `updates` put at points `indices`, which must be distinct. */
export const scatterSet = (x: Tensor, indices: Tensor, updates: Tensor, batchAxes = 0): Tensor => indexing.scatter(x, indices, updates, { mode: 'set', batchAxes });

function rows(operation: string, x: Tensor, starts: readonly (Tensor | number)[], sizes: readonly number[]): Tensor[] {
  if (starts.length !== x.rank || sizes.length !== x.rank || sizes.some((n, i) => n > x.shape[i])) {
    throw new ArgumentError({ operation, required: `one start and one size (at most the extent) for each of the ${x.rank} axes of [${x.shape.join(',')}]`, received: `${starts.length} starts, sizes [${sizes.join(',')}]` });
  }
  const int = { shape: [], dtype: 'int32' } as const;
  return starts.map((start, axis) => {
    const inside = clip(toTensor(operation, start, int), 0, x.shape[axis] - sizes[axis]);
    return binary.add(broadcastTo(inside, [sizes[axis]]), arange(sizes[axis]));
  });
}

/** A block of static `sizes` at starts known only at run time (int32 scalars or numbers), moved inside if it would stick out. */
export function dynamicSlice(x: Tensor, starts: readonly (Tensor | number)[], sizes: readonly number[]): Tensor {
  return rows('dynamicSlice', x, starts, sizes).reduce((y, index, axis) => (sizes[axis] === x.shape[axis] ? y : take(y, index, axis)), x);
}

/** `x` with the block at `starts` replaced by `update`. */
export function dynamicUpdateSlice(x: Tensor, update: Tensor, starts: readonly (Tensor | number)[]): Tensor {
  const index = rows('dynamicUpdateSlice', x, starts, update.shape);
  if (x.rank === 0) return update;
  const coordinates = index.map((values, axis) => prims.reshape(broadcastTo(prims.reshape(values, update.shape.map((n, i) => (i === axis ? n : 1))), update.shape), [...update.shape, 1]));
  return indexing.scatter(x, prims.concat(coordinates, update.rank), update, { mode: 'set', batchAxes: 0 });
}

/** Rows of the identity: [..., classes] with a one where the last index equals the label. */
export function oneHot(labels: Tensor, classes: number, dtype: DType = 'float32'): Tensor {
  return convert(equal(expandDims(labels, -1), arange(classes, labels.dtype)), dtype);
}

/** Lower triangle of the last two axes, zero elsewhere; `offset` moves the diagonal to the right. */
export const tril = (x: Tensor, offset = 0): Tensor => where(notAbove('tril', x, offset), x, zerosLike(x));
/** Upper triangle of the last two axes, zero elsewhere; `offset` moves the diagonal to the right. */
export const triu = (x: Tensor, offset = 0): Tensor => where(notAbove('triu', x, offset - 1), zerosLike(x), x);

/** Where the column is at most the row plus `offset`. */
function notAbove(operation: string, x: Tensor, offset: number): Tensor {
  if (x.rank < 2) throw new ShapeError({ operation, required: 'the argument must have at least two axes', received: `[${x.shape.join(',')}]` });
  const [n, m] = x.shape.slice(-2);
  return greaterEqual(binary.add(iota([n, m], 'int32', 0), full([n, m], offset, 'int32')), iota([n, m], 'int32', 1));
}
