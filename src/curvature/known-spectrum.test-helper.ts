/** Operators with known spectra. */
import { qr } from '../linalg/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { linearOperator, matrixOperator, type LinearOperator } from './operator.ts';

/** Q diag(values) Q' with a random orthogonal Q. */
export function rotated(values: readonly number[], seed = 0): { matrix: Float64Array; operator: LinearOperator } {
  const n = values.length;
  const { q } = qr(normal(split(key(seed), 'rotation'), n * n, { dtype: 'float64' }), n, n);
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += q[i * n + k] * values[k] * q[j * n + k];
      matrix[i * n + j] = sum;
      matrix[j * n + i] = sum;
    }
  }
  return { matrix, operator: matrixOperator(matrix, n) };
}

/** The same operator with products rounded as a float32 backend rounds them. */
export const inFloat32 = (operator: LinearOperator): LinearOperator => linearOperator({
  name: `${operator.name} in float32`, size: operator.size, precision: 'float32', block: operator.block,
  apply: async (vectors) => (await operator.multiply(vectors.map((v) => Float64Array.from(v, Math.fround)))).map((v) => Float64Array.from(v, Math.fround)),
});

/** A spectrum as of trained networks: a bulk near zero of both signs and a few outliers. */
export const bulkAndOutliers = (n: number, outliers: readonly number[], seed = 3): number[] =>
  [...normal(split(key(seed), 'bulk'), n - outliers.length, { dtype: 'float64', deviation: 0.1 }), ...outliers];

/** The diagonal of a square matrix, row-major. */
export const diagonalOf = (matrix: Float64Array): Float64Array => {
  const size = Math.sqrt(matrix.length);
  return Float64Array.from({ length: size }, (_, i) => matrix[i * (size + 1)]);
};
