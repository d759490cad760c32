/** Runs entries in threads of their own. Node only. @module */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import type { PresetName } from './entry.ts';
import { entriesLocation, loadRegistry, runsFromSources, type EntriesLocation } from './entries.node.ts';
import type { WorkerCommand, WorkerReply, WorkerStart } from './harness-worker.node.ts';
import type { EntryRecord } from './record.ts';
import { writeSnapshot } from './snapshots.node.ts';

/** What came of an entry. */
export type EntryOutcome = { readonly entry: string; readonly seconds: number } & (
  | { readonly kind: 'finished'; readonly record: EntryRecord; readonly figure: string }
  /** It threw, its thread died, or it is not deterministic. */
  | { readonly kind: 'failed'; readonly message: string; readonly stack?: string }
  /** Interrupted while it ran (`seconds` above 0), or before. */
  | { readonly kind: 'interrupted' }
);

/** What happens while entries run. */
export type HarnessEvent =
  | { readonly kind: 'start'; readonly entry: string }
  /** `fraction` between 0 and 1. */
  | { readonly kind: 'progress'; readonly entry: string; readonly fraction: number; readonly what: string }
  | { readonly kind: 'end'; readonly outcome: EntryOutcome };

/** How entries are run. */
export interface RunEntriesOptions {
  /** Default `quick`. */
  readonly preset?: PresetName;
  /** Default 0. */
  readonly seed?: number;
  /** Entries at a time, each on one thread. Default: the processors there are. */
  readonly workers?: number;
  /** Runs each entry twice; it fails where results or figures differ. */
  readonly twice?: boolean;
  /** Folder that `TOPIC/ID.PRESET.json` and `.svg` are written to, each when its entry ends. Nothing is written when absent. */
  readonly out?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: HarnessEvent) => void;
  /** Default: the entries of this package. */
  readonly location?: EntriesLocation;
  /** Time that running entries get to end after an interruption, in ms. Default 2000. */
  readonly grace?: number;
}

/**
 * Runs the entries named (`TOPIC/ID`) and returns what came of each, in their order. An entry that fails does not disturb the others. When the signal
 * aborts, running entries are told, and their threads ended after the grace; what had finished stays.
 *
 * @throws ArgumentError for an entry that the registry does not have, before any is run.
 */
export async function runEntries(paths: readonly string[], options: RunEntriesOptions = {}): Promise<EntryOutcome[]> {
  const { workers = availableParallelism(), location = entriesLocation(), signal, onEvent = () => {}, out } = options;
  requireInteger('runEntries', 'workers', workers, 1);
  requireInteger('runEntries', 'seed', options.seed ?? 0, 0);
  const registry = await loadRegistry(location);
  for (const path of paths) if (!Object.hasOwn(registry, path)) throw new ArgumentError({ operation: 'runEntries', required: 'entries must be in the registry', received: `'${path}'` });
  const outcomes = new Array<EntryOutcome>(paths.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < paths.length) {
      const at = next++;
      const outcome: EntryOutcome = signal?.aborted === true ? { entry: paths[at], kind: 'interrupted', seconds: 0 } : await runInThread(paths[at], location.registry, options);
      if (outcome.kind === 'finished' && out !== undefined) writeSnapshot(out, outcome);
      outcomes[at] = outcome;
      onEvent({ kind: 'end', outcome });
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, paths.length) }, lane));
  return outcomes;
}

/** Each entry gets a thread of its own: what one leaves behind (compiled programs, a default executor) is gone for the next. Options of this process are not passed on. */
function startThread(workerData: WorkerStart): Worker {
  if (!runsFromSources) return new Worker(new URL('../atlas/harness-worker.node.js', import.meta.url), { workerData, execArgv: [] });
  // From the sources the thread first needs the loader, which `--import tsx` would start for the main thread only.
  // tsx/esm/api, found by way of tsx itself: `require.resolve` would lead to its CommonJS half.
  const loader = new URL('./esm/api/index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx'))).href;
  const text = `import { register } from ${JSON.stringify(loader)};\nregister();\nawait import(${JSON.stringify(new URL('./harness-worker.node.ts', import.meta.url).href)});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`), { workerData, execArgv: ['--conditions', 'thalweg-source'] });
}

function runInThread(entry: string, registry: string, { preset = 'quick', seed = 0, twice = false, signal, onEvent = () => {}, grace = 2000 }: RunEntriesOptions): Promise<EntryOutcome> {
  const started = performance.now();
  onEvent({ kind: 'start', entry });
  return new Promise((resolve) => {
    const thread = startThread({ registry });
    let deadline: NodeJS.Timeout | undefined;
    let isOver = false;
    const send = (command: WorkerCommand): void => { thread.postMessage(command); };
    const stop = (): void => {
      send({ kind: 'stop' });
      deadline = setTimeout(() => { end({ kind: 'interrupted' }); }, grace);
    };
    const end = (result: Exclude<WorkerReply, { kind: 'progress' }>): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(deadline);
      signal?.removeEventListener('abort', stop);
      const outcome: EntryOutcome = { entry, seconds: (performance.now() - started) / 1000, ...result };
      // The next entry begins when this thread's memory is free; a thread that cannot be ended is not waited for.
      void thread.terminate().finally(() => { resolve(outcome); });
    };
    thread.on('message', (message: WorkerReply) => {
      if (message.kind !== 'progress') end(message);
      else if (!isOver) onEvent({ entry, ...message });
    });
    thread.on('error', (error) => { end({ kind: 'failed', message: `its thread died: ${error.message}`, ...(error.stack !== undefined && { stack: error.stack }) }); });
    thread.on('exit', (code) => { end({ kind: 'failed', message: `its thread ended before the entry did (exit code ${code})` }); });
    signal?.addEventListener('abort', stop);
    send({ kind: 'run', entry, preset, seed, twice });
  });
}
