/** How far a step moves each layer, relative to its weights. @module */
import { div } from '../../ops/index.ts';
import type { InsideProbe } from '../probe.ts';
import { difference, lengthsByLayer } from './trees.ts';

export interface UpdateRatioOptions {
  /** Default 1. */
  readonly every?: number | undefined;
}

/** |w' - w| / |w| for each layer, w' the parameters after the step. Infinite where a layer's weights are all zero. */
export function updateRatio({ every = 1 }: UpdateRatioOptions = {}): InsideProbe {
  return {
    where: 'inside', name: 'update-ratio', every,
    measure({ params, next }) {
      const [moved, weights] = [lengthsByLayer(difference(next, params)), lengthsByLayer(params)];
      return { values: Object.fromEntries(Object.entries(moved).map(([layer, length]) => [layer, div(length, weights[layer])])) };
    },
  };
}
