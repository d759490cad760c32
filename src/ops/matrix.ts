/** Factorisations of dense matrices, made of products: what a backend without linear algebra can run. @module */
import type { Tensor } from '../core/tensor.ts';
import { scan } from '../transforms/control.ts';
import { DtypeError, ShapeError } from '../util/errors.ts';
import { add, div, maximum, mul, neg, rsqrt, sub } from './elementwise.ts';
import { dot, matmul, outer } from './products.ts';
import { max, sum } from './reductions.ts';
import { concat, expandDims, eye, narrow, transpose, tril, zeros } from './shaping.ts';

/** A Cholesky factorisation A = L L'. */
export interface Cholesky {
  /** L, lower triangular. */
  readonly lower: Tensor;
  /** Its inverse, lower triangular. */
  readonly inverse: Tensor;
}

// Matrices up to this size are eliminated row by row. Measured at size 785 in float32 on ONNX Runtime, 2 cores, other work running: 54 ms
// in blocks of 16, 27 of 32, 72 of 64. An inverse takes 110 ms then, by coupled Newton iterations 1.7 s.
const BLOCK = 32;

/** Distance from one to the next larger number of a matrix' type. @throws DtypeError when it is not floating-point. */
export function unitOf(operation: string, { dtype }: Tensor): number {
  if (dtype === 'float32') return 2 ** -23;
  if (dtype === 'float64') return 2 ** -52;
  throw new DtypeError({ operation, required: 'a matrix of floating-point numbers', received: dtype });
}

/** The size of a square matrix. @throws ShapeError when `a` is none. */
export function requireSquare(operation: string, a: Tensor): number {
  if (a.rank !== 2 || a.shape[0] !== a.shape[1]) throw new ShapeError({ operation, required: 'a square matrix [n, n]', received: String(a), remedy: 'use vmap for a stack of matrices' });
  return a.shape[0];
}

/** The diagonal of a square matrix, [n]. */
export const diagonal = (a: Tensor): Tensor => sum(mul(a, eye(requireSquare('diagonal', a), a.dtype)), 1);

/** x y' of matrices, without a transposed copy. */
const timesTransposed = (x: Tensor, y: Tensor): Tensor => dot(x, y, { batch: [[], []], contract: [[1], [1]] });
/** x' y of matrices, without a transposed copy. */
const transposedTimes = (x: Tensor, y: Tensor): Tensor => dot(x, y, { batch: [[], []], contract: [[0], [0]] });

/**
 * Cholesky factor of a symmetric positive definite matrix [n, n], and the factor's inverse. The matrix is scaled to a unit
 * diagonal, and 4 sqrt(n) units of rounding are added to that, no more than rounding changes it by: so a matrix that is
 * semi-definite up to rounding has a factor too. Blocks are halved recursively (Golub & Van Loan 2013, section 4.2.6), small ones
 * eliminated row by row in a `scan`. About 2 n^3 multiplications, in products. Differentiable.
 *
 * @throws ShapeError when `a` is not square; DtypeError when it is not floating-point.
 */
export function cholesky(a: Tensor): Cholesky {
  const n = requireSquare('cholesky', a);
  return scaledCholesky(a, 4 * Math.sqrt(n) * unitOf('cholesky', a));
}

/** The factor of D (D^-1 A D^-1 + ridge I) D with the diagonal of A as D^2. */
function scaledCholesky(a: Tensor, ridge: number): Cholesky {
  const [n] = a.shape;
  const unit = unitOf('cholesky', a);
  const entries = diagonal(a);
  // Rows that are zero are scaled by a finite number; all-zero matrices too.
  const scale = rsqrt(maximum(entries, add(mul(max(entries), unit * unit), 1e-30)));
  const scaled = add(mul(mul(a, expandDims(scale, 0)), expandDims(scale, 1)), mul(eye(n, a.dtype), ridge));
  const { lower, inverse } = factorBlocks(scaled, unit);
  return { lower: div(lower, expandDims(scale, 1)), inverse: mul(inverse, expandDims(scale, 0)) };
}

/** Pivots below `floor` are raised to it. The quarters [[A, C'], [C, B]] give [[L, 0], [C L'^-1, M]] with M M' = B - C A^-1 C'. */
function factorBlocks(a: Tensor, floor: number): Cholesky {
  const [n] = a.shape;
  if (n <= BLOCK) return factorRows(a, floor);
  const half = Math.ceil(n / 2 / BLOCK) * BLOCK;
  const rows = narrow(a, 0, half, n);
  const first = factorBlocks(narrow(narrow(a, 0, 0, half), 1, 0, half), floor);
  // Solves corner L' = C. The inverse alone would leave an error of L's condition, which may exceed what is left of the last block.
  const across = narrow(rows, 1, 0, half);
  const rough = timesTransposed(across, first.inverse);
  const corner = add(rough, timesTransposed(sub(across, timesTransposed(rough, first.lower)), first.inverse));
  const last = factorBlocks(sub(narrow(rows, 1, half, n), timesTransposed(corner, corner)), floor);
  const inverseCorner = neg(matmul(last.inverse, matmul(corner, first.inverse)));
  const triangle = (top: Tensor, left: Tensor, bottom: Tensor): Tensor => concat([concat([top, zeros([half, n - half], a.dtype)], 1), concat([left, bottom], 1)]);
  return { lower: triangle(first.lower, corner, last.lower), inverse: triangle(first.inverse, inverseCorner, last.inverse) };
}

/** Eliminates [A | I] row by row: the scaled pivot rows are [L' | L^-1]. */
function factorRows(a: Tensor, floor: number): Cholesky {
  const [n] = a.shape;
  const unit = eye(n, a.dtype);
  const [, rows] = scan((rest: Tensor, which: Tensor): [Tensor, Tensor] => {
    const row = matmul(which, rest);
    const pivot = sum(mul(narrow(row, 0, 0, n), which));
    const scaled = mul(row, rsqrt(maximum(pivot, floor)));
    return [sub(rest, outer(narrow(scaled, 0, 0, n), scaled)), scaled];
  }, concat([a, unit], 1), unit);
  return { lower: tril(transpose(narrow(rows, 1, 0, n))), inverse: tril(narrow(rows, 1, n, 2 * n)) };
}

/** The inverse of a symmetric positive definite matrix, by its Cholesky factor: about 3 n^3 multiplications. Errors as `cholesky`. */
export function inversePositiveDefinite(a: Tensor): Tensor {
  const { inverse } = cholesky(a);
  return transposedTimes(inverse, inverse);
}

/** The solution of A x = b for a symmetric positive definite A [n, n] and b [n] or [n, k], by the Cholesky factor. Errors as `cholesky`. */
export function solvePositiveDefinite(a: Tensor, b: Tensor): Tensor {
  const { inverse } = cholesky(a);
  return matmul(transpose(inverse), matmul(inverse, b));
}

/** Orthonormal columns q [m, n] and upper triangular r [n, n] with q r = x. */
export interface Qr {
  readonly q: Tensor;
  readonly r: Tensor;
}

/**
 * The QR factorisation of x [m, n] with m >= n, r with a positive diagonal, by Cholesky factors of the columns' inner products,
 * three times over (shifted Cholesky QR: Fukaya et al. 2020): columns are orthonormal to rounding up to condition numbers, of x with
 * columns scaled to one length, of about 1 / unit of rounding. Beyond that q r = x still holds, but columns that depend on others up to
 * rounding are not orthogonal. Differentiable.
 *
 * @throws ShapeError when `x` has more columns than rows; DtypeError when it is not floating-point.
 */
export function qr(x: Tensor): Qr {
  if (x.rank !== 2 || x.shape[0] < x.shape[1]) throw new ShapeError({ operation: 'qr', required: 'a matrix [m, n] with m >= n', received: String(x), remedy: 'use vmap for a stack of matrices' });
  let q = x;
  let r: Tensor | undefined;
  for (let pass = 0; pass < PASSES; pass++) {
    const gram = transposedTimes(q, q);
    const { lower, inverse } = pass + 1 < PASSES ? cholesky(gram) : scaledCholesky(gram, 0);
    q = timesTransposed(q, inverse);
    r = r === undefined ? transpose(lower) : matmul(transpose(lower), r);
  }
  return { q, r: r! };
}

const PASSES = 3;
