/** Power laws fitted to the tail of a spectrum. @module */
import type { Measurement } from '../../problem/index.ts';
import { requireInteger } from '../../util/require.ts';

/** Eigenvalues at or below this are left out of every fit, as WeightWatcher does. */
export const SMALLEST_EIGENVALUE = 1e-5;

/** p(x) = (alpha - 1) / xmin (x / xmin)^-alpha for x >= xmin. */
export interface PowerLawFit {
  /** The exponent; its standard error is (alpha - 1) / sqrt(n) of the n eigenvalues in the tail. */
  readonly alpha: Measurement;
  /** Where the tail begins: an eigenvalue. */
  readonly xmin: number;
  /** The largest eigenvalue fitted. */
  readonly xmax: number;
  /** Kolmogorov-Smirnov distance between the tail and the law. */
  readonly distance: number;
  /** Eigenvalues of at least xmin. */
  readonly spikes: number;
  /** Index of xmin among the fitted eigenvalues in ascending order. */
  readonly start: number;
  /** Eigenvalues the scan ran over. */
  readonly count: number;
}

export interface PowerLawOptions {
  /** Only eigenvalues of this interval may begin the tail. Default: all but the largest. */
  readonly xminRange?: readonly [number, number];
  /**
   * Limits of the empirical distribution that the law is compared with at each value: `left` alone, k / n, as WeightWatcher does, or `both`,
   * k / n and (k + 1) / n, whose supremum is the Kolmogorov-Smirnov distance; short tails are then found worse. Default `left`.
   */
  readonly limits?: 'left' | 'both';
}

/** The eigenvalues a fit may use, ascending. */
export const fittable = (eigenvalues: ArrayLike<number>): Float64Array => Float64Array.from(eigenvalues).filter((x) => x > SMALLEST_EIGENVALUE).sort();

/**
 * Fits a power law to the tail of positive numbers (Clauset, Shalizi, Newman 2009, in WeightWatcher's convention): every value but
 * the largest is tried as xmin, with alpha by maximum likelihood, 1 + n / sum ln(x / xmin), and the one whose law is nearest in the
 * Kolmogorov-Smirnov distance wins. The distance compares with the left limits k / n of the empirical distribution unless told otherwise. No discrete correction.
 * Undefined when no start gives a finite exponent above 1. O(n^2) at worst; starts are given up as soon as they cannot win.
 */
export function fitPowerLaw(eigenvalues: ArrayLike<number>, options: PowerLawOptions = {}): PowerLawFit | undefined {
  return fitSorted(fittable(eigenvalues), options);
}

/** The same for values that are sorted and positive already. */
export function fitSorted(values: Float64Array, { xminRange = [0, Infinity], limits = 'left' }: PowerLawOptions = {}): PowerLawFit | undefined {
  const total = values.length;
  const logs = values.map(Math.log);
  // Sums of ln(x / x_i) over x >= x_i, from gap to gap: equal values would cancel in a difference of sums.
  const sums = new Float64Array(total);
  for (let i = total - 2; i >= 0; i--) sums[i] = sums[i + 1] + (total - 1 - i) * Math.log1p((values[i + 1] - values[i]) / values[i]);
  let best = -1;
  let bestDistance = Infinity;
  let bestAlpha = NaN;
  for (let i = 0; i + 1 < total; i++) {
    if (values[i] < xminRange[0] || values[i] > xminRange[1]) continue;
    const n = total - i;
    const alpha = 1 + n / sums[i];
    if (!(alpha > 1 && alpha < Infinity)) continue;
    const distance = distanceBelow(logs, i, alpha, bestDistance, limits === 'both' ? 1 : 0);
    if (distance < bestDistance) {
      best = i;
      bestDistance = distance;
      bestAlpha = alpha;
    }
  }
  if (best < 0) return undefined;
  const n = total - best;
  const xmin = values[best];
  let spikes = n;
  while (spikes < total && values[total - spikes - 1] === xmin) spikes++;
  return {
    alpha: { value: bestAlpha, error: (bestAlpha - 1) / Math.sqrt(n), kind: 'standard error', samples: n },
    xmin, xmax: values[total - 1], distance: bestDistance, spikes, start: best, count: total,
  };
}

/** Steps of a first, coarse look at the tail: most starts are given up there. */
const COARSE = 16;

/** The largest deviation of the tail's distribution from the law; Infinity as soon as it reaches `limit`. `jump`: 1 to look at the right limits too. */
function distanceBelow(logs: Float64Array, start: number, alpha: number, limit: number, jump: 0 | 1): number {
  const n = logs.length - start;
  const exponent = 1 - alpha;
  const origin = logs[start];
  const deviation = (k: number): number => {
    const above = 1 - Math.exp(exponent * (logs[start + k] - origin)) - k / n;
    return Math.max(Math.abs(above), Math.abs(above - jump / n));
  };
  const stride = Math.floor(n / COARSE);
  for (let k = stride; stride > 0 && k < n; k += stride) if (deviation(k) >= limit) return Infinity;
  let largest = 0;
  for (let k = 0; k < n; k++) {
    const here = deviation(k);
    if (here >= limit) return Infinity;
    if (here > largest) largest = here;
  }
  return largest;
}

/** How WeightWatcher deals with 'fingers': eigenvalues beyond the tail that make alpha spuriously large. */
export type FingerCorrection = 'none' | 'xmin-peak' | 'clip-xmax';

/** A fit with the largest eigenvalues left out, if they were fingers. */
export interface FingerFit {
  readonly fit: PowerLawFit | undefined;
  /** Largest eigenvalues left out. */
  readonly fingers: number;
}

const BINS = 100;
/** A fall of alpha by this much by leaving out eigenvalues shows that they were fingers. */
const FINGER_THRESHOLD = 1;
const FEWEST_FINGERS = 2;

/**
 * The fit with WeightWatcher's `fix_fingers`. `xmin-peak`: xmin within 0.95 to 1.5 times the peak of the histogram of log10 of the
 * eigenvalues (100 bins, lower edge). `clip-xmax`: the 2, 3, ... `most` largest eigenvalues are left out until alpha falls by at least 1.
 */
export function fitWithoutFingers(eigenvalues: ArrayLike<number>, correction: FingerCorrection, most = 9): FingerFit {
  requireInteger('fitWithoutFingers', 'most', most, FEWEST_FINGERS);
  const values = fittable(eigenvalues);
  if (correction === 'xmin-peak') {
    const peak = histogramPeak(values);
    return { fit: fitSorted(values, { xminRange: [0.95 * peak, 1.5 * peak] }), fingers: 0 };
  }
  const whole = fitSorted(values);
  if (correction === 'none' || whole === undefined) return { fit: whole, fingers: 0 };
  for (let fingers = FEWEST_FINGERS; fingers <= most && fingers < values.length - 1; fingers++) {
    const fit = fitSorted(values.subarray(0, values.length - fingers));
    if (fit !== undefined && whole.alpha.value - fit.alpha.value >= FINGER_THRESHOLD) return { fit, fingers };
  }
  return { fit: whole, fingers: 0 };
}

/** Lower edge of the fullest of 100 bins of log10, as a value. */
function histogramPeak(values: Float64Array): number {
  if (values.length === 0) return NaN;
  const low = Math.log10(values[0]);
  const width = (Math.log10(values[values.length - 1]) - low) / BINS;
  if (width === 0) return values[0];
  const counts = new Uint32Array(BINS);
  for (const value of values) counts[Math.min(BINS - 1, Math.floor((Math.log10(value) - low) / width))]++;
  return 10 ** (low + width * counts.indexOf(Math.max(...counts)));
}
