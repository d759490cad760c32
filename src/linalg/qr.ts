/** Thin QR factorisation. @module */
import { powerOfTwoScale, requireMatrix } from './checks.ts';
import { reflector } from './symmetric-eigen.ts';
import { addScaled, dot } from './vector.ts';

export interface ThinQr {
  /** [rows, k] row-major with orthonormal columns, k = min(rows, columns). */
  readonly q: Float64Array;
  /** [k, columns] row-major, upper triangular, with a non-negative diagonal. */
  readonly r: Float64Array;
}

/**
 * A = Q R of a matrix [rows, columns] by Householder reflections (Golub and Van Loan 5.2): Q is orthonormal to rounding even when
 * A is rank-deficient; the diagonal of R then shows the rank. O(rows columns^2).
 * @throws ShapeError, NonFiniteError
 */
export function qr(matrix: Float64Array, rows: number, columns: number): ThinQr {
  requireMatrix('qr', matrix, rows, columns);
  const k = Math.min(rows, columns);
  const scale = powerOfTwoScale(matrix);
  // Columns become contiguous vectors: every step below is a dot product or an update along one of them.
  const vectors = Array.from({ length: columns }, (_, j) => Float64Array.from({ length: rows }, (_, i) => matrix[i * columns + j] * scale));
  const r = new Float64Array(k * columns);
  const betas = new Float64Array(k);
  for (let j = 0; j < k; j++) {
    const v = vectors[j];
    for (let i = 0; i < j; i++) r[i * columns + j] = v[i] / scale;
    const { beta, alpha } = reflector(v, j);
    betas[j] = beta;
    r[j * columns + j] = alpha / scale;
    if (beta !== 0) for (let c = j + 1; c < columns; c++) reflect(vectors[c], v, j, beta);
  }
  for (let j = k; j < columns; j++) for (let i = 0; i < k; i++) r[i * columns + j] = vectors[j][i] / scale;
  return { q: formQ(vectors, betas, r, rows, columns, k), r };
}

/** Multiplies the reflections out, last first, and flips the columns (and rows of R) whose diagonal of R is negative. */
function formQ(vectors: Float64Array[], betas: Float64Array, r: Float64Array, rows: number, columns: number, k: number): Float64Array {
  const q = new Float64Array(rows * k);
  for (let j = 0; j < k; j++) {
    const column = new Float64Array(rows);
    column[j] = 1;
    for (let i = j; i >= 0; i--) if (betas[i] !== 0) reflect(column, vectors[i], i, betas[i]);
    const sign = r[j * columns + j] < 0 ? -1 : 1;
    if (sign < 0) for (let c = j; c < columns; c++) r[j * columns + c] = -r[j * columns + c];
    for (let i = 0; i < rows; i++) q[i * k + j] = sign * column[i];
  }
  return q;
}

/** x <- x - beta v (v . x) from `start` on. */
function reflect(x: Float64Array, v: Float64Array, start: number, beta: number): void {
  const factor = -beta * dot(v, start, x, start, x.length - start);
  addScaled(x, start, factor, v, start, x.length - start);
}
