/** XTrace and XDiag: every random vector serves the range and, left out of it, the rest. @module */
import { estimated, type Cost, type Measurement } from '../problem/index.ts';
import { requireInteger } from '../util/require.ts';
import { addCombination, addScaled, dot, norm, orthogonalise, projections, scaleBy } from './basis.ts';
import type { DiagonalEstimate } from './diagonal-estimate.ts';
import { meter, probeVector, type EstimatorOptions } from './estimator.ts';
import type { LinearOperator } from './operator.ts';
import { orthonormalRange } from './trace.ts';

/** Effort of XTrace and XDiag. */
export interface ExchangeableOptions extends EstimatorOptions {
  /** Products in all: even, below the operator's size. Half of them with random signs. Default 32, fewer for small operators. */
  readonly products?: number;
}

/** A trace by XTrace. */
export interface XTraceEstimate extends Measurement {
  /** The paper's error estimate: the standard error of the estimates that leave one vector out, as though they were independent. Mostly too small. */
  readonly plainError: number;
  readonly cost: Cost;
}

/** Random signs w_i, an orthonormal basis Q of the span of the A w_i = Q r_i, and what of it only w_i found. */
interface Exchangeable {
  readonly signs: readonly Float64Array[];
  readonly range: readonly Float64Array[];
  /** r_i */
  readonly coordinates: readonly Float64Array[];
  /** s_i: unit vector of coordinates in Q, orthogonal to every r_j of j != i; zero where the others span Q without w_i. */
  readonly left: readonly Float64Array[];
}

const DEPENDENT = 1e-10;

async function exchangeable(operation: string, operator: LinearOperator, options: ExchangeableOptions): Promise<Exchangeable> {
  const most = operator.size % 2 === 0 ? operator.size - 2 : operator.size - 1;
  const products = requireInteger(operation, 'products', options.products ?? Math.max(2, Math.min(32, most)), 2, Math.max(2, most));
  const count = requireInteger(operation, 'products / 2', products / 2, 1);
  options.signal?.throwIfAborted();
  const signs = Array.from({ length: count }, (_, i) => probeVector(options, i, operator.size));
  const images = await operator.multiply(signs);
  options.onProgress?.({ done: count, total: products, unit: 'products' });
  options.signal?.throwIfAborted();
  const { range, coordinates } = orthonormalRange(images);
  const left = coordinates.map((own, i) => {
    const others = orthonormalRange(coordinates.filter((_, j) => j !== i).map((vector) => vector.slice())).range;
    const rest = own.slice();
    const { norm: length } = orthogonalise(others, rest);
    if (length <= DEPENDENT * norm(own)) return new Float64Array(own.length);
    scaleBy(rest, 1 / length);
    return rest;
  });
  return { signs, range, coordinates, left };
}

/** Orthonormal coordinates of what the basis loses without some of the vectors: the span of their s_i. */
const lost = (left: readonly Float64Array[], without: readonly number[]): Float64Array[] =>
  orthonormalRange(without.map((i) => left[i].slice()).filter((s) => s.some((x) => x !== 0))).range;

/**
 * The variance of a mean of estimates t_i, each of which leaves w_i out of the basis and has the true mean whatever the others are. In
 * the decomposition of Hoeffding, what depends on m vectors jointly enters the estimates' spread over their number with 1 / m
 * of its part in the mean's variance (the t_i share it), and the jackknife's variance over vectors with m times its part (Efron
 * and Stein 1981). The geometric mean of the two is right when one m prevails, and too large (Cauchy and Schwarz) for a mixture.
 */
const exchangeableError = (spread: number, jackknife: number): number => Math.sqrt(spread * jackknife);

/**
 * The trace by XTrace (Epperly, Tropp, Webber 2024): Hutch++ with one random vector for the rest, averaged over which of the
 * vectors that is; the others find the range. Unbiased. The standard error joins the paper's (`plainError`) with the jackknife's
 * over vectors, from the same products: see `docs/measurements/traces.md`. Holds `products` vectors.
 * Cost: `products` products (fewer when the rank is smaller).
 *
 * @throws ArgumentError when `products` is odd, or not below the size; the signal's reason when it comes before the end.
 */
export async function xTrace(operator: LinearOperator, options: ExchangeableOptions = {}): Promise<XTraceEstimate> {
  const measure = meter(operator);
  const { signs, range, coordinates, left } = await exchangeable('xTrace', operator, options);
  // H = Q'AQ by columns; T[a][i] = (A q_a)' w_i
  const columns: Float64Array[] = [];
  const images: Float64Array[] = [];
  for (let at = 0; at < range.length; at += operator.block) {
    for (const image of await operator.multiply(range.slice(at, at + operator.block))) {
      columns.push(projections(range, image));
      images.push(projections(signs, image));
    }
  }
  const whole = columns.reduce((sum, column, i) => sum + column[i], 0);
  const form = (x: Float64Array): number => columns.reduce((sum, column, b) => sum + x[b] * dot(x, column), 0);
  const found = signs.map((sign) => projections(range, sign));
  // tr(Q_o'AQ_o) + w_i'(I - Q_oQ_o') A (I - Q_oQ_o') w_i with the basis of the others o, where A w_i = Q r_i
  const estimate = (i: number, missing: readonly Float64Array[]): number => {
    const x = found[i].slice();
    let total = whole;
    for (const s of missing) {
      const along = dot(s, found[i]);
      addScaled(x, -along, s);
      total += along * dot(s, coordinates[i]) - form(s);
    }
    return total - images.reduce((sum, row, a) => sum + x[a] * row[i], 0) + form(x);
  };
  const k = signs.length;
  const plain = estimated(signs.map((_, i) => estimate(i, lost(left, [i]))));
  const sums = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    for (let l = 0; l < i; l++) {
      const missing = lost(left, [i, l]);
      sums[l] += estimate(i, missing);
      sums[i] += estimate(l, missing);
    }
  }
  const without = estimated(sums.map((sum) => sum / (k - 1)));
  return { ...plain, error: exchangeableError(plain.error, (k - 1) * without.error), plainError: plain.error, cost: measure() };
}

/**
 * The diagonal by XDiag (Epperly, Tropp, Webber 2024): the diagonal of what a basis of the range holds, and Bekas' estimate of the
 * rest by the vector that was left out of the basis, averaged over which. Standard errors as of `xTrace`, entry by entry. Holds
 * 5/2 times `products` vectors; a non-symmetric operator is multiplied transposed. Cost: `products` products (fewer when the
 * rank is smaller).
 *
 * @throws ArgumentError when `products` is odd, or not below the size; the signal's reason when it comes before the end.
 */
export async function xDiag(operator: LinearOperator, options: ExchangeableOptions = {}): Promise<DiagonalEstimate> {
  const measure = meter(operator);
  const { signs, range, coordinates, left } = await exchangeable('xDiag', operator, options);
  const images = await operator.multiplyTransposed(range);
  const whole = new Float64Array(operator.size);
  range.forEach((q, a) => { for (let j = 0; j < whole.length; j++) whole[j] += q[j] * images[a][j]; });
  const parts: LostParts = {
    signs, whole, directions: combine(range, left, operator.size), images: combine(images, left, operator.size),
    along: left.map((s, i) => dot(s, coordinates[i])), common: left.map((s) => left.map((other) => dot(s, other))),
  };
  return { ...averaged(parts), stopped: 'converged', cost: measure() };
}

const combine = (basis: readonly Float64Array[], left: readonly Float64Array[], size: number): Float64Array[] => left.map((s) => {
  const out = new Float64Array(size);
  addCombination(out, s, basis);
  return out;
});

/** What the estimates of XDiag are made of: diag(QQ'A), Q s_i, A'Q s_i, s_i'r_i and s_i's_l. */
interface LostParts {
  readonly signs: readonly Float64Array[];
  readonly whole: Float64Array;
  readonly directions: readonly Float64Array[];
  readonly images: readonly Float64Array[];
  readonly along: readonly number[];
  readonly common: readonly (readonly number[])[];
}

/** Nearly parallel s_i and s_l count as one. */
const PARALLEL = 1 - 1e-12;

/** Means of diag(Q_oQ_o'A) + w_i o (I - Q_oQ_o')A w_i over i, with errors from them and from leaving one more vector out. */
function averaged({ signs, whole, directions, images, along, common }: LostParts): Pick<DiagonalEstimate, 'values' | 'standardErrors' | 'samples' | 'trace'> {
  const k = signs.length;
  const values = new Float64Array(whole.length);
  const standardErrors = new Float64Array(whole.length);
  const [plainSums, leftOutSums] = [new Float64Array(k), new Float64Array(k)];
  const [plain, leftOut, u, b, w] = [0, 1, 2, 3, 4].map(() => new Float64Array(k));
  for (let j = 0; j < whole.length; j++) {
    for (let i = 0; i < k; i++) {
      u[i] = directions[i][j];
      b[i] = images[i][j];
      w[i] = signs[i][j];
      plain[i] = whole[j] + u[i] * (w[i] * along[i] - b[i]);
      leftOut[i] = 0;
    }
    for (let i = 0; i < k; i++) {
      for (let l = 0; l < k; l++) {
        if (l === i) continue;
        // The projection on the span of s_i and s_l; s_l is orthogonal to r_i.
        const g = common[i][l];
        const scale = Math.abs(g) > PARALLEL ? 0 : 1 / (1 - g * g);
        leftOut[l] += scale === 0 ? plain[i] - whole[j]
          : scale * (w[i] * along[i] * (u[i] - g * u[l]) - u[i] * b[i] - u[l] * b[l] + g * (u[i] * b[l] + u[l] * b[i]));
      }
    }
    for (let i = 0; i < k; i++) {
      leftOut[i] = whole[j] + leftOut[i] / (k - 1);
      plainSums[i] += plain[i];
      leftOutSums[i] += leftOut[i];
    }
    const mean = estimated(plain);
    values[j] = mean.value;
    standardErrors[j] = exchangeableError(mean.error, (k - 1) * estimated(leftOut).error);
  }
  const trace = estimated(plainSums);
  return { values, standardErrors, samples: k, trace: { ...trace, error: exchangeableError(trace.error, (k - 1) * estimated(leftOutSums).error) } };
}
