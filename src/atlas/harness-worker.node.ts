/** The thread that runs entries, one at a time, as `harness.node.ts` tells it. @module */
import { parentPort, workerData } from 'node:worker_threads';
import { nodeExecutor } from '../runtime/node.ts';
import type { PresetName } from './entry.ts';
import { InterruptedError } from './entry.ts';
import { loadEntry, type Registry } from './entries.node.ts';
import { firstDifference } from './plain-data.ts';
import { recordOf, type EntryRecord } from './record.ts';
import { runEntry, type EntryRun } from './run.ts';

/** What the thread is started with. */
export interface WorkerStart {
  /** URL of the module that exports `entries`. */
  readonly registry: string;
}

/** To the thread. */
export type WorkerCommand =
  | { readonly kind: 'run'; readonly entry: string; readonly preset: PresetName; readonly seed: number; readonly twice: boolean }
  | { readonly kind: 'stop' };

/** From the thread: progress, then one of the others. */
export type WorkerReply =
  | { readonly kind: 'progress'; readonly fraction: number; readonly what: string }
  | { readonly kind: 'finished'; readonly record: EntryRecord; readonly figure: string }
  | { readonly kind: 'failed'; readonly message: string; readonly stack?: string }
  | { readonly kind: 'interrupted' };

/** Between reports of progress: an entry may tell it many times a second. */
const SILENCE_MS = 50;

const port = parentPort!;
const { registry } = workerData as WorkerStart;
const interrupt = new AbortController();
const reply = (message: WorkerReply): void => { port.postMessage(message); };

port.on('message', (command: WorkerCommand) => {
  if (command.kind === 'stop') interrupt.abort();
  else void run(command);
});

/** Never rejects: whatever goes wrong is a reply. */
async function run({ entry: path, preset, seed, twice }: Extract<WorkerCommand, { kind: 'run' }>): Promise<void> {
  try {
    const { entries } = await import(/* @vite-ignore */ registry) as { readonly entries: Registry };
    const entry = await loadEntry(path, entries);
    const executor = nodeExecutor({ threads: 1 });
    const runs = twice ? 2 : 1;
    const once = (done: number): Promise<EntryRun> => runEntry(entry, { preset, seed, executor, signal: interrupt.signal, onProgress: reporter(done, runs) });
    const first = await once(0);
    const record = recordOf(first, executor);
    if (twice) {
      const difference = differenceOf(first, await once(1));
      if (difference !== undefined) throw new Error(`not deterministic: ${difference}`);
    }
    reply({ kind: 'finished', record, figure: first.figure });
  } catch (error) {
    if (error instanceof InterruptedError || interrupt.signal.aborted) reply({ kind: 'interrupted' });
    else if (error instanceof Error) reply({ kind: 'failed', message: error.message, ...(error.stack !== undefined && { stack: error.stack }) });
    else reply({ kind: 'failed', message: `the entry threw what is no Error: ${String(error)}` });
  }
}

function differenceOf(first: EntryRun, second: EntryRun): string | undefined {
  const place = firstDifference(first.result, second.result);
  if (place !== undefined) return `first difference at ${place}`;
  return first.figure === second.figure ? undefined : 'the figure is drawn differently though the results are the same';
}

/** Progress of one of several runs, as of the whole. */
function reporter(done: number, runs: number): (fraction: number, what: string) => void {
  let last = 0;
  return (fraction, what) => {
    const now = performance.now();
    if (now - last < SILENCE_MS) return;
    last = now;
    reply({ kind: 'progress', fraction: (done + Math.min(1, Math.max(0, fraction))) / runs, what: runs === 1 ? what : `run ${done + 1} of ${runs}, ${what}` });
  };
}
