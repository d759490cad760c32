/** Numbers and arrays of different shapes made fit for the primitives. @module */
import { AxisError, DtypeError, ShapeError, TraceError } from '../util/errors.ts';
import type { Shape } from '../core/ndarray.ts';
import { Tensor, type Type } from '../core/tensor.ts';
import { broadcast } from '../prims/broadcast.ts';
import { full } from '../prims/constant.ts';
import { reshape } from '../prims/shape.ts';

/** An argument of an array operation: a tensor, or a number that takes the other argument's type. */
export type Operand = Tensor | number;

/** The shape two shapes broadcast to, by NumPy's rule (trailing axes aligned, extents equal or one). @throws ShapeError */
export function broadcastShapes(operation: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const size = extents.find((n) => n !== 1) ?? 1;
    if (extents.some((n) => n !== 1 && n !== size)) {
      throw new ShapeError({ operation, required: 'shapes must broadcast: aligned from the last axis, extents equal or one', received: shapes.map((shape) => `[${shape.join(',')}]`).join(' and ') });
    }
    return size;
  });
}

/** `x` repeated to `shape` by NumPy's rule. @throws ShapeError */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const offset = shape.length - x.rank;
  if (offset < 0 || x.shape.some((n, i) => n !== 1 && n !== shape[i + offset])) {
    throw new ShapeError({ operation: 'broadcastTo', required: `[${x.shape.join(',')}] must broadcast to the target`, received: `[${shape.join(',')}]` });
  }
  // Axes of extent one are dropped and come back as repetitions.
  const kept = x.shape.map((_, i) => i).filter((i) => x.shape[i] !== 1 || shape[i + offset] === 1);
  const squeezed = kept.length === x.rank ? x : reshape(x, kept.map((i) => x.shape[i]));
  if (squeezed.rank === shape.length) return squeezed;
  return broadcast(squeezed, shape, kept.map((i) => i + offset));
}

/** Operands as tensors of one shape; numbers take the dtype of the first tensor. @throws ShapeError | DtypeError | TraceError */
export function align(operation: string, ...operands: Operand[]): Tensor[] {
  const like = operands.find((operand) => operand instanceof Tensor);
  if (like === undefined) {
    throw new TraceError({ operation, required: 'at least one argument must be a tensor', received: operands.map(String).join(', '), remedy: 'compute with plain numbers in TypeScript, or make a constant' });
  }
  const tensors = operands.map((operand) => toTensor(operation, operand, like));
  const shape = broadcastShapes(operation, ...tensors.map((tensor) => tensor.shape));
  return tensors.map((tensor) => broadcastTo(tensor, shape));
}

/** The operand as a tensor; a number becomes a scalar of the dtype of `like`. @throws DtypeError when that is int32 and the number has a fraction; TraceError */
export function toTensor(operation: string, operand: Operand, like: Type): Tensor {
  if (operand instanceof Tensor) return operand;
  if (typeof operand === 'number') {
    if (like.dtype === 'int32' && !Number.isInteger(operand)) {
      throw new DtypeError({ operation, required: 'a number beside an int32 tensor must be an integer', received: String(operand), remedy: "convert(x, 'float32') first" });
    }
    return full(operand, { shape: [], dtype: like.dtype });
  }
  throw new TraceError({ operation, required: 'arguments must be tensors or numbers', received: String((operand as object | null)?.constructor?.name ?? operand), remedy: 'call it inside a function given to compile, which turns host arrays into tensors' });
}

/** Axes counted from the end made positive, sorted; all axes when none are given. @throws AxisError */
export function normalizeAxes(operation: string, rank: number, axes?: number | readonly number[]): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalizeAxis(operation, rank, axis));
  if (new Set(list).size !== list.length) throw new AxisError({ operation, required: 'axes must be distinct', received: `[${String(axes)}]` });
  return list.sort((a, b) => a - b);
}

/** An axis counted from the end made positive. @throws AxisError */
export function normalizeAxis(operation: string, rank: number, axis: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) throw new AxisError({ operation, required: `the axis must lie in ${-rank}..${rank - 1}`, received: String(axis) });
  return positive;
}
