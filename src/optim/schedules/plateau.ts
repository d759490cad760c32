/** A rate that falls when the loss no longer does. @module */
import { ArgumentError } from '../../util/errors.ts';
import { fraction, nonNegative, nonNegativeInteger, option, positiveInteger } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';

/** Options of `plateauSchedule`. */
export interface PlateauScheduleOptions {
  readonly rate: number;
  /** Steps whose batch losses are averaged into one look at the loss. Default 100. */
  readonly window?: number;
  /** The rate is multiplied by it. Default 0.1. */
  readonly factor?: number;
  /** Looks without improvement that are borne. Default 10. */
  readonly patience?: number;
  /** A loss is an improvement when it is below the best so far by more than this share of it. Default 1e-4. */
  readonly threshold?: number;
  /** Looks after a change during which none is counted. Default 0. */
  readonly cooldown?: number;
  /** The rate goes no lower. Default 0. */
  readonly minimum?: number;
}

/** Where the rule stands after a look. */
interface Standing {
  readonly rate: number;
  readonly best: number;
  readonly bad: number;
  readonly cooling: number;
}

/** PyTorch's changes smaller than this are not made. */
const SMALLEST_CHANGE = 1e-8;

/**
 * Multiplies the rate by `factor` when the loss, averaged over windows of steps, has not improved for more than `patience` windows:
 * PyTorch's `ReduceLROnPlateau` with mode `min`, threshold mode `rel`, called once a window. A pure function of the step and of the
 * losses before it: it may be asked for any step, in any order, and needs nothing kept when a run is resumed but the losses.
 *
 * @throws ArgumentError when an option is out of range, and at a step whose history lacks losses.
 */
export function plateauSchedule({ rate, window = 100, factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, minimum = 0 }: PlateauScheduleOptions): Schedule {
  requireNumber('plateauSchedule', 'rate', rate, 0);
  requireInteger('plateauSchedule', 'window', window, 1);
  requireNumber('plateauSchedule', 'factor', factor, 0, 1);
  requireInteger('plateauSchedule', 'patience', patience, 0);
  requireNumber('plateauSchedule', 'threshold', threshold, 0, 1 - Number.EPSILON);
  requireInteger('plateauSchedule', 'cooldown', cooldown, 0);
  requireNumber('plateauSchedule', 'minimum', minimum, 0);
  const look = ({ rate: current, best, bad: before, cooling: left }: Standing, loss: number): Standing => {
    const better = loss < best * (1 - threshold);
    const cooling = Math.max(0, left - 1);
    const bad = better || left > 0 ? 0 : before + 1;
    const next = { rate: current, best: better ? loss : best, bad, cooling };
    if (bad <= patience) return next;
    const lower = Math.max(current * factor, minimum);
    return { ...next, rate: current - lower > SMALLEST_CHANGE ? lower : current, bad: 0, cooling: cooldown };
  };
  // What was worked out for a list of losses, which only grows: asking at every step costs one addition each.
  const known = new WeakMap<readonly number[], Standing[]>();
  return (step, history) => {
    const losses = history?.losses ?? [];
    const looks = Math.floor(step / window);
    if (losses.length < looks * window) {
      throw new ArgumentError({ operation: 'plateauSchedule', required: `history must hold the losses of the ${looks * window} steps before step ${step}`, received: `${losses.length} losses` });
    }
    const standings = known.get(losses) ?? [{ rate, best: Infinity, bad: 0, cooling: 0 }];
    known.set(losses, standings);
    for (let i = standings.length; i <= looks; i++) {
      const mean = losses.slice((i - 1) * window, i * window).reduce((sum, loss) => sum + loss, 0) / window;
      standings.push(look(standings[i - 1], mean));
    }
    return standings[looks].rate;
  };
}

/** The entry of the registry. */
export const plateauEntry = scheduleEntry({
  description: 'falls when the loss no longer does (ReduceLROnPlateau of PyTorch)',
  options: {
    window: option(positiveInteger, 'steps whose losses are averaged into one look', 100),
    factor: option(fraction, 'the rate is multiplied by it', 0.1),
    patience: option(nonNegativeInteger, 'looks without improvement that are borne', 10),
    threshold: option(fraction, 'share of the best loss that an improvement must exceed', 1e-4),
    cooldown: option(nonNegativeInteger, 'looks after a change during which none is counted', 0),
    minimum: option(nonNegative, 'the rate goes no lower', 0),
  },
  make: ({ rate }, values) => plateauSchedule({ rate, ...values }),
});
