/** Adam (Kingma & Ba 2015, arXiv 1412.6980). @module */
import type { Tensor } from '../core/tensor.ts';
import { add } from '../ops/index.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { biasCorrection, correctedRoots, movingAverages, movingSquares, quotients, requireDecay, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByAdamOptions {
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.9 (paper, PyTorch, optax). */
  readonly beta1?: Scalar;
  /** Decay rate of the mean of squared gradients, in [0, 1). Default 0.999 (paper, PyTorch, optax). */
  readonly beta2?: Scalar;
  /** Added to the root of the mean of squares. Default 1e-8 (paper, PyTorch, optax). */
  readonly epsilon?: Scalar;
}

/** Moving averages shaped like the parameters, not corrected for their start at zero. */
export interface AdamState {
  readonly firstMoment: unknown;
  readonly secondMoment: unknown;
}

/** Defaults and checks that Adam shares with the rules made from it. @throws ArgumentError when an option is out of range. */
export function adamOptions(operation: string, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: ScaleByAdamOptions): Required<ScaleByAdamOptions> {
  return { beta1: requireDecay(operation, 'beta1', beta1), beta2: requireDecay(operation, 'beta2', beta2), epsilon: requireScalar(operation, 'epsilon', epsilon, 0) };
}

/** The matrix (1 - beta1^t) (sqrt(v^) + epsilon) with v^ the state's second moment, corrected for its start. */
export const adamPreconditioner = ({ beta1, beta2, epsilon }: Required<ScaleByAdamOptions>) => <P>({ secondMoment }: AdamState, step: Tensor): P =>
  correctedRoots(secondMoment, biasCorrection(beta1, step), biasCorrection(beta2, step), epsilon);

/** Adam's averages, moved on by a gradient. */
export const adamMoments = ({ beta1, beta2 }: Required<ScaleByAdamOptions>) => (gradient: unknown, { firstMoment, secondMoment }: AdamState): AdamState =>
  ({ firstMoment: movingAverages(beta1, firstMoment, gradient), secondMoment: movingSquares(beta2, secondMoment, gradient) });

/** Adam and its kin: the direction is the mean of gradients over the preconditioner, both of the state that the gradient moved on to step t. */
export function dividedMean<State extends AdamState>({ next, ...rule }: Required<Pick<UpdateRule<State>, 'name' | 'init' | 'preconditioner'>> & {
  next(gradient: unknown, last: State, t: Tensor): State;
}): UpdateRule<State> {
  return {
    ...rule,
    update<P>(direction: P, last: State, { step }: { readonly step: Tensor }) {
      const t = add(step, 1);
      const state = next(direction, last, t);
      return { direction: quotients<P>(state.firstMoment, rule.preconditioner(state, t)), state };
    },
  };
}

/**
 * `m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`; the direction is `m^ / (sqrt(v^) + epsilon)` with
 * `m^ = m / (1 - beta1^t)` and `v^ = v / (1 - beta2^t)` (Kingma & Ba 2015, algorithm 1).
 *
 * The preconditioner is P = (1 - beta1^t) (sqrt(v^) + epsilon), so that a step is `rate P^-1 m`: that of Cohen et al. 2022 (arXiv
 * 2207.14484), under which a quadratic is stable while the largest eigenvalue of P^-1 H is below (2 + 2 beta1) / ((1 - beta1) rate).
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByAdam(options: ScaleByAdamOptions = {}): UpdateRule<AdamState> {
  const checked = adamOptions('scaleByAdam', options);
  return dividedMean({
    name: 'adam',
    init: (params) => ({ firstMoment: zerosOf(params), secondMoment: zerosOf(params) }),
    next: adamMoments(checked),
    preconditioner: adamPreconditioner(checked),
  });
}

export interface AdamOptions extends ScaleByAdamOptions {
  /** Coupled weight decay: adds `weightDecay * params` to the gradient, as PyTorch's Adam does (optax's has none). Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Adam: see `scaleByAdam` for the equations. Usual rate: 0.001.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function adam({ weightDecay = 0, ...options }: AdamOptions = {}): Optimizer {
  return descend('adam', chain(addDecayedWeights(weightDecay), scaleByAdam(options)));
}

/** The entry of the registry. */
export const adamEntry = optimizerEntry({
  description: 'Adam: means of gradients and of their squares, corrected for bias (Kingma & Ba 2015)',
  rate: 0.001,
  options: { ...momentOptions(0.9, 0.999), epsilon: epsilonOption(1e-8), weightDecay: coupledDecay },
  make: (values) => adam(values),
});
