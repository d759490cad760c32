/** The examples that each step of a run moves most, and how far they oppose each other. @module */
import type { Executor } from '../core/backend.ts';
import { pathEvaluator } from '../landscape/index.ts';
import { ParameterSpace, type Point, type Problem } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { choice, split, type Key } from '../util/random/index.ts';
import { groupGradientMeter } from './group-gradients.ts';
import { lossChanges, overlap, type LossChanges } from './loss-changes.ts';

/** One step, with the examples whose losses it changes most. */
export interface StepOpposition extends LossChanges {
  /** Cosine of the mean gradients, before the step, of the examples that rise most (`up`) and of those that fall most (`down`). */
  readonly opposed: number;
  /** The same of two disjoint random groups of as many examples. */
  readonly random: number;
  /** Part of the risers that were among the fallers of the step before; NaN at the first step. */
  readonly alternation: number;
  /** Part of the risers that were among the risers of the step before; NaN at the first step. */
  readonly persistence: number;
}

/** Sizes of groups, the key of random ones, and what is told meanwhile. */
/** Options of `stepOppositions`. */
export interface StepOppositionOptions {
  /** Examples of a group. Default 16. */
  readonly count?: number;
  /** Of the random groups. */
  readonly key: Key;
  readonly executor?: Executor;
  /** Called after each step with the number of steps done; what it returns is waited for. */
  readonly onStep?: (done: number) => Promise<void> | void;
}

/**
 * Outliers with opposing signals (Rosenfeld and Risteski 2023, arXiv 2311.04163) along successive points of a run, theta_0 ... theta_n: for each step
 * the training examples with the largest increase and decrease of the loss, and whether the same examples rise and fall in turn. One forward
 * pass over the training set a step, and 4 groups forward and back. @throws ArgumentError with fewer than two points, or examples for two groups.
 */
export async function stepOppositions<P, State>(problem: Problem<P, State>, points: readonly Point<P, State>[], { count = 16, key, executor, onStep = () => {} }: StepOppositionOptions): Promise<StepOpposition[]> {
  const { size } = problem.train;
  const refuse = (required: string, received: number): never => { throw new ArgumentError({ operation: 'stepOppositions', required, received: String(received) }); };
  if (points.length < 2) refuse('points must be at least two', points.length);
  if (size < 2 * count) refuse(`the training set must hold ${2 * count} examples, two groups of count`, size);
  const options = executor && { executor };
  const evaluator = pathEvaluator(problem, problem.train, points[0], new ParameterSpace(points[0].params).dtype, options);
  const meter = groupGradientMeter(problem, points[0], options);
  const steps: StepOpposition[] = [];
  try {
    let before = (await evaluator.evaluate(points[0])).losses;
    for (let t = 1; t < points.length; t++) {
      const { losses } = await evaluator.evaluate(points[t]);
      const changes = lossChanges(before, losses, { count });
      const drawn = choice(split(key, t), size, 2 * count);
      const { cosines } = await meter.measure(points[t - 1], [changes.up, changes.down, drawn.subarray(0, count), drawn.subarray(count)]);
      const last = steps.at(-1);
      steps.push({
        ...changes, opposed: cosines[0][1], random: cosines[2][3],
        alternation: last === undefined ? NaN : overlap(changes.up, last.down), persistence: last === undefined ? NaN : overlap(changes.up, last.up),
      });
      before = losses;
      await onStep(t);
    }
  } finally {
    await Promise.all([evaluator.dispose(), meter.dispose()]);
  }
  return steps;
}
