/** Reductions over axes: sum, max, min; and the positions of extremes. @module */
import { AxisError, DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import { forEachIndex, stridesOf } from '../core/strides.ts';
import { bind1, type Primitive, type Tensor, type Type } from '../core/tensor.ts';
import type { Lowering } from '../core/lowering.ts';
import { broadcast, broadcastBack, broadcastPrimitive, type BroadcastParams } from './broadcast.ts';
import { batchWith, linear, none, nonlinear, zeroTangent } from './rules.ts';
import { div, equal, mul } from './binary.ts';
import { convert } from './convert.ts';
import { constantLike } from './constant.ts';

export interface ReduceParams {
  /** Axes that disappear, increasing. */
  readonly axes: readonly number[];
}

const shift = ({ axes }: ReduceParams): ReduceParams => ({ axes: axes.map((axis) => axis + 1) });
const without = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, axis) => !axes.includes(axis));

function reducedType(operation: string, { axes }: ReduceParams, input: Type): Type {
  if (axes.some((axis, i) => !Number.isInteger(axis) || axis < 0 || axis >= input.shape.length || (i > 0 && axis <= axes[i - 1]))) {
    throw new AxisError({ operation, required: `axes must be increasing and lie in 0..${input.shape.length - 1}`, received: `[${axes.join(',')}]` });
  }
  return { shape: without(input.shape, axes), dtype: input.dtype };
}

function requireNumber(operation: string, input: Type): void {
  if (input.dtype === 'bool') {
    throw new DtypeError({ operation, required: 'the argument must be a number', received: 'bool', remedy: "convert(x, 'int32') first" });
  }
}

function fold(input: NDArray, axes: readonly number[], start: number, combine: (a: number, b: number) => number): NDArray {
  const shape = without(input.shape, axes);
  const outer = stridesOf(shape);
  const strides = input.shape.map((_, axis) => (axes.includes(axis) ? 0 : outer[axis - axes.filter((a) => a < axis).length]));
  const sums = new Float64Array(sizeOf(shape)).fill(start);
  forEachIndex(input.shape, (index, position) => {
    let at = 0;
    for (let axis = 0; axis < strides.length; axis++) at += index[axis] * strides[axis];
    sums[at] = combine(sums[at], input.data[position]);
  });
  const data = allocate(input.dtype, sums.length);
  data.set(sums);
  return new NDArray(data, shape, input.dtype);
}

/** Lowers a reduction; ONNX's sum takes axes as an input, as its others do from opset 18. */
function lowerReduction(lowering: Lowering, op: string, primitive: string, input: Tensor, { axes }: ReduceParams): { name: string; shape: Shape }[] {
  if (axes.length === 0) return [lowering.loose(input)];
  lowering.require(op, input.dtype, primitive);
  const [name] = lowering.node(op, [lowering.name(input), lowering.int64(axes)], { keepdims: 0 });
  return [{ name, shape: without(input.shape, axes) }];
}

export const sumPrimitive: Primitive<ReduceParams> = {
  name: 'reduce_sum',
  shape(params, [input]) {
    requireNumber('sum', input);
    return [reducedType('sum', params, input)];
  },
  jvp: linear(() => sumPrimitive),
  transpose: ({ params, inputs: [x], cotangents: [ct] }) => [ct && broadcastBack(ct, x.shape, params.axes)],
  batch: batchWith(() => sumPrimitive, shift),
  simplify({ axes }, [input]) {
    if (axes.length === 0) return [input];
    const node = input.node;
    if (node?.primitive.name === sumPrimitive.name) {
      const inner = (node.params as ReduceParams).axes;
      const kept = node.inputs[0].shape.map((_, axis) => axis).filter((axis) => !inner.includes(axis));
      return [reduceSum(node.inputs[0], [...inner, ...axes.map((axis) => kept[axis])].sort((a, b) => a - b))];
    }
    // Summing n copies is multiplying by n.
    if (node?.primitive.name !== broadcastPrimitive.name) return null;
    const repeated = axes.filter((axis) => !(node.params as BroadcastParams).axes.includes(axis));
    if (repeated.length === 0) return null;
    const copies = sizeOf(repeated.map((axis) => input.shape[axis]));
    const kept = input.shape.map((_, axis) => axis).filter((axis) => !repeated.includes(axis));
    const once = broadcast(node.inputs[0], kept.map((axis) => input.shape[axis]), (node.params as BroadcastParams).axes.map((axis) => kept.indexOf(axis)));
    return [reduceSum(mul(once, constantLike(copies, once)), axes.filter((axis) => !repeated.includes(axis)).map((axis) => kept.indexOf(axis)))];
  },
  onnx: (lowering, node) => lowerReduction(lowering, 'ReduceSum', 'reduce_sum', node.inputs[0], node.params),
  reference: ({ params, inputs: [x] }) => [fold(x, params.axes, 0, (a, b) => a + b)],
  samples: () => [
    { params: { axes: [1] }, inputs: [{ shape: [2, 3, 4], dtype: 'float64' }] },
    { params: { axes: [0, 2] }, inputs: [{ shape: [2, 3, 4], dtype: 'float64' }] },
    { params: { axes: [0] }, inputs: [{ shape: [5], dtype: 'float64' }] },
    { params: { axes: [1] }, inputs: [{ shape: [2, 3], dtype: 'int32' }] },
  ],
};

/** Maximum or minimum: the derivative is shared equally by elements that tie, as in JAX. */
function extreme(name: string, op: string, start: number, combine: (a: number, b: number) => number): Primitive<ReduceParams> {
  const primitive: Primitive<ReduceParams> = {
    name,
    shape(params, [input]) {
      requireNumber(name, input);
      if (params.axes.some((axis) => input.shape[axis] === 0)) {
        throw new ShapeError({ operation: name, required: 'the reduced axes must not be empty', received: `[${input.shape.join(',')}]` });
      }
      return [reducedType(name, params, input)];
    },
    jvp({ params, inputs: [x], tangents: [t], outputs: [y] }) {
      if (t === null) return { tangents: [null] };
      const hit = convert(equal(x, broadcastBack(y, x.shape, params.axes)), x.dtype);
      return { tangents: [div(reduceSum(mul(t, hit), params.axes), reduceSum(hit, params.axes))] };
    },
    transpose: nonlinear(name),
    batch: batchWith(() => primitive, shift),
    simplify: ({ axes }, [input]) => (axes.length === 0 ? [input] : null),
    onnx: (lowering, node) => lowerReduction(lowering, op, name, node.inputs[0], node.params),
    reference: ({ params, inputs: [x] }) => [fold(x, params.axes, start, combine)],
    samples: () => [
      { params: { axes: [1] }, inputs: [{ shape: [2, 3, 4], dtype: 'float64', distinct: true }] },
      { params: { axes: [0, 2] }, inputs: [{ shape: [2, 3, 4], dtype: 'float64', distinct: true }] },
      { params: { axes: [1] }, inputs: [{ shape: [2, 3], dtype: 'int32' }] },
    ],
  };
  return primitive;
}

export const maxPrimitive = extreme('reduce_max', 'ReduceMax', -Infinity, Math.max);
export const minPrimitive = extreme('reduce_min', 'ReduceMin', Infinity, Math.min);

export interface ArgParams {
  readonly axis: number;
}

/** Position of the largest element along an axis; the first of several. */
export const argmaxPrimitive: Primitive<ArgParams> = {
  name: 'argmax',
  shape({ axis }, [input]) {
    requireNumber('argmax', input);
    return [{ ...reducedType('argmax', { axes: [axis] }, input), dtype: 'int32' }];
  },
  jvp: zeroTangent,
  transpose: nonlinear('argmax'),
  batch: batchWith(() => argmaxPrimitive, ({ axis }) => ({ axis: axis + 1 })),
  simplify: none,
  onnx(lowering, node) {
    const [input] = node.inputs;
    lowering.require('ArgMax', input.dtype, 'argmax');
    const [name] = lowering.node('ArgMax', [lowering.name(input)], { axis: node.params.axis, keepdims: 0 });
    return [{ name: lowering.cast(name, 'int32'), shape: node.outputs[0].shape }];
  },
  reference({ params: { axis }, inputs: [x], types: [type] }) {
    const best = new Float64Array(sizeOf(type.shape)).fill(-Infinity);
    const data = new Int32Array(best.length);
    const inner = sizeOf(x.shape.slice(axis + 1));
    const extent = x.shape[axis];
    for (let i = 0; i < x.size; i++) {
      const at = Math.floor(i / (inner * extent)) * inner + (i % inner);
      if (x.data[i] > best[at]) {
        best[at] = x.data[i];
        data[at] = Math.floor(i / inner) % extent;
      }
    }
    return [new NDArray(data, type.shape, 'int32')];
  },
  samples: () => [
    { params: { axis: 1 }, inputs: [{ shape: [3, 4], dtype: 'float64', distinct: true }] },
    { params: { axis: 0 }, inputs: [{ shape: [3, 4, 2], dtype: 'float64', distinct: true }] },
  ],
};

/** Sum over `axes`. */
export const reduceSum = (x: Tensor, axes: readonly number[]): Tensor => (axes.length === 0 ? x : bind1(sumPrimitive, { axes: [...axes] }, x));
/** Maximum over `axes`. */
export const reduceMax = (x: Tensor, axes: readonly number[]): Tensor => bind1(maxPrimitive, { axes: [...axes] }, x);
/** Minimum over `axes`. */
export const reduceMin = (x: Tensor, axes: readonly number[]): Tensor => bind1(minPrimitive, { axes: [...axes] }, x);
/** Position of the maximum along `axis`. */
export const argmax = (x: Tensor, axis: number): Tensor => bind1(argmaxPrimitive, { axis }, x);

