/** The length of the batch's gradient. @module */
import { globalNorm } from '../../optim/norms.ts';
import type { InsideProbe } from '../probe.ts';
import { lengthsByLayer } from './trees.ts';

export interface GradientNormOptions {
  /** Default 1. */
  readonly every?: number | undefined;
  /** One number a layer besides. Default false. */
  readonly layers?: boolean | undefined;
}

/** |g| of the batch loss, as the optimizer is given it: before clipping. Free: the step has the gradient. */
export function gradientNorm({ every = 1, layers = false }: GradientNormOptions = {}): InsideProbe {
  return {
    where: 'inside', name: 'gradient-norm', every,
    measure(view) {
      const gradient = view.grad();
      return { values: { '': globalNorm(gradient), ...(layers && lengthsByLayer(gradient)) } };
    },
  };
}
