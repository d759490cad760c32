/** Adadelta (Zeiler 2012, arXiv 1212.5701). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, sqrt } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { fraction, option } from '../util/options.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { movingSquares, quotients, requireDecay, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay, epsilonOption } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByAdadeltaOptions {
  /** Decay rate of both averages, in [0, 1). Default 0.9 (PyTorch, optax; paper: 0.95). */
  readonly rho?: Scalar;
  /** Added under both roots; sets the length of the first steps. Default 1e-6 (paper, PyTorch, optax). */
  readonly epsilon?: Scalar;
}

/** Moving averages of squared gradients and of squared directions, shaped like the parameters. */
export interface AdadeltaState {
  readonly squaredGradients: unknown;
  readonly squaredDirections: unknown;
}

/**
 * `v <- rho v + (1 - rho) g^2`; the direction is `d = sqrt(u + epsilon) / sqrt(v + epsilon) g`, then `u <- rho u + (1 - rho) d^2`
 * (Zeiler 2012, algorithm 1, where the rate is 1: u follows d, not the rate times d, as in PyTorch and optax). The preconditioner is
 * `sqrt(v + epsilon) / sqrt(u + epsilon)` of the state: with the u that the next step will use.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByAdadelta({ rho = 0.9, epsilon = 1e-6 }: ScaleByAdadeltaOptions = {}): UpdateRule<AdadeltaState> {
  requireDecay('scaleByAdadelta', 'rho', rho);
  requireScalar('scaleByAdadelta', 'epsilon', epsilon, 0);
  const divisor = <P>(squaredGradients: unknown, squaredDirections: unknown): P =>
    mapTree((v: Tensor, u: Tensor) => div(sqrt(add(v, epsilon)), sqrt(add(u, epsilon))), squaredGradients, squaredDirections) as P;
  return {
    name: 'adadelta',
    init: (params) => ({ squaredGradients: zerosOf(params), squaredDirections: zerosOf(params) }),
    update<P>(direction: P, { squaredGradients, squaredDirections }: AdadeltaState) {
      const squares = movingSquares(rho, squaredGradients, direction);
      const next = quotients<P>(direction, divisor(squares, squaredDirections));
      return { direction: next, state: { squaredGradients: squares, squaredDirections: movingSquares(rho, squaredDirections, next) } };
    },
    preconditioner: <P>(state: AdadeltaState): P => divisor(state.squaredGradients, state.squaredDirections),
  };
}

export interface AdadeltaOptions extends ScaleByAdadeltaOptions {
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Adadelta: see `scaleByAdadelta` for the equations. Usual rate: 1.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function adadelta({ weightDecay = 0, ...options }: AdadeltaOptions = {}): Optimizer {
  return descend('adadelta', chain(addDecayedWeights(weightDecay), scaleByAdadelta(options)));
}

/** The entry of the registry. */
export const adadeltaEntry = optimizerEntry({
  description: 'Adadelta: as RMSProp, in units of the steps it took (Zeiler 2012)',
  rate: 1,
  options: { rho: option(fraction, 'decay rate of both averages, below 1', 0.9), epsilon: epsilonOption(1e-6), weightDecay: coupledDecay },
  make: (values) => adadelta(values),
});
