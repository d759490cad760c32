/** Lion (Chen et al. 2023, arXiv 2302.06675). @module */
import type { Tensor } from '../core/tensor.ts';
import { sign } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { movingAverages, requireDecay, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { decoupledDecay, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByLionOptions {
  /** Share of the mean of gradients in what the sign is taken of, in [0, 1). Default 0.9 (paper, optax). */
  readonly beta1?: Scalar;
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.99 (paper, optax). */
  readonly beta2?: Scalar;
}

/** Mean of gradients, shaped like the parameters. */
export interface LionState {
  readonly firstMoment: unknown;
}

/**
 * The direction is `sign(beta1 m + (1 - beta1) g)`, then `m <- beta2 m + (1 - beta2) g` (Chen et al. 2023, algorithm 2): every parameter
 * moves by the rate. There is no preconditioner: no matrix divides the gradient.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByLion({ beta1 = 0.9, beta2 = 0.99 }: ScaleByLionOptions = {}): UpdateRule<LionState> {
  requireDecay('scaleByLion', 'beta1', beta1);
  requireDecay('scaleByLion', 'beta2', beta2);
  return {
    name: 'lion',
    init: (params) => ({ firstMoment: zerosOf(params) }),
    update: <P>(direction: P, { firstMoment }: LionState) => ({
      direction: mapTree((x: Tensor) => sign(x), movingAverages(beta1, firstMoment, direction)) as P,
      state: { firstMoment: movingAverages(beta2, firstMoment, direction) },
    }),
  };
}

export interface LionOptions extends ScaleByLionOptions {
  /** Decoupled weight decay. Default 0 (the authors' code; optax: 0.001). */
  readonly weightDecay?: Scalar;
}

/**
 * Lion: see `scaleByLion` for the equations. Usual rate: 0.0001, three to ten times below AdamW's.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function lion({ weightDecay = 0, ...options }: LionOptions = {}): Optimizer {
  return descend('lion', chain(scaleByLion(options), addDecayedWeights(weightDecay)));
}

/** The entry of the registry. */
export const lionEntry = optimizerEntry({
  description: 'Lion: steps along the sign of a mean of gradients (Chen et al. 2023)',
  rate: 0.0001,
  options: { ...momentOptions(0.9, 0.99), weightDecay: decoupledDecay(0) },
  make: (values) => lion(values),
});
