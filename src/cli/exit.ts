/** Exit codes, the same for every command. @module */

/** What the shell sees. */
export const EXIT = { ok: 0, failure: 1, usage: 2, diverged: 3, interrupted: 130 } as const;

/** A mistake of the user that one line explains. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}
