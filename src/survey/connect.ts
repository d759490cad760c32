/** How trained networks hang together: the report of `modeConnectivity` as a page with figures. @module */
import { modeConnectivity, type ModeConnectivityOptions, type ModeConnectivityReport, type PairConnection, type PairReport } from '../analysis/index.ts';
import { formatNumber, lineProfiles, reportPage, type LineProfile, type ReportSection } from '../charts/index.ts';
import { subset } from '../data/index.ts';
import { cosineSchedule, sgd } from '../optim/index.ts';
import { train } from '../train/index.ts';
import type { AnyPoint, PreparedProblem } from './prepare.ts';
import type { SurveySettings } from './presets.ts';
import { percent, show } from './show.ts';
import type { SurveyFigure } from './figures.ts';
import type { Executor } from '../core/backend.ts';

/** What training and measuring share. */
export interface ConnectOptions {
  readonly settings: SurveySettings;
  readonly seed: number;
  readonly executor?: Executor;
  readonly signal?: AbortSignal;
  readonly alignment?: ModeConnectivityOptions['alignment'];
  /** Points of each path. */
  readonly points?: number;
  /** `done` of `total` steps of training, or pairs. */
  readonly onProgress?: (what: string, done: number, total: number) => void;
}

/** A point and the seed that it was trained from. */
export type SeededPoint = AnyPoint & { readonly seed: number };

/** Trains the problem's model from the seeds given, one network each, as the survey does; those that diverge are left out. Ends early when aborted. */
export async function trainPoints({ problem }: PreparedProblem, seeds: readonly number[], { settings, executor, signal, onProgress }: ConnectOptions): Promise<SeededPoint[]> {
  const batchSize = Math.min(settings.batchSize, problem.train.size);
  const steps = settings.epochs * Math.floor(problem.train.size / batchSize);
  const points: SeededPoint[] = [];
  for (const [i, seed] of seeds.entries()) {
    if (signal?.aborted === true) break;
    const run = await train(problem, {
      optimizer: sgd({ momentum: settings.momentum }), schedule: cosineSchedule({ rate: settings.learningRate, steps, warmup: Math.min(50, Math.floor(steps / 10)) }), epochs: settings.epochs, batchSize, seed,
      executor, signal, onEvent: (event) => { if (event.type === 'step') onProgress?.('training', i * steps + event.step, seeds.length * steps); },
    });
    if (run.end.reason === 'finished') points.push({ seed, params: run.params, state: run.state });
  }
  return points;
}

/** Barriers, before and after alignment, between all pairs of points, on the sample of the settings. */
export function connect({ problem }: PreparedProblem, points: readonly AnyPoint[], { settings, seed, executor, signal, alignment, points: grid, onProgress }: ConnectOptions): Promise<ModeConnectivityReport> {
  const sampled = { ...problem, train: subset(problem.train, Math.min(settings.samples, problem.train.size), seed), ...(problem.test && { test: subset(problem.test, Math.min(settings.testSamples, problem.test.size), seed) }) };
  return modeConnectivity(sampled, points, { seed, executor, signal, ...(alignment && { alignment }), ...(grid !== undefined && { points: grid }), onProgress: (done, total) => onProgress?.('pairs', done, total) });
}

const profile = (name: string, { train: onTrain, test }: PairConnection): LineProfile[] => {
  const path = onTrain ?? test;
  return path === undefined ? [] : [{
    name, position: path.samples.map(({ t }) => t), trainLoss: path.samples.map(({ loss }) => loss.value), trainError: path.samples.map(({ loss }) => loss.error),
    ...(onTrain && test && { testLoss: test.samples.map(({ loss }) => loss.value), testError: test.samples.map(({ loss }) => loss.error) }),
  }];
};

const nameOf = (labels: readonly string[], { first, second }: PairReport): string => `${labels[first]} to ${labels[second]}`;

/** The losses along every pair's path, as found and aligned. */
export function connectFigures({ pairs }: ModeConnectivityReport, labels: readonly string[]): SurveyFigure[] {
  return pairs.map((pair, i) => ({
    name: `path-${i + 1}`, caption: `Loss along the straight line from ${nameOf(labels, pair)}; aligned: after permuting the second's hidden units to match the first's.`,
    svg: lineProfiles([...profile('as found', pair.asFound), ...(pair.aligned ? profile('aligned', pair.aligned) : [])], { title: nameOf(labels, pair), xLabel: 'position on the line' }),
  }));
}

/** Rows of the headline table: a line a pair. */
export function connectRows({ pairs }: ModeConnectivityReport, labels: readonly string[]): string[][] {
  const barrier = (connection: PairConnection | undefined, on: 'train' | 'test'): string => (connection?.[on] ? show(connection[on].barrier) : '—');
  return [
    ['pair', 'distance', 'train barrier', 'aligned', 'test barrier', 'aligned', 'test accuracy lost'],
    ...pairs.map((pair) => [
      nameOf(labels, pair), formatNumber(pair.asFound.distance.value), barrier(pair.asFound, 'train'), barrier(pair.aligned, 'train'), barrier(pair.asFound, 'test'), barrier(pair.aligned, 'test'),
      pair.asFound.test?.accuracyBarrier ? percent(pair.asFound.test.accuracyBarrier) : '—',
    ]),
  ];
}

/** The page. */
export function connectReport(report: ModeConnectivityReport, labels: readonly string[], provenance: Readonly<Record<string, string>>): string {
  const [columns, ...rows] = connectRows(report, labels);
  const figures = connectFigures(report, labels);
  const similar: ReportSection[] = report.pairs.some(({ similarity }) => similarity.length > 0) ? [{
    id: 'similarity', heading: 'Similarity of representations',
    text: 'Linear CKA of what each layer reads, on the same examples: 1 for representations that differ by a rotation and a scale only. It does not depend on the order of hidden units.\n\nTwo networks can be similar in this sense and still be separated by a barrier.',
    tables: [{ columns: ['pair', 'layer', 'CKA'], rows: report.pairs.flatMap((pair) => pair.similarity.map(({ name, value }) => [nameOf(labels, pair), name, show(value)])) }],
  }] : [];
  return reportPage({
    title: `Mode connectivity: ${report.problem}`, subtitle: `${report.points} networks, alignment: ${report.alignment}.${report.complete ? '' : ' Incomplete: it was interrupted.'}`, provenance, summary: [],
    sections: [
      {
        id: 'barriers', heading: 'Barriers',
        text: 'The barrier is how far the loss rises above the chord between two networks on the straight line between them, at its highest. Zero means that they lie in one basin.\n\nHidden units can be permuted without changing the function; alignment looks for the order in which the second network comes closest to the first. Errors are standard errors over examples, paired.',
        tables: [{ columns, rows }],
      },
      ...(figures.length > 0 ? [{ id: 'paths', heading: 'Paths', text: 'Training and test loss along each line.', figures: figures.map(({ svg, caption }) => ({ svg, caption })) }] : []), ...similar,
    ],
  });
}
