/** LARS (You, Gitman & Ginsburg 2017, arXiv 1708.03888). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, mul, norm, onesLike } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { nonNegative, option } from '../util/options.ts';
import { descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { leafScalars } from './moments.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { scaleByMomentum, type MomentumState } from './sgd.ts';
import { epsilonOption, momentumOption, nesterovOption } from './shared-options.ts';
import { ratioReport, safeRatio, scaledLeaves } from './trust-ratio.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface LarsOptions {
  /** Trust coefficient: the share of its length by which a layer moves at rate 1. Default 0.001 (paper, optax). */
  readonly coefficient?: Scalar;
  /** Weight decay, part of the direction. Default 0 (optax; paper: 0.0005). */
  readonly weightDecay?: Scalar;
  /** Added to the denominator of the ratio. Default 0 (paper, optax). */
  readonly epsilon?: Scalar;
  /** Share of the last velocity that is kept, in [0, 1]. Default 0.9 (paper, optax). */
  readonly momentum?: Scalar;
  /** Look ahead along the velocity. Default false. */
  readonly nesterov?: boolean;
}

/** Velocities shaped like the parameters, and the trust ratio of each leaf at the last step, []. */
export interface LarsState extends MomentumState {
  readonly ratios: unknown;
}

/**
 * `v <- momentum v + l (g + weightDecay p)` with the ratio of each leaf `l = coefficient |p| / (|g| + weightDecay |p| + epsilon)`, one where p
 * or the denominator is zero; along v (You, Gitman & Ginsburg 2017, algorithm 1, where the rate is inside the velocity: the same while it
 * is constant). optax divides by |g + weightDecay p| instead: `chain(addDecayedWeights(d), scaleByTrustRatio({ coefficient }),
 * scaleByMomentum({ momentum }))`. Biases and norms are usually left out: see `masked`.
 *
 * The preconditioner is the inverse of the ratio at the last step. Reported: the mean trust ratio over leaves and the smallest.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByLars({ coefficient = 0.001, weightDecay = 0, epsilon = 0, momentum = 0.9, nesterov = false }: LarsOptions = {}): UpdateRule<LarsState> {
  requireScalar('scaleByLars', 'coefficient', coefficient, 0);
  requireScalar('scaleByLars', 'epsilon', epsilon, 0);
  const decay = addDecayedWeights(weightDecay);
  const velocity = scaleByMomentum({ momentum, nesterov });
  return {
    name: 'lars',
    init: (params) => ({ ...velocity.init(params), ratios: leafScalars(params, 1) }),
    update<P>(direction: P, last: LarsState, context: UpdateContext<P>) {
      const ratios = mapTree((g: Tensor, p: Tensor) => {
        const length = norm(p);
        return safeRatio(mul(coefficient, length), add(add(norm(g), mul(weightDecay, length)), epsilon));
      }, direction, context.params);
      const decayed = decay.update(direction, {}, context).direction;
      const step = velocity.update(scaledLeaves<P>(decayed, ratios), last, context);
      return { direction: step.direction, state: { ...step.state, ratios }, report: ratioReport(ratios) };
    },
    preconditioner: <P>(state: LarsState): P => mapTree((v: Tensor, ratio: Tensor) => div(onesLike(v), ratio), state.velocity, state.ratios) as P,
  };
}

/**
 * LARS: see `scaleByLars` for the equations. Usual rate: 1 and more.
 *
 * @throws ArgumentError when an option is out of range.
 */
export const lars = (options: LarsOptions = {}): Optimizer => descend('lars', scaleByLars(options));

/** The entry of the registry. */
export const larsEntry = optimizerEntry({
  description: 'LARS: momentum with steps in proportion to the length of each layer (You, Gitman & Ginsburg 2017)',
  rate: 1,
  options: {
    coefficient: option(nonNegative, 'share of its length by which a layer moves at rate 1', 0.001),
    weightDecay: option(nonNegative, 'weight decay, part of the direction', 0),
    epsilon: epsilonOption(0),
    momentum: momentumOption(0.9),
    nesterov: nesterovOption,
  },
  make: (values) => lars(values),
});
