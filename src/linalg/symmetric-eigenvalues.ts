/** Eigenvalues alone of dense symmetric matrices: a third of the work of `symmetricEigen`, and no second matrix. @module */
import { powerOfTwoScale, requireMatrix } from './checks.ts';
import { reflector } from './symmetric-eigen.ts';
import { solveTridiagonal } from './tridiagonal-eigen.ts';

export interface EigenvaluesOptions {
  /** Whether the matrix may serve as work space. Default false. */
  readonly overwrite?: boolean;
}

/**
 * All eigenvalues, ascending, of the symmetric matrix [n, n] whose lower triangle is given (the upper one is not read):
 * Householder reduction to tridiagonal form, then implicit QL without vectors. Each value is within a few n units of rounding
 * of the largest magnitude; 4/3 n^3 operations.
 *
 * Each reflection changes the whole trailing matrix, and the next one needs a product with it. Both are done in one pass over
 * memory: the update that is pending from the step before is applied to an entry when the product reads it.
 * @throws ShapeError when not square; NonFiniteError.
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number, options: EigenvaluesOptions = {}): Float64Array {
  const reduction = new Reduction('symmetricEigenvalues', matrix, n, options);
  while (reduction.step()) continue;
  return reduction.eigenvalues();
}

/**
 * The same with a pause every so often, since 4096 rows take half a minute: `pause` is awaited after each 10^8 operations, with the
 * fraction done, and ends the work by throwing.
 */
export async function symmetricEigenvaluesPausing(matrix: Float64Array, n: number, pause: (fraction: number) => Promise<void>, options: EigenvaluesOptions = {}): Promise<Float64Array> {
  const reduction = new Reduction('symmetricEigenvaluesPausing', matrix, n, options);
  let operations = 0;
  for (let k = 0; reduction.step(); k++) {
    operations += 4 * (n - k) ** 2;
    if (operations < BETWEEN_PAUSES) continue;
    operations = 0;
    await pause(1 - ((n - k) / n) ** 3);
  }
  return reduction.eigenvalues();
}

const BETWEEN_PAUSES = 1e8;

/** The reduction Q^T A Q to tridiagonal form, column by column. */
class Reduction {
  readonly #operation: string;
  readonly #work: Float64Array;
  readonly #n: number;
  readonly #scale: number;
  readonly #diagonal: Float64Array;
  readonly #offDiagonal: Float64Array;
  // The pending update: A - v w^T - w v^T, zero at first.
  #v: Float64Array;
  readonly #w: Float64Array;
  readonly #y: Float64Array;
  #k = 0;

  constructor(operation: string, matrix: Float64Array, n: number, { overwrite = false }: EigenvaluesOptions) {
    requireMatrix(operation, matrix, n, n);
    this.#operation = operation;
    this.#n = n;
    this.#scale = powerOfTwoScale(matrix);
    this.#work = overwrite ? matrix : matrix.slice();
    if (this.#scale !== 1) for (let i = 0; i < this.#work.length; i++) this.#work[i] *= this.#scale;
    this.#diagonal = new Float64Array(n);
    this.#offDiagonal = new Float64Array(Math.max(0, n - 1));
    this.#v = new Float64Array(n);
    this.#w = new Float64Array(n);
    this.#y = new Float64Array(n);
  }

  /** Reduces one more column; false when none is left. */
  step(): boolean {
    const n = this.#n;
    const k = this.#k++;
    if (k >= n) return false;
    const work = this.#work;
    const v = this.#v;
    const w = this.#w;
    const y = this.#y;
    // Column k alone is brought up to date, to find the next reflection.
    this.#diagonal[k] = work[k * n + k] - 2 * v[k] * w[k];
    if (k + 1 === n) return false;
    const next = new Float64Array(n);
    for (let i = k + 1; i < n; i++) next[i] = work[i * n + k] - v[i] * w[k] - w[i] * v[k];
    const { beta, alpha } = reflector(next, k + 1);
    this.#offDiagonal[k] = alpha;
    if (beta === 0) next.fill(0);
    y.fill(0);
    updateAndMultiply(work, n, k + 1, v, w, next, y);
    let inner = 0;
    for (let i = k + 1; i < n; i++) inner += next[i] * y[i];
    for (let i = k + 1; i < n; i++) w[i] = beta * (y[i] - 0.5 * beta * inner * next[i]);
    this.#v = next;
    return true;
  }

  eigenvalues(): Float64Array {
    return solveTridiagonal(this.#operation, this.#diagonal, this.#offDiagonal, new Float64Array(0)).map((x) => x / this.#scale);
  }
}

/**
 * A <- A - v w^T - w v^T and y = A u for the lower triangle from `start` on, in one pass. Four rows at once, so that the
 * vectors are read once for four entries.
 */
function updateAndMultiply(work: Float64Array, n: number, start: number, v: Float64Array, w: Float64Array, u: Float64Array, y: Float64Array): void {
  let i = start;
  for (; i + 4 <= n; i += 4) {
    const a = i * n;
    const b = a + n;
    const c = b + n;
    const d = c + n;
    const va = v[i], vb = v[i + 1], vc = v[i + 2], vd = v[i + 3];
    const wa = w[i], wb = w[i + 1], wc = w[i + 2], wd = w[i + 3];
    const ua = u[i], ub = u[i + 1], uc = u[i + 2], ud = u[i + 3];
    let ya = 0, yb = 0, yc = 0, yd = 0;
    for (let j = start; j < i; j++) {
      const vj = v[j];
      const wj = w[j];
      const uj = u[j];
      const xa = work[a + j] - va * wj - wa * vj;
      const xb = work[b + j] - vb * wj - wb * vj;
      const xc = work[c + j] - vc * wj - wc * vj;
      const xd = work[d + j] - vd * wj - wd * vj;
      work[a + j] = xa;
      work[b + j] = xb;
      work[c + j] = xc;
      work[d + j] = xd;
      ya += xa * uj;
      yb += xb * uj;
      yc += xc * uj;
      yd += xd * uj;
      y[j] += xa * ua + xb * ub + (xc * uc + xd * ud);
    }
    y[i] += ya;
    y[i + 1] += yb;
    y[i + 2] += yc;
    y[i + 3] += yd;
    for (let row = i; row < i + 4; row++) updateRow(work, n, i, row, v, w, u, y);
  }
  for (const from = i; i < n; i++) {
    let sum = 0;
    for (let j = start; j < from; j++) {
      const x = work[i * n + j] - v[i] * w[j] - w[i] * v[j];
      work[i * n + j] = x;
      sum += x * u[j];
      y[j] += x * u[i];
    }
    y[i] += sum;
    updateRow(work, n, from, i, v, w, u, y);
  }
}

/** The entries of one row from column `from` to the diagonal. */
function updateRow(work: Float64Array, n: number, from: number, row: number, v: Float64Array, w: Float64Array, u: Float64Array, y: Float64Array): void {
  for (let j = from; j <= row; j++) {
    const x = work[row * n + j] - v[row] * w[j] - w[row] * v[j];
    work[row * n + j] = x;
    y[row] += x * u[j];
    if (j !== row) y[j] += x * u[row];
  }
}
