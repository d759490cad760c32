import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { linearAlignment } from '../analysis/index.ts';
import { gaussianClusters } from '../data/index.ts';
import { representations } from '../landscape/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { mlp, type MlpParameters } from '../nn/index.ts';
import { sgd } from '../optim/index.ts';
import { evaluate, type Point, type Problem } from '../problem/index.ts';
import { leaves } from '../tree/index.ts';
import { train } from '../train/index.ts';
import type { NDArray } from '../core/ndarray.ts';
import { modelZoo } from './model-zoo.ts';

const data = gaussianClusters({ seed: 1, classes: 3, dimension: 4, separation: 2, samples: 90, testSamples: 60 });
const problemOf = (width: number): Problem<MlpParameters> => ({ name: `width ${width}`, model: mlp({ sizes: [4, width, 3], activation: 'relu' }), loss: crossEntropy, train: data.train, test: data.test });
const options = { widths: [2, 8], problemOf, rates: [0.05, 0.5], batchSize: 15, steps: 60, forkAt: 20, seed: 3 };
const numbers = ({ params }: Point<MlpParameters>): number[] => leaves<NDArray>(params).flatMap(({ data: values }) => [...values]);
const largestDifference = (a: number[], b: number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i])));

describe('modelZoo', () => {
  test('a row is what its runs give when each is trained and measured alone', async () => {
    const said: string[] = [];
    const { rows, runs } = await modelZoo({ ...options, curve: { steps: 60, batchSize: 15 }, onProgress: (_, what) => { said.push(what); } });
    expect(rows.map(({ width, rate }) => [width, rate])).toEqual([[2, 0.05], [2, 0.5], [8, 0.05], [8, 0.5]]);
    const [row, { first, second, fork }] = [rows[3], runs[3]];
    const problem = problemOf(8);
    const alone = { optimizer: sgd(), schedule: 0.5, batchSize: 15 };
    const [trunk, other] = [await train(problem, { ...alone, steps: 20, seed: 15 }), await train(problem, { ...alone, steps: 20, seed: 16 })];
    const branch = async ({ params, state }: Point<MlpParameters>, seed: number): Promise<number[]> => numbers(await train(problem, { ...alone, steps: 40, seed, start: { params, state } }));
    expect(largestDifference(numbers(first), await branch(trunk, 17))).toBeLessThan(1e-3);
    expect(largestDifference(numbers(second), await branch(other, 18))).toBeLessThan(1e-3);
    expect(largestDifference(numbers(fork), await branch(trunk, 19))).toBeLessThan(1e-3);
    expect(largestDifference(numbers(fork), numbers(first))).toBeGreaterThan(1e-2);

    const losses = [await evaluate(problem, first, data.train), await evaluate(problem, second, data.train)];
    expect(row.trainLosses).toEqual(losses.map(({ loss }) => expect.closeTo(loss.value, 6) as number));
    expect(row.trainLoss).toBeCloseTo((losses[0].loss.value + losses[1].loss.value) / 2, 6);
    const [x, y] = [await representations(problem, first, data.test), await representations(problem, second, data.test)].map((all) => all.find(({ name }) => name === 'before layers.1' || name.startsWith('before layers.2'))!);
    expect(row.similarity).toBeCloseTo(linearAlignment(x, y, { estimator: 'biased' }).value, 5);
    expect(row.similarityByChance).toBeLessThan(row.similarity);
    expect(row.connectivity!.linearBarrier).toBeGreaterThanOrEqual(0);
    expect(['I', 'II', 'III', 'IV-A', 'IV-B']).toContain(row.phase);
    expect(said).toContain('width 8: measuring rate 0.5');
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
  });

  test('is a function of its seed; without curves there are no phases', async () => {
    const small = { ...options, widths: [2], rates: [0.1] };
    const [one, two, other] = [await modelZoo(small), await modelZoo(small), await modelZoo({ ...small, seed: 4 })];
    expect(two.rows).toEqual(one.rows);
    expect(other.rows[0].trainLoss).not.toBe(one.rows[0].trainLoss);
    expect(one.rows[0].phase).toBeUndefined();
  });

  test('a run that diverges, and what stops it, end the zoo', async () => {
    await expect(modelZoo({ ...options, rates: [1e30] })).rejects.toThrow(/a run of 'width 2' that diverged/);
    await expect(modelZoo({ ...options, forkAt: 60 })).rejects.toThrow(/forkAt must be an integer from 1 to 59/);
    await expect(modelZoo({ ...options, onProgress: () => { throw new Error('stop'); } })).rejects.toThrow('stop');
  });
});
