/** Running entries from the command line: progress, verdicts, what changed, and the exit code. @module */
import { resolve } from 'node:path';
import type { JudgedClaim, PresetName } from '../atlas/index.ts';
import { checkSnapshot, entriesLocation, runEntries, type EntryOutcome, type SnapshotReport } from '../atlas/node.ts';
import { isWritable } from '../atlas/snapshots.node.ts';
import { formatSeconds } from '../charts/index.ts';
import { toJsonNumber } from '../util/json-number.ts';
import { VERSION } from '../util/version.ts';
import { entriesReporter, outcomeText } from './atlas-progress.ts';
import { claimText, verdictCounts } from './atlas-text.ts';
import { EXIT, UsageError } from './exit.ts';
import { interruptible } from './interrupt.ts';
import { requireWritable } from './options.ts';

/** Options of `thalweg atlas run`. */
export interface AtlasRunOptions {
  readonly preset: PresetName;
  readonly seed: number;
  readonly out: string;
  readonly workers?: number;
  readonly twice?: boolean;
  readonly controls?: boolean;
  readonly update?: boolean;
  readonly json?: boolean;
}

/** An entry that was run, and how it stands to its snapshot. */
export interface AtlasResult {
  readonly outcome: EntryOutcome;
  /** Of those that finished. */
  readonly snapshot?: SnapshotReport;
}

/** Runs entries (`TOPIC/ID`), prints, and returns the exit code. @throws UsageError when results or snapshots cannot be written. */
export async function runAtlas(paths: readonly string[], options: AtlasRunOptions): Promise<number> {
  const { preset, seed, json = false, update = false, controls = false, workers, twice } = options;
  const text = json ? process.stderr : process.stdout;
  const location = entriesLocation();
  const out = resolve(options.out);
  requireWritable(out);
  if (update && seed !== 0) throw new UsageError(`--update stores runs of seed 0, got --seed ${seed}`);
  if (update && !isWritable(location.folder)) throw new UsageError(`--update needs a folder of snapshots that can be written to, got '${location.folder}'`);
  text.write(`Thalweg ${VERSION}: ${paths.length} ${paths.length === 1 ? 'entry' : 'entries'} of the atlas, preset ${preset}, seed ${seed}\n`);
  return interruptible(process, async (signal) => {
    const started = performance.now();
    const reporter = entriesReporter(text, paths.length, Math.max(...paths.map((path) => path.length)));
    const outcomes = await runEntries(paths, {
      preset, seed, out, signal, location, onEvent: reporter.event, ...(workers !== undefined && { workers }), ...(twice !== undefined && { twice }),
    });
    reporter.end();
    const results = outcomes.map((outcome): AtlasResult => (outcome.kind === 'finished' ? { outcome, snapshot: checkSnapshot(location.folder, outcome, { update, out }) } : { outcome }));
    for (const result of results) text.write(resultText(result, { controls }));
    text.write(conclusion(results, out, (performance.now() - started) / 1000));
    if (json) process.stdout.write(`${JSON.stringify(results.map(plain), (_, value: unknown) => (typeof value === 'number' ? toJsonNumber(value) : value))}\n`);
    return exitCode(results);
  });
}

const claimsOf = ({ outcome }: AtlasResult): readonly JudgedClaim[] => (outcome.kind === 'finished' ? outcome.record.claims : []);
const isUndocumentedFailure = ({ verdict, documented }: JudgedClaim): boolean => verdict === 'fails' && documented !== true;
const hasChangedVerdict = ({ snapshot }: AtlasResult): boolean => snapshot?.status === 'changed' && snapshot.changes.some(({ kind }) => kind === 'verdict');

/** 130 when something was interrupted; 1 when an entry could not be run, a claim fails that is not known to, or a verdict is not the stored one. */
export function exitCode(results: readonly AtlasResult[]): number {
  if (results.some(({ outcome }) => outcome.kind === 'interrupted')) return EXIT.interrupted;
  const isBad = (result: AtlasResult): boolean => result.outcome.kind === 'failed' || claimsOf(result).some(isUndocumentedFailure) || hasChangedVerdict(result);
  return results.some(isBad) ? EXIT.failure : EXIT.ok;
}

/** An entry's claims, and what changed. */
export function resultText(result: AtlasResult, { controls }: { readonly controls: boolean }): string {
  const { outcome, snapshot } = result;
  if (outcome.kind !== 'finished') return `\n${outcome.entry}: ${outcomeText(outcome)}\n`;
  const { entry, preset } = outcome.record;
  return [
    '', `${entry}: ${outcomeText(outcome)}`,
    ...outcome.record.claims.map((claim) => claimText(claim, entry, { controls })),
    ...(snapshot === undefined ? [] : snapshotLines(snapshot, preset)), '',
  ].join('\n');
}

function snapshotLines({ status, changes, file }: SnapshotReport, preset: PresetName): string[] {
  if (status === 'same') return [];
  if (status === 'absent') return [`  no run of this preset (${preset}) and seed is stored to compare with`];
  if (status === 'stored') return [...changes.map(({ text }) => `  changed: ${text}`), `  stored: ${file}`];
  return [`  this run differs from the stored one:`, ...changes.map(({ kind, text }) => `    ${kind === 'verdict' ? 'VERDICT CHANGED: ' : ''}${text}`), `  see ${file} (--update stores it)`];
}

/** The last lines. */
function conclusion(results: readonly AtlasResult[], out: string, seconds: number): string {
  const count = (test: (result: AtlasResult) => boolean): number => results.filter(test).length;
  const changed = count(hasChangedVerdict);
  const parts = [
    verdictCounts(results.flatMap(claimsOf)),
    ...([[count(({ outcome }) => outcome.kind === 'failed'), 'with an error'], [count(({ outcome }) => outcome.kind === 'interrupted'), 'interrupted'], [changed, 'with a verdict that changed']] as const)
      .filter(([number]) => number > 0).map(([number, what]) => `${number} ${number === 1 ? 'entry' : 'entries'} ${what}`),
  ];
  return `\n${results.length} ${results.length === 1 ? 'entry' : 'entries'} in ${formatSeconds(seconds)}: ${parts.join('; ')}\nresults: ${out}\n`;
}

/** Plain data: without figures, which lie in the results' folder. */
function plain({ outcome, snapshot }: AtlasResult): object {
  const { entry, kind, seconds } = outcome;
  return {
    entry, kind, seconds, ...(outcome.kind === 'finished' && { record: outcome.record }), ...(outcome.kind === 'failed' && { message: outcome.message, stack: outcome.stack }),
    ...(snapshot && { snapshot }),
  };
}
