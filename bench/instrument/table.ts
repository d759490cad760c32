/** The comparison's report as text. @module */
import { align, digits, formatJudged, ratio } from '../shared/table.ts';
import { median } from '../shared/statistics.ts';
import { oursOf, speedup, type Verdict } from './aims.ts';
import { TASKS, type Settings, type TaskName } from './cases.ts';
import { TOLERANCES } from './compare.ts';
import type { Contest, EntryRecord } from './contest.ts';

const seconds = (ms: number | null): string => (ms === null ? '-' : digits(ms / 1000, ms < 10_000 ? 3 : 1));

/** PyHessian's stopping rule looks at a quotient that changes slowly: its eigenvalues are shown, not required to agree. */
export const isJudged = ({ task, id }: EntryRecord): boolean => task !== 'eigenpairs' || !id.endsWith(' pyhessian');

/** Whether an entry disagrees with its reference. */
export const isWrong = (entry: EntryRecord): boolean => entry.difference !== null && isJudged(entry) && !(entry.difference <= TOLERANCES[entry.task]);

const DESCRIPTIONS: Readonly<Record<TaskName, (settings: Settings) => string>> = {
  eigenpairs: ({ count, samples, tolerance }) => `top ${count} eigenpairs by magnitude to ${tolerance}, ${samples} samples`,
  density: ({ steps, probes, samples }) => `spectral density, ${steps} steps, ${probes} probes, ${samples} samples`,
  trace: ({ probes, samples }) => `trace, ${probes} probes, ${samples} samples`,
  plane: ({ points, samples }) => `plane, ${points} x ${points} points, ${samples} samples`,
  ntk: ({ samples }) => `tangent kernel of ${samples} images`,
};

function rowOf(entry: EntryRecord, ours: EntryRecord | undefined): string[] {
  const { split, ms, firstMs, peakMb, residual, difference } = entry;
  return [
    entry.id, seconds(ms.length > 0 ? median(ms) : null), ours === undefined || ours === entry ? '' : ratio(speedup(ours, entry)),
    String(split?.calls ?? '-'), seconds(split?.prepare ?? null), seconds(split?.first ?? null), seconds(split?.further ?? null), seconds(split?.rest ?? null),
    seconds(firstMs), peakMb === null ? '-' : digits(peakMb, 0), residual === null ? '' : residual.toExponential(1),
    difference === null ? '-' : `${difference.toExponential(1)}${isWrong(entry) ? ' WRONG' : isJudged(entry) ? '' : ' (own rule)'}`,
  ];
}

/** One table for each task of a model. */
export function formatContest(title: string, contest: Contest, settings: Readonly<Record<TaskName, Settings>>): string {
  const tables = TASKS.flatMap((task) => {
    const entries = contest.entries.filter((entry) => entry.task === task);
    if (entries.length === 0) return [];
    const ours = oursOf(entries, task);
    const head = [DESCRIPTIONS[task](settings[task]), 's', 'thalweg faster by', 'calls', 'prepare s', 'first call s', 'further s', 'rest s', 'fresh s', 'peak MB', 'residual', 'difference'];
    const failures = entries.filter(({ failure }) => failure !== undefined).map(({ id, failure }) => `${id} did not finish: ${failure}`);
    return ['', ...align([head, ...entries.filter(({ failure }) => failure === undefined).map((entry) => rowOf(entry, ours))]), ...failures].map((line) => (line === '' ? '' : `  ${line}`));
  });
  return [title, ...tables].join('\n');
}

/** Each aim, what was measured and whether it was met. */
export const formatVerdicts = (verdicts: readonly Verdict[]): string => formatJudged(verdicts, ({ model, task, peer, figure }) => `${model}, ${task}, ${figure}: to ${peer}`);

const part = (ms: number, split: NonNullable<EntryRecord['split']>): string => `${digits((100 * ms) / (split.prepare + split.first + split.further + split.rest), 0)} %`;

/** Where our time goes in every task that missed an aim of time. */
export function formatMisses(verdicts: readonly Verdict[], records: readonly { readonly model: string; readonly contest: Contest }[]): string {
  const missed = new Set(verdicts.filter(({ isMet, figure }) => isMet === false && figure === 'time').map(({ model, task }) => `${model}, ${task}`));
  const rows = records.flatMap(({ model, contest }) => TASKS.flatMap((task) => {
    const split = oursOf(contest.entries, task)?.split;
    return split && missed.has(`${model}, ${task}`) ? [[`${model}, ${task}`, part(split.first, split), part(split.further, split), part(split.rest, split)]] : [];
  }));
  return rows.length === 0 ? '' : align([['missed: where our time goes', 'first call (compilation)', 'further calls', 'vectors and rest'], ...rows]).join('\n');
}
