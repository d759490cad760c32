/** General products: sums over contracted axes, side by side over batch axes. @module */
import { AxisError, DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray, sameShape, sizeOf } from '../core/ndarray.ts';
import { stridesOf } from '../core/strides.ts';
import type { Lowering, LoweredValue } from '../core/lowering.ts';
import { bind1, type BatchArguments, type Node, type Primitive, type Tensor, type Type } from '../core/tensor.ts';
import { add } from './binary.ts';
import { addMaybe, alignBatch } from './rules.ts';
import { transpose, transposePrimitive } from './shape.ts';

/** Pairs of axes, left and right. The result's axes are: batch, left free, right free. */
export interface DotParams {
  readonly batch: readonly [readonly number[], readonly number[]];
  readonly contract: readonly [readonly number[], readonly number[]];
}

const range = (n: number, start = 0): number[] => Array.from({ length: n }, (_, i) => start + i);
const isOrdered = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);
const free = (rank: number, batch: readonly number[], contract: readonly number[]): number[] => range(rank).filter((axis) => !batch.includes(axis) && !contract.includes(axis));

function dotType({ batch, contract }: DotParams, [x, y]: readonly Type[]): Type {
  if (x.dtype !== y.dtype || x.dtype === 'bool') throw new DtypeError({ operation: 'dot', required: 'both arguments must have one number dtype', received: `${x.dtype} and ${y.dtype}` });
  for (const [side, type] of [[0, x], [1, y]] as const) {
    const axes = [...batch[side], ...contract[side]];
    if (new Set(axes).size !== axes.length || axes.some((axis) => !(axis in type.shape))) {
      throw new AxisError({ operation: 'dot', required: `batch and contract axes of ${side === 0 ? 'the left' : 'the right'} argument must be distinct axes of [${type.shape.join(',')}]`, received: `batch [${batch[side].join(',')}], contract [${contract[side].join(',')}]` });
    }
  }
  const extents = (type: Type, axes: readonly number[]): number[] => axes.map((axis) => type.shape[axis]);
  const left = [...extents(x, batch[0]), ...extents(x, contract[0])];
  const right = [...extents(y, batch[1]), ...extents(y, contract[1])];
  if (batch[0].length !== batch[1].length || left.length !== right.length || left.some((n, i) => n !== right[i])) {
    throw new ShapeError({ operation: 'dot', required: 'paired axes must have equal extents', received: `[${x.shape.join(',')}] axes ${JSON.stringify([batch[0], contract[0]])} and [${y.shape.join(',')}] axes ${JSON.stringify([batch[1], contract[1]])}` });
  }
  return {
    shape: [...extents(x, batch[0]), ...extents(x, free(x.shape.length, batch[0], contract[0])), ...extents(y, free(y.shape.length, batch[1], contract[1]))],
    dtype: x.dtype,
  };
}

const swapped = ({ batch, contract }: DotParams): DotParams => ({ batch: [batch[1], batch[0]], contract: [contract[1], contract[0]] });

/** Cotangent of the left argument; of the right one by exchanging both. */
function leftCotangent({ batch, contract }: DotParams, x: Tensor, y: Tensor, ct: Tensor, exchanged: boolean): Tensor {
  const xFree = free(x.rank, batch[0], contract[0]);
  const yFree = free(y.rank, batch[1], contract[1]);
  const nBatch = batch[0].length;
  const ctFromY = range(yFree.length, exchanged ? nBatch : nBatch + xFree.length);
  // product: batch, x free, then y's contracted axes in y's order; the exchanged product has the latter first
  const order = range(contract[1].length).sort((a, b) => contract[1][a] - contract[1][b]);
  const contracted = order.map((i) => contract[0][i]);
  const axes = [...batch[0], ...xFree, ...contracted];
  if (!isOrdered(axes) && isOrdered([...batch[0], ...contracted, ...xFree])) return dot(y, ct, { batch: [batch[1], range(nBatch)], contract: [yFree, ctFromY] });
  const product = dot(ct, y, { batch: [range(nBatch), batch[1]], contract: [ctFromY, yFree] });
  const permutation = new Array<number>(axes.length);
  axes.forEach((axis, i) => { permutation[axis] = i; });
  return transpose(product, permutation);
}

function batchDot({ params, inputs, batched, size }: BatchArguments<DotParams>): Tensor {
  const { batch, contract } = params;
  const shift = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);
  // Rows of one larger product, when only the left argument varies and nothing else keeps products apart.
  if (!batched[1] && batch[0].length === 0) return dot(inputs[0], inputs[1], { batch, contract: [shift(contract[0]), contract[1]] });
  // Likewise with a right argument that has no free axes: the result's order is the same for the exchanged product.
  const isVector = inputs[1].rank - Number(batched[1]) === contract[1].length;
  if (!batched[0] && batch[0].length === 0 && isVector) return dot(inputs[1], inputs[0], { batch: [[], []], contract: [shift(contract[1]), contract[0]] });
  const [x, y] = alignBatch({ inputs, batched, size });
  return dot(x, y, { batch: [[0, ...shift(batch[0])], [0, ...shift(batch[1])]], contract: [shift(contract[0]), shift(contract[1])] });
}

export const dotPrimitive: Primitive<DotParams> = {
  name: 'dot',
  shape: (params, inputs) => [dotType(params, inputs)],
  jvp({ params, inputs: [x, y], tangents: [tx, ty] }) {
    return { tangents: [addMaybe(tx && dot(tx, y, params), ty && dot(x, ty, params), add)] };
  },
  transpose({ params, inputs: [x, y], linear, cotangents: [ct] }) {
    if (ct === null) return [null, null];
    return [linear[0] ? leftCotangent(params, x, y, ct, false) : null, linear[1] ? leftCotangent(swapped(params), y, x, ct, true) : null];
  },
  batch: (args) => ({ outputs: [batchDot(args)], batched: [true] }),
  // A transposition before a product is only another naming of its axes, as long as the free axes keep their order.
  simplify(params, inputs) {
    for (const side of [0, 1] as const) {
      const node = inputs[side].node;
      if (node?.primitive.name !== transposePrimitive.name) continue;
      const { permutation } = node.params as { permutation: readonly number[] };
      const rename = (axes: readonly number[]): number[] => axes.map((axis) => permutation[axis]);
      const freeAxes = rename(free(inputs[side].rank, params.batch[side], params.contract[side]));
      if (freeAxes.some((axis, i) => i > 0 && axis < freeAxes[i - 1])) continue;
      const renamed = (pair: DotParams['batch']): DotParams['batch'] => (side === 0 ? [rename(pair[0]), pair[1]] : [pair[0], rename(pair[1])]);
      const next = side === 0 ? [node.inputs[0], inputs[1]] : [inputs[0], node.inputs[0]];
      return [dot(next[0], next[1], { batch: renamed(params.batch), contract: renamed(params.contract) })];
    }
    return null;
  },
  onnx: (lowering, node) => [lowerDot(lowering, node)],
  reference: ({ params, inputs: [x, y], types: [type] }) => [referenceDot(params, x, y, type)],
  samples: () => {
    const f = (shape: number[]): { shape: number[]; dtype: 'float64' } => ({ shape, dtype: 'float64' });
    return [
      { params: { batch: [[], []], contract: [[1], [0]] }, inputs: [f([3, 4]), f([4, 5])] },
      { params: { batch: [[], []], contract: [[0], [1]] }, inputs: [f([4, 3]), f([5, 4])] },
      { params: { batch: [[], []], contract: [[0, 2], [1, 0]] }, inputs: [f([2, 3, 4]), f([4, 2, 5])] },
      { params: { batch: [[0], [0]], contract: [[2], [1]] }, inputs: [f([2, 3, 4]), f([2, 4, 5])] },
      { params: { batch: [[1], [0]], contract: [[0], [2]] }, inputs: [f([4, 2, 3]), f([2, 5, 4])] },
      { params: { batch: [[0, 1], [0, 1]], contract: [[3], [3]] }, inputs: [f([2, 2, 3, 4]), f([2, 2, 3, 4])] },
      { params: { batch: [[], []], contract: [[], []] }, inputs: [f([3]), f([2])] },
      { params: { batch: [[], []], contract: [[0], [0]] }, inputs: [f([6]), f([6])] },
      { params: { batch: [[0], [0]], contract: [[], []] }, inputs: [f([3, 2]), f([3, 4])] },
    ];
  },
};

/** Product of `x` and `y` over the named axes; the result's axes are batch, x free, y free. */
export const dot = (x: Tensor, y: Tensor, { batch, contract }: DotParams): Tensor =>
  bind1(dotPrimitive, { batch: [[...batch[0]], [...batch[1]]], contract: [[...contract[0]], [...contract[1]]] }, x, y);

function referenceDot({ batch, contract }: DotParams, x: NDArray, y: NDArray, type: Type): NDArray {
  const offsets = (a: NDArray, axes: readonly number[]): Int32Array => {
    const strides = stridesOf(a.shape);
    let out = [0];
    for (const axis of axes) out = out.flatMap((base) => range(a.shape[axis]).map((i) => base + i * strides[axis]));
    return Int32Array.from(out);
  };
  const parts = (a: NDArray, side: 0 | 1): Int32Array[] => [batch[side], free(a.shape.length, batch[side], contract[side]), contract[side]].map((axes) => offsets(a, axes));
  const [xb, xf, xc] = parts(x, 0);
  const [yb, yf, yc] = parts(y, 1);
  const data = allocate(type.dtype, sizeOf(type.shape));
  let at = 0;
  for (let b = 0; b < xb.length; b++) {
    for (const i of xf) {
      for (const j of yf) {
        let sum = 0;
        for (let c = 0; c < xc.length; c++) sum += x.data[xb[b] + i + xc[c]] * y.data[yb[b] + j + yc[c]];
        data[at++] = sum;
      }
    }
  }
  return new NDArray(data, type.shape, type.dtype);
}

/** How one operand enters the matrix product: its name as [batch..., rows, columns] and whether it lies transposed. */
interface Operand extends LoweredValue {
  readonly transposed: boolean;
}

/** Brings an operand to [batch, free, contract] or, `transposed`, [batch, contract, free], moving data only when it must. */
function arrange(lowering: Lowering, tensor: Tensor, batch: readonly number[], contract: readonly number[], contractLast: boolean): Operand {
  const freeAxes = free(tensor.rank, batch, contract);
  const ends = [[...batch, ...freeAxes, ...contract], [...batch, ...contract, ...freeAxes]];
  const preferred = contractLast ? 0 : 1;
  const layout = isOrdered(ends[preferred]) ? preferred : isOrdered(ends[1 - preferred]) ? 1 - preferred : preferred;
  // A pending broadcast along the batch axes stays pending: the product repeats by itself.
  const loose = lowering.loose(tensor);
  const padded = [...new Array<number>(tensor.rank - loose.shape.length).fill(1), ...loose.shape];
  const pending = batch.length > 0 && [...freeAxes, ...contract].every((axis) => padded[axis] === tensor.shape[axis]);
  const actual = pending ? padded : tensor.shape;
  let name = pending ? lowering.reshape(loose.name, padded) : lowering.name(tensor);
  if (!isOrdered(ends[layout])) name = lowering.transpose(name, ends[layout]);
  const size = (axes: readonly number[]): number => sizeOf(axes.map((axis) => actual[axis]));
  const rows = layout === 0 ? size(freeAxes) : size(contract);
  const columns = layout === 0 ? size(contract) : size(freeAxes);
  const shape = [...batch.map((axis) => actual[axis]), rows, columns];
  return { name: lowering.reshape(name, shape), shape, transposed: contractLast ? layout === 1 : layout === 0 };
}

function lowerDot(lowering: Lowering, node: Node<DotParams>): LoweredValue {
  const { batch, contract } = node.params;
  const [x, y] = node.inputs;
  const [output] = node.outputs;
  const left = arrange(lowering, x, batch[0], contract[0], true);
  const right = arrange(lowering, y, batch[1], contract[1], false);
  const name = multiply(lowering, left, right, x.dtype);
  const freeOf = ({ shape, transposed }: Operand, side: -2 | -1): number => shape.at(transposed ? -3 - side : side)!;
  const shape = [...left.shape.slice(0, -2).map((n, i) => Math.max(n, right.shape[i])), freeOf(left, -2), freeOf(right, -1)];
  return { name: sameShape(shape, output.shape) ? name : lowering.reshape(name, output.shape), shape: output.shape };
}

const exchangeLast = (lowering: Lowering, name: string, rank: number): string => lowering.transpose(name, [...range(rank - 2), rank - 1, rank - 2]);

/**
 * Up to this many columns of a stack of products A'B, ONNX Runtime computes the transposed products B'A and transposes them 5 to 25 %
 * faster (version 1.30, extents 10 to 784; with more columns up to 20 % slower).
 */
const NARROW = 64;

function multiply(lowering: Lowering, left: Operand, right: Operand, dtype: Tensor['dtype']): string {
  const flags = { transA: Number(left.transposed), transB: Number(right.transposed) };
  if (left.shape.length === 2 && lowering.supports('Gemm', dtype)) return lowering.node('Gemm', [left.name, right.name], flags)[0];
  lowering.require('MatMul', dtype, 'dot');
  if ((left.transposed || right.transposed) && lowering.supports('FusedMatMul', dtype, 'com.microsoft')) {
    const [columns, rows] = [right.shape.at(-1)!, left.shape.at(-1)!];
    if (left.transposed && !right.transposed && columns <= NARROW && 2 * columns <= rows) {
      const [exchanged] = lowering.node('FusedMatMul', [right.name, left.name], { transA: 1, transB: 0 }, 1, 'com.microsoft');
      return exchangeLast(lowering, exchanged, left.shape.length);
    }
    return lowering.node('FusedMatMul', [left.name, right.name], flags, 1, 'com.microsoft')[0];
  }
  const straight = ({ name, shape, transposed }: Operand): string => (transposed ? exchangeLast(lowering, name, shape.length) : name);
  return lowering.node('MatMul', [straight(left), straight(right)])[0];
}
