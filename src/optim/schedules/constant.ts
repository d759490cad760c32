/** The same rate at every step. @module */
import { requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';

/** The same rate at every step. @throws ArgumentError when it is negative. */
export function constantSchedule(rate: number): Schedule {
  requireNumber('constantSchedule', 'rate', rate, 0);
  return () => rate;
}

/** The entry of the registry. */
export const constantEntry = scheduleEntry({ description: 'the same rate at every step', options: {}, make: ({ rate }) => constantSchedule(rate) });
