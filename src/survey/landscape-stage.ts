/** The loss over a plane and along the Hessian's top axes. @module */
import { lossLine, lossPlane, randomPlane, type LandscapeSample, type LossPlane } from '../landscape/index.ts';
import { ParameterSpace } from '../problem/index.ts';
import type { LineRecord, LossGridRecord } from './record.ts';
import type { Stage } from './stage.ts';

const gridOf = ({ x, y, samples }: LossPlane): LossGridRecord => ({
  x, y, loss: samples.map((row) => row.map((cell) => cell.loss)), standardError: samples.map((row) => row.map((cell) => cell.standardError)),
});
const pick = (samples: readonly LandscapeSample[], field: 'loss' | 'standardError'): number[] => samples.map((sample) => sample[field]);

/** The plane of two filter-normalised random directions through the trained parameters. */
export const planeStage: Stage = {
  name: 'plane',
  title: 'loss on a plane of filter-normalised random directions',
  async run({ problem, point, settings, seed, executor, signal, sample, testSample }, report) {
    const directions = randomPlane(point.params, seed);
    const points = settings.planePoints;
    const total = points * points * (testSample === undefined ? 1 : 2);
    const options = { executor, signal, points };
    const train = await lossPlane(problem, point, directions, sample, { ...options, onProgress: (done) => report(done, total, 'points') });
    const test = testSample && await lossPlane(problem, point, directions, testSample, { ...options, onProgress: (done) => report(points * points + done, total, 'points') });
    return { plane: { axes: 'random, filter-normalised; biases fixed', train: gridOf(train), ...(test && { test: gridOf(test) }) } };
  },
};

/** How far the lines reach: to where the quadratic model of the training loss has risen by this much. */
const RISE = 1;

/** Lines along the eigenvectors of the largest eigenvalues. */
export const linesStage: Stage = {
  name: 'lines',
  title: "loss along the Hessian's top axes",
  async run({ problem, point, settings, executor, signal, sample, testSample, topDirections }, report) {
    const space = new ParameterSpace(point.params);
    const axes = topDirections.slice(0, 3).filter(({ value }) => value > 0);
    const total = axes.length * settings.linePoints * (testSample === undefined ? 1 : 2);
    let before = 0;
    const lines: LineRecord[] = [];
    for (const [i, { value, vector }] of axes.entries()) {
      const direction = space.unflatten(vector) as never;
      const options = { executor, signal, points: settings.linePoints, radius: Math.sqrt((2 * RISE) / value), onProgress: (done: number) => report(before + done, total, 'points') };
      const train = await lossLine(problem, point, direction, sample, options);
      before += settings.linePoints;
      const test = testSample && await lossLine(problem, point, direction, testSample, options);
      if (test) before += settings.linePoints;
      lines.push({
        name: `axis ${i + 1}, eigenvalue ${value.toPrecision(3)}`, position: train.position, trainLoss: pick(train.samples, 'loss'), trainError: pick(train.samples, 'standardError'),
        ...(test && { testLoss: pick(test.samples, 'loss'), testError: pick(test.samples, 'standardError') }),
      });
    }
    return { lines };
  },
};
