/** How many replicas fit in memory at a time. @module */

export interface SliceArguments {
  readonly replicas: number;
  readonly memoryBudget: number;
  /** Replicas at a time, where the user has chosen. */
  readonly most: number | undefined;
  /** Predicted bytes of a step of so many replicas. */
  readonly bytesAt: (replicas: number) => number;
}

export interface SlicePlan {
  /** Replicas of each slice, as even as can be. */
  readonly sizes: readonly number[];
  /** Predicted bytes of a step of the largest slice. */
  readonly bytes: number;
}

/** Two numbers of replicas that are traced; memory is linear in it. */
const TRIALS = [2, 4] as const;

/** The fewest slices whose steps are predicted to fit; slices of one replica where none do. */
export function planSlices({ replicas, memoryBudget, most: chosen, bytesAt }: SliceArguments): SlicePlan {
  const [low, high] = TRIALS.map((count) => Math.min(count, replicas));
  const bytes = bytesAt(low);
  const slope = high === low ? bytes / low : (bytesAt(high) - bytes) / (high - low);
  const predicted = (count: number): number => bytes + slope * (count - low);
  const fitting = predicted(replicas) <= memoryBudget ? replicas : Math.max(1, Math.floor(low + (memoryBudget - bytes) / slope));
  const sizes = evenSizes(replicas, Math.min(replicas, chosen ?? fitting));
  return { sizes, bytes: predicted(sizes[0]) };
}

/** A number cut into parts of at most `most`, larger ones first. */
export function evenSizes(total: number, most: number): number[] {
  const parts = Math.ceil(total / most);
  return Array.from({ length: parts }, (_, i) => Math.floor(total / parts) + Number(i < total % parts));
}
