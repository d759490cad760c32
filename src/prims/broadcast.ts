/** Broadcast and sum: each the other's transpose. @module */
import { AxisError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import { bind1, type Primitive, type Tensor } from '../core/tensor.ts';
import { stridesOf } from '../core/strides.ts';
import { reduceSum } from './reduce.ts';
import { linear, batchWith } from './rules.ts';

export interface BroadcastParams {
  readonly shape: Shape;
  /** Output axis of each input axis, increasing. */
  readonly axes: readonly number[];
}

export const broadcastPrimitive: Primitive<BroadcastParams> = {
  name: 'broadcast',
  shape({ shape, axes }, [input]) {
    if (axes.length !== input.shape.length || axes.some((axis, i) => axis >= shape.length || (i > 0 && axis <= axes[i - 1]) || axis < 0)) {
      throw new AxisError({ operation: 'broadcast', required: `axes must name one increasing output axis for each of the ${input.shape.length} input axes`, received: `[${axes.join(',')}]` });
    }
    if (axes.some((axis, i) => shape[axis] !== input.shape[i])) {
      throw new ShapeError({ operation: 'broadcast', required: `shape [${shape.join(',')}] must have the input's extents at axes [${axes.join(',')}]`, received: `input [${input.shape.join(',')}]` });
    }
    return [{ shape, dtype: input.dtype }];
  },
  jvp: linear(() => broadcastPrimitive),
  // The adjoint of repeating is summing over the repeated axes.
  transpose: ({ params, cotangents: [ct] }) => [ct && reduceSum(ct, newAxes(params))],
  batch: batchWith(() => broadcastPrimitive, ({ shape, axes }, size) => ({ shape: [size, ...shape], axes: [0, ...axes.map((a) => a + 1)] })),
  simplify({ shape, axes }, [input]) {
    if (axes.length === shape.length) return [input];
    const inner = input.node;
    if (inner?.primitive.name !== broadcastPrimitive.name) return null;
    const { axes: innerAxes } = inner.params as BroadcastParams;
    return [broadcast(inner.inputs[0], shape, innerAxes.map((axis) => axes[axis]))];
  },
  onnx(lowering, node) {
    const { shape, axes } = node.params;
    const value = lowering.loose(node.inputs[0]);
    const loose = shape.map(() => 1);
    const offset = node.inputs[0].rank - value.shape.length;
    axes.forEach((axis, i) => { loose[axis] = value.shape[i - offset] ?? 1; });
    const first = loose.findIndex((n) => n !== 1);
    const trimmed = first < 0 ? [] : loose.slice(first);
    return [{ name: lowering.reshape(value.name, trimmed), shape: trimmed }];
  },
  reference({ params: { shape, axes }, inputs: [input] }) {
    const data = allocate(input.dtype, sizeOf(shape));
    const inputStrides = stridesOf(input.shape);
    const strides = shape.map((_, axis) => (axes.includes(axis) ? inputStrides[axes.indexOf(axis)] : 0));
    const index = new Int32Array(shape.length);
    for (let i = 0, at = 0; i < data.length; i++) {
      data[i] = input.data[at];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += strides[axis];
        if (++index[axis] < shape[axis]) break;
        at -= strides[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return [new NDArray(data, shape, input.dtype)];
  },
  samples: () => [
    { params: { shape: [2, 3, 4], axes: [1] }, inputs: [{ shape: [3], dtype: 'float64' }] },
    { params: { shape: [2, 3], axes: [0, 1] }, inputs: [{ shape: [2, 3], dtype: 'float64' }] },
    { params: { shape: [4, 5], axes: [] }, inputs: [{ shape: [], dtype: 'float64' }] },
    { params: { shape: [3, 2, 4], axes: [0, 2] }, inputs: [{ shape: [3, 4], dtype: 'float64' }] },
  ],
  cheap: true,
};

const newAxes = ({ shape, axes }: BroadcastParams): number[] => shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));

/** Repeats `x` along the axes of `shape` that `axes` does not name. */
export const broadcast = (x: Tensor, shape: Shape, axes: readonly number[]): Tensor => bind1(broadcastPrimitive, { shape: [...shape], axes: [...axes] }, x);

/** `x` repeated to the shape of `like` after a reduction over `axes` without keeping them. */
export const broadcastBack = (x: Tensor, shape: Shape, reduced: readonly number[]): Tensor =>
  broadcast(x, shape, shape.map((_, axis) => axis).filter((axis) => !reduced.includes(axis)));

