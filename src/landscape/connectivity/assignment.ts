/** The linear assignment problem. @module */
import { linearSumAssignment } from 'linear-sum-assignment';
import { NonFiniteError } from '../../util/errors.ts';

/**
 * The permutation that maximises sum_i gains[i, p(i)] for a square matrix [size, size], row-major: shortest augmenting paths
 * (Jonker & Volgenant 1987; Crouse 2016), exact, O(size^3). @throws NonFiniteError when a gain is not finite.
 */
export function bestAssignment(gains: Float64Array, size: number): Int32Array {
  const odd = gains.findIndex((gain) => !Number.isFinite(gain));
  if (odd >= 0) throw new NonFiniteError({ operation: 'bestAssignment', required: 'gains must be finite', received: `${gains[odd]} for row ${Math.floor(odd / size)} and column ${odd % size}` });
  const rows = Array.from({ length: size }, (_, i) => gains.subarray(i * size, (i + 1) * size));
  // The package's own spelling of "maximize".
  return Int32Array.from(linearSumAssignment(rows, { maximaze: true }).rowAssignments);
}
