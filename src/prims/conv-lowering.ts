/**
 * How a convolution becomes ONNX operations. ONNX Runtime's `Conv` is fast where the kernel is a constant of the program
 * (blocked layout), slow where it is not, and slowest where a large kernel meets a small output, as in the gradient with
 * respect to a kernel; so the form is chosen by shape and by what is known. The thresholds were measured (docs/decisions.md).
 * @module
 */
import { sizeOf, type Shape } from '../core/ndarray.ts';
import type { Lowering, LoweredValue } from '../core/lowering.ts';
import type { Node, Tensor } from '../core/tensor.ts';
import type { ConvParams } from './conv.ts';
import { spreadAxis } from './spread.ts';

/** Input with dilation and padding carried out, so that only strides, kernel dilation and groups remain. */
interface Windowed extends LoweredValue { readonly params: ConvParams }

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Inserts zeros between neighbours along the spatial axes: what input dilation means. */
function dilate(lowering: Lowering, value: LoweredValue, dilation: readonly number[], zero: string): LoweredValue {
  return dilation.reduce((input, step, i) => {
    const axis = i + 2;
    if (step === 1 || input.shape[axis] <= 1) return input;
    const spread = spreadAxis(lowering, input, axis, step - 1, zero);
    // Nothing follows the last element.
    const shape = spread.shape.map((n, a) => (a === axis ? n - (step - 1) : n));
    return { name: lowering.node('Slice', [spread.name, lowering.int64([0]), lowering.int64([shape[axis]]), lowering.int64([axis])])[0], shape };
  }, value);
}

function padSpace(lowering: Lowering, { name, shape }: LoweredValue, padding: ConvParams['padding'], zero: string): LoweredValue {
  if (padding.every(([low, high]) => low === 0 && high === 0)) return { name, shape };
  const pads = [0, 0, ...padding.map(([low]) => low), 0, 0, ...padding.map(([, high]) => high)];
  return { name: lowering.node('Pad', [name, lowering.int64(pads), zero])[0], shape: shape.map((n, i) => (i < 2 ? n : n + padding[i - 2][0] + padding[i - 2][1])) };
}

const noPadding = (params: ConvParams): ConvParams => ({ ...params, padding: params.padding.map(() => [0, 0] as const), inputDilation: params.inputDilation.map(() => 1) });

/** One `Conv`; what it cannot express (input dilation, negative padding) is done before it. */
function lowerDirect(lowering: Lowering, x: LoweredValue, kernel: LoweredValue, params: ConvParams, zero: string): string {
  const { strides, padding, inputDilation, kernelDilation, groups } = params;
  const spread = dilate(lowering, x, inputDilation, zero);
  const cut = padSpace(lowering, spread, padding.map(([low, high]) => [Math.min(0, low), Math.min(0, high)] as const), zero);
  const grow = (side: 0 | 1): number[] => padding.map((pair) => Math.max(0, pair[side]));
  return lowering.node('Conv', [cut.name, kernel.name], {
    strides, pads: [...grow(0), ...grow(1)], dilations: kernelDilation, group: groups, kernel_shape: kernel.shape.slice(2),
  })[0];
}

/** The part of the padded input that one position of a window meets, strided: [..., ...space]. */
function tap(lowering: Lowering, { name, shape }: LoweredValue, at: readonly number[], space: Shape, steps: readonly number[]): string {
  const axes = range(space.length).map((i) => i + shape.length - space.length);
  const limits = at.map((start, i) => start + (space[i] - 1) * steps[i] + 1);
  if (at.every((start, i) => start === 0 && limits[i] === shape[axes[i]] && steps[i] === 1)) return name;
  return lowering.node('Slice', [name, lowering.int64(at), lowering.int64(limits), lowering.int64(axes), lowering.int64(steps)])[0];
}

const positions = (window: Shape): number[][] => window.reduce<number[][]>((all, n) => all.flatMap((at) => range(n).map((i) => [...at, i])), [[]]);

/**
 * As one matrix product: the input's windows side by side as columns (im2col). Works for every type that has a matrix
 * product, and beats `Conv` where planes are small.
 */
function lowerColumns(lowering: Lowering, x: Windowed, kernel: LoweredValue, output: Shape, dtype: Tensor['dtype']): string {
  const { strides, kernelDilation, groups } = x.params;
  const [n, channels, ...rest] = x.shape;
  const space = output.slice(2);
  const [out, inner, ...window] = kernel.shape;
  const front = lowering.transpose(x.name, [1, 0, ...rest.map((_, i) => i + 2)]);
  const grouped = { name: lowering.reshape(front, [groups, inner, n, ...rest]), shape: [groups, channels / groups, n, ...rest] };
  const taps = positions(window).map((at) => lowering.reshape(
    tap(lowering, grouped, at.map((i, axis) => i * kernelDilation[axis]), space, strides), [groups, 1, inner, n * sizeOf(space)]));
  const columns = lowering.reshape(taps.length === 1 ? taps[0] : lowering.node('Concat', taps, { axis: 1 })[0], [groups, taps.length * inner, n * sizeOf(space)]);
  // Kernel as [groups, out / groups, taps, inner], the order of the columns.
  const last = window.map((_, i) => i + 3);
  const weights = lowering.transpose(lowering.reshape(kernel.name, [groups, out / groups, inner, ...window]), [0, 1, ...last, 2]);
  lowering.require('MatMul', dtype, 'conv');
  const product = lowering.node('MatMul', [lowering.reshape(weights, [groups, out / groups, taps.length * inner]), columns])[0];
  return lowering.transpose(lowering.reshape(product, [out, n, ...space]), [1, 0, ...space.map((_, i) => i + 2)]);
}

/** As a product for each output position: for kernels as large as the input, whose output has few positions. */
function lowerTaps(lowering: Lowering, x: Windowed, kernel: LoweredValue, output: Shape): string {
  const { strides, kernelDilation } = x.params;
  const [rows, depth, ...rest] = x.shape;
  const [out, , ...window] = kernel.shape;
  const exchange = (name: string, rank: number): string => lowering.transpose(name, [1, 0, ...range(rank - 2).map((i) => i + 2)]);
  const left = { name: exchange(x.name, x.shape.length), shape: [depth, rows, ...rest] };
  const right = lowering.reshape(exchange(kernel.name, kernel.shape.length), [depth, out, sizeOf(window)]);
  const products = positions(output.slice(2)).map((at) => {
    const part = lowering.reshape(tap(lowering, left, at.map((i, axis) => i * strides[axis]), window, kernelDilation), [depth, rows, sizeOf(window)]);
    const each = lowering.node('FusedMatMul', [part, right], { transB: 1 }, 1, 'com.microsoft')[0];
    return lowering.reshape(lowering.node('ReduceSum', [each, lowering.int64([0])], { keepdims: 0 })[0], [rows, out, 1]);
  });
  return lowering.reshape(lowering.node('Concat', products, { axis: 2 })[0], output);
}

/** Input and kernel exchanged, which mirrors the output: for a constant input, which then is the constant kernel. */
function lowerExchanged(lowering: Lowering, x: LoweredValue, kernel: LoweredValue, params: ConvParams, output: Shape, zero: string): string {
  const space = output.slice(2);
  const padding = params.padding.map(([low], i) => {
    const before = space[i] - 1 - low;
    return [before, space[i] - 1 + x.shape[i + 2] - kernel.shape[i + 2] - before] as const;
  });
  const mirrored = lowerDirect(lowering, kernel, x, { ...params, padding }, zero);
  const axes = space.map((_, i) => i + 2);
  const all = (value: number): string => lowering.int64(axes.map(() => value));
  const straight = lowering.node('Slice', [mirrored, all(-1), all(-(2 ** 31)), lowering.int64(axes), all(-1)])[0];
  return lowering.transpose(straight, [1, 0, ...axes]);
}

/** `ConvTranspose` for a dilated input: it multiplies no zeros. Null where its padding cannot express this one. */
function lowerTransposed(lowering: Lowering, x: LoweredValue, kernel: LoweredValue, params: ConvParams, output: Shape): string | null {
  const { strides, padding, inputDilation, kernelDilation, groups } = params;
  if (strides.some((n) => n !== 1)) return null;
  const [out, inner, ...window] = kernel.shape;
  const ends = window.map((n, i) => {
    const reach = (n - 1) * kernelDilation[i];
    const low = reach - padding[i][0];
    const high = (x.shape[i + 2] - 1) * inputDilation[i] + reach + 1 - low - output[i + 2];
    return { low, high: Math.max(0, high), extra: Math.max(0, -high) };
  });
  if (ends.some(({ low, extra }, i) => low < 0 || extra >= inputDilation[i])) return null;
  // [g a, b, ...window] -> mirrored [g b, a, ...window]
  const axes = window.map((_, i) => i + 2);
  const all = (value: number): string => lowering.int64(axes.map(() => value));
  const mirrored = lowering.node('Slice', [kernel.name, all(-1), all(-(2 ** 31)), lowering.int64(axes), all(-1)])[0];
  const split = lowering.reshape(mirrored, [groups, out / groups, inner, ...window]);
  const exchanged = lowering.reshape(lowering.transpose(split, [0, 2, 1, ...window.map((_, i) => i + 3)]), [groups * inner, out / groups, ...window]);
  return lowering.node('ConvTranspose', [x.name, exchanged], {
    strides: inputDilation, dilations: kernelDilation, group: groups, kernel_shape: window,
    pads: [...ends.map(({ low }) => low), ...ends.map(({ high }) => high)], output_padding: ends.map(({ extra }) => extra),
  })[0];
}

/** Up to this many output positions a product each beats one `Conv` with a large unknown kernel. */
const FEW_POSITIONS = 9;
/** Planes up to this many positions are faster as one product over all samples. */
const SMALL_PLANE = 64;

/** With fewer output channels than this, a convolution with full padding is faster as the transpose of one. */
const FEW_CHANNELS = 12;

/** Channels of ONNX Runtime's blocked layout: kernels of other counts are filled up, and lose more than the layout gains. */
const BLOCK_CHANNELS = 8;

const sizes = ({ inputs: [x, kernel], outputs: [output] }: Node<ConvParams>): { window: number; plane: number; examples: number } =>
  ({ window: sizeOf(kernel.shape.slice(2)), plane: sizeOf(output.shape.slice(2)), examples: x.shape[0] });

const isPlain = ({ groups, strides, inputDilation, kernelDilation }: ConvParams): boolean =>
  groups === 1 && [...strides, ...inputDilation, ...kernelDilation].every((n) => n === 1);

/** Whether a constant input had better be the kernel: in a gradient with respect to a kernel. */
const isExchangeable = (node: Node<ConvParams>): boolean => {
  const { window, plane, examples } = sizes(node);
  return isPlain(node.params) && window > plane && examples % BLOCK_CHANNELS === 0;
};

/** The arguments that make a convolution faster by being constants. */
export const fasterConstants = (node: Node<ConvParams>): readonly Tensor[] => {
  const [filters, inner] = node.inputs[1].shape;
  const kernel = filters % BLOCK_CHANNELS === 0 && inner % BLOCK_CHANNELS === 0 ? [node.inputs[1]] : [];
  return isExchangeable(node) ? [node.inputs[0], ...kernel] : kernel;
};

/** Chooses the form of a convolution by its shapes and by what is constant. */
export function lowerConv(lowering: Lowering, node: Node<ConvParams>): LoweredValue {
  const { params } = node;
  const [x, kernel] = node.inputs;
  const { shape: output, dtype } = node.outputs[0];
  const zero = lowering.scalar(0, dtype);
  const input: LoweredValue = { name: lowering.name(x), shape: x.shape };
  const weights: LoweredValue = { name: lowering.name(kernel), shape: kernel.shape };
  const windowed = (): Windowed => ({ ...padSpace(lowering, dilate(lowering, input, params.inputDilation, zero), params.padding, zero), params: noPadding(params) });
  const done = (name: string): LoweredValue => ({ name, shape: output });
  const { plane, window } = sizes(node);
  if (!lowering.supports('Conv', dtype)) return done(lowerColumns(lowering, windowed(), weights, output, dtype));
  const isFull = params.padding.every(([low, high], i) => low === kernel.shape[i + 2] - 1 && high === low);
  if (params.inputDilation.some((n) => n > 1) || (isPlain(params) && isFull && window > FEW_POSITIONS && kernel.shape[0] < FEW_CHANNELS)) {
    const transposed = lowerTransposed(lowering, input, weights, params, output);
    if (transposed !== null) return done(transposed);
  }
  if (lowering.isConstant(kernel)) return done(lowerDirect(lowering, input, weights, params, zero));
  if (window > plane && params.groups === 1) {
    if (isExchangeable(node) && lowering.isConstant(x)) return done(lowerExchanged(lowering, input, weights, params, output, zero));
    if (plane <= FEW_POSITIONS && x.shape[1] > 1) return done(lowerTaps(lowering, windowed(), weights, output));
  } else if (plane <= SMALL_PLANE && window > 1 && window <= 25 && params.groups === 1 && params.inputDilation.every((n) => n === 1)) {
    return done(lowerColumns(lowering, windowed(), weights, output, dtype));
  }
  return done(lowerDirect(lowering, input, weights, params, zero));
}
