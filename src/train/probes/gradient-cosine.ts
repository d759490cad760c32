/** The angle between successive gradients. @module */
import type { Tensor } from '../../core/tensor.ts';
import { div, mul, onesLike, zerosLike } from '../../ops/index.ts';
import { globalNorm } from '../../optim/norms.ts';
import { mapTree } from '../../tree/index.ts';
import type { InsideProbe } from '../probe.ts';
import { differences, withRounding } from './cancellation.ts';
import { innerProduct } from './trees.ts';

/** The gradient of the step before. */
export interface LastGradient {
  readonly gradient: unknown;
}

export interface GradientCosineOptions {
  /** Default 1. The gradient compared with is always that of the very step before. */
  readonly every?: number | undefined;
}

/** cos(g_t, g_{t-1}) of the batch gradients; NaN at the first step. */
export function gradientCosine({ every = 1 }: GradientCosineOptions = {}): InsideProbe<LastGradient> {
  return {
    where: 'inside', name: 'gradient-cosine', every,
    init: (params) => ({ gradient: mapTree((leaf: Tensor) => zerosLike(leaf), params) }),
    measure(view, { gradient: last }) {
      const gradient = view.grad();
      // 0 / 0 where there was no gradient before.
      const cosine = div(innerProduct(gradient, last), mul(globalNorm(gradient), globalNorm(last)));
      return { values: differences({ '': { value: cosine, size: onesLike(cosine) } }), memory: { gradient } };
    },
    finish: withRounding,
  };
}
