/** AdamW: Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101). @module */
import { scaleByAdam, type ScaleByAdamOptions } from './adam.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import type { Optimizer, Scalar } from './optimizer.ts';
import { decoupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import type { LeafPredicate } from './selection.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface AdamWOptions extends ScaleByAdamOptions {
  /** A step shrinks weights by `rate * weightDecay`. Default 0.01 (PyTorch; optax: 1e-4). */
  readonly weightDecay?: Scalar;
  /** The leaves that decay, as `matricesOnly`. Default: all. */
  readonly decayed?: LeafPredicate;
}

/**
 * Adam whose weight decay passes by the preconditioner: `w <- w - rate (m^ / (sqrt(v^) + epsilon) + weightDecay w)`. As in PyTorch and optax
 * the decay is multiplied with the rate; the paper (algorithm 2) multiplies it with the schedule alone. Usual rate: 0.001.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function adamw({ weightDecay = 0.01, decayed, ...options }: AdamWOptions = {}): Optimizer {
  return descend('adamw', chain(scaleByAdam(options), addDecayedWeights(weightDecay, { ...(decayed && { decayed }) })));
}

/** The entry of the registry. */
export const adamwEntry = optimizerEntry({
  description: 'AdamW: Adam with decoupled weight decay (Loshchilov & Hutter 2019)',
  rate: 0.001,
  options: { ...momentOptions(0.9, 0.999), epsilon: epsilonOption(1e-8), weightDecay: decoupledDecay(0.01) },
  make: (values) => adamw(values),
});
