/** Rates that fall by a factor at certain steps. @module */
import { ArgumentError } from '../../util/errors.ts';
import { option, positive, positiveInteger, positiveIntegers } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';

/** Options of `stepSchedule`. */
export interface StepScheduleOptions {
  readonly rate: number;
  /** Steps between two changes. */
  readonly every: number;
  /** The rate is multiplied by it. Default 0.1. */
  readonly factor?: number;
}

/** `rate * factor^floor(step / every)`: PyTorch's `StepLR`. @throws ArgumentError when an option is out of range. */
export function stepSchedule({ rate, every, factor = 0.1 }: StepScheduleOptions): Schedule {
  requireNumber('stepSchedule', 'rate', rate, 0);
  requireInteger('stepSchedule', 'every', every, 1);
  requireNumber('stepSchedule', 'factor', factor, 0);
  return (step) => rate * factor ** Math.floor(step / every);
}

/** Options of `piecewiseSchedule`. */
export interface PiecewiseScheduleOptions {
  readonly rate: number;
  /** Steps from which on the rate is multiplied by the factor, ascending. */
  readonly at: readonly number[];
  /** One for all changes, or one for each. Default 0.1. */
  readonly factor?: number | readonly number[];
}

/**
 * Piecewise constant: the rate is multiplied by a factor at each of the steps `at` (He et al. 2016 trained ResNets so): PyTorch's
 * `MultiStepLR`, optax's `piecewise_constant_schedule`.
 *
 * @throws ArgumentError when steps do not ascend, or factors are not one for each.
 */
export function piecewiseSchedule({ rate, at, factor = 0.1 }: PiecewiseScheduleOptions): Schedule {
  requireNumber('piecewiseSchedule', 'rate', rate, 0);
  at.forEach((step, i) => requireInteger('piecewiseSchedule', `at[${i}]`, step, i === 0 ? 1 : at[i - 1] + 1));
  const factors = typeof factor === 'number' ? at.map(() => factor) : factor;
  factors.forEach((one, i) => requireNumber('piecewiseSchedule', `factor[${i}]`, one, 0));
  if (factors.length !== at.length) throw new ArgumentError({ operation: 'piecewiseSchedule', required: `factor must be one number, or ${at.length} as 'at'`, received: `${factors.length}` });
  return (step) => at.reduce((current, from, i) => (step >= from ? current * factors[i] : current), rate);
}

/** The entry of `stepSchedule`. */
export const stepEntry = scheduleEntry({
  description: 'falls by a factor every so many steps (StepLR of PyTorch)',
  options: {
    every: option(positiveInteger, 'steps between two changes; left out, a third of the run'),
    factor: option(positive, 'the rate is multiplied by it', 0.1),
  },
  make: ({ rate, steps }, { every = Math.max(1, Math.ceil(steps / 3)), ...rest }) => stepSchedule({ rate, every, ...rest }),
});

/** The entry of `piecewiseSchedule`. */
export const piecewiseEntry = scheduleEntry({
  description: 'falls by a factor at given steps (He et al. 2016; MultiStepLR of PyTorch)',
  options: {
    at: option(positiveIntegers, 'the steps, joined by dashes; left out, after half and three quarters of the run'),
    factor: option(positive, 'the rate is multiplied by it', 0.1),
  },
  make: ({ rate, steps }, { at = [...new Set([Math.ceil(steps / 2), Math.ceil((3 * steps) / 4)])].filter((step) => step > 0), ...rest }) => piecewiseSchedule({ rate, at, ...rest }),
});
