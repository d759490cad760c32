/** What averaging the weights of two networks gains. @module */
import { combinePoints } from '../landscape/index.ts';
import type { Evaluator, Point } from '../problem/index.ts';
import { requireInteger } from '../util/require.ts';

/** The mean of two networks' weights against the two. */
export interface AveragingGain {
  /** Loss of the average of weights minus the mean of the two losses: negative where averaging helps. */
  readonly loss: number;
  /** Accuracy of the average of weights minus the mean of the two: positive where averaging helps. NaN where targets are not labels. */
  readonly accuracy: number;
  /** max over the segment of L(t) - ((1 - t) L(0) + t L(1)), on an even grid; 0 where the segment lies below its chord. */
  readonly barrier: number;
}

/** How `averagingGain` looks at the segment. */
export interface AveragingOptions {
  /** Points of the even grid for the barrier, both ends and the middle included: odd. Default 11. */
  readonly points?: number;
}

/**
 * Compares the network at the mean of two networks' weights (a "model soup" of two, Wortsman et al. 2022, arXiv 2203.05482) with the
 * two, on the split of an evaluator, and looks for a barrier on the segment between them. Costs `points` evaluations.
 *
 * @throws ArgumentError when points is even or below 3; TreeError | ShapeError when the networks differ in structure.
 */
export async function averagingGain<P, State>(evaluator: Evaluator<P, State>, from: Point<P, State>, to: Point<P, State>, { points = 11 }: AveragingOptions = {}): Promise<AveragingGain> {
  const half = requireInteger('averagingGain', '(points - 1) / 2', (points - 1) / 2, 1);
  const losses: number[] = [];
  const accuracies: number[] = [];
  for (let i = 0; i < points; i++) {
    const t = i / (points - 1);
    const { loss, accuracy } = await evaluator.evaluate(combinePoints([from, to], [1 - t, t]));
    losses.push(loss.value);
    accuracies.push(accuracy?.value ?? NaN);
  }
  const ends = (values: readonly number[]): number => (values[0] + values[points - 1]) / 2;
  // The ends lie on the chord by definition.
  const heights = losses.map((value, i) => value - (losses[0] + (i / (points - 1)) * (losses[points - 1] - losses[0]))).slice(1, -1);
  return { loss: losses[half] - ends(losses), accuracy: accuracies[half] - ends(accuracies), barrier: Math.max(0, ...heights) };
}
