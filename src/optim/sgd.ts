/** Stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983; Sutskever et al. 2013). @module */
import { requireNumber } from '../util/require.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, mul, sub, zerosLike } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import type { Optimizer } from './optimizer.ts';

export interface SgdOptions {
  /** Share of the last velocity that is kept, in [0, 1). Default 0: no momentum and no state. */
  readonly momentum?: number;
  /** Look ahead along the velocity. Default false. */
  readonly nesterov?: boolean;
  /** Coupled weight decay: adds `weightDecay * params` to the gradient. Default 0. */
  readonly weightDecay?: number;
}

/** Velocities shaped like the parameters; the empty tree without momentum. */
export interface SgdState {
  readonly velocity: unknown;
}

/**
 * Descends along the gradient g: `v <- momentum v + g`, `p <- p - rate v` (with `nesterov`: `p <- p - rate (g + momentum v)`),
 * with g including the weight decay. The convention of PyTorch: the rate multiplies the velocity, so a changed rate acts at once.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer<SgdState> {
  requireNumber('sgd', 'momentum', momentum, 0, 1);
  requireNumber('sgd', 'weightDecay', weightDecay, 0);
  return {
    name: momentum === 0 ? 'sgd' : nesterov ? 'nesterov' : 'momentum',
    init: (params) => ({ velocity: momentum === 0 ? {} : mapTree((p: Tensor) => zerosLike(p), params) }),
    update<P>({ params, grad, learningRate }: { params: P; grad: () => P; learningRate: Tensor }, { velocity }: SgdState) {
      const decayed = weightDecay === 0 ? grad() : mapTree((g: Tensor, p: Tensor) => add(g, mul(weightDecay, p)), grad(), params) as P;
      const next = momentum === 0 ? velocity : mapTree((v: Tensor, g: Tensor) => add(mul(momentum, v), g), velocity, decayed);
      const direction = momentum === 0 ? decayed : nesterov ? mapTree((g: Tensor, v: Tensor) => add(g, mul(momentum, v)), decayed, next) : next;
      return { params: mapTree((p: Tensor, d: Tensor) => sub(p, mul(learningRate, d)), params, direction) as P, state: { velocity: next } };
    },
  };
}
