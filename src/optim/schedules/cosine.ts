/** Half cosines, once or with restarts (Loshchilov & Hutter 2017). @module */
import { nonNegative, nonNegativeInteger, option, positiveInteger } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';
import { warmupSchedule } from './warmup.ts';

/** Options of `cosineSchedule`. */
export interface CosineScheduleOptions {
  readonly rate: number;
  /** Steps after which the end is reached, warm-up included. */
  readonly steps: number;
  /** Steps of a linear warm-up from zero. Default 0. */
  readonly warmup?: number;
  /** Default 0. */
  readonly end?: number;
}

const half = (rate: number, end: number, progress: number): number => end + ((rate - end) * (1 + Math.cos(Math.PI * progress))) / 2;

/** Half a cosine from `rate` to `end`, after a linear warm-up (Loshchilov & Hutter 2017, equation 5). @throws ArgumentError when an option is out of range. */
export function cosineSchedule({ rate, steps, warmup = 0, end = 0 }: CosineScheduleOptions): Schedule {
  requireNumber('cosineSchedule', 'rate', rate, 0);
  requireNumber('cosineSchedule', 'steps', steps, 1);
  requireNumber('cosineSchedule', 'end', end, 0);
  requireInteger('cosineSchedule', 'warmup', warmup, 0, steps);
  const length = Math.max(1, steps - warmup);
  return warmupSchedule((step) => half(rate, end, Math.min(1, step / length)), { steps: warmup });
}

/** Options of `cosineRestartsSchedule`. */
export interface CosineRestartsScheduleOptions {
  readonly rate: number;
  /** Steps of the first period. */
  readonly period: number;
  /** Each period is so many times as long as the one before. Default 1. */
  readonly multiplier?: number;
  /** Default 0. */
  readonly end?: number;
}

/**
 * Half cosines one after another, each from `rate` (Loshchilov & Hutter 2017, SGDR): PyTorch's `CosineAnnealingWarmRestarts`.
 * @throws ArgumentError when an option is out of range.
 */
export function cosineRestartsSchedule({ rate, period, multiplier = 1, end = 0 }: CosineRestartsScheduleOptions): Schedule {
  requireNumber('cosineRestartsSchedule', 'rate', rate, 0);
  requireInteger('cosineRestartsSchedule', 'period', period, 1);
  requireInteger('cosineRestartsSchedule', 'multiplier', multiplier, 1);
  requireNumber('cosineRestartsSchedule', 'end', end, 0);
  return (step) => {
    let since = step;
    let length = period;
    if (multiplier === 1) since %= period;
    else for (; since >= length; length *= multiplier) since -= length;
    return half(rate, end, since / length);
  };
}

/** The entry of `cosineSchedule`. */
export const cosineEntry = scheduleEntry({
  description: 'half a cosine to the end (Loshchilov & Hutter 2017)',
  options: { warmup: option(nonNegativeInteger, 'steps of a linear warm-up from zero', 0), end: option(nonNegative, 'the rate at the end of the run', 0) },
  make: (setting, values) => cosineSchedule({ ...setting, ...values }),
});

/** The entry of `cosineRestartsSchedule`. */
export const cosineRestartsEntry = scheduleEntry({
  description: 'half cosines, each from the full rate: SGDR (Loshchilov & Hutter 2017)',
  options: {
    period: option(positiveInteger, 'steps of the first; left out, a tenth of the run'),
    multiplier: option(positiveInteger, 'each is so many times as long as the one before', 1),
    end: option(nonNegative, 'the rate at the end of each', 0),
  },
  make: ({ rate, steps }, { period = Math.max(1, Math.ceil(steps / 10)), ...rest }) => cosineRestartsSchedule({ rate, period, ...rest }),
});
