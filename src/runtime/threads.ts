/** Checks of thread counts, shared by the backends. @module */
import { ArgumentError } from '../util/errors.ts';

/** @throws ArgumentError unless `threads` is a positive integer. */
export function requireThreadCount(operation: string, threads: number): number {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new ArgumentError({ operation, required: 'threads must be a positive integer', received: String(threads), remedy: 'leave it out to use what the machine gives' });
  }
  return threads;
}
