/** Errors of numbers that are small differences of larger ones. @module */
import type { Tensor } from '../../core/tensor.ts';
import { mul } from '../../ops/index.ts';
import { rounded, type Measurement } from '../../problem/index.ts';

/** A value, and the size of the numbers whose difference it is. */
export interface Difference {
  readonly value: Tensor;
  readonly size: Tensor;
}

/** Roundings of those numbers, in units of roundoff. Measured in float32 against float64 on small networks: at most 3. */
const ROUNDINGS = 8;
const SUFFIX = ' rounding';

/** What a probe inside the step computes: the values and the rounding of each. For `withRounding`. */
export const differences = (parts: Readonly<Record<string, Difference>>): Readonly<Record<string, Tensor>> => Object.fromEntries(Object.entries(parts).flatMap(([part, { value, size }]) =>
  [[part, value], [part + SUFFIX, mul(ROUNDINGS * (value.dtype === 'float32' ? 2 ** -24 : 2 ** -53), size)]]));

/** `finish` of a probe whose values are `differences`. */
export const withRounding = (values: Readonly<Record<string, number>>): Readonly<Record<string, Measurement>> => Object.fromEntries(Object.entries(values).flatMap(([part, value]) =>
  (part.endsWith(SUFFIX) ? [] : [[part, rounded(value, values[part + SUFFIX])]])));
