/** The comparison's report as text. @module */
import { median } from '../shared/statistics.ts';
import { align, digits, formatJudged, ratio } from '../shared/table.ts';
import { oursOf, speedup, type Verdict } from './aims.ts';
import { OPTIMIZERS, type OptimizerName, type Settings } from './cases.ts';
import { FIRST, isWithin } from './compare.ts';
import type { Contest, EntryRecord } from './contest.ts';

/** PyTorch's Muon orthogonalises in bfloat16: its losses are shown, not required to agree. */
export const isJudged = ({ optimizer, id }: EntryRecord): boolean => optimizer !== 'muon' || !id.endsWith(' bfloat16');

/** Whether an entry disagrees with its reference. */
export const isWrong = (entry: EntryRecord): boolean => entry.difference !== null && isJudged(entry) && !isWithin(entry.difference);

const NAMES: Readonly<Record<OptimizerName, string>> = { sgd: 'SGD, momentum', adam: 'Adam', muon: 'Muon' };

function rowOf(entry: EntryRecord, ours: EntryRecord | undefined, { replicas }: Settings): string[] {
  const { rates, firstMs, peakMb, lastLoss, difference } = entry;
  const rate = rates.length > 0 ? median(rates) : entry.firstRate ?? NaN;
  return [
    entry.id, digits(rate, rate < 1000 ? 1 : 0), digits((1000 * replicas) / rate, 3), ours === undefined || ours === entry ? '' : ratio(speedup(ours, entry)),
    firstMs === null ? '-' : digits(firstMs / 1000, 2), peakMb === null ? '-' : digits(peakMb, 0), lastLoss === null ? '-' : digits(lastLoss, 4),
    difference === null ? '-' : difference.first.toExponential(1), difference === null ? '-' : difference.later.toExponential(1), isWrong(entry) ? 'WRONG' : '',
  ];
}

/** One table for each optimizer of a case. */
export function formatContest(title: string, { entries, references }: Contest, settings: Readonly<Record<OptimizerName, Settings>>): string {
  const tables = OPTIMIZERS.flatMap((optimizer) => {
    const all = entries.filter((entry) => entry.optimizer === optimizer);
    if (all.length === 0) return [];
    const { batch, replicas, rate, steps, warmup } = settings[optimizer];
    const head = [`${NAMES[optimizer]}, rate ${rate}, batch ${batch}${replicas > 1 ? `, ${replicas} replicas` : ''}`, 'steps/s', replicas > 1 ? 'ms, all replicas' : 'ms', 'thalweg faster by', 'first s', 'peak MB', `loss ${warmup + steps}`, `first ${FIRST} differ`, 'mean differs', ''];
    const failures = all.filter(({ failure }) => failure !== undefined).map(({ id, failure }) => `${id} did not finish: ${failure}`);
    const finished = all.filter(({ failure }) => failure === undefined);
    return ['', ...align([head, ...finished.map((entry) => rowOf(entry, oursOf(entries, optimizer), settings[optimizer]))]), ...failures, `differences are to ${references[optimizer] ?? 'none'}`].map((line) => (line === '' ? '' : `  ${line}`));
  });
  return [title, ...tables].join('\n');
}

/** Each aim, what was measured and whether it was met. */
export const formatVerdicts = (verdicts: readonly Verdict[]): string => formatJudged(verdicts, ({ task, optimizer, peer }) => `${task}, ${optimizer}: to ${peer}`);
