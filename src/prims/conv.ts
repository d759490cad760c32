/** Convolution in any number of dimensions, with strides, dilation in both senses, padding and groups. @module */
import { DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray, sizeOf } from '../core/ndarray.ts';
import { forEachIndex, stridesOf } from '../core/strides.ts';
import { bind1, type BatchArguments, type Primitive, type Tensor, type Type } from '../core/tensor.ts';
import { add } from './binary.ts';
import { addMaybe, alignBatch, none } from './rules.ts';
import { reshape, reverse, transpose } from './shape.ts';
import { fasterConstants, lowerConv } from './conv-lowering.ts';

export interface ConvParams {
  /** Step of the window, for each spatial axis. */
  readonly strides: readonly number[];
  /** Elements added before and after each spatial axis; negative removes. */
  readonly padding: readonly (readonly [number, number])[];
  /** Distance of neighbouring input elements (above one: a transposed convolution). */
  readonly inputDilation: readonly number[];
  /** Distance of neighbouring kernel elements. */
  readonly kernelDilation: readonly number[];
  readonly groups: number;
}

/** Extent of `n` elements with `dilation` between neighbours. */
const dilated = (n: number, dilation: number): number => (n === 0 ? 0 : (n - 1) * dilation + 1);

function convType(params: ConvParams, inputs: readonly Type[]): Type {
  const [x, kernel] = inputs;
  const rank = x.shape.length - 2;
  const { strides, padding, inputDilation, kernelDilation, groups } = params;
  if (x.dtype !== kernel.dtype || (x.dtype !== 'float32' && x.dtype !== 'float64')) {
    throw new DtypeError({ operation: 'conv', required: 'input and kernel must both be float32 or both float64', received: `${x.dtype} and ${kernel.dtype}` });
  }
  if (rank < 1 || kernel.shape.length !== rank + 2) throw new ShapeError({ operation: 'conv', required: 'input [batch, channels, ...space] and kernel [out, channels / groups, ...window] of one rank of at least 3', received: `[${x.shape.join(',')}] and [${kernel.shape.join(',')}]` });
  if ([strides, padding, inputDilation, kernelDilation].some((list) => list.length !== rank) || [...strides, ...inputDilation, ...kernelDilation, groups].some((n) => !Number.isInteger(n) || n < 1)) {
    throw new ShapeError({ operation: 'conv', required: `strides, padding and dilations must have ${rank} entries and be at least 1`, received: JSON.stringify(params) });
  }
  if (x.shape[1] !== kernel.shape[1] * groups || kernel.shape[0] % groups !== 0) {
    throw new ShapeError({ operation: 'conv', required: `channels must equal kernel channels x groups (${groups}), and the groups divide the kernel's outputs`, received: `input [${x.shape.join(',')}], kernel [${kernel.shape.join(',')}]` });
  }
  const space = strides.map((stride, i) => {
    const extent = dilated(x.shape[i + 2], inputDilation[i]) + padding[i][0] + padding[i][1] - dilated(kernel.shape[i + 2], kernelDilation[i]);
    return extent < 0 ? 0 : Math.floor(extent / stride) + 1;
  });
  return { shape: [x.shape[0], kernel.shape[0], ...space], dtype: x.dtype };
}

const spatial = (rank: number): number[] => Array.from({ length: rank - 2 }, (_, i) => i + 2);

/** [g * a, b, ...] -> [g * b, a, ...]: exchanges the two channel axes within each group. */
function exchangeChannels(kernel: Tensor, groups: number): Tensor {
  const [out, inner, ...window] = kernel.shape;
  const split = reshape(kernel, [groups, out / groups, inner, ...window]);
  const moved = transpose(split, [0, 2, 1, ...window.map((_, i) => i + 3)]);
  return reshape(moved, [groups * inner, out / groups, ...window]);
}

/** d/d input: a convolution of the cotangent, dilated by the stride, with the mirrored kernel. */
function inputCotangent(params: ConvParams, x: Tensor, kernel: Tensor, ct: Tensor): Tensor {
  const mirrored = reverse(exchangeChannels(kernel, params.groups), spatial(kernel.rank));
  const padding = params.padding.map(([low], i) => {
    const window = dilated(kernel.shape[i + 2], params.kernelDilation[i]);
    const before = window - 1 - low;
    const after = dilated(x.shape[i + 2], params.inputDilation[i]) - dilated(ct.shape[i + 2], params.strides[i]) - before + window - 1;
    return [before, after] as const;
  });
  return conv(ct, mirrored, { ...params, strides: params.inputDilation, inputDilation: params.strides, padding });
}

/** d/d kernel: a convolution of the input with the cotangent, batch and channels exchanged. */
function kernelCotangent(params: ConvParams, x: Tensor, kernel: Tensor, ct: Tensor): Tensor {
  const { groups } = params;
  const [n, channels, ...space] = x.shape;
  const others = space.map((_, i) => i + 3);
  // [n, g * c, ...] -> [c, g * n, ...]: each group's samples are the channels that are summed over.
  const left = reshape(transpose(reshape(x, [n, groups, channels / groups, ...space]), [2, 1, 0, ...others]), [channels / groups, groups * n, ...space]);
  const right = transpose(ct, [1, 0, ...spatial(ct.rank)]);
  const padding = params.padding.map(([low], i) => {
    const have = dilated(x.shape[i + 2], params.inputDilation[i]) + low;
    const need = dilated(kernel.shape[i + 2], params.kernelDilation[i]) + dilated(ct.shape[i + 2], params.strides[i]) - 1;
    return [low, need - have] as const;
  });
  const sums = conv(left, right, { strides: params.kernelDilation, padding, inputDilation: params.inputDilation, kernelDilation: params.strides, groups });
  return transpose(sums, [1, 0, ...spatial(sums.rank)]);
}

function batchConv({ params, inputs, batched, size }: BatchArguments<ConvParams>): Tensor {
  const [x, kernel] = inputs;
  const { groups } = params;
  if (!batched[1]) {
    // More samples.
    const y = conv(reshape(x, [size * x.shape[1], ...x.shape.slice(2)]), kernel, params);
    return reshape(y, [size, x.shape[1], ...y.shape.slice(1)]);
  }
  const out = kernel.shape[1];
  if (!batched[0] && groups === 1) {
    // More output channels.
    const y = conv(x, reshape(kernel, [size * out, ...kernel.shape.slice(2)]), params);
    return transpose(reshape(y, [y.shape[0], size, out, ...y.shape.slice(2)]), [1, 0, 2, ...spatial(y.rank).map((axis) => axis + 1)]);
  }
  // More groups.
  const [bx] = alignBatch({ inputs, batched, size });
  const [, n, channels, ...space] = bx.shape;
  const merged = reshape(transpose(bx, [1, 0, 2, ...space.map((_, i) => i + 3)]), [n, size * channels, ...space]);
  const y = conv(merged, reshape(kernel, [size * out, ...kernel.shape.slice(2)]), { ...params, groups: groups * size });
  return transpose(reshape(y, [n, size, out, ...y.shape.slice(2)]), [1, 0, 2, ...spatial(y.rank).map((axis) => axis + 1)]);
}

export const convPrimitive: Primitive<ConvParams> = {
  name: 'conv',
  shape: (params, inputs) => [convType(params, inputs)],
  jvp({ params, inputs: [x, kernel], tangents: [tx, tk] }) {
    return { tangents: [addMaybe(tx && conv(tx, kernel, params), tk && conv(x, tk, params), add)] };
  },
  transpose({ params, inputs: [x, kernel], linear, cotangents: [ct] }) {
    if (ct === null) return [null, null];
    return [linear[0] ? inputCotangent(params, x, kernel, ct) : null, linear[1] ? kernelCotangent(params, x, kernel, ct) : null];
  },
  batch: (args) => ({ outputs: [batchConv(args)], batched: [true] }),
  simplify: none,
  prefersConstants: fasterConstants,
  onnx: (lowering, node) => [lowerConv(lowering, node)],
  reference: ({ params, inputs: [x, kernel], types: [type] }) => [referenceConv(params, x, kernel, type)],
  samples: () => {
    const sample = (x: number[], kernel: number[], params: Partial<ConvParams> = {}): { params: ConvParams; inputs: { shape: number[]; dtype: 'float64' }[] } => {
      const ones = x.slice(2).map(() => 1);
      return {
        params: { strides: ones, padding: ones.map(() => [0, 0] as const), inputDilation: ones, kernelDilation: ones, groups: 1, ...params },
        inputs: [{ shape: x, dtype: 'float64' }, { shape: kernel, dtype: 'float64' }],
      };
    };
    return [
      sample([2, 3, 5, 6], [4, 3, 3, 2]),
      sample([2, 2, 6, 5], [3, 2, 3, 3], { strides: [2, 2], padding: [[1, 1], [0, 2]] }),
      sample([1, 4, 5], [6, 2, 3], { groups: 2, padding: [[1, 1]] }),
      sample([2, 2, 4, 4], [2, 2, 2, 2], { inputDilation: [2, 1], kernelDilation: [1, 2], padding: [[1, 0], [2, 1]] }),
      sample([1, 2, 7], [2, 2, 2], { padding: [[-1, 0]], kernelDilation: [3] }),
      sample([1, 1, 3, 3, 3], [2, 1, 2, 2, 2]),
      sample([2, 4, 6], [4, 1, 3], { groups: 4, strides: [2] }),
    ];
  },
};

/** Convolution (cross-correlation) of `x` [batch, channels, ...space] with `kernel` [out, channels / groups, ...window]. */
export const conv = (x: Tensor, kernel: Tensor, params: ConvParams): Tensor => bind1(convPrimitive, params, x, kernel);

function referenceConv(params: ConvParams, x: NDArray, kernel: NDArray, type: Type): NDArray {
  const { strides, padding, inputDilation, kernelDilation, groups } = params;
  const data = allocate(type.dtype, sizeOf(type.shape));
  const [out, inner, ...window] = kernel.shape;
  const xStrides = stridesOf(x.shape);
  const kernelStrides = stridesOf(kernel.shape);
  forEachIndex(type.shape, (index, position) => {
    const firstChannel = Math.floor(index[1] / (out / groups)) * inner;
    let sum = 0;
    forEachIndex([inner, ...window], (tap, _) => {
      let from = index[0] * xStrides[0] + (firstChannel + tap[0]) * xStrides[1];
      let weight = index[1] * kernelStrides[0] + tap[0] * kernelStrides[1];
      for (let i = 0; i < window.length; i++) {
        const dilatedAt = index[i + 2] * strides[i] + tap[i + 1] * kernelDilation[i] - padding[i][0];
        const at = dilatedAt / inputDilation[i];
        if (!Number.isInteger(at) || at < 0 || at >= x.shape[i + 2]) return;
        from += at * xStrides[i + 2];
        weight += tap[i + 1] * kernelStrides[i + 2];
      }
      sum += x.data[from] * kernel.data[weight];
    });
    data[position] = sum;
  });
  return new NDArray(data, type.shape, type.dtype);
}
