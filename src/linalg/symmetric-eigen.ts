/** Eigenpairs of dense symmetric matrices. @module */
import { ArgumentError } from '../util/errors.ts';
import { powerOfTwoScale, requireMatrix } from './checks.ts';
import { addScaled, dot } from './vector.ts';
import { solveTridiagonal } from './tridiagonal-eigen.ts';
import type { SymmetricEigen } from './tridiagonal-eigen.ts';

/** How far a_ij and a_ji may differ, relative to the largest entry, before a matrix counts as not symmetric. */
const ASYMMETRY = 1e-8;

/**
 * All eigenpairs of a symmetric matrix [n, n]: Householder reduction to tridiagonal form, then implicit QL
 * (Golub and Van Loan, Matrix Computations, 8.3). Backward stable: errors of the values are a few units of rounding of the norm.
 * Only rounding-level asymmetry is accepted, and (A + A^T) / 2 is decomposed. O(n^3).
 * @throws ShapeError when not square; NonFiniteError; ArgumentError when not symmetric.
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  requireMatrix('symmetricEigen', matrix, n, n);
  const scale = powerOfTwoScale(matrix);
  const work = symmetrised(matrix, n, scale);
  const { diagonal, offDiagonal, basis } = tridiagonalise(work, n);
  const values = solveTridiagonal('symmetricEigen', diagonal, offDiagonal, basis);
  return { values: values.map((x) => x / scale), vectors: basis };
}

function symmetrised(matrix: Float64Array, n: number, scale: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const lower = matrix[i * n + j] * scale;
      const upper = matrix[j * n + i] * scale;
      if (Math.abs(lower - upper) > ASYMMETRY) {
        throw new ArgumentError({
          operation: 'symmetricEigen', required: `matrix must be symmetric: entries [${i},${j}] and [${j},${i}] must agree`,
          received: `${matrix[i * n + j]} and ${matrix[j * n + i]}`, remedy: 'decompose (A + A^T) / 2, or use svd',
        });
      }
      out[i * n + j] = lower + (upper - lower) / 2;
    }
  }
  return out;
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly offDiagonal: Float64Array;
  /** Q of A = Q T Q^T, row-major. */
  readonly basis: Float64Array;
}

/** Reduces the symmetric matrix given by the lower triangle of `work` (overwritten) by n-2 reflections I - beta v v^T. */
function tridiagonalise(work: Float64Array, n: number): Tridiagonal {
  const offDiagonal = new Float64Array(Math.max(0, n - 1));
  const reflections: { readonly v: Float64Array; readonly beta: number }[] = [];
  for (let k = 0; k + 1 < n; k++) {
    const v = new Float64Array(n);
    for (let i = k + 1; i < n; i++) v[i] = work[i * n + k];
    const { beta, alpha } = reflector(v, k + 1);
    offDiagonal[k] = alpha;
    reflections.push({ v, beta });
    if (beta !== 0) updateTrailing(work, n, k + 1, v, beta);
  }
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) basis[i * n + i] = 1;
  for (let k = n - 2; k >= 0; k--) if (reflections[k].beta !== 0) reflectRows(basis, n, k + 1, reflections[k].v, reflections[k].beta);
  transposeInPlace(basis, n);
  return { diagonal: Float64Array.from({ length: n }, (_, i) => work[i * n + i]), offDiagonal, basis };
}

/**
 * Turns x = v[start ...] into the vector v of the reflection that maps x to alpha e_1, with v[start] = 1; beta = 0 when x is
 * already of that form (then nothing is to be reflected).
 */
export function reflector(v: Float64Array, start: number): { beta: number; alpha: number } {
  let tail = 0;
  for (let i = start + 1; i < v.length; i++) tail += v[i] * v[i];
  const head = v[start];
  if (tail === 0) return { beta: 0, alpha: head };
  const norm = Math.sqrt(head * head + tail);
  const alpha = head <= 0 ? norm : -norm;
  const pivot = head - alpha;
  for (let i = start + 1; i < v.length; i++) v[i] /= pivot;
  v[start] = 1;
  return { beta: -pivot / alpha, alpha };
}

/** A <- (I - beta v v^T) A (I - beta v v^T) on the lower triangle from `start`: A - v w^T - w v^T. */
function updateTrailing(work: Float64Array, n: number, start: number, v: Float64Array, beta: number): void {
  const w = new Float64Array(n);
  for (let i = start; i < n; i++) {
    const row = i * n;
    w[i] += dot(work, row + start, v, start, i + 1 - start);
    addScaled(w, start, v[i], work, row + start, i - start);
  }
  const inner = dot(v, start, w, start, n - start);
  for (let i = start; i < n; i++) w[i] = beta * (w[i] - 0.5 * beta * inner * v[i]);
  for (let i = start; i < n; i++) {
    const row = i * n;
    for (let j = start; j <= i; j++) work[row + j] -= v[i] * w[j] + w[i] * v[j];
  }
}

/** Applies the reflection from the right to the rows from `start` on. */
function reflectRows(rows: Float64Array, n: number, start: number, v: Float64Array, beta: number): void {
  for (let i = start; i < n; i++) {
    const row = i * n;
    const factor = -beta * dot(rows, row + start, v, start, n - start);
    addScaled(rows, row + start, factor, v, start, n - start);
  }
}

function transposeInPlace(matrix: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const x = matrix[i * n + j];
      matrix[i * n + j] = matrix[j * n + i];
      matrix[j * n + i] = x;
    }
  }
}
