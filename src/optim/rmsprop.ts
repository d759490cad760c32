/** RMSProp (Tieleman & Hinton 2012, lecture 6e), centred and with momentum (Graves 2013, arXiv 1308.0850). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, maximum, mul, sqrt, sub } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { flag, fraction, option } from '../util/options.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { movingAverages, movingSquares, quotients, requireDecay, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { optionalMomentum } from './sgd.ts';
import { coupledDecay, epsilonOption, momentumOption, nesterovOption } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByRmsOptions {
  /** Decay rate of the mean of squared gradients, in [0, 1). Default 0.9 (Hinton, optax; PyTorch: 0.99). */
  readonly decay?: Scalar;
  /** Added to the divisor. Default 1e-8 (PyTorch, optax). */
  readonly epsilon?: Scalar;
  /** Add epsilon under the root, as Graves and optax do, not after it, as PyTorch does. Default false. */
  readonly epsilonInside?: boolean;
  /** Divide by the standard deviation: subtract the squared mean of gradients. Default false. */
  readonly centered?: boolean;
}

/** Moving averages shaped like the parameters; the first moment only of the centred method. */
export interface RmsState {
  readonly secondMoment: unknown;
  readonly firstMoment?: unknown;
}

/**
 * `v <- decay v + (1 - decay) g^2`; the direction is `g / (sqrt(v) + epsilon)`, or `g / sqrt(v + epsilon)` (Tieleman & Hinton 2012). Centred,
 * v is replaced by `v - m^2` with `m <- decay m + (1 - decay) g` (Graves 2013, equations 38-45), which here is held from falling below zero
 * by rounding. There is no correction of bias: the first steps are long, by 1 / sqrt(1 - decay). The preconditioner is the divisor.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByRms({ decay = 0.9, epsilon = 1e-8, epsilonInside = false, centered = false }: ScaleByRmsOptions = {}): UpdateRule<RmsState> {
  requireDecay('scaleByRms', 'decay', decay);
  requireScalar('scaleByRms', 'epsilon', epsilon, 0);
  const root = (v: Tensor): Tensor => (epsilonInside ? sqrt(add(v, epsilon)) : add(sqrt(v), epsilon));
  const preconditioner = <P>({ secondMoment, firstMoment }: RmsState): P =>
    (firstMoment === undefined ? mapTree(root, secondMoment) : mapTree((v: Tensor, m: Tensor) => root(maximum(sub(v, mul(m, m)), 0)), secondMoment, firstMoment)) as P;
  return {
    name: 'rmsprop',
    init: (params) => ({ secondMoment: zerosOf(params), ...(centered && { firstMoment: zerosOf(params) }) }),
    update<P>(direction: P, { secondMoment, firstMoment }: RmsState) {
      const state = { secondMoment: movingSquares(decay, secondMoment, direction), ...(firstMoment !== undefined && { firstMoment: movingAverages(decay, firstMoment, direction) }) };
      return { direction: quotients<P>(direction, preconditioner(state)), state };
    },
    preconditioner,
  };
}

export interface RmspropOptions extends ScaleByRmsOptions {
  /** Share of the last velocity that is kept, in [0, 1]; the velocity is fed by what RMSProp gives. Default 0: none. */
  readonly momentum?: Scalar;
  /** Look ahead along the velocity. Default false. */
  readonly nesterov?: boolean;
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * RMSProp, with momentum after the division as in PyTorch and optax: see `scaleByRms` and `scaleByMomentum` for the equations. Usual
 * rate: 0.001.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function rmsprop({ momentum = 0, nesterov = false, weightDecay = 0, ...options }: RmspropOptions = {}): Optimizer {
  return descend('rmsprop', chain(addDecayedWeights(weightDecay), scaleByRms(options), ...optionalMomentum('rmsprop', { momentum, nesterov })));
}

/** The entry of the registry. */
export const rmspropEntry = optimizerEntry({
  description: 'RMSProp: divides by the root of a mean of squared gradients (Tieleman & Hinton 2012); centred (Graves 2013)',
  rate: 0.001,
  options: {
    decay: option(fraction, 'decay rate of the mean of squares, below 1', 0.9),
    epsilon: epsilonOption(1e-8),
    epsilonInside: option(flag, 'add epsilon under the root', false),
    centered: option(flag, 'divide by the standard deviation', false),
    momentum: momentumOption(0),
    nesterov: nesterovOption,
    weightDecay: coupledDecay,
  },
  make: (values) => rmsprop(values),
});
