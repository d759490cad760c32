/** How sure is alpha, and could the tail be a power law at all? Both by resampling. @module */
import type { Measurement } from '../../problem/index.ts';
import { requireInteger } from '../../util/require.ts';
import { randint, split, uniform, type Key } from '../../util/random/index.ts';
import { fitSorted, fittable, type PowerLawFit } from './power-law.ts';

/** The random numbers of a resampling. */
export interface ResamplingOptions {
  readonly key: Key;
  /** Resamples. */
  readonly samples: number;
  readonly signal?: AbortSignal;
}

/** The bootstrap distribution of alpha. */
export interface AlphaBootstrap {
  /** The original alpha with the standard deviation of the resamples' as its error: it includes the choice of xmin, which (alpha - 1) / sqrt(n) does not. */
  readonly alpha: Measurement;
  /** 2.5 % and 97.5 % quantiles of the resamples. */
  readonly interval: readonly [number, number];
  /** Resamples that gave a fit. */
  readonly samples: number;
}

const quantile = (sorted: Float64Array, q: number): number => {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
};

/**
 * Draws as many eigenvalues with replacement, fits again with a scan for xmin, and repeats (Efron 1979). Eigenvalues repel each
 * other, so the interval is a little too wide for them. The same key gives the same interval. @throws ArgumentError when samples < 2
 */
export function bootstrapAlpha(eigenvalues: ArrayLike<number>, fit: PowerLawFit, { key, samples, signal }: ResamplingOptions): AlphaBootstrap {
  requireInteger('bootstrapAlpha', 'samples', samples, 2);
  const values = fittable(eigenvalues);
  const alphas: number[] = [];
  for (let i = 0; i < samples; i++) {
    signal?.throwIfAborted();
    const drawn = Float64Array.from(randint(split(key, i), values.length, { high: values.length }), (at) => values[at]).sort();
    const again = fitSorted(drawn);
    if (again !== undefined) alphas.push(again.alpha.value);
  }
  const sorted = Float64Array.from(alphas).sort();
  const mean = sorted.reduce((sum, x) => sum + x / sorted.length, 0);
  const deviation = Math.sqrt(sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, sorted.length - 1));
  return {
    alpha: { value: fit.alpha.value, error: deviation, kind: 'standard error', samples: sorted.length },
    interval: [quantile(sorted, 0.025), quantile(sorted, 0.975)], samples: sorted.length,
  };
}

/**
 * The probability that a true power law of the fitted exponent lies as far from its own fit as these eigenvalues do: small
 * values (Clauset, Shalizi and Newman rule at 0.1) rule the power law out. Semiparametric: values below xmin are drawn from the eigenvalues, those
 * above from the law, and each sample is fitted as the original was (2009, section 4.1). Its error is the binomial one of `samples`.
 * @throws ArgumentError when samples < 2
 */
export function powerLawPlausibility(eigenvalues: ArrayLike<number>, fit: PowerLawFit, { key, samples, signal }: ResamplingOptions): Measurement {
  requireInteger('powerLawPlausibility', 'samples', samples, 2);
  const values = fittable(eigenvalues);
  const body = values.subarray(0, fit.start);
  const tailShare = 1 - fit.start / values.length;
  let further = 0;
  for (let i = 0; i < samples; i++) {
    signal?.throwIfAborted();
    const draws = uniform(split(key, i), 2 * values.length, { dtype: 'float64' });
    const sample = values.map((_, j) => {
      const u = draws[2 * j + 1];
      return draws[2 * j] < tailShare ? fit.xmin * (1 - u) ** (-1 / (fit.alpha.value - 1)) : body[Math.floor(u * body.length)];
    }).sort();
    const again = fitSorted(sample);
    if (again === undefined || again.distance >= fit.distance) further++;
  }
  // The binomial error at a share moved off the ends (Agresti, Coull 1998): of 0 in 50 it is not zero.
  const inner = (further + 1) / (samples + 2);
  return { value: further / samples, error: Math.sqrt((inner * (1 - inner)) / samples), kind: 'standard error', samples };
}
