/** Convolutions and pooling over windows. @module */
import { isFloat, sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { add, broadcastTo, conv, convert, div, max, maxPool, mean, ones, pad, reshape, slice, stack, sum, sumPool } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { requireListable } from './numbers.ts';

type Pairs = readonly (readonly [number, number])[];

/** Window, steps and padding of a node, one entry for each spatial axis. */
export interface Window {
  readonly size: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Pairs;
}

/** Extent that a window of `size` elements covers. */
const covered = (size: number, dilation: number): number => (size - 1) * dilation + 1;

/** Reads the attributes that convolutions and pooling share. @throws ArgumentError when their lengths or values do not fit the input. */
export function windowOf(call: OperatorCall, size: readonly number[], extents: readonly number[]): Window {
  const { attributes } = call;
  const single = size.map(() => 1);
  const strides = attributes.integers('strides', single);
  const dilations = attributes.integers('dilations', single);
  const pads = attributes.integers('pads', [...size, ...size].map(() => 0));
  if (size.length !== extents.length || strides.length !== size.length || dilations.length !== size.length || pads.length !== 2 * size.length
    || [...size, ...strides, ...dilations].some((n) => n < 1) || pads.some((n) => n < 0)) {
    throw new ArgumentError({ operation: 'import', required: `kernel, strides and dilations must have ${extents.length} positive entries, pads ${2 * extents.length}`, received: JSON.stringify({ size, strides, dilations, pads }) });
  }
  const automatic = attributes.text('auto_pad', 'NOTSET');
  const padding = size.map((n, i): [number, number] => {
    if (automatic === 'NOTSET' || automatic === '') return [pads[i], pads[i + size.length]];
    if (automatic === 'VALID') return [0, 0];
    const total = Math.max(0, (Math.ceil(extents[i] / strides[i]) - 1) * strides[i] + covered(n, dilations[i]) - extents[i]);
    const less = Math.floor(total / 2);
    if (automatic === 'SAME_UPPER') return [less, total - less];
    if (automatic === 'SAME_LOWER') return [total - less, less];
    throw new ArgumentError({ operation: 'import', required: "attribute 'auto_pad' must be NOTSET, VALID, SAME_UPPER or SAME_LOWER", received: automatic });
  });
  return { size, strides, dilations, padding };
}

/** A vector over channels for addition to [batch, channels, ...space]. */
export const overChannels = (x: Tensor, rank: number): Tensor => reshape(x, [x.shape[0], ...Array.from({ length: rank - 2 }, () => 1)]);

const convolution: OperatorRule = (call) => {
  const [x, kernel] = [call.tensor(0), call.tensor(1)];
  const { strides, dilations, padding } = windowOf(call, kernel.shape.slice(2), x.shape.slice(2));
  const y = conv(x, kernel, { strides, padding, kernelDilation: dilations, groups: call.attributes.integer('group', 1) });
  return [call.result(call.has(2) ? add(y, overChannels(call.tensor(2), y.rank)) : y)];
};

/** With `ceil_mode` a last window may stick out, unless it would begin in the padding behind; this is how far out each axis sticks. */
export function overhang(call: OperatorCall, { size, strides, dilations, padding }: Window, extents: readonly number[]): number[] {
  if (!call.attributes.flag('ceil_mode', false)) return size.map(() => 0);
  return size.map((n, i) => {
    const [low, high] = padding[i];
    const room = extents[i] + low + high - covered(n, dilations[i]);
    let steps = Math.ceil(room / strides[i]);
    if (steps * strides[i] >= extents[i] + low) steps--;
    return Math.max(0, steps * strides[i] - room);
  });
}

/** Window of a pooling node over [batch, channels, ...space]. */
export const poolWindow = (call: OperatorCall, x: Tensor): Window => windowOf(call, call.attributes.integers('kernel_shape'), x.shape.slice(2));

/** Windows of an input padded with `value`, one stacked along a new last axis: what dilated windows are reduced from. */
function spreadWindows(x: Tensor, { size, strides, dilations, padding }: Window, value: number): Tensor {
  const padded = pad(x, [0, 0, ...padding.map(([low]) => low)], [0, 0, ...padding.map(([, high]) => high)], { value });
  const counts = size.map((n, i) => Math.floor((padded.shape[i + 2] - covered(n, dilations[i])) / strides[i]) + 1);
  requireListable(sizeOf(size), 'the number of elements of a dilated window', 2 ** 14);
  const offsets = size.reduce<number[][]>((all, n) => all.flatMap((offset) => Array.from({ length: n }, (_, i) => [...offset, i])), [[]]);
  return stack(offsets.map((offset) => {
    const from = offset.map((at, i) => at * dilations[i]);
    return slice(padded, [0, 0, ...from], [x.shape[0], x.shape[1], ...from.map((at, i) => at + (counts[i] - 1) * strides[i] + 1)], [1, 1, ...strides]);
  }), -1);
}

/** The window with more padding behind each axis. */
export const widened = (window: Window, extra: readonly number[]): Window => ({ ...window, padding: window.padding.map(([low, high], i) => [low, high + extra[i]] as const) });

const maximumPool: OperatorRule = (call) => {
  if (call.wants(1)) throw new ArgumentError({ operation: 'import', required: 'MaxPool must have one output that is used', received: 'its positions too' });
  // The engine pools floating-point numbers; float64 holds every integer that is pooled.
  const given = call.tensor(0);
  const x = isFloat(given.dtype) ? given : convert(given, 'float64');
  const window = poolWindow(call, x);
  const { size, strides, dilations, padding } = widened(window, overhang(call, window, x.shape.slice(2)));
  const isPlain = dilations.every((n) => n === 1) && padding.every(([low, high], i) => low < size[i] && high < size[i]);
  const y = isPlain ? maxPool(x, size, { strides, padding }) : max(spreadWindows(x, { size, strides, dilations, padding }, -Infinity), -1);
  return [call.result(convert(y, given.dtype))];
};

const averagePool: OperatorRule = (call) => {
  const x = call.tensor(0);
  const window = poolWindow(call, x);
  const extra = overhang(call, window, x.shape.slice(2));
  const { size, strides, dilations, padding } = widened(window, extra);
  const isDense = dilations.every((n) => n === 1);
  const total = (y: Tensor, own: Window): Tensor => (isDense ? sumPool(y, own.size, { strides, padding: own.padding }) : sumWindows(y, own));
  const all = { size, strides, dilations, padding };
  const isCounted = call.attributes.flag('count_include_pad', false);
  const isWhole = extra.every((n) => n === 0) && (isCounted || padding.every(([low, high]) => low === 0 && high === 0));
  if (isWhole) return [call.result(div(total(x, all), sizeOf(size)))];
  // Elements a window holds: those of the input, with `count_include_pad` also padding, but never what sticks out behind it.
  const counted = isCounted ? ones([1, 1, ...x.shape.slice(2).map((n, i) => n + window.padding[i][0] + window.padding[i][1])], x.dtype) : ones([1, 1, ...x.shape.slice(2)], x.dtype);
  const around = isCounted ? extra.map((n) => [0, n] as const) : padding;
  const sums = total(x, all);
  return [call.result(div(sums, broadcastTo(total(counted, { ...all, padding: around }), sums.shape)))];
};

const sumWindows = (x: Tensor, window: Window): Tensor => sum(spreadWindows(x, window, 0), -1);

const spatial = (x: Tensor): number[] => Array.from({ length: x.rank - 2 }, (_, i) => i + 2);
const globally = (f: (x: Tensor, axes: number[], options: { keepDims: true }) => Tensor): OperatorRule => (call) => [call.result(f(call.tensor(0), spatial(call.tensor(0)), { keepDims: true }))];

export const windowOperators: OperatorTable = {
  Conv: { rule: convolution, weights: [1, 2] },
  MaxPool: { rule: maximumPool },
  AveragePool: { rule: averagePool },
  GlobalAveragePool: { rule: globally(mean) },
  GlobalMaxPool: { rule: globally(max) },
};
