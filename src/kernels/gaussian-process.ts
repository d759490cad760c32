/** Kernel ridge regression, which is the mean of a Gaussian process, with its variance and evidence, by Cholesky. @module */
import { cholesky, solveCholesky } from '../linalg/index.ts';
import { ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { regularised, type KernelSet, type Posterior, type Regularisation } from './predictions.ts';

/** A posterior with the evidence of the training targets. */
export interface GaussianProcessPosterior extends Posterior {
  /** log p(targets), summed over outputs (Rasmussen and Williams 2006, 2.30). */
  readonly logMarginalLikelihood: number;
}

/**
 * Regression by a Gaussian process with a given kernel; its mean is that of kernel ridge regression with the same
 * regularisation (noise variance), K* (K + r I)^-1 y. `targets` is [n, outputs], row-major.
 * @throws ShapeError when sizes do not fit; ArgumentError when the regularised kernel is not positive definite.
 */
export function gaussianProcess({ train, testTrain, testTest }: KernelSet, targets: ArrayLike<number>, options: Regularisation & { readonly outputs?: number } = {}): GaussianProcessPosterior {
  const outputs = requireInteger('gaussianProcess', 'outputs', options.outputs ?? 1, 1);
  const n = targets.length / outputs;
  const m = testTrain.length / n;
  if (train.length !== n * n || !Number.isInteger(m) || testTest.length !== m * m) throw new ShapeError({ operation: 'gaussianProcess', required: `kernels must be [n, n], [m, n] and [m, m] with targets [n, ${outputs}]`, received: `${train.length}, ${testTrain.length} and ${testTest.length} entries, ${targets.length} targets` });
  const lower = cholesky(regularised(train, n, options), n);
  const y = Float64Array.from(targets);
  const weights = solveCholesky(lower, n, y, outputs);
  const crossed = new Float64Array(n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) crossed[i * m + j] = testTrain[j * n + i];
  const solved = solveCholesky(lower, n, crossed, m);
  const mean = new Float64Array(m * outputs);
  const covariance = testTest.slice();
  for (let j = 0; j < m; j++) {
    for (let i = 0; i < n; i++) {
      for (let o = 0; o < outputs; o++) mean[j * outputs + o] += testTrain[j * n + i] * weights[i * outputs + o];
      for (let k = 0; k < m; k++) covariance[j * m + k] -= testTrain[j * n + i] * solved[i * m + k];
    }
  }
  let evidence = -0.5 * n * outputs * Math.log(2 * Math.PI);
  for (let i = 0; i < y.length; i++) evidence -= 0.5 * y[i] * weights[i];
  for (let i = 0; i < n; i++) evidence -= outputs * Math.log(lower[i * n + i]);
  return { mean, covariance, variance: Float64Array.from({ length: m }, (_, i) => Math.max(0, covariance[i * m + i])), logMarginalLikelihood: evidence };
}
