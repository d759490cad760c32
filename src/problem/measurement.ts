/** A measured number: its value, its error and what it cost. @module */
import { requireNumber } from '../util/require.ts';

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
  /** Number of independent samples behind a standard error. */
  readonly samples?: number;
  /** Absent where the number is part of a larger measurement that carries the cost. */
  readonly cost?: Cost;
}

/** A measurement whose error bounds the truth. */
export const bounded = (value: number, error: number, cost?: Cost): Measurement => ({ value, error, kind: 'bound', ...(cost && { cost }) });
/** A measurement that only rounding keeps from the truth. */
export const rounded = (value: number, error: number, cost?: Cost): Measurement => ({ value, error, kind: 'rounding', ...(cost && { cost }) });

/** A mean of samples with its standard error; NaN when there is one sample only. */
export function estimated(samples: ArrayLike<number>, cost?: Cost): Measurement {
  const n = samples.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += samples[i] / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (samples[i] - mean) ** 2;
  return { value: mean, error: n > 1 ? Math.sqrt(squares / (n - 1) / n) : NaN, kind: 'standard error', samples: n, ...(cost && { cost }) };
}

/**
 * A statistic of samples that is not their mean (a ratio, a logarithm of means), with the standard error and the correction of
 * its bias of order 1 / samples by the jackknife (Quenouille 1956; Tukey 1958): the statistic is computed once with each sample
 * left out. Fewer than three samples give the plain value and an error of NaN.
 */
export function jackknifed<T>(samples: readonly T[], statistic: (samples: readonly T[]) => number, cost?: Cost): Measurement {
  const n = samples.length;
  const whole = statistic(samples);
  if (n < 3) return { value: whole, error: NaN, kind: 'standard error', samples: n, ...(cost && { cost }) };
  const without = samples.map((_, left) => statistic(samples.filter((_sample, i) => i !== left)));
  const mean = estimated(without);
  return { value: n * whole - (n - 1) * mean.value, error: (n - 1) * mean.error, kind: 'standard error', samples: n, ...(cost && { cost }) };
}

/**
 * The interval that covers the truth: value +- error of a bound or of rounding; for a standard error the two-sided 95 %
 * interval of Student's t distribution with samples - 1 degrees of freedom (normal when the samples are not counted);
 * everything where there is one sample, of which no error is known.
 */
export function interval({ value, error, kind, samples = Infinity }: Measurement): readonly [number, number] {
  if (kind === 'standard error' && samples < 2) return [-Infinity, Infinity];
  const half = kind === 'standard error' ? studentQuantile(samples - 1) * error : error;
  return [value - half, value + half];
}

/** The 97.5 % quantile of Student's t: exact below 3 degrees of freedom, else the expansion about the normal one (Abramowitz, Stegun 26.7.5), within 0.2 %. */
export function studentQuantile(degrees: number): number {
  requireNumber('studentQuantile', 'degrees', Number.isFinite(degrees) ? degrees : 1, 1);
  const z = 1.959963984540054;
  if (degrees === 1) return 12.706204736174694;
  if (degrees === 2) return 4.302652729749462;
  const terms = [
    (z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96, (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ];
  return terms.reduce((sum, term, i) => sum + term / degrees ** (i + 1), z);
}
