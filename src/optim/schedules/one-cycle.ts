/** Up once, and down below where it began (Smith 2018). @module */
import { flag, fraction, oneOf, option, positive } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';

/** Options of `oneCycleSchedule`. */
export interface OneCycleScheduleOptions {
  /** The peak. */
  readonly rate: number;
  readonly steps: number;
  /** Share of the steps that go up. Default 0.3. */
  readonly rise?: number;
  /** The run starts at `rate / division`. Default 25. */
  readonly division?: number;
  /** It ends at `rate / division / finalDivision`. Default 1e4. */
  readonly finalDivision?: number;
  /** Default cosine. */
  readonly shape?: 'cosine' | 'linear';
  /** Goes down to where it started as fast as it went up, and then on to the end. Default false: straight to the end. */
  readonly threePhase?: boolean;
}

/**
 * Rises to `rate` and falls to nearly nothing (Smith 2018, "A disciplined approach to neural network hyper-parameters"). Defaults and
 * values are those of PyTorch's `OneCycleLR`, whose last step, `steps - 1`, has the lowest rate; later ones keep it.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function oneCycleSchedule({ rate, steps, rise = 0.3, division = 25, finalDivision = 1e4, shape = 'cosine', threePhase = false }: OneCycleScheduleOptions): Schedule {
  requireNumber('oneCycleSchedule', 'rate', rate, 0);
  requireInteger('oneCycleSchedule', 'steps', steps, 1);
  requireNumber('oneCycleSchedule', 'rise', rise, 0, threePhase ? 0.5 : 1);
  requireNumber('oneCycleSchedule', 'division', division, Number.MIN_VALUE);
  requireNumber('oneCycleSchedule', 'finalDivision', finalDivision, Number.MIN_VALUE);
  const start = rate / division;
  const last = steps - 1;
  const phases = [
    { until: rise * steps - 1, from: start, to: rate },
    ...(threePhase ? [{ until: 2 * rise * steps - 2, from: rate, to: start }] : []),
    { until: last, from: threePhase ? start : rate, to: start / finalDivision },
  ];
  const between = shape === 'cosine' ? (progress: number) => (1 - Math.cos(Math.PI * progress)) / 2 : (progress: number) => progress;
  return (step) => {
    const at = Math.min(step, last);
    const found = phases.findIndex(({ until }) => at <= until);
    const { until, from, to } = phases[found < 0 ? phases.length - 1 : found];
    const begun = found <= 0 ? 0 : phases[found - 1].until;
    // A phase of no length is over.
    const progress = until > begun ? (at - begun) / (until - begun) : 1;
    return from + (to - from) * between(progress);
  };
}

/** The entry of the registry. */
export const oneCycleEntry = scheduleEntry({
  description: 'up once, and down below where it began (Smith 2018; OneCycleLR of PyTorch)',
  options: {
    rise: option(fraction, 'share of the steps that go up', 0.3),
    division: option(positive, 'the run starts at the rate divided by it', 25),
    finalDivision: option(positive, 'it ends at the first rate divided by it', 1e4),
    shape: option(oneOf(['cosine', 'linear']), 'how it goes up and down', 'cosine'),
    threePhase: option(flag, 'down as fast as up, and then on to the end', false),
  },
  make: (setting, values) => oneCycleSchedule({ ...setting, ...values }),
});
