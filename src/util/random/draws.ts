/** Arrays of independent draws. Element i is a function of the key and i alone: a longer array starts with the shorter one. @module */
import { ArgumentError } from '../errors.ts';
import { requireInteger, requireNumber } from '../require.ts';
import { DRAW } from './key.ts';
import type { Key } from './key.ts';
import { philox } from './philox.ts';

/** Array that holds draws of a dtype. */
export type FloatArray<D extends FloatDType> = D extends 'float32' ? Float32Array : Float64Array;
/** Element types of continuous draws; draws default to float32. */
export type FloatDType = 'float32' | 'float64';
/** How many draws: a count, or a shape of which the size is taken. */
export type Size = number | readonly number[];

/** @throws ArgumentError when an extent is not a non-negative integer. */
export function countOf(operation: string, size: Size): number {
  const extents = typeof size === 'number' ? [size] : size;
  let count = 1;
  for (const extent of extents) count *= requireInteger(operation, 'size', extent);
  return count;
}

function allocate<D extends FloatDType>(dtype: D, count: number): FloatArray<D> {
  return (dtype === 'float64' ? new Float64Array(count) : new Float32Array(count)) as FloatArray<D>;
}

/** The 53 upper bits of two words as a multiple of 2^-53 in [0, 1). */
export const unitInterval = (high: number, low: number): number => ((high >>> 5) * 67108864 + (low >>> 6)) * 2 ** -53;

/** Options of `uniform`. Defaults: [0, 1), float32. */
export interface UniformOptions<D extends FloatDType> {
  readonly low?: number;
  readonly high?: number;
  readonly dtype?: D;
}

/**
 * Uniform draws on [low, high), default [0, 1) in float32. A Philox block gives two draws of 53 bits each; on [0, 1) float32
 * keeps the upper 24 bits of the same draw, so both dtypes agree and neither returns 1. On other intervals the affine map is
 * rounded, and `high` itself can occur when the interval is a few units in the last place wide.
 * @throws ArgumentError when low > high or either is not finite.
 */
export function uniform<D extends FloatDType = 'float32'>(key: Key, size: Size, options: UniformOptions<D> = {}): FloatArray<D> {
  const { low = 0, high = 1, dtype = 'float32' as D } = options;
  requireNumber('uniform', 'low', low);
  requireNumber('uniform', 'high', high, low);
  const count = countOf('uniform', size);
  const out = allocate(dtype, count);
  const words = new Uint32Array(4);
  const unit = low === 0 && high === 1;
  const width = high - low;
  const grid = 2 ** 24;
  for (let i = 0; i < count; i++) {
    if ((i & 1) === 0) philox(key.low, key.high, i >>> 1, 0, DRAW.uniform, 0, words);
    const u = (i & 1) === 0 ? unitInterval(words[0], words[1]) : unitInterval(words[2], words[3]);
    if (!unit) out[i] = low + width * u;
    else out[i] = dtype === 'float32' ? Math.floor(u * grid) / grid : u;
  }
  return out;
}

/** Options of `normal`. Defaults: mean 0, standard deviation 1, float32. */
export interface NormalOptions<D extends FloatDType> {
  readonly mean?: number;
  readonly deviation?: number;
  readonly dtype?: D;
}

/**
 * Normal draws by Box and Muller (1958): a Philox block gives u, v on [0, 1) with 53 bits and from them two draws,
 * sqrt(-2 ln(1 - u)) cos(2 pi v) and the same with sin; none exceeds 8.58 deviations. float32 is the rounded float64 draw.
 * The last bit of Math.log, cos and sin belongs to the JavaScript engine: V8 gives one result on every machine.
 * @throws ArgumentError when mean or deviation is not finite, or deviation is negative.
 */
export function normal<D extends FloatDType = 'float32'>(key: Key, size: Size, options: NormalOptions<D> = {}): FloatArray<D> {
  const { mean = 0, deviation = 1, dtype = 'float32' as D } = options;
  requireNumber('normal', 'mean', mean);
  requireNumber('normal', 'deviation', deviation, 0);
  const count = countOf('normal', size);
  const out = allocate(dtype, count);
  const words = new Uint32Array(4);
  for (let i = 0; i < count; i += 2) {
    philox(key.low, key.high, i >>> 1, 0, DRAW.normal, 0, words);
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - unitInterval(words[0], words[1])));
    const angle = 2 * Math.PI * unitInterval(words[2], words[3]);
    out[i] = mean + radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = mean + radius * Math.sin(angle);
  }
  return out;
}

/** Draws of -1 and +1 with equal probability, one bit each: 128 from a Philox block. */
export function rademacher<D extends FloatDType = 'float32'>(key: Key, size: Size, options: { readonly dtype?: D } = {}): FloatArray<D> {
  const count = countOf('rademacher', size);
  const out = allocate(options.dtype ?? ('float32' as D), count);
  const words = new Uint32Array(4);
  for (let start = 0; start < count; start += 128) {
    philox(key.low, key.high, start >>> 7, 0, DRAW.rademacher, 0, words);
    for (let i = start; i < Math.min(start + 128, count);) {
      const end = Math.min(i + 32, count);
      for (let word = words[(i >>> 5) & 3] | 0; i < end; i++, word >>= 1) out[i] = 2 * (word & 1) - 1;
    }
  }
  return out;
}

/** Draws of 1 with the given probability and 0 otherwise, as bytes: the storage of `bool` arrays. @throws ArgumentError */
export function bernoulli(key: Key, size: Size, options: { readonly probability: number }): Uint8Array {
  const probability = requireNumber('bernoulli', 'probability', options.probability, 0, 1);
  return Uint8Array.from(uniform(key, countOf('bernoulli', size), { dtype: 'float64' }), (u) => (u < probability ? 1 : 0));
}

/**
 * One unbiased integer of [0, range), a function of (key, index, draw). `range` is at most 2^32. Words that fall in the
 * incomplete last interval of length `range` are rejected; each of an index's attempts has its own counter.
 */
export function boundedInteger(key: Key, index: number, range: number, draw: number, words: Uint32Array): number {
  const limit = 4294967296 - (4294967296 % range);
  for (let attempt = 0; ; attempt++) {
    philox(key.low, key.high, index, attempt, draw, 0, words);
    for (let i = 0; i < 4; i++) if (words[i] < limit) return words[i] % range;
  }
}

/** Unbiased integers of [low, high), by rejection. @throws ArgumentError when the interval is empty or leaves int32. */
export function randint(key: Key, size: Size, options: { readonly low?: number; readonly high: number }): Int32Array {
  const low = requireInteger('randint', 'low', options.low ?? 0, -2147483648, 2147483647);
  const high = requireInteger('randint', 'high', options.high, -2147483648, 2147483648);
  if (high <= low) {
    throw new ArgumentError({ operation: 'randint', required: 'high must be above low', received: `low ${low}, high ${high}` });
  }
  const out = new Int32Array(countOf('randint', size));
  const words = new Uint32Array(4);
  for (let i = 0; i < out.length; i++) out[i] = low + boundedInteger(key, i, high - low, DRAW.integer, words);
  return out;
}
