/** What the benchmark should show, and whether it did. @module */
import type { Contest, EntryRecord } from './contest.ts';
import { pairedRatios, spread, type Spread } from '../shared/statistics.ts';
import type { Judged } from '../shared/table.ts';

/** What is compared: the time of one product, of all products at a point with the binding, or of one once bound. */
export type Figure = 'one' | 'total' | 'steady';

/** Our entry is to be `atLeast` times as fast as the peer's; or, without a peer, to reach this part of the machine's peak. */
export interface Aim {
  readonly model: string;
  readonly ours: string;
  readonly peer?: string;
  readonly figure: Figure;
  readonly atLeast: number;
}

const against = (model: string, ours: string, peer: string, figure: Figure, atLeast: number): Aim => ({ model, ours, peer, figure, atLeast });
const both = (model: string, peer: string, atLeast: number): Aim[] => [against(model, 'thalweg bound', peer, 'total', atLeast), against(model, 'thalweg bound', peer, 'steady', atLeast)];
const convolutional = (model: string): Aim[] => [against(model, 'thalweg whole', 'pytorch double-backward', 'one', 1.5), ...both(model, 'pytorch retained', 1.5)];

export const aims: readonly Aim[] = [
  against('mlp', 'thalweg whole', 'pytorch double-backward', 'one', 4),
  against('mlp', 'thalweg whole', 'jax jit', 'one', 1.2),
  ...both('mlp', 'pytorch retained', 3.5),
  ...both('mlp', 'jax linearize', 1.1),
  { model: 'mlp', ours: 'thalweg whole', figure: 'one', atLeast: 2 / 3 },
  ...convolutional('lenet'),
  ...convolutional('resnet20'),
];

export type Verdict = Aim & Judged;

/** Milliseconds by round. */
export const seriesOf = (record: EntryRecord, figure: Figure): readonly number[] => (figure === 'total' ? record.total : record.product);

/** How many times as fast as the peer the entry is, by rounds. */
export const speedup = (ours: EntryRecord, peer: EntryRecord, figure: Figure): Spread => spread(pairedRatios(seriesOf(peer, figure), seriesOf(ours, figure)));

/** GFLOP/s of the fastest matrix product, by round. */
export const peakByRound = (gemm: Contest['gemm']): number[] => {
  const series = Object.values(gemm);
  return (series[0] ?? []).map((_, round) => Math.max(...series.map((rates) => rates[round])));
};

/** The part of the peak that a product of `gflop` reaches, by rounds. */
export function partOfPeak(record: EntryRecord, gflop: number, gemm: Contest['gemm']): Spread {
  const rates = record.product.map((ms) => (1000 * gflop) / ms);
  return spread(pairedRatios(rates, peakByRound(gemm)));
}

/** Judges the aims of a model by the median of its rounds. */
export function judge(model: string, contest: Pick<Contest, 'entries' | 'gemm'>, gflop: number): Verdict[] {
  const find = (id: string): EntryRecord | undefined => contest.entries.find((entry) => entry.id === id && entry.failure === undefined && entry.product.length > 0);
  return aims.filter((aim) => aim.model === model).map((aim) => {
    const ours = find(aim.ours);
    const peer = aim.peer === undefined ? undefined : find(aim.peer);
    const isMissing = ours === undefined || (aim.peer !== undefined && peer === undefined);
    const measured = isMissing ? null : peer === undefined ? partOfPeak(ours, gflop, contest.gemm) : speedup(ours, peer, aim.figure);
    return { ...aim, measured, isMet: measured && measured.median >= aim.atLeast };
  });
}
