/** The schedule of the first transformer (Vaswani et al. 2017). @module */
import { option, positiveInteger } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';

/** Options of `inverseSquareRootSchedule`. */
export interface InverseSquareRootScheduleOptions {
  /** The peak, reached at the end of the warm-up. */
  readonly rate: number;
  /** Steps of the warm-up. */
  readonly warmup: number;
}

/**
 * `rate * min(n / warmup, sqrt(warmup / n))` at the n-th step, n = step + 1: a linear warm-up, then 1 / sqrt(n). With the rate
 * `1 / sqrt(d * warmup)` this is equation 3 of Vaswani et al. 2017 for width d ("Noam").
 *
 * @throws ArgumentError when an option is out of range.
 */
export function inverseSquareRootSchedule({ rate, warmup }: InverseSquareRootScheduleOptions): Schedule {
  requireNumber('inverseSquareRootSchedule', 'rate', rate, 0);
  requireInteger('inverseSquareRootSchedule', 'warmup', warmup, 1);
  return (step) => rate * Math.min((step + 1) / warmup, Math.sqrt(warmup / (step + 1)));
}

/** The entry of the registry. */
export const inverseSquareRootEntry = scheduleEntry({
  description: 'linear warm-up, then falls as one over the square root of the step (Vaswani et al. 2017)',
  options: { warmup: option(positiveInteger, 'steps of the warm-up; left out, a tenth of the run') },
  make: ({ rate, steps }, { warmup = Math.max(1, Math.ceil(steps / 10)) }) => inverseSquareRootSchedule({ rate, warmup }),
});
