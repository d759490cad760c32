/** Matrix products, Einstein sums, convolutions and pooling. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { conv as convPrimitive } from '../prims/conv.ts';
import { dot as dotPrimitive, type DotParams } from '../prims/dot.ts';
import { maxPool as maxPoolPrimitive } from '../prims/pool.ts';
import { reduceSum } from '../prims/reduce.ts';
import { reshape, transpose } from '../prims/shape.ts';
import { broadcastShapes, broadcastTo } from './broadcasting.ts';
import { iota } from '../prims/constant.ts';
import { convert, div, equal, floor, mod } from './elementwise.ts';
import { ones } from './shaping.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Product over paired axes; the result's axes are batch, x free, y free. */
export const dot = (x: Tensor, y: Tensor, params: DotParams): Tensor => dotPrimitive(x, y, params);

/** Matrix product of the last two axes with NumPy's rules: vectors are rows or columns, leading axes broadcast. */
export function matmul(x: Tensor, y: Tensor): Tensor {
  if (x.rank === 0 || y.rank === 0) throw new ShapeError({ operation: 'matmul', required: 'arguments must have at least one axis', received: `[${x.shape.join(',')}] and [${y.shape.join(',')}]` });
  const inner = y.rank === 1 ? 0 : y.rank - 2;
  if (x.shape[x.rank - 1] !== y.shape[inner]) throw new ShapeError({ operation: 'matmul', required: "the left argument's last extent must equal the right argument's rows", received: `[${x.shape.join(',')}] and [${y.shape.join(',')}]` });
  // Rows of every leading axis of the left argument go into one product.
  if (y.rank <= 2) return dotPrimitive(x, y, { batch: [[], []], contract: [[x.rank - 1], [inner]] });
  if (x.rank === 1) return reshape(matmul(reshape(x, [1, x.shape[0]]), y), [...y.shape.slice(0, -2), y.shape[y.rank - 1]]);
  const lead = broadcastShapes('matmul', x.shape.slice(0, -2), y.shape.slice(0, -2));
  const a = broadcastTo(x, [...lead, ...x.shape.slice(-2)]);
  const b = broadcastTo(y, [...lead, ...y.shape.slice(-2)]);
  const axes = range(lead.length);
  return dotPrimitive(a, b, { batch: [axes, axes], contract: [[lead.length + 1], [lead.length]] });
}

/** Outer product of two vectors. */
export const outer = (x: Tensor, y: Tensor): Tensor => dotPrimitive(x, y, { batch: [[], []], contract: [[], []] });
/** Inner product of all elements of two arrays of one shape. */
export const vdot = (x: Tensor, y: Tensor): Tensor => dotPrimitive(x, y, { batch: [[], []], contract: [range(x.rank), range(y.rank)] });

/**
 * Einstein sum: `einsum('bij,bjk->bik', x, y)`. Letters that appear once in the inputs and not in the result are summed;
 * several operands are contracted from left to right. No ellipsis, no repeated letter within one operand.
 * @throws ArgumentError on a malformed formula; ShapeError where extents differ.
 */
export function einsum(formula: string, ...operands: Tensor[]): Tensor {
  const match = /^([a-zA-Z]*(?:,[a-zA-Z]*)*)->([a-zA-Z]*)$/.exec(formula.replaceAll(' ', ''));
  if (match === null) throw new ArgumentError({ operation: 'einsum', required: "the formula must look like 'ij,jk->ik'", received: `'${formula}'` });
  const terms = match[1].split(',');
  const result = [...match[2]];
  if (terms.length !== operands.length) throw new ArgumentError({ operation: 'einsum', required: `the formula names ${terms.length} operands`, received: String(operands.length) });
  terms.forEach((term, i) => {
    if (term.length !== operands[i].rank || new Set(term).size !== term.length) throw new ArgumentError({ operation: 'einsum', required: `operand ${i} '${term}' must name each axis of [${operands[i].shape.join(',')}] by a letter of its own`, received: `'${formula}'` });
  });
  if (result.some((letter) => !match[1].includes(letter)) || new Set(result).size !== result.length) throw new ArgumentError({ operation: 'einsum', required: 'the result may name each letter of the operands once', received: `'${formula}'` });
  let value = operands[0];
  let letters = [...terms[0]];
  for (let i = 1; i < operands.length; i++) {
    const later = new Set([...result, ...terms.slice(i + 1).join('')]);
    [value, letters] = contractPair(value, letters, operands[i], [...terms[i]], later);
  }
  const summed = letters.map((_, axis) => axis).filter((axis) => !result.includes(letters[axis]));
  const kept = letters.filter((letter) => result.includes(letter));
  return transpose(reduceSum(value, summed), result.map((letter) => kept.indexOf(letter)));
}

/** Contracts what no later operand and not the result needs. */
function contractPair(x: Tensor, xl: string[], y: Tensor, yl: string[], later: Set<string>): [Tensor, string[]] {
  const drop = (value: Tensor, own: string[], other: string[]): [Tensor, string[]] => {
    const axes = own.map((_, i) => i).filter((i) => !other.includes(own[i]) && !later.has(own[i]));
    return [reduceSum(value, axes), own.filter((_, i) => !axes.includes(i))];
  };
  const [a, al] = drop(x, xl, yl);
  const [b, bl] = drop(y, yl, xl);
  const common = al.filter((letter) => bl.includes(letter));
  const batch = common.filter((letter) => later.has(letter));
  const contract = common.filter((letter) => !later.has(letter));
  const at = (own: string[], wanted: string[]): number[] => wanted.map((letter) => own.indexOf(letter));
  const product = dotPrimitive(a, b, { batch: [at(al, batch), at(bl, batch)], contract: [at(al, contract), at(bl, contract)] });
  const rest = (own: string[]): string[] => own.filter((letter) => !common.includes(letter));
  return [product, [...batch, ...rest(al), ...rest(bl)]];
}

/** Zero padding of a window operation: explicit pairs, none, or enough that the output has extent ceil(n / stride). */
export type Padding = 'valid' | 'same' | readonly (readonly [number, number])[];

/** Options of `conv`; a number stands for all spatial axes. Defaults: 1 everywhere, and no padding. */
export interface ConvOptions {
  readonly strides?: number | readonly number[];
  readonly padding?: Padding;
  /** Distance of neighbouring input elements (above one: a transposed convolution). */
  readonly inputDilation?: number | readonly number[];
  readonly kernelDilation?: number | readonly number[];
  readonly groups?: number;
}

const perAxis = (value: number | readonly number[] | undefined, rank: number): readonly number[] => (typeof value === 'object' ? value : range(rank).map(() => value ?? 1));

function explicitPadding(operation: string, padding: Padding, extents: readonly number[], window: readonly number[], strides: readonly number[]): readonly (readonly [number, number])[] {
  if (padding === 'valid') return window.map(() => [0, 0] as const);
  if (padding !== 'same') {
    if (padding.length !== window.length) throw new ShapeError({ operation, required: `padding must be 'same', 'valid' or ${window.length} pairs`, received: JSON.stringify(padding) });
    return padding;
  }
  return window.map((size, i) => {
    const total = Math.max(0, (Math.ceil(extents[i] / strides[i]) - 1) * strides[i] + size - extents[i]);
    return [Math.floor(total / 2), total - Math.floor(total / 2)] as const;
  });
}

/**
 * Convolution (cross-correlation) of `x` [batch, channels, ...space] with `kernel` [out, channels / groups, ...window].
 * @throws ShapeError when channels, groups or ranks do not fit.
 */
export function conv(x: Tensor, kernel: Tensor, { strides, padding = 'valid', inputDilation, kernelDilation, groups = 1 }: ConvOptions = {}): Tensor {
  const rank = x.rank - 2;
  const steps = perAxis(strides, rank);
  const inner = perAxis(inputDilation, rank);
  const gaps = perAxis(kernelDilation, rank);
  const window = kernel.shape.slice(2).map((n, i) => (n - 1) * gaps[i] + 1);
  const extents = x.shape.slice(2).map((n, i) => (n - 1) * inner[i] + 1);
  return convPrimitive(x, kernel, { strides: steps, padding: explicitPadding('conv', padding, extents, window, steps), inputDilation: inner, kernelDilation: gaps, groups });
}

/** Options of pooling; a number stands for all spatial axes. Default without padding. */
export interface PoolOptions {
  /** Default: the window, so that windows do not overlap. */
  readonly strides?: number | readonly number[];
  readonly padding?: Padding;
}

/** Largest element of each window of `x` [batch, channels, ...space]; the first of several receives the derivative. */
export function maxPool(x: Tensor, window: number | readonly number[], { strides = window, padding = 'valid' }: PoolOptions = {}): Tensor {
  const sizes = perAxis(window, x.rank - 2);
  const steps = perAxis(strides, x.rank - 2);
  return maxPoolPrimitive(x, { window: sizes, strides: steps, padding: explicitPadding('maxPool', padding, x.shape.slice(2), sizes, steps) })[0];
}

/** Rows this long are summed in groups by a product with a matrix of zeros and ones: faster than a reduction over a short last axis. */
const LONGEST_PRODUCT_ROW = 64;

/**
 * Sums over windows that tile the space exactly: a product with zeros and ones over the last axis, with the axis before it
 * where both are short, and sums over what remains of the windows.
 */
function sumTiles(x: Tensor, sizes: readonly number[]): Tensor {
  const [batch, channels, ...space] = x.shape;
  const last = space.length - 1;
  const columns = space[last];
  const isShort = (axes: number): boolean => axes <= space.length && sizeOf([...sizes.slice(-axes, -1), columns]) <= LONGEST_PRODUCT_ROW;
  const joined = sizes[last] === 1 ? 0 : isShort(2) ? 2 : isShort(1) ? 1 : 0;
  const outside = space.length - joined;
  const tiled = space.slice(0, outside).flatMap((n, i) => [n / sizes[i], sizes[i]]);
  const axes = range(outside).map((i) => 3 + 2 * i);
  if (joined === 0) return reduceSum(reshape(x, [batch, channels, ...tiled]), axes);
  const rows = joined === 2 ? sizes[last - 1] : 1;
  const window = floor(div(mod(convert(iota([rows * columns, columns / sizes[last]], 'int32', 0), x.dtype), columns), sizes[last]));
  const isWithin = convert(equal(window, convert(iota([rows * columns, columns / sizes[last]], 'int32', 1), x.dtype)), x.dtype);
  const strips = matmul(reshape(x, [batch, channels, ...space.slice(0, outside), ...(joined === 2 ? [space[last - 1] / rows] : []), rows * columns]), isWithin);
  return reduceSum(reshape(strips, [batch, channels, ...tiled, ...strips.shape.slice(2 + outside)]), axes);
}

/** Sum over each window of `x` [batch, channels, ...space]. */
export function sumPool(x: Tensor, window: number | readonly number[], { strides = window, padding = 'valid' }: PoolOptions = {}): Tensor {
  const space = x.shape.slice(2);
  const sizes = perAxis(window, space.length);
  const steps = perAxis(strides, space.length);
  const pads = explicitPadding('sumPool', padding, space, sizes, steps);
  const isTiling = sizes.every((n, i) => n === steps[i] && space[i] % n === 0) && pads.every(([low, high]) => low === 0 && high === 0);
  if (isTiling) return sumTiles(x, sizes);
  const planes = x.shape[0] * x.shape[1];
  const y = convPrimitive(reshape(x, [planes, 1, ...space]), ones([1, 1, ...sizes], x.dtype), { strides: steps, padding: pads, inputDilation: sizes.map(() => 1), kernelDilation: sizes.map(() => 1), groups: 1 });
  return reshape(y, [x.shape[0], x.shape[1], ...y.shape.slice(2)]);
}

/** Mean over each window; padding counts as zeros of the window. */
export const averagePool = (x: Tensor, window: number | readonly number[], options: PoolOptions = {}): Tensor => div(sumPool(x, window, options), sizeOf(perAxis(window, x.rank - 2)));
