/** Norms and ranks of a weight matrix from its spectrum. @module */

/** Numbers of one spectrum; logarithms are decimal. Exact up to rounding of the eigenvalues. */
export interface SpectralNorms {
  /** log10 of the sum: the squared Frobenius norm. */
  readonly logNorm: number;
  /** log10 of the largest eigenvalue. */
  readonly logSpectralNorm: number;
  /** Sum over largest. */
  readonly stableRank: number;
  /** Singular values above the tolerance. */
  readonly rank: number;
  /** -sum p ln p / ln rank with p = eigenvalue / sum: 1 for a flat spectrum. */
  readonly entropy: number;
  /** Largest over smallest singular value counted in `rank`. */
  readonly conditionNumber: number;
}

/** WeightWatcher adds this to every p, against the logarithm of zero. */
const SHARE_OFFSET = 1e-10;

/**
 * Norms of ascending `eigenvalues` (squared singular values) of a matrix with `rows` >= columns. A singular value counts in the rank above
 * largest * rows * 2^-52 or above the square root of `error`, the rounding of the eigenvalues, whichever is larger.
 */
export function spectralNorms(eigenvalues: ArrayLike<number>, rows: number, error = 0): SpectralNorms {
  const n = eigenvalues.length;
  const largest = eigenvalues[n - 1];
  let total = 0;
  for (let i = 0; i < n; i++) total += eigenvalues[i];
  const tolerance = Math.max(Math.sqrt(largest) * rows * Number.EPSILON, Math.sqrt(error));
  let rank = 0;
  let entropy = 0;
  let smallest = largest;
  for (let i = n - 1; i >= 0; i--) {
    if (Math.sqrt(eigenvalues[i]) > tolerance) {
      rank++;
      smallest = eigenvalues[i];
    }
    const share = eigenvalues[i] / total + SHARE_OFFSET;
    entropy -= share * Math.log(share);
  }
  return {
    logNorm: Math.log10(total), logSpectralNorm: Math.log10(largest), stableRank: total / largest, rank,
    // ln 1 = 0: WeightWatcher's substitute.
    entropy: entropy / Math.log(rank === 1 ? 1.000001 : rank), conditionNumber: Math.sqrt(largest / smallest),
  };
}

/** alpha-hat and the log alpha norm: the norms weighted by a fitted exponent. */
export interface AlphaNorms {
  /** alpha log10 of the largest eigenvalue (WeightWatcher's alpha_weighted). */
  readonly alphaHat: number;
  /** log10 of the sum of eigenvalue^alpha: the Schatten norm of order 2 alpha, to the power 2 alpha. */
  readonly logAlphaNorm: number;
}

/** Norms of the fitted exponent; the sum is taken relative to the largest term, so that it cannot overflow. */
export function alphaNorms(eigenvalues: ArrayLike<number>, alpha: number): AlphaNorms {
  const largest = eigenvalues[eigenvalues.length - 1];
  let sum = 0;
  for (let i = 0; i < eigenvalues.length; i++) sum += (eigenvalues[i] / largest) ** alpha;
  const alphaHat = alpha * Math.log10(largest);
  return { alphaHat, logAlphaNorm: alphaHat + Math.log10(sum) };
}
