/** Losses of groups of examples at every step of full-batch training. @module */
import { array } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { constant, mean, take } from '../../ops/index.ts';
import type { LossFunction } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import type { InsideProbe } from '../probe.ts';

/** The groups, the loss, the cadence. */
export interface GroupLossOptions {
  /** Indices into the training set, by name of the group: each becomes a column. */
  readonly groups: Readonly<Record<string, ArrayLike<number>>>;
  /** The problem's loss. */
  readonly loss: LossFunction;
  /** Default 1. */
  readonly every?: number | undefined;
}

/**
 * Mean loss of each group before the update, from the outputs that the step has anyway; for `batchSize: 'full'`, where the batch is the training
 * set in its order. @throws ArgumentError (when the step is traced) when an index is not below the batch size.
 */
export const groupLoss = ({ groups, loss, every = 1 }: GroupLossOptions): InsideProbe => ({
  where: 'inside', name: 'group-loss', every,
  measure(view) {
    const losses = loss(view.outputs(), view.targets);
    const [size] = losses.shape;
    return { values: Object.fromEntries(Object.entries(groups).map(([name, indices]): [string, Tensor] => {
      const wrong = Array.from(indices).find((index) => !Number.isInteger(index) || index < 0 || index >= size);
      if (wrong !== undefined || indices.length === 0) {
        throw new ArgumentError({ operation: 'groupLoss', required: `groups.${name} must hold indices below the batch size ${size}`, received: wrong === undefined ? 'none' : String(wrong), remedy: "train with batchSize: 'full'." });
      }
      return [name, mean(take(losses, constant(array(Int32Array.from(indices), undefined, 'int32'))))];
    })) };
  },
});
