/** Eigenvalues of symmetric tridiagonal matrices, with all of the eigenvectors or only their first and last components. @module */
import { ShapeError, ThalwegError } from '../util/errors.ts';
import { powerOfTwoScale, requireMatrix } from './checks.ts';

export interface SymmetricEigen {
  /** [n], ascending. */
  readonly values: Float64Array;
  /** [n, n] row-major, one orthonormal eigenvector a column, in the order of `values`. */
  readonly vectors: Float64Array;
}

export interface TridiagonalEigenEnds {
  /** [n], ascending. */
  readonly values: Float64Array;
  /** First components of the unit eigenvectors: their squares are the weights of Gauss quadrature. */
  readonly first: Float64Array;
  /** Last components: times the next off-diagonal entry of Lanczos, the residuals of the Ritz pairs. */
  readonly last: Float64Array;
}

const ITERATIONS_PER_VALUE = 60;
/** Iterations after which a coupling need not be small beside its neighbours, only beside the matrix. */
const RELATIVE_ITERATIONS = 30;
const UNDERFLOW = Number.MIN_VALUE / Number.EPSILON ** 2;

/**
 * All eigenpairs of the symmetric tridiagonal matrix with `diagonal` [n] and `offDiagonal` [n-1]. O(n^3).
 * @throws ShapeError, NonFiniteError
 */
export function tridiagonalEigen(diagonal: ArrayLike<number>, offDiagonal: ArrayLike<number>): SymmetricEigen {
  const n = diagonal.length;
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  return { values: solveTridiagonal('tridiagonalEigen', diagonal, offDiagonal, vectors), vectors };
}

/**
 * The eigenvalues with the first and last components of the eigenvectors only, in O(n^2): what Lanczos quadrature and
 * Ritz residuals need (Golub and Welsch 1969). @throws ShapeError, NonFiniteError
 */
export function tridiagonalEigenEnds(diagonal: ArrayLike<number>, offDiagonal: ArrayLike<number>): TridiagonalEigenEnds {
  const n = diagonal.length;
  const rows = new Float64Array(2 * n);
  if (n > 0) {
    rows[0] = 1;
    rows[2 * n - 1] = 1;
  }
  const values = solveTridiagonal('tridiagonalEigenEnds', diagonal, offDiagonal, rows);
  return { values, first: rows.slice(0, n), last: rows.slice(n) };
}

/**
 * Returns the eigenvalues, ascending, and multiplies `rows` [any, n] from the right by the matrix of the eigenvectors: rows of
 * the identity become components of eigenvectors, rows of a basis Q the eigenvectors of Q T Q^T.
 */
export function solveTridiagonal(
  operation: string, diagonal: ArrayLike<number>, offDiagonal: ArrayLike<number>, rows: Float64Array,
): Float64Array {
  const n = diagonal.length;
  if (offDiagonal.length !== Math.max(0, n - 1)) {
    throw new ShapeError({
      operation, required: `offDiagonal must have one entry less than diagonal (${n})`, received: `${offDiagonal.length} entries`,
    });
  }
  requireMatrix(operation, diagonal, n, 1, 'diagonal');
  requireMatrix(operation, offDiagonal, offDiagonal.length, 1, 'offDiagonal');
  const scale = powerOfTwoScale(diagonal, offDiagonal);
  const values = Float64Array.from(diagonal, (x) => x * scale);
  const coupling = new Float64Array(n);
  for (let i = 0; i + 1 < n; i++) coupling[i] = offDiagonal[i] * scale;
  diagonalise(operation, values, coupling, rows);
  sortAscending(values, rows);
  return values.map((x) => x / scale);
}

/** The implicit QL iteration with Wilkinson's shift (Martin and Wilkinson 1968; Parlett, The Symmetric Eigenvalue Problem, 8). */
function diagonalise(operation: string, values: Float64Array, coupling: Float64Array, rows: Float64Array): void {
  const n = values.length;
  const rotations: Rotations = { sines: new Float64Array(n), cosines: new Float64Array(n) };
  for (let start = 0; start < n; start++) {
    for (let iteration = 0; ; iteration++) {
      // Among many eigenvalues at zero, neighbours are rounding themselves and a coupling may never fall below theirs. Entries are at most 1.
      const end = blockEnd(values, coupling, start, iteration < RELATIVE_ITERATIONS ? UNDERFLOW : Number.EPSILON);
      if (end === start) break;
      if (iteration === ITERATIONS_PER_VALUE) {
        throw new ThalwegError('CONVERGENCE', {
          operation, required: `eigenvalue ${start} must converge within ${ITERATIONS_PER_VALUE} iterations`, received: 'no convergence',
        });
      }
      const top = sweep(values, coupling, rotations, start, end);
      rotateColumns(rows, n, rotations, top, end);
    }
  }
}

/** The last index of the unreduced block that begins at `start`; couplings below the rounding of their neighbours, or below `smallest`, count as zero. */
function blockEnd(values: Float64Array, coupling: Float64Array, start: number, smallest: number): number {
  let end = start;
  while (end < values.length - 1) {
    const neighbours = Math.abs(values[end]) + Math.abs(values[end + 1]);
    if (Math.abs(coupling[end]) <= Number.EPSILON * neighbours || Math.abs(coupling[end]) < smallest) break;
    end++;
  }
  return end;
}

/** Plane rotations of one sweep: entry i acts on columns i and i+1. */
interface Rotations {
  readonly sines: Float64Array;
  readonly cosines: Float64Array;
}

/**
 * One QL step on the block: chases the bulge that the shift makes from the bottom of the block to its top. Returns the index
 * of the last rotation made, `start` unless the block split on the way.
 */
function sweep(values: Float64Array, coupling: Float64Array, rotations: Rotations, start: number, end: number): number {
  const ratio = (values[start + 1] - values[start]) / (2 * coupling[start]);
  const root = hypotenuse(ratio, 1);
  let g = values[end] - values[start] + coupling[start] / (ratio + (ratio >= 0 ? root : -root));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let i = end - 1; i >= start; i--) {
    const f = sine * coupling[i];
    const b = cosine * coupling[i];
    const r = hypotenuse(f, g);
    coupling[i + 1] = r;
    if (r === 0) {
      // The block splits in the middle of the sweep: undo the pending shift and look for blocks again.
      values[i + 1] -= shift;
      coupling[end] = 0;
      return i + 1;
    }
    sine = f / r;
    cosine = g / r;
    g = values[i + 1] - shift;
    const t = (values[i] - g) * sine + 2 * cosine * b;
    shift = sine * t;
    values[i + 1] = g + shift;
    g = cosine * t - b;
    rotations.sines[i] = sine;
    rotations.cosines[i] = cosine;
  }
  values[start] -= shift;
  coupling[start] = g;
  coupling[end] = 0;
  return start;
}

/** Entries are scaled to at most 1, so only underflow of both squares must be caught; `Math.hypot` is ten times slower. */
function hypotenuse(a: number, b: number): number {
  const squared = a * a + b * b;
  return squared > 1e-280 && squared < Infinity ? Math.sqrt(squared) : Math.hypot(a, b);
}

/** Applies rotations end-1 ... top to columns. Four rows at once, because each row is one chain of dependent operations. */
function rotateColumns(rows: Float64Array, n: number, { sines, cosines }: Rotations, top: number, end: number): void {
  const count = rows.length / n;
  let row = 0;
  for (; row + 4 <= count; row += 4) {
    const a = row * n;
    const b = a + n;
    const c = b + n;
    const d = c + n;
    let ya = rows[a + end];
    let yb = rows[b + end];
    let yc = rows[c + end];
    let yd = rows[d + end];
    for (let i = end - 1; i >= top; i--) {
      const sine = sines[i];
      const cosine = cosines[i];
      const xa = rows[a + i];
      const xb = rows[b + i];
      const xc = rows[c + i];
      const xd = rows[d + i];
      rows[a + i + 1] = sine * xa + cosine * ya;
      rows[b + i + 1] = sine * xb + cosine * yb;
      rows[c + i + 1] = sine * xc + cosine * yc;
      rows[d + i + 1] = sine * xd + cosine * yd;
      ya = cosine * xa - sine * ya;
      yb = cosine * xb - sine * yb;
      yc = cosine * xc - sine * yc;
      yd = cosine * xd - sine * yd;
    }
    rows[a + top] = ya;
    rows[b + top] = yb;
    rows[c + top] = yc;
    rows[d + top] = yd;
  }
  for (; row < count; row++) {
    const a = row * n;
    let y = rows[a + end];
    for (let i = end - 1; i >= top; i--) {
      const x = rows[a + i];
      rows[a + i + 1] = sines[i] * x + cosines[i] * y;
      y = cosines[i] * x - sines[i] * y;
    }
    rows[a + top] = y;
  }
}

function sortAscending(values: Float64Array, rows: Float64Array): void {
  const n = values.length;
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b] || a - b);
  values.sort();
  const sorted = new Float64Array(n);
  for (let offset = 0; offset < rows.length; offset += n) {
    for (let i = 0; i < n; i++) sorted[i] = rows[offset + order[i]];
    rows.set(sorted, offset);
  }
}
