/** How many examples of a batch fit in memory at a time, predicted from the step's graph. @module */
import type { Graph } from '../core/graph.ts';
import { bytesOf, peakBytes } from '../problem/memory.ts';

/** Examples of the first of two traces; memory is linear in their number. */
const TRIAL = 8;

export interface MicroBatchArguments {
  /** Of the batch. */
  readonly examples: number;
  /** Bytes that a step may take besides the training set. */
  readonly memoryBudget: number;
  /** The step for a batch of so many examples; the first `dataInputs` inputs of the graph are the training set. */
  readonly graphAt: (examples: number) => Graph;
  readonly dataInputs: number;
}

/** The largest divisor of the batch whose step is predicted to fit, or the smallest; undefined where the whole batch fits. */
export function planMicroBatch({ examples, memoryBudget, graphAt, dataInputs }: MicroBatchArguments): number | undefined {
  const bytesAt = (count: number): number => {
    const graph = graphAt(count);
    return peakBytes(graph) - bytesOf(graph.inputs.slice(0, dataInputs));
  };
  const low = Math.min(TRIAL, examples);
  const high = Math.min(2 * TRIAL, examples);
  const bytes = bytesAt(low);
  const slope = high === low ? 0 : (bytesAt(high) - bytes) / (high - low);
  const fits = (count: number): boolean => bytes + slope * (count - low) <= memoryBudget;
  if (fits(examples)) return undefined;
  for (let count = Math.floor(examples / 2); count > 1; count--) if (examples % count === 0 && fits(count)) return count;
  return 1;
}
