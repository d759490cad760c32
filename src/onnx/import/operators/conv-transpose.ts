/** Transposed convolution: the adjoint of a convolution, as decoders and generators enlarge images with. @module */
import { NDArray, sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { add, constant, conv, convert, reshape, reverse, transpose } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { requireListable } from './numbers.ts';
import { requireExtents } from './shaping.ts';
import { overChannels, windowOf } from './windows.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

/** [channels, out / groups, ...window] -> [out, channels / groups, ...window] mirrored, as a convolution reads it. */
function mirrored(kernel: Tensor, groups: number): Tensor {
  const [channels, out, ...window] = kernel.shape;
  const apart = reshape(kernel, [groups, channels / groups, out, ...window]);
  const exchanged = transpose(apart, [0, 2, 1, ...window.map((_, i) => i + 3)]);
  return reverse(reshape(exchanged, [groups * out, channels / groups, ...window]), window.map((_, i) => i + 2));
}

/**
 * What is cut off in front and behind, for each spatial axis, of the full extents: from `pads`, or so that the output has the extents
 * `output_shape`, or with `auto_pad` those of the input times the strides. The odd one goes in front, with SAME_UPPER behind.
 */
function cuts(call: OperatorCall, full: readonly number[], grown: readonly number[], pads: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const automatic = call.attributes.text('auto_pad', 'NOTSET');
  const isSame = automatic === 'SAME_UPPER' || automatic === 'SAME_LOWER';
  const named = call.attributes.has('output_shape') ? call.attributes.integers('output_shape').slice(-full.length) : undefined;
  const wanted = named ?? (isSame ? grown : undefined);
  if (wanted === undefined) return pads.map(([low, high]) => [low, high] as const);
  if (wanted.length !== full.length || wanted.some((n) => n < 0)) refuse(`attribute 'output_shape' must have ${full.length} extents`, `[${wanted.join(',')}]`);
  return full.map((n, i) => {
    const total = Math.max(0, n - wanted[i]);
    const less = Math.floor(total / 2);
    // An output longer than the full extent is filled behind.
    const missing = Math.max(0, named === undefined ? 0 : wanted[i] - n);
    return automatic === 'SAME_UPPER' ? [less, total - less - missing] as const : [total - less, less - missing] as const;
  });
}

/** Extents stride (n - 1) + (window - 1) dilation + 1 + output_padding, less what is cut off; written as a convolution of the spread input. */
const transposedConvolution: OperatorRule = (call) => {
  const [x, kernel] = [call.tensor(0), call.tensor(1)];
  const groups = call.attributes.integer('group', 1);
  const extents = x.shape.slice(2);
  const window = kernel.shape.slice(2);
  if (kernel.rank !== x.rank || x.rank < 3 || x.shape[1] !== kernel.shape[0] || groups < 1 || x.shape[1] % groups !== 0) refuse(`the kernel must be [${x.shape[1]}, out / group, ...window] for an input of rank at least 3, and group divide ${x.shape[1]}`, `${call.input(1).toString()} with group ${groups}`);
  const { strides, dilations, padding } = windowOf(call, window, extents);
  const extra = call.attributes.integers('output_padding', window.map(() => 0));
  if (extra.length !== window.length || extra.some((n) => n < 0)) refuse(`attribute 'output_padding' must have ${window.length} entries of at least 0`, `[${extra.join(',')}]`);
  const reach = window.map((n, i) => (n - 1) * dilations[i]);
  const full = extents.map((n, i) => (n - 1) * strides[i] + reach[i] + 1 + extra[i]);
  const cut = cuts(call, full, extents.map((n, i) => n * strides[i]), padding);
  const pads = cut.map(([low, high], i) => [reach[i] - low, reach[i] + extra[i] - high] as const);
  const y = conv(x, mirrored(kernel, groups), { inputDilation: strides, kernelDilation: dilations, padding: pads, groups });
  return [call.result(call.has(2) ? add(y, overChannels(call.tensor(2), y.rank)) : y)];
};

/**
 * Col2Im, PyTorch's fold: [batch, channels * window, places] -> [batch, channels, ...image], where elements of windows that overlap are added.
 * The transposed convolution of each channel's window with kernels of one 1 each.
 */
const fold: OperatorRule = (call) => {
  const x = call.tensor(0);
  const image = requireExtents(call.integers(1, 'the extents of the image'));
  const window = requireExtents(call.integers(2, 'the extents of the window'));
  const size = sizeOf(window);
  if (x.rank !== 3 || size === 0 || x.shape[1] % size !== 0 || window.length !== image.length) refuse('the input must be [batch, channels * window, places], for a window and an image of as many axes', `${call.input(0).toString()}, window [${window.join(',')}], image [${image.join(',')}]`);
  const [batch, depth, count] = x.shape;
  const channels = depth / size;
  const { strides, dilations, padding } = windowOf(call, window, image);
  const reach = window.map((n, i) => (n - 1) * dilations[i]);
  const places = image.map((n, i) => Math.floor((n + padding[i][0] + padding[i][1] - reach[i] - 1) / strides[i]) + 1);
  if (places.some((n) => n < 1) || sizeOf(places) !== count) refuse(`an image [${image.join(',')}] must have as many places of the window as the input`, `[${places.join(',')}] places and ${call.input(0).toString()}`);
  requireListable(size * size, 'the square of the number of elements of a window');
  const ones = Float64Array.from({ length: size * size }, (_, i) => Number(Math.floor(i / size) === i % size));
  const kernel = convert(constant(new NDArray(ones, [size, 1, ...window], 'float64')), x.dtype);
  // Windows need not reach the end of the image.
  const pads = image.map((n, i) => { const [low] = padding[i]; return [reach[i] - low, n - ((places[i] - 1) * strides[i] + 1 - low)] as const; });
  const y = conv(reshape(x, [batch * channels, size, ...places]), mirrored(kernel, 1), { inputDilation: strides, kernelDilation: dilations, padding: pads });
  return [call.result(reshape(y, [batch, channels, ...image]))];
};

export const transposedConvolutionOperators: OperatorTable = {
  ConvTranspose: { rule: transposedConvolution, weights: [1, 2] },
  Col2Im: { rule: fold, settings: [1, 2], since: 18 },
};
