/** Warm-ups before any schedule, and schedules one after another. @module */
import { ArgumentError } from '../../util/errors.ts';
import { fraction, oneOf, option, positiveInteger } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule, ScheduleHistory } from '../optimizer.ts';

/** What was measured since a step. Losses that were copied once are kept: a schedule that is asked at every step copies each once. */
function historySince(step: number): (history: ScheduleHistory | undefined) => ScheduleHistory | undefined {
  const known = new WeakMap<readonly number[], number[]>();
  return (history) => {
    if (history === undefined) return undefined;
    const losses = known.get(history.losses) ?? [];
    known.set(history.losses, losses);
    for (let i = step + losses.length; i < history.losses.length; i++) losses.push(history.losses[i]);
    return { losses };
  };
}

/** Options of `warmupSchedule`. */
export interface WarmupScheduleOptions {
  /** Steps of the warm-up; 0 for none. */
  readonly steps: number;
  /** Where it starts from, as a share of the rate it goes to. Default 0, and 0.001 for an exponential one. */
  readonly from?: number;
  /** Default linear. */
  readonly shape?: 'linear' | 'exponential';
}

/**
 * A warm-up to the first rate of `schedule`, which follows, counted from its own zero. Step k of the n has the share
 * `from + (1 - from) (k + 1) / n`, or `from^(1 - (k + 1) / n)`: no step is lost at rate zero, and the last has the full rate
 * (Goyal et al. 2017).
 *
 * @throws ArgumentError when an option is out of range.
 */
export function warmupSchedule(schedule: Schedule, { steps, shape = 'linear', from = shape === 'linear' ? 0 : 1e-3 }: WarmupScheduleOptions): Schedule {
  requireInteger('warmupSchedule', 'steps', steps, 0);
  requireNumber('warmupSchedule', 'from', from, shape === 'linear' ? 0 : Number.MIN_VALUE, 1);
  if (steps === 0) return schedule;
  const since = historySince(steps);
  return (step, history) => {
    if (step >= steps) return schedule(step - steps, since(history));
    const progress = (step + 1) / steps;
    return schedule(0, since(history)) * (shape === 'linear' ? from + (1 - from) * progress : from ** (1 - progress));
  };
}

/** A schedule and the steps it is followed for. */
export interface ScheduleStage {
  readonly schedule: Schedule;
  /** The last stage has none: it goes on. */
  readonly steps?: number;
}

/**
 * Schedules one after another, each counted from its own zero.
 * @throws ArgumentError when there is no stage, or one before the last has no steps.
 */
export function sequenceSchedule(stages: readonly ScheduleStage[]): Schedule {
  if (stages.length === 0) throw new ArgumentError({ operation: 'sequenceSchedule', required: 'there must be at least one stage', received: 'none' });
  stages.slice(0, -1).forEach(({ steps }, i) => requireInteger('sequenceSchedule', `steps of stage ${i}`, steps ?? NaN, 1));
  let end = 0;
  const placed = stages.map(({ schedule, steps }, i) => {
    const start = end;
    end = i === stages.length - 1 ? Infinity : start + steps!;
    return { schedule, start, end, since: historySince(start) };
  });
  return (step, history) => {
    const { schedule, start, since } = placed.find((stage) => step < stage.end)!;
    return schedule(step - start, since(history));
  };
}

/** The entry of `warmupSchedule`. */
export const warmupEntry = scheduleEntry({
  description: 'a warm-up before another schedule, as warmup:steps=100+exponential (Goyal et al. 2017)',
  wraps: 'constant',
  options: {
    steps: option(positiveInteger, 'steps of the warm-up; left out, a twentieth of the run'),
    from: option(fraction, 'where it starts from, as a share of the rate it goes to; left out, 0, or 0.001 for an exponential one'),
    shape: option(oneOf(['linear', 'exponential']), 'how it goes up', 'linear'),
  },
  make({ rate, steps: all }, { steps = Math.max(1, Math.ceil(all / 20)), ...rest }, base) {
    return warmupSchedule(base!({ rate, steps: Math.max(1, all - steps) }), { steps, ...rest });
  },
});
