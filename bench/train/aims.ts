/** What the comparison should show, and whether it did. @module */
import { pairedRatios, spread, type Spread } from '../shared/statistics.ts';
import type { Judged } from '../shared/table.ts';
import type { OptimizerName } from './cases.ts';
import type { EntryRecord } from './contest.ts';

/** The ratio of our steps a second to the peer's is to reach `atLeast`. */
export interface Verdict extends Judged {
  readonly task: string;
  readonly optimizer: OptimizerName;
  readonly peer: string;
}

/** At least so many times as fast as each of the peer's entries; nothing is aimed at against JAX's convolutions. */
const SPEED: Readonly<Record<string, Readonly<Record<string, number>>>> = { mlp: { pytorch: 2, jax: 1 }, lenet: { pytorch: 1 }, ensemble: { pytorch: 8, jax: 1 } };
const OURS = 'thalweg';

/** How many times as fast as the peer we are, by rounds; by the first runs where there was no round. */
export function speedup(ours: EntryRecord, peer: EntryRecord): Spread {
  const of = ({ rates, firstRate }: EntryRecord): readonly number[] => (rates.length > 0 ? rates : [firstRate ?? NaN]);
  return spread(pairedRatios(of(ours), of(peer)));
}

/** Our entry of an optimizer. */
export const oursOf = (entries: readonly EntryRecord[], optimizer: OptimizerName): EntryRecord | undefined =>
  entries.find((entry) => entry.optimizer === optimizer && entry.id === OURS && entry.failure === undefined);

/** Judges speed against every entry of a peer that there is an aim for. */
export function judge(task: string, entries: readonly EntryRecord[]): Verdict[] {
  return entries.flatMap((peer) => {
    const atLeast = SPEED[task]?.[peer.id.split(' ')[0]];
    if (atLeast === undefined) return [];
    const ours = oursOf(entries, peer.optimizer);
    const measured = ours === undefined || peer.failure !== undefined ? null : speedup(ours, peer);
    return [{ task, optimizer: peer.optimizer, peer: peer.id, atLeast, measured, isMet: measured && measured.median >= atLeast }];
  });
}
