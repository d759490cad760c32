/** Stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983; Sutskever et al. 2013). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, mul, zerosLike } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import type { LeafPredicate } from './selection.ts';
import { coupledDecay, momentumOption, nesterovOption } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface MomentumOptions {
  /** Share of the last velocity that is kept, in [0, 1). */
  readonly momentum: Scalar;
  /** Look ahead along the velocity. Default false. */
  readonly nesterov?: boolean;
}

/** Velocities shaped like the parameters. */
export interface MomentumState {
  readonly velocity: unknown;
}

/**
 * Accumulates directions: `v <- momentum v + d`, and goes along v, or with `nesterov` along `d + momentum v`. The convention of
 * PyTorch: the rate multiplies the velocity, so a changed rate acts at once.
 *
 * @throws ArgumentError when `momentum` is out of range.
 */
export function scaleByMomentum({ momentum, nesterov = false }: MomentumOptions): UpdateRule<MomentumState> {
  requireScalar('scaleByMomentum', 'momentum', momentum, 0, 1);
  return {
    name: nesterov ? 'nesterov' : 'momentum',
    init: (params) => ({ velocity: mapTree((p: Tensor) => zerosLike(p), params) }),
    update<P>(direction: P, { velocity }: MomentumState) {
      const next = mapTree((v: Tensor, d: Tensor) => add(mul(momentum, v), d), velocity, direction);
      return { direction: (nesterov ? mapTree((d: Tensor, v: Tensor) => add(d, mul(momentum, v)), direction, next) : next) as P, state: { velocity: next } };
    },
  };
}

/** What a chain ends with where there is momentum: nothing where it is zero, which keeps no velocity. @throws ArgumentError naming the operation. */
export function optionalMomentum(operation: string, options: MomentumOptions): UpdateRule[] {
  requireScalar(operation, 'momentum', options.momentum, 0, 1);
  return options.momentum === 0 ? [] : [scaleByMomentum(options) as UpdateRule];
}

export interface SgdOptions {
  /** Share of the last velocity that is kept, in [0, 1). Default 0: no momentum and no state. */
  readonly momentum?: Scalar;
  /** Look ahead along the velocity. Default false. */
  readonly nesterov?: boolean;
  /** Coupled weight decay: adds `weightDecay * params` to the gradient. Default 0. */
  readonly weightDecay?: Scalar;
  /** The leaves that decay, as `matricesOnly`. Default: all. */
  readonly decayed?: LeafPredicate;
}

/**
 * Descends along the gradient g, with weight decay added to it, or along the velocity it feeds (see `scaleByMomentum`).
 *
 * @throws ArgumentError when an option is out of range.
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0, decayed }: SgdOptions = {}): Optimizer {
  const rules = [addDecayedWeights(weightDecay, { ...(decayed && { decayed }) }), ...optionalMomentum('sgd', { momentum, nesterov })];
  return descend(momentum === 0 ? 'sgd' : nesterov ? 'nesterov' : 'momentum', chain(...rules));
}

/** The entry of the registry. */
export const sgdEntry = optimizerEntry({
  description: 'stochastic gradient descent, with momentum (Polyak 1964) or Nesterov momentum (Nesterov 1983)',
  rate: 0.1,
  options: {
    momentum: momentumOption(0),
    nesterov: nesterovOption,
    weightDecay: coupledDecay,
  },
  make: (values) => sgd(values),
});
