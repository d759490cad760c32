/** Where a step of an optimizer lands in the local quadratic along it. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { subset, type Split } from '../data/index.ts';
import { matmul, stack, sum, transpose } from '../ops/index.ts';
import { norm } from '../curvature/basis.ts';
import { solve } from '../linalg/index.ts';
import { chunkedSum, examplesOf, losses, ParameterSpace, pointOf, type ChunkOptions, type Cost, type Examples, type Measurement, type ParameterFilter, type Point, type PointTensors, type Problem } from '../problem/index.ts';
import { jvp } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';

/** Loss and slope along the step at both of its ends, with the variance of each over the examples. */
export interface StepObservations {
  /** Length of the step. */
  readonly length: number;
  /** Mean losses at the start and at the end. */
  readonly losses: readonly [number, number];
  /** Mean slopes along the unit vector of the step, at the start and at the end. */
  readonly slopes: readonly [number, number];
  /** Variance of one example's loss at each end; zeros count as 1e-10. Default: all equal to 1. */
  readonly lossVariances?: readonly [number, number];
  readonly slopeVariances?: readonly [number, number];
  /** Covariance of one example's (loss, loss, slope, slope), [4, 4]: what the error is made of. Default: diagonal. */
  readonly covariance?: ArrayLike<number>;
  /** Examples that the means are over: their covariance is divided by it for the error. Default 1. */
  readonly examples?: number;
}

const LEAST_VARIANCE = 1e-10;

/**
 * alpha of a step of length t (Mutschler, Zell 2020; Cockpit: Schneider, Dangel, Hennig 2021): a quadratic c + b s + a s^2 is fitted to
 * the losses and slopes at both ends by least squares weighted with their precisions; alpha = 2 t / (-b / a) - 1. 0: the step ends
 * at the minimum of the parabola; 1: on the other side, at the height of the start; below 0: short of it; -1 where the parabola
 * is concave. The standard error propagates the covariance of the four means through the fit to first order, the weights held;
 * it is 0 where -1 stands for concave.
 *
 * @throws ArgumentError when the length is not positive or a variance is negative.
 */
export function stepAlpha(observations: StepObservations): Measurement {
  const { length: t, losses: values, slopes, lossVariances = [1, 1], slopeVariances = [1, 1], examples = 1 } = observations;
  requireNumber('stepAlpha', 'length', t, Number.MIN_VALUE);
  const variances = [...lossVariances, ...slopeVariances].map((variance) => requireNumber('stepAlpha', 'variances', variance, 0) || LEAST_VARIANCE);
  const seen = [...values, ...slopes].map((value) => requireNumber('stepAlpha', 'losses and slopes', value));
  // In units of the step the matrix is well conditioned for any length: s = t x, slopes times t.
  const scale = [1, 1, t, t];
  const rows = [[1, 0, 0], [1, 1, 1], [0, 1, 0], [0, 1, 2]];
  const weights = variances.map((variance, i) => 1 / (variance * scale[i] ** 2));
  const normal = new Float64Array(9);
  rows.forEach((row, i) => row.forEach((x, j) => row.forEach((y, k) => { normal[3 * j + k] += weights[i] * x * y; })));
  const fit = (data: readonly number[]): Float64Array => solve(normal, 3, Float64Array.from({ length: 3 }, (_, j) => rows.reduce((total, row, i) => total + row[j] * weights[i] * data[i] * scale[i], 0)));
  const [, b, a] = fit(seen);
  const cost = { kind: 'standard error' as const, samples: examples };
  if (a < 0) return { value: -1, error: 0, ...cost };
  // alpha = -2 a / b - 1: its derivatives with respect to the observations, in which b and a are linear.
  const derivative = seen.map((_, i) => {
    const [, db, da] = fit(seen.map((__, k) => (k === i ? 1 : 0)));
    return (-2 * da) / b + (2 * a * db) / b ** 2;
  });
  const covariance = (i: number, k: number): number => (observations.covariance !== undefined ? observations.covariance[4 * i + k] : i === k ? variances[i] : 0);
  const variance = derivative.reduce((total, x, i) => derivative.reduce((sum, y, k) => sum + x * y * covariance(i, k), total), 0);
  const error = Math.sqrt(Math.max(0, variance) / examples);
  return { value: (-2 * a) / b - 1, error, ...cost };
}

/** Options of `measureStepAlpha`. */
export interface StepAlphaOptions extends ChunkOptions {
  /** The step within these parameters only. Default: all. */
  readonly parameters?: ParameterFilter;
  /** The examples; default: the problem's training split. The optimizer's batch gives Cockpit's number. */
  readonly data?: Split;
  /** The first so many examples of the split; default all. */
  readonly samples?: number;
}

/** alpha of a step with what it was computed from. */
export interface StepAlpha extends Measurement {
  readonly observations: Required<StepObservations>;
  readonly cost: Cost;
}

/** Sums over the examples of what is observed and of its products: [4] and [4, 4]. */
interface Observed<A = Tensor> { readonly sums: A; readonly products: A }

/**
 * alpha of the step from one point to another on a problem's examples: losses and slopes of all examples at both ends, by tangents
 * along the step, so that no gradient is held. Cost: two tangent passes over the data. The state is that of the first point.
 * @throws ArgumentError when the points are the same.
 */
export async function measureStepAlpha<P, State>(problem: Problem<P, State>, from: Point<P, State>, to: Point<P, State>, options: StepAlphaOptions = {}): Promise<StepAlpha> {
  const started = performance.now();
  const { parameters, data = problem.train, samples = data.size, executor, chunk, memoryBudget } = options;
  const space = new ParameterSpace(from.params, parameters);
  const split = subset(data, samples);
  const [start, end] = [space.flatten(), space.flatten(to.params)];
  const step = end.map((x, i) => x - start[i]);
  const length = norm(step);
  if (length === 0) throw new ArgumentError({ operation: 'measureStepAlpha', required: 'the points must differ', received: 'a step of length 0' });
  const unit = space.split([step.map((x) => x / length)], false);
  const total = chunkedSum<PointTensors<P, State>, Examples, [Tensor[], Tensor[], Tensor[]], Observed>((fixed, batch, first, last, direction) => {
    const along = (chosen: Tensor[]): [Tensor, Tensor] => jvp((leaves: Tensor[]) => losses(problem, space.replace(fixed.params, leaves) as P, fixed.state, batch), [chosen], [direction] as [Tensor[]]);
    const [[lossBefore, slopeBefore], [lossAfter, slopeAfter]] = [along(first), along(last)];
    const seen = stack([lossBefore, lossAfter, slopeBefore, slopeAfter]);
    return { sums: sum(seen, 1), products: matmul(seen, transpose(seen)) };
  }, pointOf(from), examplesOf(split, space.dtype), { executor, chunk, memoryBudget, bind: false, name: `step of ${problem.name}` });
  try {
    const n = split.size;
    const { sums, products } = await total.evaluate(space.split([start], false), space.split([end], false), unit) as Observed<NDArray>;
    const mean = Float64Array.from(sums.data, (x) => x / n);
    const covariance = Float64Array.from(products.data, (x, at) => (n > 1 ? (x - n * mean[Math.floor(at / 4)] * mean[at % 4]) / (n - 1) : 0));
    const variance = (i: number): number => Math.max(0, covariance[5 * i]);
    const observations = {
      length, losses: [mean[0], mean[1]], slopes: [mean[2], mean[3]], lossVariances: [variance(0), variance(1)], slopeVariances: [variance(2), variance(3)], covariance, examples: n,
    } as const;
    const alpha = stepAlpha(observations);
    return { ...alpha, error: n > 1 ? alpha.error : NaN, observations, cost: { products: 0, seconds: (performance.now() - started) / 1000 } };
  } finally {
    await total.dispose();
  }
}
