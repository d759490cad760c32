/** What the comparison should show, and whether it did. @module */
import { pairedRatios, spread, type Spread } from '../shared/statistics.ts';
import type { Judged } from '../shared/table.ts';
import type { TaskName } from './cases.ts';
import type { EntryRecord } from './contest.ts';

/** `time`: of the task in rounds; `memory`: peak of the process of the first run. The ratio of the peer's to ours is to reach `atLeast`. */
export interface Verdict extends Judged {
  readonly model: string;
  readonly task: TaskName;
  readonly peer: string;
  readonly figure: 'time' | 'memory';
}

/** At least so many times as fast as each of the peer's entries; for peers and models without a number nothing is aimed at. */
const SPEED: Readonly<Record<string, Readonly<Record<string, number>>>> = { mlp: { pytorch: 5, jax: 1.2 }, lenet: { pytorch: 2 }, resnet20: { pytorch: 2 } };
const OURS = 'thalweg';
const libraryOf = ({ id }: EntryRecord): string => id.split(' ')[0];

/** How many times as fast as the peer we are, by rounds; by the first runs where there was no round. */
export function speedup(ours: EntryRecord, peer: EntryRecord): Spread {
  const of = ({ ms, firstMs }: EntryRecord): readonly number[] => (ms.length > 0 ? ms : [firstMs ?? NaN]);
  return spread(pairedRatios(of(peer), of(ours)));
}

/** Our entry of a task. */
export const oursOf = (entries: readonly EntryRecord[], task: TaskName): EntryRecord | undefined => entries.find((entry) => entry.task === task && libraryOf(entry) === OURS && entry.failure === undefined);

/** Judges speed against every entry of a peer that there is an aim for, and memory against PyTorch's. */
export function judge(model: string, entries: readonly EntryRecord[]): Verdict[] {
  return entries.filter((peer) => libraryOf(peer) !== OURS).flatMap((peer) => {
    const ours = oursOf(entries, peer.task);
    const verdict = (figure: Verdict['figure'], atLeast: number, measured: Spread | null): Verdict =>
      ({ model, task: peer.task, peer: peer.id, figure, atLeast, measured, isMet: measured && measured.median >= atLeast });
    const bothRan = ours !== undefined && peer.failure === undefined;
    const atLeast = SPEED[model]?.[libraryOf(peer)];
    const verdicts = atLeast === undefined ? [] : [verdict('time', atLeast, bothRan ? speedup(ours, peer) : null)];
    if (libraryOf(peer) === 'pytorch') verdicts.push(verdict('memory', 1, bothRan && ours.peakMb && peer.peakMb ? spread([peer.peakMb / ours.peakMb]) : null));
    return verdicts;
  });
}
