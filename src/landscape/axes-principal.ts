/** Principal directions of a few long vectors. @module */
import { symmetricEigen } from '../linalg/index.ts';
import { addScaled, combinations, dot } from '../curvature/basis.ts';
import { positiveAtPeak } from './axes-curvature.ts';

/** Below this part of the largest variance a principal direction is rounding of the Gram matrix. */
const RANK = 1e-13;

/**
 * The principal directions of rows [n][P] (not centred here) by their Gram matrix, orthonormal to rounding, at most `most` of
 * those that are not rounding, and the variances of all: squares of singular values over n, largest first.
 */
export function principalVectors(rows: readonly Float64Array[], most: number): { basis: Float64Array[]; variances: number[] } {
  const n = rows.length;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) gram[i * n + j] = gram[j * n + i] = dot(rows[i], rows[j]);
  const { values, vectors } = symmetricEigen(gram, n);
  const variances = Array.from({ length: n }, (_, k) => Math.max(0, values[n - 1 - k]) / n);
  const basis: Float64Array[] = [];
  for (let k = 0; k < Math.min(most, n) && variances[k] > RANK * variances[0] && variances[k] > 0; k++) {
    const [vector] = combinations(rows, [Float64Array.from({ length: n }, (_, i) => vectors[i * n + n - 1 - k])]);
    // A small singular value's vector has lost digits along the large ones.
    for (let pass = 0; pass < 2; pass++) for (const unit of basis) addScaled(vector, -dot(unit, vector), unit);
    basis.push(positiveAtPeak(vector));
  }
  return { basis, variances };
}
