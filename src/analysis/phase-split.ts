/** A curve that falls, rises and falls again, taken apart. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';

/** Turning points of a curve, and how deep its phases are. */
export interface PhaseSplit {
  /** Place of the smallest value in the first three quarters of the record, and of the largest value from there on. */
  readonly atMinimum: number;
  readonly atMaximum: number;
  readonly start: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly end: number;
  /** start / minimum: 1 without a fall at the beginning. */
  readonly collapse: number;
  /** maximum / minimum. */
  readonly expansion: number;
  /** maximum / end: 1 without a fall at the end. */
  readonly compression: number;
}

/**
 * Splits values recorded at ascending `steps` into collapse, expansion and compression. Judge it on records at places fixed in advance: extremes of noise
 * make phases too. @throws ShapeError when the lists differ in length; ArgumentError with fewer than four records.
 */
export function phaseSplit(steps: ArrayLike<number>, values: ArrayLike<number>): PhaseSplit {
  const { length } = values;
  if (steps.length !== length) throw new ShapeError({ operation: 'phaseSplit', required: 'steps and values must be of one length', received: `${steps.length} and ${length}` });
  if (length < 4) throw new ArgumentError({ operation: 'phaseSplit', required: 'values must hold at least four records', received: String(length) });
  let low = 0;
  for (let i = 0; i < Math.ceil(0.75 * length); i++) if (values[i] < values[low]) low = i;
  let high = low;
  for (let i = low; i < length; i++) if (values[i] > values[high]) high = i;
  const [start, minimum, maximum, end] = [values[0], values[low], values[high], values[length - 1]];
  return { atMinimum: steps[low], atMaximum: steps[high], start, minimum, maximum, end, collapse: start / minimum, expansion: maximum / minimum, compression: maximum / end };
}
