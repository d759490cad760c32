import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { gaussianClusters } from '../data/index.ts';
import { linearBarrier, matchWeights, permutationSymmetries, representations, applyPermutations, randomPermutations } from '../landscape/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { cnn, mlp, type MlpParameters } from '../nn/index.ts';
import { sgd } from '../optim/index.ts';
import { evaluate, type Point, type Problem } from '../problem/index.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import { train } from '../train/index.ts';
import { array } from '../core/ndarray.ts';
import { key, normal } from '../util/random/index.ts';
import { modeConnectivity } from './mode-connectivity.ts';

const data = gaussianClusters({ seed: 2, classes: 6, dimension: 8, separation: 2.5, samples: 400, testSamples: 200 });
const problem: Problem<MlpParameters> = { name: 'clusters', model: mlp({ sizes: [data.train.inputs.shape[1], 24, data.classes!.length], activation: 'relu' }), loss: crossEntropy, train: data.train, test: data.test };
const trained = (seed: number): Promise<Point<MlpParameters>> => train(problem, { optimizer: sgd({ momentum: 0.9 }), schedule: 0.05, epochs: 8, batchSize: 50, seed });

describe('modeConnectivity', () => {
  test('reports every pair before and after alignment, as plain data', async () => {
    const a = await trained(1);
    const spec = permutationSymmetries(problem.model, a, problem.train.inputs);
    const points = [a, await trained(2), applyPermutations(spec, a, randomPermutations(spec, key(1)))];
    const progress: number[] = [];
    const report = await modeConnectivity(problem, points, { points: 7, refineTo: 0, similarityExamples: 100, onProgress: (done) => progress.push(done) });
    expect(report.pairs.map(({ first, second }) => [first, second])).toEqual([[0, 1], [0, 2], [1, 2]]);
    expect(progress).toEqual([1, 2, 3]);
    expect(report.groups).toEqual([{ name: 'params.layers.0.weight axis 1', size: 24 }]);
    const { asFound, aligned } = report.barriers;
    expect(asFound[0][1]).toBe((await linearBarrier(problem, points[0], points[1], { points: 7, refineTo: 0, splits: ['train'] })).train!.barrier.value);
    expect(aligned![0][1]).toBe((await linearBarrier(problem, points[0], matchWeights(spec, points[0], points[1]).point, { points: 7, refineTo: 0, splits: ['train'] })).train!.barrier.value);
    expect(asFound[0][2]).toBeGreaterThan(0.01);
    expect(aligned![0][2]).toBeLessThan(1e-12);
    expect(report.pairs[1].aligned!.distance.value).toBe(0);
    for (const matrix of [asFound, aligned!]) matrix.forEach((row, i) => row.forEach((value, j) => { expect(value).toBe(i === j ? 0 : matrix[j][i]); }));
    // CKA does not see the order of units; the test barrier is reported beside.
    expect(report.pairs[1].similarity.map(({ name }) => name)).toEqual(['before layers.1', 'outputs']);
    report.pairs[1].similarity.forEach(({ value }) => { expect(value.value).toBeCloseTo(1, 4); });
    expect(report.pairs[0].similarity[0].value.value).toBeLessThan(0.9999);
    expect(report.pairs[0].asFound.test!.barrier.samples).toBe(problem.test!.size);
    expect(report.complete).toBe(true);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test('aligns by the straight-through estimator too: never worse in the middle than by weights', async () => {
    const points = [await trained(1), await trained(2)];
    const middle = async (alignment: 'weights' | 'straight-through'): Promise<number> =>
      (await modeConnectivity(problem, points, { alignment, points: 3, refineTo: 0, similarityExamples: 0 })).pairs[0].aligned!.train!.samples[1].loss.value;
    expect(await middle('straight-through')).toBeLessThanOrEqual((await middle('weights')) + 1e-6);
  });

  test('leaves out what is not asked for, and stops at a signal', async () => {
    const small = tinyClassification(40, [3, 4, 3], 'float32');
    const points = [0, 1, 2].map((seed) => ({ params: { layers: small.model.init(key(0)).params.layers.map(({ weight, bias }) => ({ weight: array(normal(key(seed), weight.shape), weight.shape), bias })) }, state: {} }));
    const stop = new AbortController();
    const report = await modeConnectivity(small, points, { alignment: 'none', similarityExamples: 0, points: 3, refineTo: 0, signal: stop.signal, onProgress: () => { stop.abort(); } });
    expect(report.pairs).toHaveLength(1);
    expect(report.pairs[0].similarity).toEqual([]);
    expect(report.pairs[0].aligned).toBeUndefined();
    expect(report.barriers.aligned).toBeUndefined();
    expect(report.complete).toBe(false);
    expect(report.barriers.asFound[1][2]).toBeNaN();
    await expect(modeConnectivity(small, points.slice(0, 1))).rejects.toThrow(/at least two points/);
  });
});

describe('representations', () => {
  test('are what layers read, by name, in chunks as in one piece; outputs are the model\'s', async () => {
    const a = problem.model.init(key(3));
    const [read, outputs] = await representations(problem, a, problem.test!, { chunk: 13 });
    expect(read).toMatchObject({ name: 'before layers.1', examples: problem.test!.size, features: 24 });
    const { weight, bias } = a.params.layers[1];
    const classes = weight.shape[1];
    const second = Array.from({ length: classes }, (_, j) => bias.data[j] + [...weight.data].reduce((sum, w, at) => sum + (at % classes === j ? w * read.values[24 + Math.floor(at / classes)] : 0), 0));
    second.forEach((value, j) => { expect(outputs.values[classes + j]).toBeCloseTo(value, 4); });
    const right = Array.from({ length: problem.test!.size }, (_, i) => outputs.values.slice(i * classes, (i + 1) * classes)).filter((row, i) => row.indexOf(Math.max(...row)) === problem.test!.targets.data[i]).length;
    expect(right / problem.test!.size).toBeCloseTo((await evaluate(problem, a, problem.test!)).accuracy!.value, 6);
  });

  test('of a convolutional network: one for each layer but the first', async () => {
    const images = { inputs: array(normal(key(1), [6, 1, 12, 12]), [6, 1, 12, 12]), targets: array([0, 1, 0, 1, 0, 1], [6], 'int32'), size: 6 };
    const model = cnn({ inputShape: [1, 12, 12], channels: [2, 3], hidden: [5, 4], classes: 2 });
    const found = await representations({ name: 'images', model, loss: crossEntropy, train: images }, model.init(key(0)), images);
    expect(found.map(({ name, features }) => [name, features])).toEqual([['before conv2', 72], ['before dense1', 3], ['before dense2', 5], ['before dense3', 4], ['outputs', 2]]);
  });
});
