/** Ctrl-C: the first asks to finish, the second ends the process. @module */
import { EXIT } from './exit.ts';

/** What this needs of `process`. */
export interface SignalSource {
  on(signal: 'SIGINT', listener: () => void): unknown;
  off(signal: 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}

/** Runs `work` with a signal that Ctrl-C aborts; a second Ctrl-C exits at once. */
export async function interruptible<T>(source: SignalSource, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const stop = (): void => {
    if (interrupt.signal.aborted) {
      source.exit(EXIT.interrupted);
      return;
    }
    source.stderr.write('\ninterrupted: finishing what is at hand and writing what was measured (again to quit at once)\n');
    interrupt.abort();
  };
  source.on('SIGINT', stop);
  try {
    return await work(interrupt.signal);
  } finally {
    source.off('SIGINT', stop);
  }
}
