/** Second moment and covariance of the examples' gradients. @module */
import type { Tensor } from '../core/tensor.ts';
import { sub } from '../ops/index.ts';
import { evaluateGradient, losses, type ChunkOptions, type Point, type Problem } from '../problem/index.ts';
import { subset } from '../data/index.ts';
import { jvp, vjp } from '../transforms/index.ts';
import { dot } from './basis.ts';
import { empiricalFisher } from './empirical-fisher.ts';
import { problemOperator, type CurvatureOptions, type ProblemOperator } from './problem-operator.ts';

/** Which moment of the gradients. */
export interface GradientCovarianceOptions extends CurvatureOptions {
  /** Whether the mean gradient is taken away from each. Default true. */
  readonly centred?: boolean;
}

/**
 * The covariance of the gradients of single examples, (1/N) sum_n (g_n - g)(g_n - g)' with g their mean, or with
 * `centred: false` their second moment (1/N) sum_n g_n g_n', which is the empirical Fisher matrix. Divided by N; times N / (N - 1)
 * it is the unbiased estimate for the distribution the examples come from. The mean gradient is computed once, at the first
 * product. What is taken away is taken from the slopes <g_n, v> before they are summed, so nothing cancels.
 *
 * @throws ArgumentError when no parameter or more samples than there are are chosen.
 */
export function gradientCovariance<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: GradientCovarianceOptions = {}): ProblemOperator {
  const { centred = true, ...others } = options;
  if (!centred) return empiricalFisher(problem, point, others);
  const { data = problem.train, samples = data.size, parameters, executor, memoryBudget, chunk } = others;
  const chunking: ChunkOptions = { ...(executor && { executor }), ...(memoryBudget !== undefined && { memoryBudget }), ...(chunk !== undefined && { chunk }) };
  let mean: Promise<Float64Array> | undefined;
  const meanGradient = (): Promise<Float64Array> =>
    (mean ??= evaluateGradient(problem, point, subset(data, samples), { ...chunking, ...(parameters !== undefined && { parameters }) }).then(({ gradient }) => gradient));
  return problemOperator('gradient covariance', problem, point, ({ state, batch, paramsAt }, chosen, vector, [meanSlope]) => {
    const each = (leaves: Tensor[]): Tensor => losses(problem, paramsAt(leaves), state, batch);
    const [, slopes] = jvp(each, [chosen], [vector] as [Tensor[]]) as unknown as [Tensor, Tensor];
    return vjp(each, chosen)[1](sub(slopes, meanSlope))[0];
  }, others, { companion: { shape: [], of: async (vector) => Float64Array.of(dot(await meanGradient(), vector)) } });
}
