/** Linear systems: Cholesky for positive definite matrices, pivoted LU for the others. @module */
import { LuDecomposition, Matrix } from 'ml-matrix';
import { ArgumentError } from '../util/errors.ts';
import { powerOfTwoScale, requireMatrix } from './checks.ts';
import { dot } from './vector.ts';

/**
 * The lower triangle L [n, n] with A = L L^T; only the lower triangle of `matrix` is read. n^3 / 3 operations.
 * @throws ShapeError when not square; NonFiniteError; ArgumentError when not positive definite, naming the pivot.
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array {
  requireMatrix('cholesky', matrix, n, n);
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = matrix[i * n + j] - dot(lower, i * n, lower, j * n, j);
      if (i !== j) lower[i * n + j] = sum / lower[j * n + j];
      else if (sum > 0) lower[i * n + i] = Math.sqrt(sum);
      else {
        throw new ArgumentError({
          operation: 'cholesky', required: 'matrix must be positive definite', received: `pivot ${i} = ${sum}`,
          remedy: 'add a multiple of the identity (damping), or use solve',
        });
      }
    }
  }
  return lower;
}

/**
 * X [n, columns] with L L^T X = B, for the factor `lower` of `cholesky` and B [n, columns] row-major.
 * @throws ShapeError, NonFiniteError
 */
export function solveCholesky(lower: Float64Array, n: number, right: Float64Array, columns = 1): Float64Array {
  requireMatrix('solveCholesky', lower, n, n, 'lower');
  requireMatrix('solveCholesky', right, n, columns, 'right');
  const x = right.slice();
  const subtract = (row: number, from: number, factor: number): void => {
    for (let c = 0; c < columns; c++) x[row * columns + c] -= factor * x[from * columns + c];
  };
  const divide = (row: number): void => {
    for (let c = 0; c < columns; c++) x[row * columns + c] /= lower[row * n + row];
  };
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtract(i, k, lower[i * n + k]);
    divide(i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtract(i, k, lower[k * n + i]);
    divide(i);
  }
  return x;
}

/**
 * X [n, columns] with A X = B, by LU with partial pivoting (ml-matrix).
 * @throws ShapeError when A is not square or B does not fit; NonFiniteError; ArgumentError when A is singular to working precision.
 */
export function solve(matrix: Float64Array, n: number, right: Float64Array, columns = 1): Float64Array {
  requireMatrix('solve', matrix, n, n);
  requireMatrix('solve', right, n, columns, 'right');
  if (n === 0 || columns === 0) return new Float64Array(n * columns);
  // Scaled rows make the pivots comparable: their smallest then tells singular matrices from badly scaled ones.
  const scales = Float64Array.from({ length: n }, (_, i) => powerOfTwoScale(matrix.subarray(i * n, (i + 1) * n)));
  const scaled = new LuDecomposition(Matrix.from1DArray(n, n, Array.from(matrix, (x, i) => x * scales[Math.floor(i / n)])));
  const pivots = scaled.upperTriangularMatrix.diagonal().map(Math.abs);
  const smallest = Math.min(...pivots);
  if (!(smallest > n * Number.EPSILON * Math.max(...pivots))) {
    throw new ArgumentError({
      operation: 'solve', required: 'matrix must be nonsingular to working precision', received: `a pivot of ${smallest} after row scaling`,
      remedy: 'add damping to the diagonal, or use svd for a least-squares solution',
    });
  }
  const x = scaled.solve(Matrix.from1DArray(n, columns, Array.from(right, (b, i) => b * scales[Math.floor(i / columns)])));
  return Float64Array.from(x.to1DArray());
}
