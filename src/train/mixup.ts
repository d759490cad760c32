/** Mixed examples (Zhang et al. 2018). @module */
import { NDArray, scalar } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, at, mul, stack, sub, take } from '../ops/index.ts';
import type { Examples, LossFunction } from '../problem/index.ts';
import { beta, permutation, split, type Key } from '../util/random/index.ts';

export interface MixupOptions {
  /** Parameter of the distribution Beta(alpha, alpha) that shares are drawn from; near zero hardly anything is mixed. */
  readonly alpha: number;
}

/** What a batch is mixed with: itself in another order. */
export interface Mix<A = Tensor> {
  /** For each example the position of its partner, [batch]. */
  readonly partners: A;
  /** The share of the example itself, []. */
  readonly share: A;
}

/** The mix of a step: one share a batch, as in the authors' code. A pure function of the key. */
export function drawMix(key: Key, { alpha }: MixupOptions, batchSize: number, dtype: 'float32' | 'float64'): Mix<NDArray> {
  return {
    partners: new NDArray(permutation(split(key, 'partners'), batchSize), [batchSize], 'int32'),
    share: scalar(beta(split(key, 'share'), alpha, alpha), dtype),
  };
}

/**
 * Inputs `s x + (1 - s) x'` with the loss `s loss(f, y) + (1 - s) loss(f, y')`. For a loss that is linear in its targets (cross-entropy)
 * that is the loss of the mixed targets. The targets become pairs [batch, 2, ...], so that an example's loss is a function of its own row.
 */
export function mixed({ inputs, targets }: Examples, loss: LossFunction, { partners, share }: Mix): { readonly batch: Examples; readonly loss: LossFunction } {
  const rest = sub(1, share);
  return {
    batch: { inputs: add(mul(share, inputs), mul(rest, take(inputs, partners))), targets: stack([targets, take(targets, partners)], 1) },
    loss: (outputs, pairs) => add(mul(share, loss(outputs, at(pairs, 0, 1))), mul(rest, loss(outputs, at(pairs, 1, 1)))),
  };
}
