/** Sophia (Liu, Li, Hall, Liang & Ma 2023, arXiv 2305.14342). @module */
import type { Tensor } from '../core/tensor.ts';
import { abs, add, clip, convert, div, less, maximum, mul, neg, square, sum } from '../ops/index.ts';
import { leaves, mapTree } from '../tree/index.ts';
import { nonNegative, oneOf, option, positive, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { flatSpace } from './flat.ts';
import { biasCorrection, movingAverages, quotients, requireDecay, zerosOf } from './moments.ts';
import type { Draw, Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { periodically } from './periodic.ts';
import { requireScalar } from './scalar.ts';
import { decoupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

/** An estimate of the diagonal of the curvature, shaped like the parameters. */
export type DiagonalEstimator = <P>(context: UpdateContext<P>) => P;

export interface ScaleBySophiaOptions {
  /**
   * `hutchinson`: u (H u) with standard normal u, of the batch Hessian. `gauss-newton-bartlett`: batch size times the square of the
   * gradient at targets drawn from the model, of the Gauss-Newton matrix. Or an estimate of one's own. Default `hutchinson`.
   */
  readonly estimator?: 'hutchinson' | 'gauss-newton-bartlett' | DiagonalEstimator;
  /** Steps between estimates. Default 10 (paper). */
  readonly every?: number;
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.96 (paper). */
  readonly beta1?: Scalar;
  /** Decay rate of the mean of estimates, in [0, 1). Default 0.99 (paper). */
  readonly beta2?: Scalar;
  /** Factor of the diagonal: the larger, the fewer steps are clipped. Default 0.01 (paper, for Hutchinson; 0.05 for Gauss-Newton-Bartlett). */
  readonly gamma?: Scalar;
  /** Least divisor. Default 1e-12 (paper; optax 1e-8). */
  readonly epsilon?: Scalar;
  /** Largest entry of the direction. Default 1 (paper). */
  readonly clipping?: Scalar;
  /**
   * `paper`: a step uses the estimate that was made at it, the mean of gradients is not corrected for its start at zero. `optax`: an
   * estimate is used from the step after it, the mean is corrected. Default `paper`.
   */
  readonly style?: 'paper' | 'optax';
}

/** Moving averages shaped like the parameters. */
export interface SophiaState {
  readonly firstMoment: unknown;
  readonly diagonal: unknown;
}

const hutchinson: DiagonalEstimator = <P>(context: UpdateContext<P>): P => {
  const u = context.normal();
  return mapTree((a: Tensor, b: Tensor) => mul(a, b), u, context.hvp(u)) as P;
};
const gaussNewtonBartlett: DiagonalEstimator = <P>(context: UpdateContext<P>): P => mapTree((g: Tensor) => mul(square(g), context.batchSize), context.sampledGrad()) as P;

/**
 * `m <- beta1 m + (1 - beta1) g`, every k steps `h <- beta2 h + (1 - beta2) estimate`; the direction is `m / max(gamma h, epsilon)`, each
 * entry clipped to [-clipping, clipping]. Reports `unclipped`, the share of entries that are not (the paper's win rate: 0.1 to 0.5 when
 * gamma is right). Estimates cost nothing in between. The preconditioner is max(gamma h, epsilon), where nothing is clipped.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleBySophia(options: ScaleBySophiaOptions = {}): UpdateRule<SophiaState> {
  const { estimator = 'hutchinson', every = 10, style = 'paper' } = options;
  const beta1 = requireDecay('scaleBySophia', 'beta1', options.beta1 ?? 0.96);
  const beta2 = requireDecay('scaleBySophia', 'beta2', options.beta2 ?? 0.99);
  const gamma = requireScalar('scaleBySophia', 'gamma', options.gamma ?? 0.01, 0);
  const epsilon = requireScalar('scaleBySophia', 'epsilon', options.epsilon ?? 1e-12, 0);
  const clipping = requireScalar('scaleBySophia', 'clipping', options.clipping ?? 1, 0);
  requireInteger('scaleBySophia', 'every', every, 1);
  const estimate = estimator === 'hutchinson' ? hutchinson : estimator === 'gauss-newton-bartlett' ? gaussNewtonBartlett : estimator;
  const draws: readonly Draw[] = estimator === 'hutchinson' ? [{ kind: 'normal', every }] : estimator === 'gauss-newton-bartlett' ? [{ kind: 'targets', every }] : [];
  const lowest = typeof clipping === 'number' ? -clipping : neg(clipping);
  const divisors = <P>(diagonal: unknown): P => mapTree((h: Tensor) => maximum(mul(gamma, h), epsilon), diagonal) as P;
  return {
    name: 'sophia',
    draws,
    init: (params) => ({ firstMoment: zerosOf(params), diagonal: zerosOf(params) }),
    update<P>(direction: P, { firstMoment, diagonal }: SophiaState, context: UpdateContext<P>) {
      const { step } = context;
      const renewed = periodically('scaleBySophia', step, every, () => movingAverages(beta2, diagonal, estimate(context)), diagonal);
      const state = { firstMoment: movingAverages(beta1, firstMoment, direction), diagonal: renewed };
      const isPaper = style === 'paper';
      const correction = isPaper ? undefined : biasCorrection(beta1, add(step, 1));
      const mean = correction === undefined ? state.firstMoment : mapTree((m: Tensor) => div(m, correction), state.firstMoment);
      const free = quotients<P>(mean, divisors(isPaper ? renewed : diagonal));
      const counts = leaves<Tensor>(free).map((leaf) => sum(convert(less(abs(leaf), clipping), leaf.dtype)));
      const unclipped = div(counts.reduce((total, count) => add(total, count)), flatSpace(free).size);
      return { direction: mapTree((u: Tensor) => clip(u, lowest, clipping), free) as P, state, report: { unclipped } };
    },
    ...(style === 'paper' && { preconditioner: <P>({ diagonal }: SophiaState): P => divisors<P>(diagonal) }),
  };
}

export interface SophiaOptions extends ScaleBySophiaOptions {
  /** Decoupled weight decay. Default 0 (paper 0.2, optax 1e-4). */
  readonly weightDecay?: Scalar;
}

/**
 * Sophia: see `scaleBySophia`. With `hutchinson` it is Sophia-H, with `gauss-newton-bartlett` Sophia-G, which needs a loss that is a
 * likelihood. Usual rate: 0.001, below that of AdamW.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function sophia({ weightDecay = 0, ...options }: SophiaOptions = {}): Optimizer {
  return descend('sophia', chain(scaleBySophia(options), addDecayedWeights(weightDecay)));
}

/** The entry of the registry. */
export const sophiaEntry = optimizerEntry({
  description: 'Sophia: gradient mean over a mean of Hessian diagonals, clipped (Liu et al. 2023)',
  rate: 0.001,
  options: {
    ...momentOptions(0.96, 0.99), epsilon: epsilonOption(1e-12), weightDecay: decoupledDecay(0),
    estimator: option(oneOf(['hutchinson', 'gauss-newton-bartlett']), 'how the diagonal is estimated', 'hutchinson'),
    every: option(positiveInteger, 'steps between estimates', 10),
    gamma: option(nonNegative, 'factor of the diagonal', 0.01),
    clipping: option(positive, 'largest entry of the direction', 1),
    style: option(oneOf(['paper', 'optax']), 'when an estimate counts, and whether the mean is corrected', 'paper'),
  },
  make: (values) => sophia(values),
});
