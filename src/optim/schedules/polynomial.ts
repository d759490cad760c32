/** Rates that fall to an end as a power of what is left of the run. @module */
import { nonNegative, option, positive } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';

/** Options of `linearSchedule`. */
export interface LinearScheduleOptions {
  readonly rate: number;
  /** Steps after which the end is reached. */
  readonly steps: number;
  /** Default 0. */
  readonly end?: number;
}

/** Options of `polynomialSchedule`. */
export interface PolynomialScheduleOptions extends LinearScheduleOptions {
  /** Default 2. */
  readonly power?: number;
}

/** `end + (rate - end) (1 - step / steps)^power`: optax's `polynomial_schedule`. @throws ArgumentError when an option is out of range. */
export function polynomialSchedule({ rate, steps, end = 0, power = 2 }: PolynomialScheduleOptions): Schedule {
  requireNumber('polynomialSchedule', 'rate', rate, 0);
  requireInteger('polynomialSchedule', 'steps', steps, 1);
  requireNumber('polynomialSchedule', 'end', end, 0);
  requireNumber('polynomialSchedule', 'power', power, Number.MIN_VALUE);
  return (step) => end + (rate - end) * (1 - Math.min(1, step / steps)) ** power;
}

/** A straight line from `rate` to `end`. @throws ArgumentError when an option is out of range. */
export const linearSchedule = (options: LinearScheduleOptions): Schedule => polynomialSchedule({ ...options, power: 1 });

const end = option(nonNegative, 'the rate at the end of the run', 0);

/** The entry of `linearSchedule`. */
export const linearEntry = scheduleEntry({ description: 'a straight line from the rate to the end', options: { end }, make: (setting, values) => linearSchedule({ ...setting, ...values }) });

/** The entry of `polynomialSchedule`. */
export const polynomialEntry = scheduleEntry({
  description: 'falls to the end as a power of what is left of the run',
  options: { power: option(positive, 'the power', 2), end },
  make: (setting, values) => polynomialSchedule({ ...setting, ...values }),
});
