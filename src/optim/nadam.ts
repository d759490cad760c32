/** NAdam: Adam with Nesterov momentum (Dozat 2016). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, exp, mul, ones, sub } from '../ops/index.ts';
import { leaves, mapTree } from '../tree/index.ts';
import { nonNegative, option } from '../util/options.ts';
import { adamOptions, type AdamState, type ScaleByAdamOptions } from './adam.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { biasCorrection, correctedRoots, movingAverages, movingSquares, oneMinus, quotients, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByNadamOptions extends ScaleByAdamOptions {
  /**
   * How fast the momentum warms from beta1 / 2 to beta1: `mu_t = beta1 (1 - 0.96^(t momentumDecay) / 2)`. Default 0.004 (paper,
   * PyTorch); Infinity is constant momentum, as in optax.
   */
  readonly momentumDecay?: Scalar;
}

/** Adam's state and the product of the momenta of all steps, []. */
export interface NadamState extends AdamState {
  readonly momentumProduct: Tensor;
}

/**
 * `m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`; the direction is
 * `(mu_{t+1} m / (1 - M_{t+1}) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v^) + epsilon)` with `M_t = mu_1 ... mu_t` and
 * `v^ = v / (1 - beta2^t)`: as PyTorch has it, and with constant mu = beta1 as optax has it. Dozat 2016 (algorithm 2) also multiplies v^ by
 * beta2 and averages with mu_t; neither implementation does.
 *
 * The preconditioner is `(1 - M_t) (sqrt(v^) + epsilon)`, by analogy with Adam's.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByNadam({ momentumDecay = 0.004, ...options }: ScaleByNadamOptions = {}): UpdateRule<NadamState> {
  const { beta1, beta2, epsilon } = adamOptions('scaleByNadam', options);
  if (momentumDecay !== Infinity) requireScalar('scaleByNadam', 'momentumDecay', momentumDecay, 0);
  const momentum = (t: Tensor): Tensor => mul(beta1, momentumDecay === Infinity ? ones([], t.dtype) : sub(1, mul(0.5, exp(mul(mul(t, momentumDecay), Math.log(0.96))))));
  const divisor = <P>(secondMoment: unknown, step: Tensor, scale: Tensor): P => correctedRoots(secondMoment, scale, biasCorrection(beta2, step), epsilon);
  return {
    name: 'nadam',
    init: (params) => ({ firstMoment: zerosOf(params), secondMoment: zerosOf(params), momentumProduct: ones([], leaves<Tensor>(params)[0].dtype) }),
    update<P>(direction: P, last: NadamState, { step }: { readonly step: Tensor }) {
      const [t, next] = [add(step, 1), add(step, 2)];
      const momentumProduct = mul(last.momentumProduct, momentum(t));
      const state = { firstMoment: movingAverages(beta1, last.firstMoment, direction), secondMoment: movingSquares(beta2, last.secondMoment, direction), momentumProduct };
      const [ofMean, ofGradient] = [div(momentum(next), oneMinus(mul(momentumProduct, momentum(next)))), div(oneMinus(momentum(t)), oneMinus(momentumProduct))];
      const ahead = mapTree((m: Tensor, g: Tensor) => add(mul(ofMean, m), mul(ofGradient, g)), state.firstMoment, direction);
      return { direction: quotients<P>(ahead, divisor(state.secondMoment, t, ones([], t.dtype))), state };
    },
    preconditioner: <P>({ secondMoment, momentumProduct }: NadamState, step: Tensor): P => divisor(secondMoment, step, sub(1, momentumProduct)),
  };
}

export interface NadamOptions extends ScaleByNadamOptions {
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * NAdam: see `scaleByNadam` for the equations. Usual rate: 0.002.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function nadam({ weightDecay = 0, ...options }: NadamOptions = {}): Optimizer {
  return descend('nadam', chain(addDecayedWeights(weightDecay), scaleByNadam(options)));
}

/** The entry of the registry. */
export const nadamEntry = optimizerEntry({
  description: 'NAdam: Adam with Nesterov momentum (Dozat 2016)',
  rate: 0.002,
  options: { ...momentOptions(0.9, 0.999), epsilon: epsilonOption(1e-8), momentumDecay: option(nonNegative, 'how fast the momentum warms up to beta1; large: constant momentum', 0.004), weightDecay: coupledDecay },
  make: (values) => nadam(values),
});
