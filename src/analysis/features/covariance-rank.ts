/** Effective rank and spectral decay of the covariance of weighted features. @module */
import { symmetricEigenvalues } from '../../linalg/index.ts';
import { ArgumentError, NonFiniteError } from '../../util/errors.ts';
import type { FeatureMatrix } from '../similarity.ts';

/** How the variance of features is spread over directions. */
export interface CovarianceRank {
  /** exp(-sum_j p_j ln p_j) of the eigenvalues' shares p_j, between 1 and the number of features; NaN without variance. */
  readonly effectiveRank: number;
  /** alpha of eigenvalues ~ j^-alpha: large where few directions carry the variance. NaN with fewer than two eigenvalues above the floor. */
  readonly decay: number;
  /** Of the covariance, descending, none negative. */
  readonly eigenvalues: Float64Array;
}

/** Shares of less count as none in the entropy. */
const SMALLEST_SHARE = 1e-12;
/** Eigenvalues below this part of the largest are left out of the fit. */
const FLOOR = 1e-10;

/**
 * C = sum_i q_i (h_i - m)(h_i - m)^T, m = sum_i q_i h_i, of features h_i (rows) with weights q_i >= 0, which are divided by their sum; default: equal ones.
 * Its effective rank is RankMe's entropy (Roy and Vetterli 2007; Garrido et al. 2023) over eigenvalues, where `featureRank` takes singular values of features
 * that are not centred; its decay the slope of alpha-ReQ (Agrawal et al. 2022), least squares of ln eigenvalue on ln rank over all ranks.
 * @throws ArgumentError when weights are negative, all zero, or not one an example; NonFiniteError.
 */
export function covarianceRank({ examples, features, values }: FeatureMatrix, weights: ArrayLike<number> = new Float64Array(examples).fill(1)): CovarianceRank {
  const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'covarianceRank', required, received }); };
  if (values.length !== examples * features) refuse(`values must hold ${examples} rows of ${features}`, String(values.length));
  if (weights.length !== examples) refuse(`weights must be one an example, ${examples}`, String(weights.length));
  const total = Array.from(weights).reduce((a, b) => a + b, 0);
  if (!(total > 0) || Array.from(weights).some((weight) => !(weight >= 0))) refuse('weights must be at least 0, and not all 0', `a sum of ${total}`);
  const mean = new Float64Array(features);
  for (let i = 0; i < examples; i++) for (let j = 0; j < features; j++) mean[j] += (weights[i] / total) * values[i * features + j];
  if (!mean.every(Number.isFinite)) throw new NonFiniteError({ operation: 'covarianceRank', required: 'features must be finite', received: 'a mean that is not' });
  const covariance = new Float64Array(features ** 2);
  const row = new Float64Array(features);
  for (let i = 0; i < examples; i++) {
    for (let j = 0; j < features; j++) row[j] = values[i * features + j] - mean[j];
    for (let j = 0; j < features; j++) for (let k = 0; k <= j; k++) covariance[j * features + k] += (weights[i] / total) * row[j] * row[k];
  }
  const eigenvalues = symmetricEigenvalues(covariance, features, { overwrite: true }).map((x) => Math.max(0, x)).reverse();
  const trace = eigenvalues.reduce((a, b) => a + b, 0);
  const entropy = eigenvalues.reduce((sum, x) => (x / trace < SMALLEST_SHARE ? sum : sum - (x / trace) * Math.log(x / trace)), 0);
  return { effectiveRank: Math.exp(entropy), decay: decayOf(eigenvalues), eigenvalues };
}

function decayOf(eigenvalues: Float64Array): number {
  const points = Array.from(eigenvalues, (x, j) => ({ x: Math.log(j + 1), y: Math.log(x) })).filter((_, j) => eigenvalues[j] > FLOOR * eigenvalues[0]);
  if (points.length < 2) return NaN;
  const mean = (of: (point: { x: number; y: number }) => number): number => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  return -mean((point) => (point.x - x) * (point.y - y)) / mean((point) => (point.x - x) ** 2);
}
