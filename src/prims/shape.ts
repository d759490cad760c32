/** Operations that move elements: reshape, transpose, reverse, concatenate. @module */
import { AxisError, DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import { forEachIndex, stridesOf } from '../core/strides.ts';
import { bind1, type Node, type Primitive, type Tensor } from '../core/tensor.ts';
import { add, addPrimitive } from './binary.ts';
import { zerosLike } from './constant.ts';
import { dot, dotPrimitive, type DotParams } from './dot.ts';
import { alignBatch, batchWith, linear } from './rules.ts';
import { slice } from './slice.ts';

export const reshapePrimitive: Primitive<{ readonly shape: Shape }> = {
  name: 'reshape',
  shape({ shape }, [input]) {
    if (sizeOf(shape) !== sizeOf(input.shape) || shape.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new ShapeError({ operation: 'reshape', required: `shape must hold the input's ${sizeOf(input.shape)} elements ([${input.shape.join(',')}])`, received: `[${shape.join(',')}]` });
    }
    return [{ shape, dtype: input.dtype }];
  },
  jvp: linear(() => reshapePrimitive),
  transpose: ({ inputs: [x], cotangents: [ct] }) => [ct && reshape(ct, x.shape)],
  batch: batchWith(() => reshapePrimitive, ({ shape }, size) => ({ shape: [size, ...shape] })),
  simplify({ shape }, [input]) {
    if (shape.length === input.rank && shape.every((n, i) => n === input.shape[i])) return [input];
    return input.node?.primitive.name === reshapePrimitive.name ? [reshape(input.node.inputs[0], shape)] : null;
  },
  onnx: (lowering, node) => [{ name: lowering.reshape(lowering.name(node.inputs[0]), node.params.shape), shape: node.params.shape }],
  reference: ({ params, inputs: [x] }) => [new NDArray(x.data, params.shape, x.dtype)],
  samples: () => [
    { params: { shape: [6, 4] }, inputs: [{ shape: [2, 3, 4], dtype: 'float64' }] },
    { params: { shape: [] }, inputs: [{ shape: [1, 1], dtype: 'float64' }] },
    { params: { shape: [3, 2] }, inputs: [{ shape: [6], dtype: 'int32' }] },
  ],
  cheap: true,
};

interface TransposeParams {
  /** Input axis of each output axis. */
  readonly permutation: readonly number[];
}

const inverse = (permutation: readonly number[]): number[] => {
  const out = new Array<number>(permutation.length);
  permutation.forEach((axis, i) => { out[axis] = i; });
  return out;
};

/** (x y)' = y' x': a product whose two groups of free axes are exchanged is the product of the exchanged factors. */
function exchangeFactors({ params: { batch, contract }, inputs: [x, y] }: Node<DotParams>, permutation: readonly number[]): Tensor[] | null {
  const nBatch = batch[0].length;
  const nLeft = x.rank - nBatch - contract[0].length;
  const nRight = permutation.length - nBatch - nLeft;
  const exchanged = permutation.every((axis, i) => axis === (i < nBatch ? i : i < nBatch + nRight ? i + nLeft : i - nRight));
  return exchanged ? [dot(y, x, { batch: [batch[1], batch[0]], contract: [contract[1], contract[0]] })] : null;
}

export const transposePrimitive: Primitive<TransposeParams> = {
  name: 'transpose',
  shape({ permutation }, [input]) {
    if (permutation.length !== input.shape.length || new Set(permutation).size !== permutation.length || permutation.some((axis) => !(axis in input.shape))) {
      throw new AxisError({ operation: 'transpose', required: `permutation must name each of the ${input.shape.length} axes once`, received: `[${permutation.join(',')}]` });
    }
    return [{ shape: permutation.map((axis) => input.shape[axis]), dtype: input.dtype }];
  },
  jvp: linear(() => transposePrimitive),
  transpose: ({ params, cotangents: [ct] }) => [ct && transpose(ct, inverse(params.permutation))],
  batch: batchWith(() => transposePrimitive, ({ permutation }) => ({ permutation: [0, ...permutation.map((axis) => axis + 1)] })),
  simplify({ permutation }, [input]) {
    if (permutation.every((axis, i) => axis === i)) return [input];
    // Moving only axes of extent one is a reshape.
    const long = permutation.filter((axis) => input.shape[axis] !== 1);
    if (long.every((axis, i) => i === 0 || axis > long[i - 1])) return [reshape(input, permutation.map((axis) => input.shape[axis]))];
    const node = input.node;
    if (node?.primitive.name === dotPrimitive.name) return exchangeFactors(node as Node<DotParams>, permutation);
    if (node?.primitive.name === addPrimitive.name) {
      const terms = node.inputs.map((term) => (term.node?.primitive.name === dotPrimitive.name ? exchangeFactors(term.node as Node<DotParams>, permutation) : null));
      if (terms[0] !== null && terms[1] !== null) return [add(terms[0][0], terms[1][0])];
    }
    if (node?.primitive.name !== transposePrimitive.name) return null;
    const inner = (node.params as TransposeParams).permutation;
    return [transpose(node.inputs[0], permutation.map((axis) => inner[axis]))];
  },
  onnx: (lowering, node) => [{ name: lowering.transpose(lowering.name(node.inputs[0]), node.params.permutation), shape: node.outputs[0].shape }],
  reference({ params: { permutation }, inputs: [x], types: [{ shape }] }) {
    const data = allocate(x.dtype, x.size);
    const inputStrides = stridesOf(x.shape);
    const strides = permutation.map((axis) => inputStrides[axis]);
    forEachIndex(shape, (index, position) => {
      let at = 0;
      for (let axis = 0; axis < strides.length; axis++) at += index[axis] * strides[axis];
      data[position] = x.data[at];
    });
    return [new NDArray(data, shape, x.dtype)];
  },
  samples: () => [
    { params: { permutation: [2, 0, 1] }, inputs: [{ shape: [2, 3, 4], dtype: 'float64' }] },
    { params: { permutation: [1, 0] }, inputs: [{ shape: [2, 3], dtype: 'float64' }] },
    { params: { permutation: [1, 0] }, inputs: [{ shape: [1, 3], dtype: 'float64' }] },
  ],
};

export const reversePrimitive: Primitive<{ readonly axes: readonly number[] }> = {
  name: 'reverse',
  shape({ axes }, [input]) {
    if (axes.some((axis) => !(axis in input.shape)) || new Set(axes).size !== axes.length) {
      throw new AxisError({ operation: 'reverse', required: `axes must be distinct and lie in 0..${input.shape.length - 1}`, received: `[${axes.join(',')}]` });
    }
    return [{ shape: input.shape, dtype: input.dtype }];
  },
  jvp: linear(() => reversePrimitive),
  transpose: ({ params, cotangents: [ct] }) => [ct && reverse(ct, params.axes)],
  batch: batchWith(() => reversePrimitive, ({ axes }) => ({ axes: axes.map((axis) => axis + 1) })),
  simplify: ({ axes }, [input]) => (axes.every((axis) => input.shape[axis] === 1) ? [input] : null),
  onnx(lowering, node) {
    const { axes } = node.params;
    const int64 = (value: number): string => lowering.int64(axes.map(() => value));
    const [name] = lowering.node('Slice', [lowering.name(node.inputs[0]), int64(-1), int64(-(2 ** 31)), lowering.int64(axes), int64(-1)]);
    return [{ name, shape: node.outputs[0].shape }];
  },
  reference({ params: { axes }, inputs: [x] }) {
    const data = allocate(x.dtype, x.size);
    const strides = stridesOf(x.shape);
    forEachIndex(x.shape, (index, position) => {
      let at = 0;
      for (let axis = 0; axis < strides.length; axis++) at += (axes.includes(axis) ? x.shape[axis] - 1 - index[axis] : index[axis]) * strides[axis];
      data[position] = x.data[at];
    });
    return [new NDArray(data, x.shape, x.dtype)];
  },
  samples: () => [{ params: { axes: [0, 2] }, inputs: [{ shape: [2, 3, 4], dtype: 'float64' }] }, { params: { axes: [0] }, inputs: [{ shape: [5], dtype: 'int32' }] }],
};

export const concatPrimitive: Primitive<{ readonly axis: number }> = {
  name: 'concat',
  shape({ axis }, inputs) {
    const [first] = inputs;
    if (first === undefined) throw new ShapeError({ operation: 'concat', required: 'takes at least one array', received: 'none' });
    if (!(axis in first.shape)) throw new AxisError({ operation: 'concat', required: `axis must lie in 0..${first.shape.length - 1}`, received: String(axis) });
    for (const other of inputs) {
      if (other.dtype !== first.dtype) throw new DtypeError({ operation: 'concat', required: 'arrays must have one dtype', received: `${first.dtype} and ${other.dtype}` });
      if (other.shape.length !== first.shape.length || other.shape.some((n, i) => i !== axis && n !== first.shape[i])) {
        throw new ShapeError({ operation: 'concat', required: `arrays must agree in every axis but ${axis}`, received: `[${first.shape.join(',')}] and [${other.shape.join(',')}]` });
      }
    }
    const extent = inputs.reduce((sum, input) => sum + input.shape[axis], 0);
    return [{ shape: first.shape.map((n, i) => (i === axis ? extent : n)), dtype: first.dtype }];
  },
  jvp({ params, inputs, tangents }) {
    if (tangents.every((t) => t === null)) return { tangents: [null] };
    return { tangents: [concat(tangents.map((t, i) => t ?? zerosLike(inputs[i])), params.axis)] };
  },
  transpose({ params: { axis }, inputs, linear: isLinear, cotangents: [ct] }) {
    let at = 0;
    return inputs.map((input, i) => {
      const start = at;
      at += input.shape[axis];
      if (ct === null || !isLinear[i]) return null;
      return slice(ct, ct.shape.map((_, a) => (a === axis ? start : 0)), ct.shape.map((n, a) => (a === axis ? start + input.shape[axis] : n)));
    });
  },
  batch: (args) => ({ outputs: [concat(alignBatch(args), args.params.axis + 1)], batched: [true] }),
  simplify: (_, inputs) => (inputs.length === 1 ? [inputs[0]] : null),
  onnx: (lowering, node) => {
    const [name] = lowering.node('Concat', node.inputs.map((input) => lowering.name(input)), { axis: node.params.axis });
    return [{ name, shape: node.outputs[0].shape }];
  },
  reference({ params: { axis }, inputs, types: [{ shape, dtype }] }) {
    const data = allocate(dtype, sizeOf(shape));
    const inner = sizeOf(shape.slice(axis + 1));
    const outer = sizeOf(shape.slice(0, axis));
    let start = 0;
    for (const input of inputs) {
      const row = input.shape[axis] * inner;
      for (let o = 0; o < outer; o++) data.set(input.data.subarray(o * row, (o + 1) * row), o * shape[axis] * inner + start);
      start += row;
    }
    return [new NDArray(data, shape, dtype)];
  },
  samples: () => [
    { params: { axis: 1 }, inputs: [{ shape: [2, 3], dtype: 'float64' }, { shape: [2, 1], dtype: 'float64' }, { shape: [2, 2], dtype: 'float64' }] },
    { params: { axis: 0 }, inputs: [{ shape: [2, 3], dtype: 'float64' }, { shape: [1, 3], dtype: 'float64' }] },
  ],
};

/** The same elements in row-major order under another shape. */
export const reshape = (x: Tensor, shape: Shape): Tensor => bind1(reshapePrimitive, { shape: [...shape] }, x);
/** Axes in another order: output axis i is input axis `permutation[i]`. */
export const transpose = (x: Tensor, permutation: readonly number[]): Tensor => bind1(transposePrimitive, { permutation: [...permutation] }, x);
/** Elements in reverse order along `axes`. */
export const reverse = (x: Tensor, axes: readonly number[]): Tensor => bind1(reversePrimitive, { axes: [...axes] }, x);
/** Arrays one after another along `axis`. */
export function concat(xs: readonly Tensor[], axis: number): Tensor {
  return bind1(concatPrimitive, { axis }, ...xs);
}
/** `x` with one axis moved. */
export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  const rest = x.shape.map((_, axis) => axis).filter((axis) => axis !== from);
  rest.splice(to, 0, from);
  return transpose(x, rest);
}
