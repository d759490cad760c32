/** How many steps one call of the backend does. @module */
import { dueInside } from './measuring.ts';
import type { InsideProbe } from './probe.ts';

/** Steps in one call of the backend where steps are small: what a call costs besides the step is then a few percent of it. */
export const STEPS_PER_CALL = 16;
/** Bytes of inputs that one call is given at most where it does several steps. */
export const CALL_INPUT_BYTES = 64 * 2 ** 20;

/** The most steps in a call, up to `most`, that divide a run without remainder: it then needs one program instead of two. */
export function evenStepsPerCall(steps: number, most = 100): number {
  let count = Math.min(steps, most);
  while (steps % count !== 0) count--;
  return count;
}

/** What the number of steps in a call depends on. */
export interface CallSettings {
  /** Most steps in a call. */
  readonly most: number;
  /** Of the run. */
  readonly steps: number;
  readonly inside: readonly InsideProbe[];
  /** Whether something is due before this step. */
  readonly isStop: (step: number) => boolean;
  /** Whether the rate of a later step can be told now. */
  readonly isKnown: (step: number) => boolean;
}

/** The number of steps that the next call does: all it can, or one, so that there are two programs and not many. */
export function stepsOfCall(step: number, { most, steps, inside, isStop, isKnown }: CallSettings): number {
  if (most === 1 || step + most > steps) return 1;
  const due = dueInside(inside, step, steps).join('\n');
  for (let next = step + 1; next < step + most; next++) {
    if (isStop(next) || dueInside(inside, next, steps).join('\n') !== due || !isKnown(next)) return 1;
  }
  return most;
}
