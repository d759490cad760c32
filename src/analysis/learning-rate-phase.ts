/** Which of the three phases of a learning rate a course of losses shows. @module */
import { ArgumentError } from '../util/errors.ts';

/** `lazy`: the loss hardly grows; `catapult`: it grows and then falls below its start; `divergent`: it grows without end. */
export type LearningRatePhaseName = 'lazy' | 'catapult' | 'divergent';

/** A phase, with the numbers it is read off. */
export interface LearningRatePhase {
  readonly phase: LearningRatePhaseName;
  /** The largest loss that is finite. */
  readonly largest: number;
  /** The largest over the first. */
  readonly growth: number;
  /** The last loss that is finite. */
  readonly last: number;
}

/** Where the phases part. */
export interface LearningRatePhaseOptions {
  /** A loss above this is divergent. Default 1e8. */
  readonly divergent?: number;
  /** A largest loss of more than so many times the first is a catapult. Default 5. */
  readonly growth?: number;
}

/**
 * The phase of full-batch gradient descent from the losses of its steps, the first at the start (Lewkowycz, Bahri, Dyer, Sohl-Dickstein,
 * Gur-Ari 2020): with squared error, lazy below eta lambda_0 = 2, catapult up to about 4, divergent beyond. A loss that is not finite
 * is divergent; so is one that grew and has not come back below the first: the course is too short to tell.
 * @throws ArgumentError when there is no loss, or the first is not a finite positive number.
 */
export function learningRatePhase(losses: ArrayLike<number>, { divergent = 1e8, growth = 5 }: LearningRatePhaseOptions = {}): LearningRatePhase {
  const first = losses[0];
  if (losses.length === 0 || !(first > 0 && first < Infinity)) {
    throw new ArgumentError({ operation: 'learningRatePhase', required: 'losses must begin with a finite positive one', received: losses.length === 0 ? 'none' : String(first) });
  }
  const finite = Array.from(losses).filter(Number.isFinite);
  const largest = finite.reduce((a, b) => Math.max(a, b));
  const numbers = { largest, growth: largest / first, last: finite[finite.length - 1] };
  const grows = largest > growth * first;
  const isLost = finite.length < losses.length || largest > divergent || (grows && numbers.last >= first);
  return { phase: isLost ? 'divergent' : grows ? 'catapult' : 'lazy', ...numbers };
}
