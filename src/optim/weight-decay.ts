/** Weight decay as a rule: coupled before a preconditioner, decoupled after it (Loshchilov & Hutter 2019). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, mul } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import type { Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';

/**
 * Adds `weightDecay * params` to the direction. First in a chain this is the L2 penalty `weightDecay |p|^2 / 2`; last, it is decoupled
 * decay, by `rate * weightDecay` a step.
 *
 * @throws ArgumentError when `weightDecay` is negative.
 */
export function addDecayedWeights(weightDecay: Scalar): UpdateRule<Record<string, never>> {
  requireScalar('addDecayedWeights', 'weightDecay', weightDecay, 0);
  return {
    name: 'weight decay',
    init: () => ({}),
    update: <P>(direction: P, state: Record<string, never>, { params }: { readonly params: P }) =>
      ({ direction: weightDecay === 0 ? direction : mapTree((d: Tensor, p: Tensor) => add(d, mul(weightDecay, p)), direction, params) as P, state }),
  };
}
