/** The gradient, its norm, and how noisy it is: from the gradients of disjoint groups of examples. @module */
import type { Tensor } from '../core/tensor.ts';
import type { NDArray } from '../core/ndarray.ts';
import { subset, type Split } from '../data/index.ts';
import {
  chunkedSum, estimated, examplesOf, gradientSum, ParameterSpace, pointOf, rounded, type ChunkOptions, type Cost, type Examples, type Measurement,
  type ParameterFilter, type Point, type PointTensors, type Problem,
} from '../problem/index.ts';
import { requireInteger } from '../util/require.ts';
import { addScaled, dot, norm } from './basis.ts';
import type { EstimatorOptions } from './estimator.ts';

/** Which examples and parameters, in how many groups. */
export interface GradientNoiseOptions extends Pick<ChunkOptions, 'executor'>, Pick<EstimatorOptions, 'onProgress'> {
  /** The gradient of these parameters only. Default: all. */
  readonly parameters?: ParameterFilter;
  /** The examples; default: the problem's training split. */
  readonly data?: Split;
  /** The first so many examples of the split; default all. */
  readonly samples?: number;
  /** Groups of examples; default 100, fewer where their gradients would not fit in memory. Examples left over join the gradient only. */
  readonly groups?: number;
  /** Bytes for the groups' gradients. Default 256 MiB. */
  readonly memoryBudget?: number;
}

/** A gradient with the statistics of its noise. */
export interface GradientNoise {
  /** Mean loss over the examples. */
  readonly loss: number;
  /** Mean gradient over the examples, [space.size]. */
  readonly gradient: Float64Array;
  readonly space: ParameterSpace;
  /** Norm of that gradient: exact for these examples. */
  readonly norm: Measurement;
  /** |G|^2 of the distribution the examples come from: |mean|^2 less the noise in it; may be negative where noise prevails. */
  readonly squaredNorm: Measurement;
  /** Trace of the covariance of one example's gradient. */
  readonly covarianceTrace: Measurement;
  /** The simple noise scale tr(Sigma) / |G|^2, in examples; infinite with unknown error when |G|^2 is not above its noise. */
  readonly noiseScale: Measurement;
  /** Groups that the errors come from, and examples in each. */
  readonly groups: number;
  readonly groupSize: number;
  readonly cost: Cost;
}

/**
 * The gradient and its simple noise scale B = tr(Sigma) / |G|^2 (McCandlish, Kaplan, Amodei et al. 2018, equation 2.9): the batch
 * size at which noise and signal of a gradient are equal. Both parts are unbiased: with K groups of b examples and group
 * gradients g_k, tr(Sigma) = b / (K - 1) sum |g_k - mean|^2 and |G|^2 = |mean|^2 - tr(Sigma) / (K b). Errors are the jackknife's
 * over groups. Cost: one gradient over the examples.
 *
 * @throws ArgumentError when there are fewer than two groups of examples.
 */
export async function gradientNoise<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: GradientNoiseOptions = {}): Promise<GradientNoise> {
  const start = performance.now();
  const { data = problem.train, samples = data.size, executor, memoryBudget = 256 * 2 ** 20, onProgress } = options;
  const space = new ParameterSpace(point.params, options.parameters);
  const split = subset(data, samples);
  const affordable = Math.max(2, Math.floor(memoryBudget / (8 * space.size)));
  const groups = requireInteger('gradientNoise', 'groups', options.groups ?? Math.min(100, affordable, split.size), 2, split.size);
  const groupSize = Math.floor(split.size / groups);
  const total = chunkedSum<PointTensors<P, State>, Examples, [Tensor[]], [Tensor, Tensor[]]>(
    gradientSum(problem, space), pointOf(point), examplesOf(split, space.dtype), { ...(executor && { executor }), chunk: groupSize, bind: false, name: `gradient of ${problem.name}` },
  );
  const gradients: Float64Array[] = [];
  const sum = new Float64Array(space.size);
  let loss = 0;
  try {
    await total.each([space.pick<NDArray>(point.params)] as never, ([partLoss, part]) => {
      const flat = space.join(part);
      loss += partLoss.item() / split.size;
      addScaled(sum, 1 / split.size, flat);
      if (gradients.length < groups) gradients.push(flat.map((x) => x / groupSize));
      onProgress?.({ done: gradients.length, total: groups, unit: 'groups' });
    });
  } finally {
    await total.dispose();
  }
  const size = norm(sum);
  // Measured against float64 on an MLP: 2.5 units of roundoff of the groups' typical norm.
  const unit = space.dtype === 'float32' ? 2 ** -24 : 2 ** -53;
  const error = 8 * unit * Math.sqrt(gradients.reduce((squares, g) => squares + dot(g, g), 0) / groups);
  return {
    loss, gradient: sum, space, norm: rounded(size, error), ...noiseStatistics(gradients, groupSize), groups, groupSize,
    cost: { products: 0, seconds: (performance.now() - start) / 1000 },
  };
}

/** Statistics of the gradients of `gradients.length` groups of `groupSize` examples each. */
export function noiseStatistics(gradients: readonly Float64Array[], groupSize: number): Pick<GradientNoise, 'squaredNorm' | 'covarianceTrace' | 'noiseScale'> {
  const count = gradients.length;
  const mean = new Float64Array(gradients[0].length);
  for (const gradient of gradients) addScaled(mean, 1 / count, gradient);
  const squares = gradients.map((gradient) => dot(gradient, gradient));
  const along = gradients.map((gradient) => dot(gradient, mean));
  const sumOfSquares = squares.reduce((sum, x) => sum + x, 0);
  const meanSquare = dot(mean, mean);
  const parts = (k: number, total: number, square: number): [number, number] => {
    const trace = (groupSize / (k - 1)) * (total - k * square);
    return [trace, square - trace / (k * groupSize)];
  };
  const [trace, squaredNorm] = parts(count, sumOfSquares, meanSquare);
  // Leave one group out; inner products with the mean are all that is needed.
  const without = gradients.map((_, k) => {
    const square = (count * count * meanSquare - 2 * count * along[k] + squares[k]) / (count - 1) ** 2;
    return parts(count - 1, sumOfSquares - squares[k], square);
  });
  // The spread of the jackknife's replicates, as `jackknifed` has it, about the plain value: both parts are unbiased already.
  const jackknife = (value: number, replicates: readonly number[]): Measurement =>
    ({ value, error: count > 2 ? (count - 1) * estimated(replicates).error : NaN, kind: 'standard error', samples: count });
  const noiseScale = squaredNorm > 0 ? jackknife(trace / squaredNorm, without.map(([t, s]) => t / s)) : { value: Infinity, error: NaN, kind: 'standard error' as const, samples: count };
  return { covarianceTrace: jackknife(trace, without.map(([t]) => t)), squaredNorm: jackknife(squaredNorm, without.map(([, s]) => s)), noiseScale };
}
