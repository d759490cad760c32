/** Whether an estimator converges to the truth. @module */
import { ArgumentError } from '../util/errors.ts';
import { CheckError } from './check-error.ts';

export interface ConvergenceOptions {
  /** Most estimates that may be drawn. */
  readonly budget: number;
  /** Relative error of the mean (in the Euclidean norm) that counts as converged. Default 0.01. */
  readonly tolerance?: number;
  /** Estimates drawn before the first look; later looks are at twice as many each, so that a lucky crossing is unlikely. Default 16. */
  readonly first?: number;
}

/** How an estimator converged; `relativeError` is that of the mean, in the Euclidean norm. */
export interface Convergence {
  /** Mean of the estimates drawn. */
  readonly mean: Float64Array;
  readonly relativeError: number;
  /** Estimates drawn. */
  readonly draws: number;
}

const toVector = (value: number | ArrayLike<number>): ArrayLike<number> => (typeof value === 'number' ? [value] : value);

/**
 * Averages `estimator(0)`, `estimator(1)`, ... (each from randomness of its own) until the mean is within `tolerance` of
 * the truth, relative to the truth's norm (absolute when the truth is zero).
 * @throws CheckError when the budget is spent before.
 */
export async function checkConvergence(estimator: (index: number) => number | ArrayLike<number> | Promise<number | ArrayLike<number>>, truth: number | ArrayLike<number>, { budget, tolerance = 0.01, first = 16 }: ConvergenceOptions): Promise<Convergence> {
  if (!Number.isInteger(budget) || budget < 1) throw new ArgumentError({ operation: 'checkConvergence', required: 'budget must be a positive integer', received: String(budget) });
  const expected = toVector(truth);
  const sum = new Float64Array(expected.length);
  let relativeError = Infinity;
  let look = Math.min(first, budget);
  for (let draws = 1; draws <= budget; draws++) {
    const estimate = toVector(await estimator(draws - 1));
    if (estimate.length !== sum.length) throw new ArgumentError({ operation: 'checkConvergence', required: `estimates must have the truth's ${sum.length} elements`, received: String(estimate.length) });
    for (let i = 0; i < sum.length; i++) sum[i] += estimate[i];
    if (draws !== look) continue;
    const mean = sum.map((x) => x / draws);
    relativeError = distance(mean, expected) / (distance(expected) || 1);
    if (relativeError < tolerance) return { mean, relativeError, draws };
    look = Math.min(2 * look, budget);
  }
  throw new CheckError({ operation: 'checkConvergence', required: `the mean of ${budget} estimates must have a relative error below ${tolerance}`, received: `${relativeError}` });
}

function distance(a: ArrayLike<number>, b?: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i] - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(squares);
}
