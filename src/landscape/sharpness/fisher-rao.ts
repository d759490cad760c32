/** The Fisher-Rao norm of the parameters, by the Fisher product and by the identity of homogeneous networks. @module */
import { sizeOf, type NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { subset } from '../../data/index.ts';
import { mul, reshape, square, sub, sum } from '../../ops/index.ts';
import {
  chunkedSum, examplesOf, losses, meanOf, moments, ParameterSpace, pointOf, predict, rounded, type ChunkOptions, type Examples, type Measurement, type Moments, type Point,
  type PointTensors, type Problem,
} from '../../problem/index.ts';
import { grad, jvp } from '../../transforms/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { requireNumber } from '../../util/require.ts';
import type { Sharpness, SharpnessOptions } from './objective.ts';

/** Which Fisher matrix, over which examples. */
export interface FisherRaoOptions extends ChunkOptions, Pick<SharpnessOptions, 'data' | 'samples' | 'parameters'> {
  /**
   * `data`: the empirical Fisher matrix, of the losses at the given targets. `model`: labels drawn from the model's own
   * distribution, exactly: the Gauss-Newton matrix, which is the Fisher matrix for cross-entropy and other losses that are
   * negative log-likelihoods with natural parameters. Default `model`.
   */
  readonly labels?: 'data' | 'model';
}

type ExampleValues<P, State> = (context: { readonly problem: Problem<P, State>; readonly fixed: PointTensors<P, State>; readonly batch: Examples; readonly space: ParameterSpace; readonly chosen: Tensor[] }) => Tensor;

/** Mean over the examples of one number each, with its standard error. */
async function exampleMean<P, State>(name: string, problem: Problem<P, State>, point: Point<P, State>, options: FisherRaoOptions, each: ExampleValues<P, State>): Promise<Measurement> {
  const { parameters, data = problem.train, samples = data.size, executor, chunk, memoryBudget } = options;
  const space = new ParameterSpace(point.params, parameters);
  const split = subset(data, samples);
  const total = chunkedSum<PointTensors<P, State>, Examples, [], Moments>(
    (fixed, batch) => moments(each({ problem, fixed, batch, space, chosen: space.pick<Tensor>(fixed.params) })),
    pointOf(point), examplesOf(split, space.dtype), { executor, chunk, memoryBudget, bind: false, name });
  try {
    const { sum: first, squares } = await total.evaluate() as Moments<NDArray>;
    return meanOf({ sum: first.item(), squares: squares.item() }, split.size);
  } finally {
    await total.dispose();
  }
}

/** Sums over everything but the examples: [batch]. */
const perExample = (values: Tensor): Tensor => (values.rank === 1 ? values : sum(reshape(values, [values.shape[0], sizeOf(values.shape) / values.shape[0]]), 1));

const measured = (measurement: Measurement, measure: string, start: number, gradients: number): Sharpness =>
  ({ ...measurement, measure, rescaling: 'invariant', cost: { products: 0, seconds: (performance.now() - start) / 1000, losses: 0, gradients } });

/**
 * The squared Fisher-Rao norm w' F w (Liang, Poggio, Rakhlin, Stokes 2019, definition 2), the mean over examples of (w' grad l)^2 for
 * `data` and of (J w)' H_l (J w) for `model`: no Fisher matrix is formed. Invariant under rescaling of layers. The standard
 * error is that over the examples. Cost: one tangent pass over the data.
 */
export async function fisherRaoNorm<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: FisherRaoOptions = {}): Promise<Sharpness> {
  const { labels = 'model' } = options;
  if (labels !== 'data' && labels !== 'model') throw new ArgumentError({ operation: 'fisherRaoNorm', required: "labels must be 'data' or 'model'", received: `'${String(labels)}'` });
  const start = performance.now();
  const result = await exampleMean(`Fisher-Rao norm of ${problem.name}`, problem, point, options, ({ fixed, batch, space, chosen }) => {
    const at = (leaves: Tensor[]): P => space.replace(fixed.params, leaves) as P;
    if (labels === 'data') {
      const [, slopes] = jvp((leaves: Tensor[]) => losses(problem, at(leaves), fixed.state, batch), [chosen], [chosen] as [Tensor[]]);
      return square(slopes);
    }
    const [outputs, moved] = jvp((leaves: Tensor[]) => predict(problem, at(leaves), fixed.state, batch.inputs), [chosen], [chosen] as [Tensor[]]);
    const [, curved] = jvp(grad((out: Tensor) => sum(problem.loss(out, batch.targets))), [outputs], [moved]);
    return perExample(mul(moved, curved));
  });
  return measured(result, `Fisher-Rao norm squared (${labels === 'data' ? 'empirical Fisher' : 'Fisher'})`, start, 1);
}

/**
 * The squared Fisher-Rao norm of a network that is homogeneous in its parameters, by its gradient identity (Liang et al. 2019,
 * theorem 3.1): degree^2 E <dl/df, f>^2 with the empirical Fisher matrix, since w' grad_w l = degree <dl/df, f>. The degree is the number
 * of layers with weights for ReLU networks without biases; `homogeneity` measures it. Needs no derivative in the parameters.
 */
export async function fisherRaoIdentity<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: Omit<FisherRaoOptions, 'labels' | 'parameters'> & { readonly degree: number }): Promise<Sharpness> {
  const degree = requireNumber('fisherRaoIdentity', 'degree', options.degree, Number.MIN_VALUE);
  const start = performance.now();
  const result = await exampleMean(`Fisher-Rao identity of ${problem.name}`, problem, point, options, ({ fixed, batch }) => {
    const outputs = predict(problem, fixed.params, fixed.state, batch.inputs);
    const [, slopes] = jvp((out: Tensor) => problem.loss(out, batch.targets), [outputs], [outputs]);
    return mul(square(slopes), degree * degree);
  });
  return measured(result, 'Fisher-Rao norm squared (identity)', start, 1);
}

/** How nearly outputs are homogeneous in the parameters. */
export interface Homogeneity {
  /** d of the best fit J w = d f. */
  readonly degree: Measurement;
  /** |J w - d f| / |d f| over all examples: 0 for homogeneous networks; then the identity holds. */
  readonly residual: number;
}

/** Measures the degree of homogeneity of the outputs in the parameters, by Euler's identity J w = d f, least squares over the examples. */
export async function homogeneity<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: Omit<FisherRaoOptions, 'labels'> = {}): Promise<Homogeneity> {
  const pass = async (degree: number): Promise<{ along: number; size: number; rest: number }> => {
    const { parameters, data = problem.train, samples = data.size, executor, chunk, memoryBudget } = options;
    const space = new ParameterSpace(point.params, parameters);
    const total = chunkedSum<PointTensors<P, State>, Examples, [], { along: Tensor; size: Tensor; rest: Tensor }>((fixed, batch) => {
      const chosen = space.pick<Tensor>(fixed.params);
      const [outputs, moved] = jvp((leaves: Tensor[]) => predict(problem, space.replace(fixed.params, leaves) as P, fixed.state, batch.inputs), [chosen], [chosen] as [Tensor[]]);
      return { along: sum(mul(moved, outputs)), size: sum(square(outputs)), rest: sum(square(sub(moved, mul(outputs, degree)))) };
    }, pointOf(point), examplesOf(subset(data, samples), space.dtype), { executor, chunk, memoryBudget, bind: false, name: `homogeneity of ${problem.name}` });
    try {
      const { along, size, rest } = await total.evaluate() as { along: NDArray; size: NDArray; rest: NDArray };
      return { along: along.item(), size: size.item(), rest: rest.item() };
    } finally {
      await total.dispose();
    }
  };
  const { along, size } = await pass(0);
  const degree = along / size;
  // A second pass with the degree known: the difference of large sums would lose half the digits.
  const { rest } = await pass(degree);
  const unit = new ParameterSpace(point.params, options.parameters).dtype === 'float32' ? 2 ** -24 : 2 ** -53;
  return { degree: rounded(degree, 8 * unit * Math.abs(degree)), residual: Math.sqrt(rest / size) / Math.abs(degree) };
}
