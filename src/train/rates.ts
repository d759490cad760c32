/** Learning rates by step, and whether they can be told before the losses of the steps between. @module */
import type { Schedule } from '../optim/index.ts';

/** The rate of a step where it does not depend on losses; undefined where the schedule looks at them. */
export function rateWithoutLosses(schedule: Schedule, step: number): number | undefined {
  let looked = false;
  try {
    const rate = schedule(step, { get losses() { looked = true; return []; } });
    return looked ? undefined : rate;
  } catch (error) {
    // A schedule may refuse to go on without the losses it looked for.
    if (looked) return undefined;
    throw error;
  }
}

/** Learning rates of a run, each asked for once. */
export class RateSource {
  readonly #schedule: number | Schedule;
  readonly #losses: readonly number[];
  readonly #known = new Map<number, number>();
  #looksAtLosses = false;

  /** `losses` of the steps done: a list that grows. */
  constructor(schedule: number | Schedule, losses: readonly number[]) {
    this.#schedule = schedule;
    this.#losses = losses;
  }

  /** The rate of a step, when the steps before it are done. */
  at(step: number): number {
    if (typeof this.#schedule === 'number') return this.#schedule;
    let rate = this.#known.get(step);
    if (rate === undefined) this.#known.set(step, (rate = this.#schedule(step, { losses: this.#losses })));
    return rate;
  }

  /** Whether the rate of a later step is a function of the step alone. */
  isKnown(step: number): boolean {
    if (typeof this.#schedule === 'number' || this.#known.has(step)) return true;
    if (this.#looksAtLosses) return false;
    const rate = rateWithoutLosses(this.#schedule, step);
    if (rate === undefined) this.#looksAtLosses = true;
    else this.#known.set(step, rate);
    return rate !== undefined;
  }
}
