/** Similarity of representations: centred kernel alignment (Kornblith et al. 2019, arXiv 1905.00414). @module */
import { dot } from '../linalg/vector.ts';
import type { Measurement } from '../problem/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { covarianceAlignments } from './similarity-covariance.ts';

/** A matrix with a row an example, [examples, features] row-major. */
export interface FeatureMatrix {
  readonly examples: number;
  readonly features: number;
  readonly values: Float64Array;
}

export interface AlignmentOptions {
  /**
   * `biased`: HSIC with centred Gram matrices, the usual linear CKA. `unbiased`: the estimator of Song et al. (2012), whose mean does
   * not depend on the number of examples; needed where features outnumber examples. Default `unbiased`.
   */
  readonly estimator?: 'biased' | 'unbiased';
  /** Blocks of examples left out one at a time for the standard error. Default 20, fewer below 40 examples. */
  readonly blocks?: number;
}

/**
 * Linear CKA of two representations of the same examples: HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) of K = X X', L = Y Y'. One for
 * representations equal up to rotation, scale and shift; about zero for unrelated ones. The error is the jackknife's over blocks of
 * examples (consecutive ones; shuffle ordered data). Time and memory are quadratic in the examples; of the biased estimator with fewer
 * features than examples, linear.
 *
 * @throws ShapeError when the numbers of examples differ; ArgumentError below 6 examples.
 */
export function linearAlignment(x: FeatureMatrix, y: FeatureMatrix, options: AlignmentOptions = {}): Measurement {
  const { estimator = 'unbiased' } = options;
  const n = requireExamples('linearAlignment', x, y);
  const blocks = requireInteger('linearAlignment', 'blocks', options.blocks ?? Math.min(20, Math.floor(n / 2)), 2, n);
  if (estimator === 'biased' && Math.max(x.features, y.features) < n) {
    const { all: value, left } = covarianceAlignments(x, y, blocks);
    return { value, error: jackknife(left), kind: 'standard error', samples: blocks };
  }
  const [k, l] = [gramMatrix(x), gramMatrix(y)];
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const value = alignmentOf(k, l, n, all, estimator);
  const left = Array.from({ length: blocks }, (_, b) => {
    const [from, to] = [Math.floor((b * n) / blocks), Math.floor(((b + 1) * n) / blocks)];
    return alignmentOf(k, l, n, all.filter((i) => i < from || i >= to), estimator);
  });
  return { value, error: jackknife(left), kind: 'standard error', samples: blocks };
}

/**
 * CKA from minibatches (Nguyen et al. 2021, arXiv 2010.15327): the means over batches of the unbiased HSIC(K, L), HSIC(K, K) and HSIC(L, L)
 * take the places of those over all examples. Memory is quadratic in the batch only; the error is the jackknife's over batches.
 *
 * @throws ArgumentError when a batch has fewer than 4 examples.
 */
export function minibatchAlignment(x: FeatureMatrix, y: FeatureMatrix, batchSize: number): Measurement {
  const n = requireExamples('minibatchAlignment', x, y);
  requireInteger('minibatchAlignment', 'batchSize', batchSize, 4, n);
  const batches = Math.floor(n / batchSize);
  const terms = Array.from({ length: batches }, (_, b) => {
    const rows = (matrix: FeatureMatrix): FeatureMatrix =>
      ({ examples: batchSize, features: matrix.features, values: matrix.values.subarray(b * batchSize * matrix.features, (b + 1) * batchSize * matrix.features) });
    const all = Int32Array.from({ length: batchSize }, (_, i) => i);
    const [k, l] = [gramMatrix(rows(x)), gramMatrix(rows(y))];
    return [unbiasedHsic(k, l, batchSize, all), unbiasedHsic(k, k, batchSize, all), unbiasedHsic(l, l, batchSize, all)];
  });
  const ratio = (used: readonly number[][]): number => {
    const [xy, xx, yy] = [0, 1, 2].map((i) => used.reduce((sum, term) => sum + term[i], 0));
    return xy / Math.sqrt(xx * yy);
  };
  const left = terms.map((_, b) => ratio(terms.filter((_, i) => i !== b)));
  return { value: ratio(terms), error: batches > 1 ? jackknife(left) : NaN, kind: 'standard error', samples: batches };
}

/**
 * HSIC1, the unbiased estimator of the Hilbert-Schmidt independence criterion of two Gram matrices [n, n] (Song et al. 2012,
 * equation 5), over the examples `used`; at least 4.
 */
export function unbiasedHsic(k: Float64Array, l: Float64Array, n: number, used: Int32Array): number {
  const m = used.length;
  let trace = 0;
  let [totalK, totalL, product] = [0, 0, 0];
  for (const i of used) {
    let [rowK, rowL] = [0, 0];
    for (const j of used) {
      if (i === j) continue;
      const a = k[i * n + j];
      const b = l[i * n + j];
      trace += a * b;
      rowK += a;
      rowL += b;
    }
    totalK += rowK;
    totalL += rowL;
    product += rowK * rowL;
  }
  return (trace + (totalK * totalL) / ((m - 1) * (m - 2)) - (2 / (m - 2)) * product) / (m * (m - 3));
}

/** tr(K H L H) / (m - 1)^2 with the centring matrix H, over the examples `used` (Gretton et al. 2005). */
export function biasedHsic(k: Float64Array, l: Float64Array, n: number, used: Int32Array): number {
  const m = used.length;
  const means = (gram: Float64Array): { rows: Float64Array; all: number } => {
    const rows = Float64Array.from(used, (i) => used.reduce((sum, j) => sum + gram[i * n + j], 0) / m);
    return { rows, all: rows.reduce((sum, row) => sum + row, 0) / m };
  };
  const [a, b] = [means(k), means(l)];
  let sum = 0;
  for (let p = 0; p < m; p++) {
    for (let q = 0; q < m; q++) {
      const at = used[p] * n + used[q];
      sum += (k[at] - a.rows[p] - a.rows[q] + a.all) * (l[at] - b.rows[p] - b.rows[q] + b.all);
    }
  }
  return sum / (m - 1) ** 2;
}

function alignmentOf(k: Float64Array, l: Float64Array, n: number, used: Int32Array, estimator: 'biased' | 'unbiased'): number {
  const hsic = estimator === 'biased' ? biasedHsic : unbiasedHsic;
  return hsic(k, l, n, used) / Math.sqrt(hsic(k, k, n, used) * hsic(l, l, n, used));
}

/** X X' of the centred features, which changes neither estimator and keeps digits where features share a large mean. [n, n] row-major. */
export function gramMatrix({ examples: n, features, values }: FeatureMatrix): Float64Array {
  const centred = Float64Array.from(values);
  for (let f = 0; f < features; f++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += values[i * features + f] / n;
    for (let i = 0; i < n; i++) centred[i * features + f] -= mean;
  }
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) gram[i * n + j] = gram[j * n + i] = dot(centred, i * features, centred, j * features, features);
  }
  return gram;
}

/** Standard error from the estimates with one block left out (Quenouille, Tukey). */
function jackknife(left: readonly number[]): number {
  const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
  return Math.sqrt(((left.length - 1) / left.length) * left.reduce((sum, value) => sum + (value - mean) ** 2, 0));
}

function requireExamples(operation: string, x: FeatureMatrix, y: FeatureMatrix): number {
  for (const { examples, features, values } of [x, y]) {
    if (values.length !== examples * features) throw new ShapeError({ operation, required: `values must hold examples * features = ${examples * features} numbers`, received: String(values.length) });
  }
  if (x.examples !== y.examples) throw new ShapeError({ operation, required: 'both representations must be of the same examples', received: `${x.examples} and ${y.examples} examples` });
  if (x.examples < 6) throw new ArgumentError({ operation, required: 'at least 6 examples', received: String(x.examples) });
  return x.examples;
}
