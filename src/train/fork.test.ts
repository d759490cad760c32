import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { gaussianClusters } from '../data/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { mlp } from '../nn/index.ts';
import { linearSchedule, sgd } from '../optim/index.ts';
import { ParameterSpace, type Point } from '../problem/index.ts';
import { key, split } from '../util/random/index.ts';
import { forkExperiment } from './fork.ts';
import { pointRecorder } from './probes/point-recorder.ts';
import { train } from './train.ts';

const data = gaussianClusters({ samples: 60, seed: 3 });
const problem = { name: data.name, model: mlp({ sizes: [2, 6, 3] }), loss: crossEntropy, train: data.train };
const settings = { optimizer: sgd(), schedule: linearSchedule({ rate: 0.2, steps: 30 }), batchSize: 10, seed: 5 };
const flat = ({ params }: Point<unknown, unknown>): Float64Array => new ParameterSpace(params).flatten();
const distance = (a: Float64Array, b: Float64Array): number => Math.hypot(...a.map((x, i) => x - b[i]));

describe('pointRecorder', () => {
  test('keeps the points of the run, start and end included', async () => {
    const recorder = pointRecorder({ every: 10 });
    const run = await train(problem, { ...settings, steps: 25, probes: [recorder] });
    expect(recorder.points.map(({ step }) => step)).toEqual([0, 10, 20, 25]);
    expect([...flat(recorder.points[3])]).toEqual([...flat(run)]);
    const shorter = await train(problem, { ...settings, steps: 10 });
    expect(distance(flat(recorder.points[1]), flat(shorter))).toBeLessThan(1e-6);
  });
});

describe('forkExperiment', () => {
  test('shares the first steps, and goes on at the rates that are left with other batches', async () => {
    const experiment = await forkExperiment(problem, { ...settings, steps: 30, forks: [0, 12, 20], every: 5 });
    const { from, branches, geometry } = await experiment.fork(12);
    const shared = await train(problem, { ...settings, steps: 12 });
    expect(distance(flat(from), flat(shared))).toBeLessThan(1e-6);
    const [w, a, b] = [from, ...branches].map(flat);
    expect(geometry.map(({ step }) => step)).toEqual([17, 22, 27, 30]);
    const end = geometry.at(-1)!;
    expect(end.travelled[0]).toBeCloseTo(distance(a, w), 10);
    expect(end.travelled[1]).toBeCloseTo(distance(b, w), 10);
    expect(end.apart).toBeCloseTo(distance(a, b), 10);
    const inner = a.reduce((sum, x, i) => sum + (x - w[i]) * (b[i] - w[i]), 0);
    expect(end.cosine).toBeCloseTo(inner / (distance(a, w) * distance(b, w)), 10);
    expect(end.apart).toBeGreaterThan(1e-3);
    // The rate has fallen by 12 / 30 when branches begin: with the full rate they would go further.
    const late = (await experiment.fork(20)).geometry.at(-1)!;
    expect(late.apart).toBeLessThan(end.apart);
    expect((await experiment.fork(0)).from.params).toEqual(problem.model.init(split(key(5), 'init')).params);
  });

  test('is a function of the seed', async () => {
    const branch = async (seed: number): Promise<Float64Array> => flat((await (await forkExperiment(problem, { ...settings, seed, steps: 8, forks: [4] })).fork(4)).branches[1]);
    expect([...await branch(1)]).toEqual([...await branch(1)]);
    expect(distance(await branch(1), await branch(2))).toBeGreaterThan(0.01);
  });

  test('names what is wrong', async () => {
    await expect(forkExperiment(problem, { ...settings, steps: 8, forks: [8] })).rejects.toThrow(/forks\[0\]/);
    const experiment = await forkExperiment(problem, { ...settings, steps: 8, forks: [0, 4] });
    await expect(experiment.fork(3)).rejects.toThrow(/a fork must be one of 0, 4, got 3/);
    await expect(forkExperiment(problem, { ...settings, schedule: 3e38, steps: 8, forks: [4] })).rejects.toThrow(/losses must stay finite/);
    await expect(forkExperiment(problem, { ...settings, steps: 8, forks: [4], signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
  });
});
