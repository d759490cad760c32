/** AdaBelief (Zhuang et al. 2020, arXiv 2010.07468). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, sub } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { adamOptions, adamPreconditioner, dividedMean, type AdamState, type ScaleByAdamOptions } from './adam.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { movingAverages, movingSquares, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { decoupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByAdaBeliefOptions extends Omit<ScaleByAdamOptions, 'epsilon'> {
  /** Added to s at every step, and to its root. Default 1e-16 (the authors' code, optax; paper: 1e-8). */
  readonly epsilon?: Scalar;
}

/**
 * Adam that divides by how far gradients are from their mean: `m <- beta1 m + (1 - beta1) g`, `s <- beta2 s + (1 - beta2) (g - m)^2 + epsilon`,
 * direction `m^ / (sqrt(s^) + epsilon)` (Zhuang et al. 2020, algorithm 2; optax has two epsilons). The state's second moment is s. The
 * preconditioner is (1 - beta1^t) (sqrt(s^) + epsilon).
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByAdaBelief({ epsilon: belief = 1e-16, ...options }: ScaleByAdaBeliefOptions = {}): UpdateRule<AdamState> {
  const checked = adamOptions('scaleByAdaBelief', { ...options, epsilon: belief });
  const { beta1, beta2, epsilon } = checked;
  return dividedMean({
    name: 'adabelief',
    init: (params) => ({ firstMoment: zerosOf(params), secondMoment: zerosOf(params) }),
    next(gradient, last) {
      const firstMoment = movingAverages(beta1, last.firstMoment, gradient);
      const surprise = mapTree((g: Tensor, m: Tensor) => sub(g, m), gradient, firstMoment);
      return { firstMoment, secondMoment: mapTree((s: Tensor) => add(s, epsilon), movingSquares(beta2, last.secondMoment, surprise)) };
    },
    preconditioner: adamPreconditioner(checked),
  });
}

export interface AdaBeliefOptions extends ScaleByAdaBeliefOptions {
  /** Decoupled weight decay, as in the authors' code. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * AdaBelief: see `scaleByAdaBelief` for the equations. Usual rate: 0.001.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function adabelief({ weightDecay = 0, ...options }: AdaBeliefOptions = {}): Optimizer {
  return descend('adabelief', chain(scaleByAdaBelief(options), addDecayedWeights(weightDecay)));
}

/** The entry of the registry. */
export const adabeliefEntry = optimizerEntry({
  description: 'AdaBelief: Adam that divides by the spread of gradients around their mean (Zhuang et al. 2020)',
  rate: 0.001,
  options: { ...momentOptions(0.9, 0.999), epsilon: epsilonOption(1e-16), weightDecay: decoupledDecay(0) },
  make: (values) => adabelief(values),
});
