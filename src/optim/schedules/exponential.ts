/** A rate that falls by a factor smoothly. @module */
import { nonNegative, option, positive, positiveInteger } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';

/** Options of `exponentialSchedule`. */
export interface ExponentialScheduleOptions {
  readonly rate: number;
  /** Reached after `every` steps, as a share of the rate before them. */
  readonly factor: number;
  /** Default 1. */
  readonly every?: number;
  /** The rate goes no further than this: a floor where factor < 1, else a ceiling. Default: none. */
  readonly end?: number;
}

/** `rate * factor^(step / every)`: optax's `exponential_decay`, PyTorch's `ExponentialLR`. @throws ArgumentError when an option is out of range. */
export function exponentialSchedule({ rate, factor, every = 1, end }: ExponentialScheduleOptions): Schedule {
  requireNumber('exponentialSchedule', 'rate', rate, 0);
  requireNumber('exponentialSchedule', 'factor', factor, Number.MIN_VALUE);
  requireInteger('exponentialSchedule', 'every', every, 1);
  if (end !== undefined) requireNumber('exponentialSchedule', 'end', end, 0);
  const limit = factor < 1 ? Math.max : Math.min;
  return (step) => limit(rate * factor ** (step / every), end ?? (factor < 1 ? 0 : Infinity));
}

/** The entry of the registry. */
export const exponentialEntry = scheduleEntry({
  description: 'falls exponentially (ExponentialLR of PyTorch)',
  options: {
    factor: option(positive, 'reached after `every` steps, as a share of the rate before them', 0.1),
    every: option(positiveInteger, 'the steps; left out, those of the run'),
    end: option(nonNegative, 'the rate goes no further than this', 0),
  },
  make: ({ rate, steps }, { factor = 0.1, every = steps, end }) => exponentialSchedule({ rate, factor, every, ...(end !== undefined && end > 0 && { end }) }),
});
