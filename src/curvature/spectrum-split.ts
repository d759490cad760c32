/** Bulk and outliers of a spectrum that is known in full. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';

/** Where outliers begin and where zero ends, as shares of the largest eigenvalue. */
export interface SpectrumSplitOptions {
  /** An eigenvalue above this share of the largest is an outlier. Default 0.1. */
  readonly outlier?: number;
  /** An eigenvalue of a magnitude below this share of the largest counts as zero. Default 0.01. */
  readonly zero?: number;
}

/** What a spectrum is made of. */
export interface SpectrumSplit {
  /** Eigenvalues above the outlier threshold, the largest included. */
  readonly outliers: number;
  /** Share of the eigenvalues that count as zero. */
  readonly nearZero: number;
  /** -smallest / largest; 0 where no eigenvalue is negative. */
  readonly negativeRatio: number;
  /** Sum of the `count` largest over the sum of all: their share of the trace. @throws ArgumentError unless 1 <= count <= number of eigenvalues. */
  leadingShare(count: number): number;
}

/**
 * Splits all eigenvalues of a matrix, in any order, into outliers and a bulk at zero by thresholds relative to the largest one
 * l_1: outliers have l_i > outlier l_1, the bulk at zero |l_i| < zero l_1. Bulk and outliers of the Hessian are those of Sagun, Evci,
 * Guney, Dauphin, Bottou 2017, who tell them apart in plots; the thresholds are this function's.
 *
 * @throws ArgumentError when there is no eigenvalue, none is positive, one is not finite, or a threshold is out of (0, 1).
 */
export function spectrumSplit(eigenvalues: ArrayLike<number>, { outlier = 0.1, zero = 0.01 }: SpectrumSplitOptions = {}): SpectrumSplit {
  const values = Float64Array.from(eigenvalues).sort().reverse();
  requireNumber('spectrumSplit', 'outlier', outlier, 0, 1);
  requireNumber('spectrumSplit', 'zero', zero, 0, 1);
  const [largest] = values;
  // A NaN is sorted to the end of a typed array, so to the front of its reverse.
  if (!(largest > 0) || !values.every(Number.isFinite)) {
    throw new ArgumentError({ operation: 'spectrumSplit', required: 'eigenvalues must be finite, the largest of them positive', received: values.length === 0 ? 'none' : `a largest of ${largest}` });
  }
  const count = (isCounted: (value: number) => boolean): number => values.filter(isCounted).length;
  return {
    outliers: count((x) => x > outlier * largest),
    nearZero: count((x) => Math.abs(x) < zero * largest) / values.length,
    negativeRatio: Math.max(0, -values[values.length - 1] / largest),
    leadingShare(leading) {
      requireInteger('spectrumSplit', 'count', leading, 1, values.length);
      return sum(values.subarray(0, leading)) / sum(values);
    },
  };
}

const sum = (values: Float64Array): number => values.reduce((total, x) => total + x, 0);
