/** Singular value decomposition. @module */
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { powerOfTwoScale, requireMatrix } from './checks.ts';

export interface ThinSvd {
  /** [rows, k] row-major, one left singular vector a column, k = min(rows, columns). */
  readonly u: Float64Array;
  /** [k], descending. */
  readonly values: Float64Array;
  /** [columns, k] row-major, one right singular vector a column. */
  readonly v: Float64Array;
}

/**
 * A = U diag(values) V^T of a matrix [rows, columns]: Golub and Kahan's bidiagonalisation, by ml-matrix. O(rows columns k);
 * for singular values alone of a large matrix, `symmetricEigen` of the Gram matrix is ten times faster at half the digits.
 * @throws ShapeError, NonFiniteError
 */
export function svd(matrix: Float64Array, rows: number, columns: number): ThinSvd {
  requireMatrix('svd', matrix, rows, columns);
  const k = Math.min(rows, columns);
  if (k === 0) return { u: new Float64Array(0), values: new Float64Array(0), v: new Float64Array(0) };
  const scale = powerOfTwoScale(matrix);
  const scaled = Matrix.from1DArray(rows, columns, Array.from(matrix, (x) => x * scale));
  const result = new SingularValueDecomposition(scaled, { autoTranspose: true });
  return {
    u: leadingColumns(result.leftSingularVectors, k),
    values: Float64Array.from(result.diagonal.slice(0, k), (x) => x / scale),
    v: leadingColumns(result.rightSingularVectors, k),
  };
}

function leadingColumns(matrix: Matrix, k: number): Float64Array {
  const out = new Float64Array(matrix.rows * k);
  for (let i = 0; i < matrix.rows; i++) for (let j = 0; j < k; j++) out[i * k + j] = matrix.get(i, j);
  return out;
}
