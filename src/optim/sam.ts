/** Sharpness-aware minimisation: descent along the gradient where the loss nearby is largest (Foret et al. 2021). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, greater, mul, sub, where } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { nonNegative, option } from '../util/options.ts';
import { mergedReports } from './chain.ts';
import { wrapperEntry } from './entry.ts';
import { globalNorm } from './norms.ts';
import type { Optimizer, Scalar, UpdateContext } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { passedOn, withGradient } from './wrapping.ts';

/** Options of `sam`. */
export interface SamOptions {
  /** Radius of the neighbourhood, Euclidean over all parameters. Default 0.05. */
  readonly rho?: Scalar;
}

/**
 * Wraps an optimizer: it is given the gradient at `w + rho g / |g|`, g the gradient at w (Foret et al. 2021, algorithm 1, first order).
 * Two gradients a step. Reports `sharpness`, the loss there minus the loss at w. Where g is zero nothing moves.
 *
 * @throws ArgumentError when `rho` is negative.
 */
export function sam(base: Optimizer, { rho = 0.05 }: SamOptions = {}): Optimizer {
  requireScalar('sam', 'rho', rho, 0);
  return atAscent('sam', base, ({ params }, gradient) => stepped(params, gradient, rho, globalNorm(gradient)));
}

/** `params + rho direction / norm`; the parameters themselves where the norm is zero. */
export function stepped<P>(params: P, direction: P, rho: Scalar, norm: Tensor): P {
  const some = greater(norm, 0);
  const length = where(some, div(rho, where(some, norm, 1)), 0);
  return mapTree((p: Tensor, d: Tensor) => add(p, mul(length, d)), params, direction) as P;
}

/** An optimizer that is given the gradient at a place made from the gradient here. */
export function atAscent(name: string, base: Optimizer, place: <P>(context: UpdateContext<P>, gradient: P) => P): Optimizer {
  return {
    ...passedOn(base, (state) => state),
    name: `${name} + ${base.name}`,
    init: (params) => base.init(params),
    update<P>(context: UpdateContext<P>, state: unknown) {
      const at = place(context, context.grad());
      const next = base.update(withGradient(context, () => context.gradAt(at)), state);
      // The loss there is part of its gradient: the difference costs nothing more.
      const report = { sharpness: sub(context.lossAt(at), context.loss()) };
      return { ...next, report: mergedReports([{ name, report }, { name: base.name, report: next.report }]) };
    },
  };
}

/** The entry of the registry. */
export const samEntry = wrapperEntry({
  description: 'sharpness-aware minimisation around another optimizer: its gradient is that uphill (Foret et al. 2021)',
  rate: 0.1,
  wraps: 'sgd',
  options: { rho: option(nonNegative, 'distance uphill', 0.05) },
  make: (values, base) => sam(base, values),
});
