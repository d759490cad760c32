/** Up, level, and down at the end (Hu et al. 2024). @module */
import { fraction, nonNegative, nonNegativeInteger, oneOf, option } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';
import { warmupSchedule } from './warmup.ts';

/** Options of `warmupStableDecaySchedule`. */
export interface WarmupStableDecayScheduleOptions {
  readonly rate: number;
  /** Steps of the run. */
  readonly steps: number;
  /** The first of them: a linear warm-up from zero. */
  readonly warmup: number;
  /** The last of them: the decay. */
  readonly decay: number;
  /**
   * `linear` in the share t of the decay that is done, `cosine`, `square-root`: 1 - sqrt(t) (Hägele et al. 2024), or `inverse-linear`: the
   * inverse of the rate is linear in t (Wen, Li, Wang, Hall, Liang, Ma 2024). Default linear.
   */
  readonly shape?: DecayShape;
  /** Default 0; where the shape is `inverse-linear`, a tenth of the rate. */
  readonly end?: number;
}

/** How a rate comes down from its peak. */
export type DecayShape = 'linear' | 'cosine' | 'square-root' | 'inverse-linear';

export const decayShapes = ['linear', 'cosine', 'square-root', 'inverse-linear'] as const satisfies readonly DecayShape[];

const shares: Readonly<Record<Exclude<DecayShape, 'inverse-linear'>, (t: number) => number>> = {
  linear: (t) => 1 - t,
  cosine: (t) => (1 + Math.cos(Math.PI * t)) / 2,
  'square-root': (t) => 1 - Math.sqrt(t),
};

/** The rate when a share t of the decay is done. */
const decayed = (shape: DecayShape, rate: number, end: number, t: number): number => (shape === 'inverse-linear' ? 1 / (t / end + (1 - t) / rate) : end + (rate - end) * shares[shape](t));

/**
 * Warm-up, constant rate, decay: WSD (Hu et al. 2024, MiniCPM). A run can be prolonged from before the decay.
 * @throws ArgumentError when an option is out of range, or warm-up and decay do not fit into the run.
 */
export function warmupStableDecaySchedule({ rate, steps, warmup, decay, shape = 'linear', end = shape === 'inverse-linear' ? rate / 10 : 0 }: WarmupStableDecayScheduleOptions): Schedule {
  requireNumber('warmupStableDecaySchedule', 'rate', rate, 0);
  requireInteger('warmupStableDecaySchedule', 'steps', steps, 1);
  requireInteger('warmupStableDecaySchedule', 'warmup', warmup, 0, steps);
  requireInteger('warmupStableDecaySchedule', 'decay', decay, 0, steps - warmup);
  requireNumber('warmupStableDecaySchedule', 'end', end, shape === 'inverse-linear' ? Number.MIN_VALUE : 0);
  const begins = steps - warmup - decay;
  return warmupSchedule((step) => (step <= begins ? rate : decayed(shape, rate, end, Math.min(1, (step - begins) / Math.max(1, decay)))), { steps: warmup });
}

/** The entry of the registry. */
export const warmupStableDecayEntry = scheduleEntry({
  description: 'warm-up, constant rate, decay at the end: WSD (Hu et al. 2024)',
  options: {
    warmup: option(nonNegativeInteger, 'steps of the warm-up; left out, a hundredth of the run'),
    decay: option(fraction, 'share of the run that the decay takes', 0.2),
    shape: option(oneOf(decayShapes), 'how it goes down', 'linear'),
    end: option(nonNegative, 'the rate at the end of the run; left out, 0, or with inverse-linear a tenth of the rate'),
  },
  make: ({ rate, steps }, { warmup = Math.ceil(steps / 100), decay = 0.2, ...rest }) => warmupStableDecaySchedule({ rate, steps, warmup, decay: Math.min(Math.round(decay * steps), Math.max(0, steps - warmup)), ...rest }),
});
