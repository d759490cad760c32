/** Values known when a function is traced: constants and index ramps. @module */
import { AxisError } from '../util/errors.ts';
import { allocate, NDArray, scalar, sizeOf, type DType, type Shape } from '../core/ndarray.ts';
import { bind1, type Primitive, type Tensor, type Type } from '../core/tensor.ts';
import { broadcast } from './broadcast.ts';
import { none, nonlinear, zeroTangent } from './rules.ts';

export interface ConstantParams {
  readonly value: NDArray;
}

export const constantPrimitive: Primitive<ConstantParams> = {
  name: 'constant',
  shape: ({ value }) => [{ shape: value.shape, dtype: value.dtype }],
  jvp: zeroTangent,
  transpose: nonlinear('constant'),
  batch: ({ params }) => ({ outputs: [constant(params.value)], batched: [false] }),
  simplify: none,
  onnx: (lowering, node) => [{ name: lowering.constant(node.params.value), shape: node.params.value.shape }],
  reference: ({ params }) => [params.value],
  samples: () => [{ params: { value: new NDArray(Float64Array.of(1, -2, 3), [3], 'float64') }, inputs: [] }],
  print: ({ value }) => (value.size === 1 ? String(value.data[0]) : value.toString()),
};

export interface IotaParams extends Type {
  readonly axis: number;
}

/** 0, 1, 2, ... along one axis. */
export const iotaPrimitive: Primitive<IotaParams> = {
  name: 'iota',
  shape({ shape, dtype, axis }) {
    if (axis < 0 || axis >= shape.length) throw new AxisError({ operation: 'iota', required: `axis must lie in 0..${shape.length - 1}`, received: String(axis) });
    return [{ shape, dtype }];
  },
  jvp: zeroTangent,
  transpose: nonlinear('iota'),
  batch: ({ params }) => ({ outputs: [bind1(iotaPrimitive, params)], batched: [false] }),
  simplify({ shape, dtype, axis }) {
    return shape.length === 1 ? null : [broadcast(iota([shape[axis]], dtype, 0), shape, [axis])];
  },
  onnx(lowering, node) {
    const { shape, dtype, axis } = node.params;
    const ramp = allocate(dtype, shape[axis]);
    for (let i = 0; i < ramp.length; i++) ramp[i] = i;
    const loose = [shape[axis], ...shape.slice(axis + 1).map(() => 1)];
    return [{ name: lowering.constant(new NDArray(ramp, loose, dtype)), shape: loose }];
  },
  reference({ params: { shape, dtype, axis } }) {
    const data = allocate(dtype, sizeOf(shape));
    const inner = sizeOf(shape.slice(axis + 1));
    for (let i = 0; i < data.length; i++) data[i] = Math.floor(i / inner) % shape[axis];
    return [new NDArray(data, shape, dtype)];
  },
  samples: () => [{ params: { shape: [3, 4], dtype: 'float64', axis: 1 }, inputs: [] }, { params: { shape: [5], dtype: 'int32', axis: 0 }, inputs: [] }],
};

/** A host array as a tensor of the program. */
export const constant = (value: NDArray): Tensor => bind1(constantPrimitive, { value });
/** One number, as the given type. */
export function full(value: number, { shape, dtype }: Type): Tensor {
  const one = constant(scalar(value, dtype));
  return shape.length === 0 ? one : broadcast(one, shape, []);
}
/** One number, shaped as `like`. */
export const constantLike = (value: number, like: Type): Tensor => full(value, like);
/** Zeros shaped as `like`. */
export const zerosLike = (like: Type): Tensor => full(0, like);
/** 0, 1, 2, ... along `axis` of the shape. */
export const iota = (shape: Shape, dtype: DType, axis: number): Tensor => bind1(iotaPrimitive, { shape: [...shape], dtype, axis });
/** The number behind a tensor that is one repeated constant, else undefined. */
export function splatOf(tensor: Tensor): number | undefined {
  let node = tensor.node;
  while (node?.primitive.name === 'broadcast') node = node.inputs[0].node;
  if (node?.primitive.name !== constantPrimitive.name) return undefined;
  const { value } = node.params as ConstantParams;
  return value.size === 1 ? value.data[0] : undefined;
}
