/** The order of examples in training: epochs, permutations, batches. Indices only. @module */
import { requireInteger } from '../util/require.ts';
import { permutation, split } from '../util/random/index.ts';
import type { Key } from '../util/random/index.ts';

/** The order of the examples in an epoch, a function of key and epoch alone. @throws ArgumentError */
export function epochOrder(key: Key, size: number, epoch: number): Int32Array {
  requireInteger('epochOrder', 'epoch', epoch);
  return permutation(split(key, 'epoch', epoch), size);
}

/** How an epoch's order is cut into batches. */
export interface BatchOptions {
  readonly batchSize: number;
  /** What becomes of the last, smaller batch; dropped by default, so that every batch has one shape. */
  readonly remainder?: 'drop' | 'keep';
}

/** Cuts an order of indices into batches: views, in order. @throws ArgumentError when batchSize is not a positive integer. */
export function batches(order: Int32Array, options: BatchOptions): Int32Array[] {
  const { batchSize, remainder = 'drop' } = options;
  requireInteger('batches', 'batchSize', batchSize, 1);
  const count = remainder === 'keep' ? Math.ceil(order.length / batchSize) : Math.floor(order.length / batchSize);
  return Array.from({ length: count }, (_, i) => order.subarray(i * batchSize, (i + 1) * batchSize));
}
