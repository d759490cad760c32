/** The Fisher information matrix of a problem: exact, sampled, or empirical. @module */
import { NDArray, sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { expandDims, mean, mul, sum } from '../ops/index.ts';
import { ParameterSpace, predict, type Point, type Problem } from '../problem/index.ts';
import { jvp, vjp, vmap } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { normal, split as splitKey, uniform, type Key } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import { empiricalFisher } from './empirical-fisher.ts';
import { keyOf } from './estimator.ts';
import { distributionOf, type DistributionChoice, type DistributionName, type PredictiveDistribution } from './fisher-distribution.ts';
import { problemOperator, traceOutputs, type Companion, type CurvatureOptions, type ProblemOperator } from './problem-operator.ts';

/** `exact`: the expectation over the model's own targets. `monte-carlo`: a mean over drawn ones. `empirical`: the data's targets. */
export type FisherKind = 'exact' | 'monte-carlo' | 'empirical';

/** Which Fisher matrix. */
export interface FisherOptions extends CurvatureOptions {
  /** Default `exact`. */
  readonly kind?: FisherKind;
  /** Targets drawn for each example; `monte-carlo` only. Default 1. */
  readonly draws?: number;
  /** Seed of the draws. Default `key(0)`. */
  readonly key?: Key;
  /** The distribution behind a loss of one's own; the package's cross-entropies and squared error need none. */
  readonly distribution?: DistributionName | DistributionChoice;
}

/**
 * The Fisher information matrix (1/N) sum_n J_n' F_n J_n of the mean loss, with F_n the expectation, over targets drawn from the
 * model's own distribution, of the Hessian of an example's loss in its outputs. For cross-entropy (softmax), squared error (normal
 * distribution of variance 1/2) and binary cross-entropy it equals the GGN, weights of terms included: 2 / outputs for the mean
 * squared error, 1 / tokens for sequences.
 *
 * `monte-carlo` replaces F_n by (1/M) sum_m g g' with gradients at M targets drawn for each example, unbiased, and fixed for the
 * operator's life: its products are deterministic. `empirical` takes the data's own targets, which gives another matrix (Kunstner,
 * Balles, Hennig 2019): gradients then carry the full weight of a term, as the loss does.
 *
 * @throws ArgumentError when the loss is not known to be a likelihood, or `draws` is not positive.
 */
export function fisher<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: FisherOptions = {}): ProblemOperator {
  const { kind = 'exact', draws = 1, key, distribution: choice, ...others } = options;
  if (kind === 'empirical') return empiricalFisher(problem, point, others);
  const distribution = distributionOf('fisher', problem.loss, choice);
  if (kind === 'exact') return sandwich('Fisher', problem, point, (outputs, moved) => distribution.information(outputs, moved), others);
  if (kind !== 'monte-carlo') throw new ArgumentError({ operation: 'fisher', required: "kind must be 'exact', 'monte-carlo' or 'empirical'", received: `'${String(kind)}'` });
  const noise = drawNoise(problem, point, distribution, draws, key, others);
  return sandwich('Monte Carlo Fisher', problem, point, (outputs, moved, drawn) => {
    const gradients = drawnGradients(distribution, outputs, drawn.noise);
    // [draws, batch]: how fast the loss at each drawn target moves.
    const slopes = sum(mul(gradients, expandDims(moved, 0)), gradients.shape.map((_, axis) => axis).slice(2));
    return mean(mul(gradients, slopes.rank === gradients.rank ? slopes : trailing(slopes, gradients.rank)), 0);
  }, others, { noise });
}

/** Appends axes of extent one. */
const trailing = (x: Tensor, rank: number): Tensor => {
  let out = x;
  while (out.rank < rank) out = expandDims(out, -1);
  return out;
};

/** Gradients at drawn targets, [draws, batch, ...outputs], of noise [batch, draws, ...]. */
export const drawnGradients = (distribution: PredictiveDistribution, outputs: Tensor, noise: Tensor): Tensor =>
  vmap((one: Tensor) => distribution.draw(outputs, one), { inAxes: 1 })(noise);

/** The random numbers of all draws, [examples, draws, ...]: those of an example do not depend on how the data are cut. */
export function drawNoise<P, State>(problem: Problem<P, State>, point: Point<P, State>, distribution: PredictiveDistribution, draws: number, key: Key | undefined, options: CurvatureOptions): NDArray {
  requireInteger('fisher', 'draws', draws, 1);
  const { data = problem.train, samples = data.size } = options;
  const { dtype } = new ParameterSpace(point.params, options.parameters);
  const { outputs } = traceOutputs(problem, point, data, dtype);
  const shape = [samples, draws, ...distribution.noiseShape(outputs.shape.slice(1))];
  const drawn = (distribution.noise === 'normal' ? normal : uniform)(splitKey(keyOf({ ...(key && { key }) }), 'targets'), sizeOf(shape), { dtype });
  return new NDArray(drawn, shape, dtype);
}

/** sum_n J_n' C_n J_n with C_n given by its product in the space of outputs. */
export function sandwich<P, State>(
  kind: string, problem: Problem<P, State>, point: Point<P, State>,
  curve: (outputs: Tensor, moved: Tensor, extra: Readonly<Record<string, Tensor>>, companion: Tensor[]) => Tensor,
  options: CurvatureOptions, extra: Readonly<Record<string, NDArray>> = {}, companion?: Companion,
): ProblemOperator {
  return problemOperator(kind, problem, point, ({ state, batch, paramsAt, extra: others }, chosen, vector, companions) => {
    const outputsAt = (leaves: Tensor[]): Tensor => predict(problem, paramsAt(leaves), state, batch.inputs);
    const [outputs, pull] = vjp(outputsAt, chosen);
    const [, moved] = jvp(outputsAt, [chosen], [vector] as [Tensor[]]);
    return pull(curve(outputs, moved, { ...others, targets: batch.targets }, companions))[0];
  }, options, { extra, ...(companion && { companion }) });
}
