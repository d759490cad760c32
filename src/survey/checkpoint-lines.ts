/** The loss on straight lines between checkpoints of one model. @module */
import { formatNumber, panels, type PanelSeries } from '../charts/index.ts';
import { subset } from '../data/index.ts';
import { linearBarrier, type SplitBarrier } from '../landscape/index.ts';
import type { SurveyFigure } from './figures.ts';
import type { AnyPoint, PreparedProblem } from './prepare.ts';
import type { ConnectOptions } from './connect.ts';
import { percent, show } from './show.ts';

/** Losses of one split along a line, as plain data. */
export type LineLosses = Pick<SplitBarrier, 'barrier' | 'accuracyBarrier' | 'samples'>;

/** The straight line between two checkpoints, by their places in the list. */
export interface CheckpointLine {
  readonly first: number;
  readonly second: number;
  /** Euclidean distance of their parameters. */
  readonly distance: number;
  /** Statistics of batch normalisation between the ends: `moved` are interpolated as the parameters are; `absent` without any. */
  readonly batchNorm: string;
  readonly train?: LineLosses;
  readonly test?: LineLosses;
  /** False where a signal ended it early. */
  readonly complete: boolean;
}

/** Up to so many checkpoints, every pair has a line; beyond, neighbours in the list. */
const ALL_PAIRS = 4;

/** Pairs of checkpoints that lines are drawn between. */
export function linePairs(count: number): (readonly [number, number])[] {
  const indices = Array.from({ length: count }, (_, i) => i);
  if (count > ALL_PAIRS) return indices.slice(1).map((second) => [second - 1, second] as const);
  return indices.flatMap((first) => indices.slice(first + 1).map((second) => [first, second] as const));
}

/**
 * Loss and barrier on the straight line between each two of up to four checkpoints, and between neighbours of more, on the sample of
 * the settings. Statistics of batch normalisation move with the parameters, or are computed anew at each point where the problem says so.
 */
export async function checkpointLines({ problem, batchNorm }: PreparedProblem, points: readonly AnyPoint[], { settings, seed, executor, signal, points: grid, onProgress }: ConnectOptions): Promise<CheckpointLine[]> {
  const { train, test } = problem;
  const sampled = { ...problem, train: subset(train, Math.min(settings.samples, train.size), seed), ...(test && { test: subset(test, Math.min(settings.testSamples, test.size), seed) }) };
  const pairs = linePairs(points.length);
  const lines: CheckpointLine[] = [];
  for (const [i, [first, second]] of pairs.entries()) {
    if (signal?.aborted === true) break;
    const found = await linearBarrier(sampled, points[first], points[second], {
      ...(executor && { executor }), ...(signal && { signal }), ...(grid !== undefined && { points: grid }), ...(batchNorm === 'recomputed' && { batchNorm: 'recalibrated' as const }),
      onProgress: (done, total) => onProgress?.('lines', i * total + done, pairs.length * total),
    });
    const { mode } = (found.train ?? found.test)!.batchNorm;
    lines.push({ first, second, distance: found.distance, batchNorm: mode, complete: found.complete, ...(found.train && { train: plain(found.train) }), ...(found.test && { test: plain(found.test) }) });
  }
  return lines;
}

const plain = ({ barrier, accuracyBarrier, samples }: SplitBarrier): LineLosses => ({ barrier, samples, ...(accuracyBarrier && { accuracyBarrier }) });

const short = (label: string): string => label.replace(/\.safetensors$/, '');
const nameOf = (labels: readonly string[], { first, second }: CheckpointLine): string => `${short(labels[first])} to ${short(labels[second])}`;

const curve = (name: string, { samples }: LineLosses, rest: Pick<PanelSeries, 'color' | 'dashed'>): PanelSeries => ({
  name, ...rest, x: samples.map(({ t }) => t), y: samples.map(({ loss }) => loss.value),
  low: samples.map(({ loss: { value, error } }) => value - error), high: samples.map(({ loss: { value, error } }) => value + error),
});

/** One panel a line, on common axes; undefined where there is none. */
export function linesFigure(lines: readonly CheckpointLine[], labels: readonly string[]): SurveyFigure | undefined {
  const drawn = lines.map((line) => ({ line, series: [...(line.train ? [curve('train loss', line.train, { color: 0 })] : []), ...(line.test ? [curve('test loss', line.test, { color: 1, dashed: true })] : [])] })).filter(({ series }) => series.length > 0);
  const heights = drawn.flatMap(({ series }) => series.flatMap(({ y, low, high }) => [...Array.from(y), ...Array.from(low!), ...Array.from(high!)])).filter(Number.isFinite);
  if (heights.length === 0) return undefined;
  const [least, most] = [Math.min(0, ...heights), Math.max(...heights)];
  const caption = 'Loss along the straight line from one checkpoint (0) to the other (1), on common axes. The band is the standard error over examples.';
  return {
    name: 'checkpoint-lines', caption,
    svg: panels(drawn.map(({ line, series }) => ({ heading: nameOf(labels, line), x: { label: 'position on the line', domain: [0, 1] }, y: { label: 'loss', domain: [least, most + 0.04 * (most - least || 1)] }, series })), { title: 'The loss between checkpoints', description: caption }),
  };
}

/** Rows of a table: a line a pair. */
export function lineRows(lines: readonly CheckpointLine[], labels: readonly string[]): string[][] {
  return [
    ['line', 'distance', 'train barrier', 'at', 'test barrier', 'test accuracy lost'],
    ...lines.map((line) => [
      nameOf(labels, line), formatNumber(line.distance), line.train ? show(line.train.barrier) : '—', line.train ? formatNumber(Number(line.train.barrier.position.toFixed(2))) : '—',
      line.test ? show(line.test.barrier) : '—', line.test?.accuracyBarrier ? percent(line.test.accuracyBarrier) : '—',
    ]),
  ];
}
