/** The loss over a plane and along the Hessian's top axes. @module */
import { lossLine, lossPlane, randomPlane, type LandscapeSample, type LossPlane } from '../landscape/index.ts';
import { ParameterSpace } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import type { AnyPoint } from './prepare.ts';
import type { LineRecord, LossGridRecord } from './record.ts';
import type { Stage, StageContext } from './stage.ts';

const pick = (samples: readonly LandscapeSample[], field: 'loss' | 'standardError'): number[] => samples.map((sample) => sample[field]);
const gridOf = ({ x, y, samples }: LossPlane): LossGridRecord => ({ x, y, loss: samples.map((row) => pick(row, 'loss')), standardError: samples.map((row) => pick(row, 'standardError')) });

/** Progress of several scans as one. */
function joined(report: (done: number, total: number, note?: string) => void, scans: number, points: number): { next(): (done: number) => void } {
  let scan = -1;
  return { next: () => { scan++; return (done) => report(scan * points + done, scans * points, 'points'); } };
}

/** How far Hessian axes are followed: to where the quadratic model of the training loss has risen by this much. */
const RISE = 1;
/** Directions of the plane, and what they are in words. */
function planeDirections({ point, seed, settings, topDirections }: StageContext): { directions: readonly [AnyPoint['params'], AnyPoint['params']]; axes: string } {
  if (settings.planeAxes === 'random') return { directions: randomPlane(point.params, seed), axes: 'random, filter-normalised; biases fixed' };
  const [first, second] = topDirections.filter(({ value }) => value > 0);
  if (second === undefined) throw new ArgumentError({ operation: 'plane', required: 'two positive eigenvalues of the Hessian', received: String(topDirections.filter(({ value }) => value > 0).length), remedy: 'use random axes' });
  const space = new ParameterSpace(point.params);
  const scaled = ({ value, vector }: typeof first): AnyPoint['params'] => space.unflatten(vector.map((x) => x * Math.sqrt((2 * RISE) / value))) as AnyPoint['params'];
  return { directions: [scaled(first), scaled(second)], axes: `the Hessian's top two (eigenvalues ${first.value.toPrecision(3)} and ${second.value.toPrecision(3)}), in units where the quadratic model rises by one` };
}

/** A plane through the trained parameters: random directions, or the Hessian's top two. */
export const planeStage: Stage = {
  name: 'plane',
  title: 'loss on a plane through the parameters',
  work: ({ settings: { planePoints } }) => ({ points: planePoints ** 2, testPoints: planePoints ** 2, programs: 2 }),
  async run(context, report) {
    const { problem, point, settings, executor, signal, sample, testSample } = context;
    const { directions, axes } = planeDirections(context);
    const { planePoints: points, planeRadius: radius } = settings;
    const progress = joined(report, testSample ? 2 : 1, points * points);
    const scan = (split: typeof sample): Promise<LossPlane> => lossPlane(problem, point, directions, split, { executor, signal, points, radius, onProgress: progress.next() });
    const train = gridOf(await scan(sample));
    const test = testSample && signal?.aborted !== true ? gridOf(await scan(testSample)) : undefined;
    return { plane: { axes, train, ...(test && { test }) } };
  },
};

/** Axes that lines are drawn along. */
const LINES = 3;

/** Lines along the eigenvectors of the largest eigenvalues. */
export const linesStage: Stage = {
  name: 'lines',
  title: "loss along the Hessian's top axes",
  work: ({ settings: { linePoints } }) => ({ points: LINES * linePoints, testPoints: LINES * linePoints, programs: 2 }),
  async run(context, report) {
    const { settings, signal, testSample, topDirections } = context;
    // The quadratic model rises along positive curvature only.
    const axes = topDirections.slice(0, LINES).filter(({ value }) => value > 0);
    const progress = joined(report, axes.length * (testSample ? 2 : 1), settings.linePoints);
    const lines: LineRecord[] = [];
    for (const [i, axis] of axes.entries()) {
      if (signal?.aborted === true) break;
      lines.push(await lineAlong(context, axis, `axis ${i + 1}, eigenvalue ${axis.value.toPrecision(3)}`, progress));
    }
    return { lines };
  },
};

async function lineAlong({ problem, point, settings, executor, signal, sample, testSample }: StageContext, { value, vector }: StageContext['topDirections'][number], name: string, progress: { next(): (done: number) => void }): Promise<LineRecord> {
  const direction = new ParameterSpace(point.params).unflatten(vector) as AnyPoint['params'];
  const scan = (split: typeof sample) => lossLine(problem, point, direction, split, { executor, signal, points: settings.linePoints, radius: Math.sqrt((2 * RISE) / value), onProgress: progress.next() });
  const train = await scan(sample);
  const test = testSample && signal?.aborted !== true ? await scan(testSample) : undefined;
  return {
    name, position: train.position, trainLoss: pick(train.samples, 'loss'), trainError: pick(train.samples, 'standardError'),
    ...(test && { testLoss: pick(test.samples, 'loss'), testError: pick(test.samples, 'standardError') }),
  };
}
