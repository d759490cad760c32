/** Adagrad (Duchi, Hazan & Singer 2011). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, mul, sqrt } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { nonNegative, option } from '../util/options.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { filled, quotients } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay, epsilonOption } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByAdagradOptions {
  /** What the sums of squares start from. Default 0 (paper, PyTorch; optax: 0.1). */
  readonly initialAccumulator?: Scalar;
  /** Added to the root of the sum. Default 1e-10 (PyTorch); optax adds its 1e-7 under the root. */
  readonly epsilon?: Scalar;
}

/** Sums of squared gradients, shaped like the parameters. */
export interface AdagradState {
  readonly sumOfSquares: unknown;
}

/**
 * `s <- s + g^2`; the direction is `g / (sqrt(s) + epsilon)` (Duchi, Hazan & Singer 2011, the diagonal method of figure 1). The
 * preconditioner is the divisor.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByAdagrad({ initialAccumulator = 0, epsilon = 1e-10 }: ScaleByAdagradOptions = {}): UpdateRule<AdagradState> {
  requireScalar('scaleByAdagrad', 'initialAccumulator', initialAccumulator, 0);
  requireScalar('scaleByAdagrad', 'epsilon', epsilon, 0);
  const preconditioner = <P>({ sumOfSquares }: AdagradState): P => mapTree((s: Tensor) => add(sqrt(s), epsilon), sumOfSquares) as P;
  return {
    name: 'adagrad',
    init: (params) => ({ sumOfSquares: filled(params, initialAccumulator) }),
    update<P>(direction: P, { sumOfSquares }: AdagradState) {
      const state = { sumOfSquares: mapTree((s: Tensor, g: Tensor) => add(s, mul(g, g)), sumOfSquares, direction) };
      return { direction: quotients<P>(direction, preconditioner(state)), state };
    },
    preconditioner,
  };
}

export interface AdagradOptions extends ScaleByAdagradOptions {
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Adagrad: see `scaleByAdagrad` for the equations. Usual rate: 0.01. PyTorch's `lr_decay` is a schedule here.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function adagrad({ weightDecay = 0, ...options }: AdagradOptions = {}): Optimizer {
  return descend('adagrad', chain(addDecayedWeights(weightDecay), scaleByAdagrad(options)));
}

/** The entry of the registry. */
export const adagradEntry = optimizerEntry({
  description: 'Adagrad: divides by the root of the sum of all squared gradients (Duchi, Hazan & Singer 2011)',
  rate: 0.01,
  options: { initialAccumulator: option(nonNegative, 'what the sums of squares start from', 0), epsilon: epsilonOption(1e-10), weightDecay: coupledDecay },
  make: (values) => adagrad(values),
});
