/** A zoo of trained networks over load and temperature, with what tells the phases of their loss landscapes. @module */
import type { Executor } from '../core/backend.ts';
import { averagingGain, featureCollector, landscapePhase, linearAlignment, type AveragingGain, type FeatureMatrix, type LandscapePhase, type PhaseThresholds } from '../analysis/index.ts';
import { hessian, hutchinsonTrace } from '../curvature/index.ts';
import { curveConnectivity, type CurveConnectivity, type CurveConnectivityOptions } from '../landscape/index.ts';
import { sgd, type Optimizer } from '../optim/index.ts';
import { evaluator, type Point, type Problem } from '../problem/index.ts';
import { trainEnsemble, type EnsembleEvent } from '../train/index.ts';
import { evenStepsPerCall } from '../train/steps-per-call.ts';
import { ArgumentError } from '../util/errors.ts';
import { key, permutation, split } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';

/** What a zoo is a function of. */
export interface ModelZooOptions<P, State> {
  /** The load axis: the problem at each width. Wider networks have more parameters for each example, a lower load. */
  readonly widths: readonly number[];
  readonly problemOf: (width: number) => Problem<P, State>;
  /** The temperature axis: constant learning rates at one batch size. */
  readonly rates: readonly number[];
  readonly batchSize: number;
  /** Of every run. */
  readonly steps: number;
  /** Steps that the two runs of a fork share, before each has an order of batches of its own. */
  readonly forkAt: number;
  readonly seed: number;
  /** Default SGD without momentum. */
  readonly optimizer?: Optimizer;
  /** Random vectors for the trace of the Hessian. Default 10. */
  readonly traceVectors?: number;
  /** How curves between independent runs are trained; without it there are none, and no phases. */
  readonly curve?: Omit<CurveConnectivityOptions, 'seed' | 'executor' | 'signal' | 'onProgress'>;
  readonly thresholds?: PhaseThresholds;
  readonly executor?: Executor;
  readonly signal?: AbortSignal;
  /** Awaited where it can be; what it throws ends the zoo. */
  readonly onProgress?: (fraction: number, what: string) => void | Promise<void>;
}

/** One cell: two runs from independent seeds, and a third that forks from the first. Plain data. */
export interface ZooRow {
  readonly width: number;
  readonly rate: number;
  /** Mean over the two independent runs. */
  readonly trainLoss: number;
  readonly trainLosses: readonly [first: number, second: number];
  readonly testLoss: number;
  readonly accuracy: number;
  /** tr H of the training loss at the first run's end, with its standard error over random vectors. */
  readonly trace: number;
  readonly traceError: number;
  /** Linear CKA of the last hidden features of the two runs over the test split, biased estimator, with its standard error. */
  readonly similarity: number;
  readonly similarityError: number;
  /** The same with the examples of one run in random order: what unrelated features would show. */
  readonly similarityByChance: number;
  /** On the test split, of the fork pair and of the independent pair. */
  readonly fork: AveragingGain;
  readonly independent: AveragingGain;
  readonly connectivity?: CurveConnectivity;
  readonly phase?: LandscapePhase;
}

/** The runs of a cell where they ended. */
export interface ZooRuns<P, State> {
  readonly first: Point<P, State>;
  readonly second: Point<P, State>;
  readonly fork: Point<P, State>;
}

/** A zoo: rows and runs belong together, the rate changing fastest. */
export interface ModelZoo<P, State> {
  readonly rows: readonly ZooRow[];
  readonly runs: readonly ZooRuns<P, State>[];
}

/** Seeds of a zoo are that many apart. */
const SEEDS = 5;

/**
 * Trains the zoo, all rates of a width in one program, and measures each cell: training and test loss, trace of the Hessian, similarity, what averaging gains,
 * mode connectivity and the phase (the metrics of Yang et al. 2021, arXiv 2107.11228; zoos by Schuerholt et al. 2025, arXiv 2504.18072).
 *
 * @throws ArgumentError when a problem has no test split, forkAt is not within the run, or a run diverged.
 */
export async function modelZoo<P, State>(options: ModelZooOptions<P, State>): Promise<ModelZoo<P, State>> {
  const { widths, rates, steps, forkAt } = options;
  requireInteger('modelZoo', 'steps', steps, 2);
  requireInteger('modelZoo', 'forkAt', forkAt, 1, steps - 1);
  const all: { readonly row: ZooRow; readonly runs: ZooRuns<P, State> }[] = [];
  for (const [w, width] of widths.entries()) {
    // The first half of a width's share is training.
    const report = (part: number, what: string): void | Promise<void> => options.onProgress?.((w + part) / widths.length, `width ${width}: ${what}`);
    await report(0, 'training');
    const problem = options.problemOf(width);
    const runs = await trainedCells(problem, options, report);
    const measure = await instruments(problem, runs[0].first, options);
    try {
      for (const [r, rate] of rates.entries()) {
        await report(0.5 + r / rates.length / 2, `measuring rate ${rate}`);
        const tell = (share: number): void => { unawaited(report(0.5 + (r + share) / rates.length / 2, `a curve at rate ${rate}`)); };
        all.push({ runs: runs[r], row: { width, rate, ...(await measure.cell(runs[r], w * rates.length + r, tell)) } });
      }
    } finally {
      await measure.dispose();
    }
  }
  return { rows: all.map(({ row }) => row), runs: all.map(({ runs }) => runs) };
}

/** All runs of a width: trunks of both seeds at every rate, then both and the fork of the first. */
async function trainedCells<P, State>(problem: Problem<P, State>, options: ModelZooOptions<P, State>, report: (part: number, what: string) => void | Promise<void>): Promise<ZooRuns<P, State>[]> {
  const { rates, batchSize, steps, forkAt, seed, optimizer = sgd(), executor, signal } = options;
  const first = SEEDS * seed;
  const settings = { optimizer, batchSize, seed: first, executor, signal };
  const onEvent = (before: number) => (event: EnsembleEvent): void => {
    if (event.type === 'step') unawaited(report((0.5 * (before + event.step)) / steps, 'training'));
  };
  const each = <T>(values: readonly T[]): T[] => rates.flatMap(() => values);
  const ended = (run: { readonly params: Point<P, State>['params']; readonly state: Point<P, State>['state']; readonly end: { readonly reason: string } }): Point<P, State> => {
    if (run.end.reason === 'diverged') throw new ArgumentError({ operation: 'modelZoo', required: 'every run must stay finite', received: `a run of '${problem.name}' that diverged`, remedy: 'leave out the largest rate' });
    return { params: run.params, state: run.state };
  };
  const trunks = await trainEnsemble(problem, {
    ...settings, steps: forkAt, stepsPerCall: evenStepsPerCall(forkAt), onEvent: onEvent(0),
    vary: { learningRate: rates.flatMap((rate) => [rate, rate]), initialisation: each([first, first + 1]), order: each([first, first + 1]) },
  });
  const starts = trunks.replicas.map(ended);
  await report((0.5 * forkAt) / steps, 'training');
  const { replicas } = await trainEnsemble(problem, {
    ...settings, steps: steps - forkAt, stepsPerCall: evenStepsPerCall(steps - forkAt), onEvent: onEvent(forkAt),
    start: rates.flatMap((_, r) => [starts[2 * r], starts[2 * r + 1], starts[2 * r]]),
    vary: { learningRate: rates.flatMap((rate) => [rate, rate, rate]), order: each([first + 2, first + 3, first + 4]) },
  });
  await report(0.5, 'measuring');
  const ends = replicas.map(ended);
  return rates.map((_, r) => ({ first: ends[3 * r], second: ends[3 * r + 1], fork: ends[3 * r + 2] }));
}

/** Inside of loops nobody waits for a report: an interruption is seen there by the signal, and thrown at the next report that is awaited. */
function unawaited(report: void | Promise<void>): void {
  if (report !== undefined) report.catch(() => undefined);
}

/** The instruments of one width, compiled once. */
async function instruments<P, State>(problem: Problem<P, State>, like: Point<P, State>, options: ModelZooOptions<P, State>) {
  const { test } = problem;
  if (test === undefined) throw new ArgumentError({ operation: 'modelZoo', required: 'the problems must have a test split', received: `'${problem.name}', which has none` });
  const { executor, signal, traceVectors = 10, thresholds } = options;
  const onTrain = evaluator(problem, problem.train, { executor });
  const onTest = evaluator(problem, test, { executor });
  const collector = featureCollector(problem, like, { split: test, executor });
  const featuresOf = async (point: Point<P, State>): Promise<FeatureMatrix> => {
    const { features, examples, size } = await collector.collect(point);
    return { examples, features: size, values: features };
  };
  const root = split(key(options.seed), 'model zoo');
  return {
    async cell({ first, second, fork }: ZooRuns<P, State>, place: number, tell: (share: number) => void): Promise<Omit<ZooRow, 'width' | 'rate'>> {
      const trainLosses = [(await onTrain.evaluate(first)).loss.value, (await onTrain.evaluate(second)).loss.value] as const;
      const tests = [await onTest.evaluate(first), await onTest.evaluate(second)];
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      const trainLoss = mean(trainLosses);
      const trace = await hutchinsonTrace(hessian(problem, first, { executor, block: traceVectors }), { probes: traceVectors, key: split(root, 'trace', place), signal });
      const [x, y] = [await featuresOf(first), await featuresOf(second)];
      const similarity = linearAlignment(x, y, { estimator: 'biased' });
      const byChance = linearAlignment(x, permuted(y, permutation(split(root, 'chance', place), y.examples)), { estimator: 'biased', blocks: 2 });
      const curve = options.curve && await curveConnectivity(problem, first, second, { ...options.curve, seed: SEEDS * options.seed, executor, signal, onProgress: (done, total) => { if (done % 100 === 0) tell(done / total); } });
      return {
        trainLoss, trainLosses, testLoss: mean(tests.map(({ loss }) => loss.value)), accuracy: mean(tests.map(({ accuracy }) => accuracy?.value ?? NaN)),
        trace: trace.value, traceError: trace.error, similarity: similarity.value, similarityError: similarity.error, similarityByChance: byChance.value,
        fork: await averagingGain(onTest, first, fork), independent: await averagingGain(onTest, first, second),
        ...(curve && { connectivity: curve, phase: landscapePhase({ trainLoss, connectivity: curve.value, similarity: similarity.value }, thresholds) }),
      };
    },
    async dispose() {
      for (const each of [onTrain, onTest, collector]) await each.dispose();
    },
  };
}

/** Rows of a matrix in another order. */
const permuted = ({ examples, features, values }: FeatureMatrix, order: Int32Array): FeatureMatrix =>
  ({ examples, features, values: Float64Array.from(values, (_, at) => values[order[Math.floor(at / features)] * features + (at % features)]) });
