/** Weight decay as a rule: coupled before a preconditioner, decoupled after it (Loshchilov & Hutter 2019). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, mul } from '../ops/index.ts';
import { leavesWithPaths, mapTree, unflatten } from '../tree/index.ts';
import type { Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import type { LeafPredicate } from './selection.ts';

/** Options of `addDecayedWeights`. */
export interface DecayedWeightsOptions {
  /** The leaves that decay, as `matricesOnly`. Default: all. */
  readonly decayed?: LeafPredicate;
}

/**
 * Adds `weightDecay * params` to the direction. First in a chain this is the L2 penalty `weightDecay |p|^2 / 2`; last, it is decoupled
 * decay, by `rate * weightDecay` a step.
 *
 * @throws ArgumentError when `weightDecay` is negative.
 */
export function addDecayedWeights(weightDecay: Scalar, { decayed = () => true }: DecayedWeightsOptions = {}): UpdateRule<Record<string, never>> {
  requireScalar('addDecayedWeights', 'weightDecay', weightDecay, 0);
  return {
    name: 'weight decay',
    init: () => ({}),
    update<P>(direction: P, state: Record<string, never>, { params }: { readonly params: P }) {
      if (weightDecay === 0) return { direction, state };
      const places = leavesWithPaths(params) as [string, Tensor][];
      const chosen = unflatten(params, places.map(([path, leaf]) => decayed(path, leaf)));
      return { direction: mapTree((d: Tensor, p: Tensor, on: boolean) => (on ? add(d, mul(weightDecay, p)) : d), direction, params, chosen) as P, state };
    },
  };
}
