/** The trace-log condition: how many of the largest eigenvalues have a product of one. @module */

/** Where the volume of the leading eigenvalues is preserved (WeightWatcher's detX, the ERG condition). */
export interface TraceLog {
  /** Eigenvalues from the top whose product stays at least 1, and the first that takes it below. */
  readonly count: number;
  /** Index of that first one, ascending. */
  readonly index: number;
  /** The eigenvalue there, in original units. */
  readonly value: number;
}

/**
 * Walks down from the largest eigenvalue while the product of those passed is at least 1, after scaling the eigenvalues to mean 1
 * (unless `rescale` is false). `eigenvalues` ascending. Logarithms are added, where WeightWatcher multiplies and can overflow.
 */
export function traceLog(eigenvalues: ArrayLike<number>, { rescale = true }: { readonly rescale?: boolean } = {}): TraceLog {
  const n = eigenvalues.length;
  let total = 0;
  for (let i = 0; i < n; i++) total += eigenvalues[i];
  const shift = rescale ? Math.log(n / total) : 0;
  let sum = 0;
  let index = n - 1;
  for (; index >= 0; index--) {
    sum += Math.log(Math.max(0, eigenvalues[index])) + shift;
    if (sum < 0) break;
  }
  index = Math.max(0, index);
  return { count: n - index, index, value: n === 0 ? NaN : eigenvalues[index] };
}
