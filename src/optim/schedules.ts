/** Learning rates as functions of the step. @module */
import { requireNumber } from '../util/require.ts';
import type { Schedule } from './optimizer.ts';

/** The same rate at every step. */
export function constantRate(rate: number): Schedule {
  requireNumber('constantRate', 'rate', rate, 0);
  return () => rate;
}

/** Half a cosine from `rate` to `end` over `steps` steps, after a linear warm-up from zero (Loshchilov & Hutter 2017). */
export function cosineRate({ rate, steps, warmup = 0, end = 0 }: { readonly rate: number; readonly steps: number; readonly warmup?: number; readonly end?: number }): Schedule {
  requireNumber('cosineRate', 'rate', rate, 0);
  requireNumber('cosineRate', 'steps', steps, 1);
  requireNumber('cosineRate', 'warmup', warmup, 0, steps);
  return (step) => {
    if (step < warmup) return (rate * (step + 1)) / warmup;
    const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
    return end + ((rate - end) * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}
