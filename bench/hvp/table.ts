/** The benchmark's report as text. @module */
import { partOfPeak, speedup, type Figure, type Verdict } from './aims.ts';
import type { Contest, EntryRecord } from './contest.ts';
import { median } from '../shared/statistics.ts';
import { align, digits, formatJudged, ratio } from '../shared/table.ts';
import type { Count } from './variants.ts';

/** Largest relative difference between products that counts as agreement, in float32. */
export const TOLERANCE = 1e-3;

const ms = (value: number): string => digits(value, value < 100 ? 2 : 1);

const tail = (entry: EntryRecord): string[] => [
  entry.firstMs === null ? '-' : digits(entry.firstMs / 1000, 2), entry.peakMb === null ? '-' : digits(entry.peakMb, 0),
  entry.difference === null ? '-' : `${entry.difference.toExponential(1)}${entry.difference <= TOLERANCE ? '' : ' WRONG'}`,
];
const TAIL = ['first s', 'peak MB', 'difference'];

/** How much faster than each of the others our entry is; empty for our own rows. */
const against = (ours: EntryRecord | undefined, entry: EntryRecord, figure: Figure): string =>
  (ours === undefined || entry.id.startsWith('thalweg ') ? '' : ratio(speedup(ours, entry, figure)));

const sections = {
  one: { head: 'one product', leader: 'thalweg whole' },
  many: { head: 'products at one point', leader: 'thalweg bound' },
} as const;

function section(kind: 'one' | 'many', contest: Contest, count: Count, vectors: number): string[] {
  const finished = contest.entries.filter((entry) => entry.kind === kind && entry.product.length > 0);
  if (finished.length === 0) return [];
  const { head, leader } = sections[kind];
  const ours = finished.find(({ id }) => id === leader);
  const gflop = kind === 'one' ? count.whole : count.bound;
  const perProduct = (total: readonly number[]): string => ms(median(total) / vectors);
  const rate = (entry: EntryRecord): string[] => [digits(gflop / median(entry.product) * 1000, 0), `${digits(100 * partOfPeak(entry, gflop, contest.gemm).median, 0)} %`];
  const rows = kind === 'one'
    ? [[head, 'ms', 'min', 'thalweg faster by', 'GFLOP/s', 'of peak', ...TAIL],
      ...finished.map((entry) => [entry.id, ms(median(entry.product)), ms(Math.min(...entry.product)), against(ours, entry, 'one'), ...rate(entry), ...tail(entry)])]
    : [[`${vectors} ${head}`, 'ms each, bound', 'min', 'thalweg faster by', 'ms each, in all', 'thalweg faster by', 'GFLOP/s', 'of peak', ...TAIL],
      ...finished.map((entry) => [entry.id, ms(median(entry.product)), ms(Math.min(...entry.product)), against(ours, entry, 'steady'),
        perProduct(entry.total), against(ours, entry, 'total'), ...rate(entry), ...tail(entry)])];
  return ['', ...align(rows)];
}

/** One table for a model. */
export function formatContest(title: string, contest: Contest, count: Count, vectors: number): string {
  const peak = Object.entries(contest.gemm).map(([id, rates]) => `${id} ${digits(median(rates), 0)}`).join(', ');
  const failures = contest.entries.filter(({ failure }) => failure !== undefined).map(({ id, failure }) => `  ${id} did not finish: ${failure}`);
  return [
    title,
    `  ${digits(count.whole, 3)} GFLOP a product, ${digits(count.bound, 3)} once bound; large matrix products, GFLOP/s: ${peak}; differences are to ${contest.reference}`,
    ...[...section('one', contest, count, vectors), ...section('many', contest, count, vectors)].map((line) => (line === '' ? '' : `  ${line}`)),
    ...failures,
  ].join('\n');
}

const FIGURES: Readonly<Record<Figure, string>> = { one: 'one product', total: 'products at one point, binding included', steady: 'products at one point, once bound' };

/** Each aim, what was measured and whether it was met. */
export const formatVerdicts = (verdicts: readonly Verdict[]): string => formatJudged(verdicts, ({ model, figure, ours, peer }) =>
  `${model}, ${FIGURES[figure]}: ${ours} ${peer === undefined ? 'to the peak' : `to ${peer}`}`);
