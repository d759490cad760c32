/** A measured number: its value, its error and what it cost. @module */

/** What an error bounds or estimates. */
export type ErrorKind =
  /** |value - truth| is at most the error (a residual bound of an eigenvalue). */
  | 'bound'
  /** Standard deviation of the estimate over its own randomness (probes, samples). */
  | 'standard error'
  /** Computed without approximation beyond floating-point rounding; the error is a rounding estimate. */
  | 'rounding';

export interface Cost {
  /** Products with a curvature matrix, counted as vectors. */
  readonly products: number;
  /** Wall-clock seconds. */
  readonly seconds: number;
}

/** A number that carries its error. */
export interface Measurement {
  readonly value: number;
  readonly error: number;
  readonly kind: ErrorKind;
  /** Absent where the number is part of a larger measurement that carries the cost. */
  readonly cost?: Cost;
}

/** A measurement whose error bounds the truth. */
export const bounded = (value: number, error: number, cost?: Cost): Measurement => ({ value, error, kind: 'bound', ...(cost && { cost }) });
/** A mean of samples with its standard error. */
export function estimated(samples: ArrayLike<number>, cost?: Cost): Measurement {
  const n = samples.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += samples[i] / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (samples[i] - mean) ** 2;
  return { value: mean, error: n > 1 ? Math.sqrt(squares / (n - 1) / n) : NaN, kind: 'standard error', ...(cost && { cost }) };
}
