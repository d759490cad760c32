/** LAMB (You et al. 2020, arXiv 1904.00962). @module */
import type { Tensor } from '../core/tensor.ts';
import { div } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { scaleByAdam, type AdamState, type ScaleByAdamOptions } from './adam.ts';
import { descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { leafScalars } from './moments.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { decoupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { ratioReport, scaledLeaves, trustRatios } from './trust-ratio.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByLambOptions extends Omit<ScaleByAdamOptions, 'epsilon'> {
  /** Added to the root of the mean of squares. Default 1e-6 (paper, optax). */
  readonly epsilon?: Scalar;
  /** Weight decay, part of the direction whose length is measured. Default 0 (optax; paper: 0.01). */
  readonly weightDecay?: Scalar;
}

/** Adam's state, and the trust ratio of each leaf at the last step, []. */
export interface LambState {
  readonly adam: AdamState;
  readonly ratios: unknown;
}

/**
 * With Adam's direction a and `u = a + weightDecay p`, each leaf's direction is `|p| / |u| u` (You et al. 2020, algorithm 2, with phi the
 * identity, as in optax); a leaf that is zero, or does not move, has the ratio one. Biases and norms are usually left out: see `masked`.
 *
 * The preconditioner is Adam's divided by the leaf's ratio at the last step. Reported: the mean trust ratio over leaves and the smallest.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByLamb({ weightDecay = 0, epsilon = 1e-6, ...options }: ScaleByLambOptions = {}): UpdateRule<LambState> {
  const adam = scaleByAdam({ ...options, epsilon });
  const decay = addDecayedWeights(weightDecay);
  return {
    name: 'lamb',
    init: (params) => ({ adam: adam.init(params), ratios: leafScalars(params, 1) }),
    update<P>(direction: P, last: LambState, context: UpdateContext<P>) {
      const step = adam.update(direction, last.adam, context);
      const decayed = decay.update(step.direction, {}, context).direction;
      const ratios = trustRatios(decayed, context.params);
      return { direction: scaledLeaves<P>(decayed, ratios), state: { adam: step.state, ratios }, report: ratioReport(ratios) };
    },
    preconditioner: <P>(state: LambState, step: Tensor): P => mapTree((p: Tensor, ratio: Tensor) => div(p, ratio), adam.preconditioner!(state.adam, step), state.ratios) as P,
  };
}

/**
 * LAMB: see `scaleByLamb` for the equations. Usual rate: 0.001 and more, growing with the root of the batch.
 *
 * @throws ArgumentError when an option is out of range.
 */
export const lamb = (options: ScaleByLambOptions = {}): Optimizer => descend('lamb', scaleByLamb(options));

/** The entry of the registry. */
export const lambEntry = optimizerEntry({
  description: 'LAMB: Adam with steps in proportion to the length of each layer (You et al. 2020)',
  rate: 0.002,
  options: { ...momentOptions(0.9, 0.999), epsilon: epsilonOption(1e-6), weightDecay: decoupledDecay(0) },
  make: (values) => lamb(values),
});
