/** Whether libraries that train alike lose alike. @module */
import { relativeDifference } from '../shared/statistics.ts';
import type { NDArray } from '../../src/core/ndarray.ts';

/** How far losses are from those of the reference, relative to these. */
export interface Difference {
  /** Norm of the difference over the first steps: what libraries compute alike is the same there but for rounding. */
  readonly first: number;
  /** Difference of the means over the other steps: rounding has grown by then, most where activations have kinks, yet the training must be as good. Zero where there are none. */
  readonly later: number;
}

/** Steps that must agree one by one. */
export const FIRST = 32;
/** Largest differences that count as agreement. */
export const TOLERANCE: Difference = { first: 1e-3, later: 0.05 };

/** Losses of the steps from `begin` to `end`, of all replicas. */
function part({ data, shape: [replicas, steps] }: NDArray, begin: number, end: number): Float64Array {
  const [low, high] = [Math.min(begin, steps), Math.min(end, steps)];
  const out = new Float64Array(replicas * (high - low));
  for (let r = 0; r < replicas; r++) out.set(data.subarray(r * steps + low, r * steps + high), r * (high - low));
  return out;
}

const mean = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** The difference of losses [replicas, steps]. */
export function differenceOf(losses: NDArray, reference: NDArray): Difference {
  const [ours, theirs] = [losses, reference].map((all) => part(all, FIRST, Infinity));
  return {
    first: relativeDifference([part(losses, 0, FIRST)], [part(reference, 0, FIRST)]),
    later: theirs.length === 0 ? 0 : Math.abs(mean(ours) / mean(theirs) - 1),
  };
}

/** NaN, of a run that diverged, is no agreement. */
export const isWithin = ({ first, later }: Difference): boolean => first <= TOLERANCE.first && later <= TOLERANCE.later;
