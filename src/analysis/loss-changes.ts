/** Which examples a step of training moves most. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';

/** The examples whose losses a step changes most. */
export interface LossChanges {
  /** Indices of the largest increases, the largest first. */
  readonly up: Int32Array;
  /** Indices of the largest decreases, the largest first. */
  readonly down: Int32Array;
  /** Part of sum |change| that the largest |changes| carry; NaN where nothing changes. */
  readonly share: number;
}

export interface LossChangeOptions {
  /** How many of either sign. Default 16. */
  readonly count?: number;
  /** Part of the examples whose |changes| `share` sums, rounded up to whole examples. Default 0.05: a share of 0.05 would be that of equal changes. */
  readonly part?: number;
}

/**
 * The `count` examples with the largest increase and the largest decrease of the loss from `before` to `after` [examples], and how much of
 * all change a few of them carry (Rosenfeld and Risteski 2023, arXiv 2311.04163). Equal changes are ordered by index.
 * @throws ArgumentError when the lists differ in length or hold fewer than `count` examples.
 */
export function lossChanges(before: ArrayLike<number>, after: ArrayLike<number>, { count = 16, part = 0.05 }: LossChangeOptions = {}): LossChanges {
  const { length } = before;
  if (after.length !== length) throw new ArgumentError({ operation: 'lossChanges', required: `after must hold ${length} losses, as before does`, received: String(after.length) });
  requireInteger('lossChanges', 'count', count, 1, length);
  requireNumber('lossChanges', 'part', part, 0, 1);
  const change = Float64Array.from({ length }, (_, i) => after[i] - before[i]);
  const order = Int32Array.from({ length }, (_, i) => i).sort((a, b) => change[b] - change[a] || a - b);
  const sizes = change.map(Math.abs).sort().reverse();
  const total = sizes.reduce((sum, x) => sum + x, 0);
  const carried = sizes.subarray(0, Math.ceil(part * length)).reduce((sum, x) => sum + x, 0);
  return { up: order.slice(0, count), down: order.slice(-count).reverse(), share: carried / total };
}

/** |a and b| / |a|: the part of the indices `a` that are among `b`; NaN of no indices. */
export function overlap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const others = new Set(Array.from(b));
  return Array.from(a).filter((index) => others.has(index)).length / a.length;
}
