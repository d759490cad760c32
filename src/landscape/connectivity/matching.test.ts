import { beforeAll, describe, expect, test } from 'vitest';
import '../../runtime/node.ts';
import type { NDArray } from '../../core/ndarray.ts';
import { gaussianClusters } from '../../data/index.ts';
import { crossEntropy } from '../../losses/index.ts';
import { mlp, type MlpParameters } from '../../nn/index.ts';
import { sgd } from '../../optim/index.ts';
import type { Point, Problem } from '../../problem/index.ts';
import { train } from '../../train/index.ts';
import { leaves } from '../../tree/index.ts';
import { key } from '../../util/random/index.ts';
import { matchActivations } from './activation-matching.ts';
import { linearBarrier, type LinearBarrier } from './barrier.ts';
import { permutationSymmetries } from './derive-permutations.ts';
import { parameterDistance } from './path-points.ts';
import { applyPermutations, inversePermutations, randomPermutations } from './permutation-spec.ts';
import { matchStraightThrough } from './straight-through.ts';
import { matchWeights } from './weight-matching.ts';

const data = gaussianClusters({ seed: 1, classes: 6, dimension: 8, separation: 2.5, samples: 600, testSamples: 100 });
const inputs = data.train.inputs.shape[1];
const problem: Problem<MlpParameters> = { name: 'clusters', model: mlp({ sizes: [inputs, 48, 24, data.classes!.length], activation: 'relu' }), loss: crossEntropy, train: data.train };
type At = Point<MlpParameters>;
const trained = (seed: number): Promise<At> => train(problem, { optimizer: sgd({ momentum: 0.9 }), schedule: 0.05, epochs: 15, batchSize: 50, seed });
const bytes = (at: At): number[] => leaves<NDArray>(at.params).flatMap((leaf) => [...leaf.data]);
const between = (a: At, b: At): Promise<LinearBarrier> => linearBarrier(problem, a, b, { points: 11, refineTo: 0, splits: ['train'] });
let [a, b]: At[] = [];
beforeAll(async () => { [a, b] = [await trained(1), await trained(2)]; });
const spec = permutationSymmetries(problem.model, problem.model.init(key(0)), data.train.inputs);

describe('matchWeights', () => {
  test('brings a permuted copy back exactly: the same bytes, barrier zero', async () => {
    const permutations = randomPermutations(spec, key(7));
    const moved = applyPermutations(spec, a, permutations);
    expect((await between(a, moved)).train!.barrier.value).toBeGreaterThan(0.1);
    const found = matchWeights(spec, a, moved);
    expect(found.converged).toBe(true);
    expect(bytes(found.point)).toEqual(bytes(a));
    expect(found.permutations.map((units) => [...units])).toEqual(inversePermutations(permutations).map((units) => [...units]));
    expect((await between(a, found.point)).train!.barrier.value).toBeLessThan(1e-15);
  });

  test('brings two trainings nearer, never losing similarity, and lowers their barrier', async () => {
    const found = matchWeights(spec, a, b);
    found.similarity.forEach((value, i) => { if (i > 0) expect(value).toBeGreaterThanOrEqual(found.similarity[i - 1]); });
    // |a - Pb|^2 = |a|^2 + |b|^2 - 2 <a, Pb>: similarity counts every permuted leaf, and the others do not change.
    const gain = found.similarity.at(-1)! - found.similarity[0];
    expect(parameterDistance(a, b) ** 2 - parameterDistance(a, found.point) ** 2).toBeCloseTo(2 * gain, 3);
    const [before, after] = [(await between(a, b)).train!.barrier, (await between(a, found.point)).train!.barrier];
    expect(before.value - after.value).toBeGreaterThan(5 * Math.hypot(before.error, after.error));
  });

  test('is a function of its seed, and stops at a signal', () => {
    expect(matchWeights(spec, a, b, { seed: 3 }).permutations).toEqual(matchWeights(spec, a, b, { seed: 3 }).permutations);
    const stop = new AbortController();
    const found = matchWeights(spec, a, b, { signal: stop.signal, onProgress: () => { stop.abort(); } });
    expect(found.similarity).toHaveLength(2);
    expect(found.converged).toBe(false);
  });
});

describe('matchActivations', () => {
  test('recovers the function of a permuted copy, with correlation one for every unit that varies', async () => {
    const found = await matchActivations(problem, a, applyPermutations(spec, a, randomPermutations(spec, key(8))), data.train);
    expect((await between(a, found.point)).train!.barrier.value).toBeLessThan(1e-6);
    // Units that are off on all the data correlate with nothing.
    found.correlation.forEach((mean, g) => { expect(mean * spec.groups[g].size).toBeCloseTo(Math.round(mean * spec.groups[g].size), 3); });
  });

  test('lowers the barrier of two trainings, in chunks as in one piece', async () => {
    const found = await matchActivations(problem, a, b, data.train);
    const chunked = await matchActivations(problem, a, b, data.train, { chunk: 77 });
    chunked.correlation.forEach((value, g) => { expect(value).toBeCloseTo(found.correlation[g], 4); });
    const [before, after] = [(await between(a, b)).train!.barrier, (await between(a, found.point)).train!.barrier];
    expect(before.value - after.value).toBeGreaterThan(5 * Math.hypot(before.error, after.error));
  });
});

describe('matchStraightThrough', () => {
  test('is no worse at the midpoint than weight matching, and here better', async () => {
    const found = await matchStraightThrough(problem, spec, a, b, { epochs: 4, batchSize: 50, learningRate: 0.05 });
    expect(found.midpointLosses).toHaveLength(5);
    expect(Math.min(...found.midpointLosses)).toBeLessThan(found.midpointLosses[0]);
    const middle = async (at: At): Promise<number> => (await linearBarrier(problem, a, at, { points: 3, refineTo: 0 })).train!.samples[1].loss.value;
    expect(await middle(found.point)).toBeCloseTo(Math.min(...found.midpointLosses), 5);
    expect(await middle(matchWeights(spec, a, b).point)).toBeCloseTo(found.midpointLosses[0], 5);
    expect(bytes(found.point).sort()).toEqual(bytes(b).sort());
  });
});
