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
  /** `linear` in the share t of the decay that is done, `cosine`, or `square-root`: 1 - sqrt(t) (Hägele et al. 2024). Default linear. */
  readonly shape?: 'linear' | 'cosine' | 'square-root';
  /** Default 0. */
  readonly end?: number;
}

const remaining: Readonly<Record<'linear' | 'cosine' | 'square-root', (t: number) => number>> = {
  linear: (t) => 1 - t,
  cosine: (t) => (1 + Math.cos(Math.PI * t)) / 2,
  'square-root': (t) => 1 - Math.sqrt(t),
};

/**
 * Warm-up, constant rate, decay: WSD (Hu et al. 2024, MiniCPM). A run can be prolonged from before the decay.
 * @throws ArgumentError when an option is out of range, or warm-up and decay do not fit into the run.
 */
export function warmupStableDecaySchedule({ rate, steps, warmup, decay, shape = 'linear', end = 0 }: WarmupStableDecayScheduleOptions): Schedule {
  requireNumber('warmupStableDecaySchedule', 'rate', rate, 0);
  requireInteger('warmupStableDecaySchedule', 'steps', steps, 1);
  requireInteger('warmupStableDecaySchedule', 'warmup', warmup, 0, steps);
  requireInteger('warmupStableDecaySchedule', 'decay', decay, 0, steps - warmup);
  requireNumber('warmupStableDecaySchedule', 'end', end, 0);
  const begins = steps - warmup - decay;
  return warmupSchedule((step) => (step <= begins ? rate : end + (rate - end) * remaining[shape](Math.min(1, (step - begins) / Math.max(1, decay)))), { steps: warmup });
}

/** The entry of the registry. */
export const warmupStableDecayEntry = scheduleEntry({
  description: 'warm-up, constant rate, decay at the end: WSD (Hu et al. 2024)',
  options: {
    warmup: option(nonNegativeInteger, 'steps of the warm-up; left out, a hundredth of the run'),
    decay: option(fraction, 'share of the run that the decay takes', 0.2),
    shape: option(oneOf(['linear', 'cosine', 'square-root']), 'how it goes down', 'linear'),
    end: option(nonNegative, 'the rate at the end of the run', 0),
  },
  make: ({ rate, steps }, { warmup = Math.ceil(steps / 100), decay = 0.2, ...rest }) => warmupStableDecaySchedule({ rate, steps, warmup, decay: Math.min(Math.round(decay * steps), Math.max(0, steps - warmup)), ...rest }),
});
