/** How far the run has come: as the crow flies, and along its path. @module */
import type { Tensor } from '../../core/tensor.ts';
import { add, mul, sub, sum } from '../../ops/index.ts';
import { globalNorm } from '../../optim/norms.ts';
import { leaves } from '../../tree/index.ts';
import type { InsideProbe } from '../probe.ts';
import { difference } from './trees.ts';

/** Length of the path so far, as a number and what rounding took from it. */
export interface PathLength {
  readonly length: Tensor;
  readonly lost: Tensor;
}

export interface DistanceOptions {
  /** Default 1. */
  readonly every?: number | undefined;
}

/** |w_t - w_0| (`start`) and the sum of |w_{s+1} - w_s| over the steps s < t (`path`). A few additions a parameter at every step. */
export function distance({ every = 1 }: DistanceOptions = {}): InsideProbe<PathLength> {
  return {
    where: 'inside', name: 'distance', every,
    init(params) {
      const zero = mul(sum(leaves<Tensor>(params)[0]), 0);
      return { length: zero, lost: zero };
    },
    measure({ params, next, initial }, { length, lost }) {
      // Compensated summation (Kahan 1965): float32 would stop growing after some millions of steps.
      const step = sub(globalNorm(difference(next, params)), lost);
      const longer = add(length, step);
      return { values: { start: globalNorm(difference(params, initial)), path: length }, memory: { length: longer, lost: sub(sub(longer, length), step) } };
    },
  };
}
