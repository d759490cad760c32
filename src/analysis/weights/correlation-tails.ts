/** The two tails of a layer's spectrum that the theory of SETOL compares: by a power law, and by its volume. @module */
import { ArgumentError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';
import { alphaNorms } from './norms.ts';
import { fitSorted, fittable, type PowerLawFit } from './power-law.ts';
import { traceLog } from './trace-log.ts';

/** Which tails may be found. */
export interface CorrelationTailsOptions {
  /** A power law may not begin above the so-manieth largest eigenvalue. Default 8. */
  readonly fewest?: number;
}

/** Where a spectrum's tail begins, in two senses. */
export interface CorrelationTails {
  /** The power law whose law is nearest to its tail in the Kolmogorov-Smirnov distance. */
  readonly fit: PowerLawFit;
  /** alpha log10(lambda_1): the exponent weighted by the scale. */
  readonly alphaHat: number;
  /** The smallest eigenvalue of the longest run from the top whose product is at least 1, eigenvalues scaled to mean 1. */
  readonly volumeStart: number;
  /** Eigenvalues in the power law's tail, and in that of preserved volume. */
  readonly tail: number;
  readonly volumeTail: number;
  /** ln(xmin / volumeStart): positive where the power law begins above, 0 where both tails are one, negative where it begins below. */
  readonly gap: number;
}

/**
 * Fits a power law to the tail of a layer's eigenvalues (of W'W, in any order; those up to 1e-5 are left out, as in every fit here) and
 * finds the tail that the condition of the exact renormalisation group picks: that its trace-log vanishes, det X = 1, so that
 * integrating out the rest preserves volume (Martin and Hinrichs 2025, SETOL). For an ideal layer both are the same tail, with
 * alpha = 2. The gap does not depend on the scale of the weights.
 *
 * @throws ArgumentError when there are fewer than two more eigenvalues than `fewest`, or no start gives a finite exponent.
 */
export function correlationTails(eigenvalues: ArrayLike<number>, { fewest = 8 }: CorrelationTailsOptions = {}): CorrelationTails {
  requireInteger('correlationTails', 'fewest', fewest, 2);
  const values = fittable(eigenvalues);
  const n = values.length;
  if (n < fewest + 2) throw new ArgumentError({ operation: 'correlationTails', required: `at least ${fewest + 2} eigenvalues above 1e-5`, received: String(n) });
  const fit = fitSorted(values, { xminRange: [0, values[n - fewest]], limits: 'both' });
  if (fit === undefined) throw new ArgumentError({ operation: 'correlationTails', required: 'eigenvalues must differ, for a power law to be fitted', received: `${n} with the largest ${values[n - 1]} and the smallest ${values[0]}` });
  // The count of `traceLog` includes the eigenvalue that takes the product below 1.
  const volumeTail = traceLog(values).count - 1;
  const volumeStart = values[n - volumeTail];
  return { fit, alphaHat: alphaNorms(values, fit.alpha.value).alphaHat, volumeStart, tail: fit.spikes, volumeTail, gap: Math.log(fit.xmin / volumeStart) };
}
