/** One run of an entry, from its settings to judged claims and a figure. @module */
import type { Executor } from '../core/backend.ts';
import { judge, type JudgedClaim } from './claim.ts';
import { entryPath, InterruptedError, type Entry, type PlainData, type PresetName } from './entry.ts';

/** What a run is made with. */
export interface RunEntryOptions {
  /** Default `quick`. */
  readonly preset?: PresetName;
  /** Default 0. */
  readonly seed?: number;
  /** Of one thread, so that results do not depend on the number of processors. */
  readonly executor: Executor;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, what: string) => void;
}

/** What came of a run. */
export interface EntryRun {
  /** `TOPIC/ID`. */
  readonly entry: string;
  readonly preset: PresetName;
  readonly seed: number;
  readonly claims: readonly JudgedClaim[];
  /** SVG. */
  readonly figure: string;
  readonly result: PlainData;
  readonly seconds: number;
}

/**
 * Runs an entry at a preset, judges the claims that are tested there, and draws.
 * @throws InterruptedError when the signal aborts; whatever the entry throws.
 */
export async function runEntry(entry: Entry, { preset = 'quick', seed = 0, executor, signal = new AbortController().signal, onProgress = () => {} }: RunEntryOptions): Promise<EntryRun> {
  const started = performance.now();
  const progress = async (fraction: number, what: string): Promise<void> => {
    onProgress(fraction, what);
    // Messages and timers get their turn: native sessions run on this thread.
    await new Promise<void>((resolve) => { setTimeout(resolve, 0); });
    if (signal.aborted) throw new InterruptedError();
  };
  const result = await entry.run({ preset, settings: entry.presets[preset], seed, executor, signal, progress }) as PlainData;
  if (signal.aborted) throw new InterruptedError();
  const claims = entry.claims.filter(({ only }) => only === undefined || only === preset).map((claim) => judge(claim, result));
  return { entry: entryPath(entry), preset, seed, claims, figure: entry.figure(result), result, seconds: (performance.now() - started) / 1000 };
}
