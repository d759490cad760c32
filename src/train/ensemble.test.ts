/** Each replica of an ensemble is the run that `train` would give. */
import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import type { Executor } from '../core/backend.ts';
import type { Graph } from '../core/graph.ts';
import { NDArray } from '../core/ndarray.ts';
import { adam, adamw, cosineSchedule, langevin, plateauSchedule, sgd, withExponentialAverage, type Schedule } from '../optim/index.ts';
import { mapTree } from '../tree/index.ts';
import { key, split } from '../util/random/index.ts';
import { difference, expectSame, inFloat64 } from './ensemble.test-helper.ts';
import { grid, train, trainEnsemble, type EnsembleEvent, type EnsembleOptions, type TrainOptions } from './index.ts';
import { clusters, noisyModel } from './training.test-helper.ts';

const noisy = inFloat64(clusters(48, noisyModel()));
const plain = clusters(96);
const shared = { steps: 5, batchSize: 12, seed: 7 };
const exact = { ...shared, executor: referenceExecutor };
const TIGHT = 1e-10;

type Case = Omit<EnsembleOptions<unknown, unknown>, 'batchSize' | 'seed'> & { readonly batchSize?: 'full' };

describe('in float64, with dropout and batch normalisation, a replica is its run to 1e-10', () => {
  test.each<[string, Case, (r: number) => Partial<TrainOptions<unknown, unknown>>]>([
    ['seeds, SGD with momentum', { replicas: 3, optimizer: sgd({ momentum: 0.9 }), schedule: 0.1 }, (r) => ({ seed: 7 + r, optimizer: sgd({ momentum: 0.9 }), schedule: 0.1 })],
    ['seeds given, Adam, several steps a call', { vary: { seed: [3, 11] }, optimizer: adam(), schedule: cosineSchedule({ rate: 0.01, steps: 5 }), stepsPerCall: 2 }, (r) => ({ seed: [3, 11][r], optimizer: adam(), schedule: cosineSchedule({ rate: 0.01, steps: 5 }) })],
    ['rates', { vary: { learningRate: [0.01, 0.1, 0.3] }, optimizer: sgd() }, (r) => ({ optimizer: sgd(), schedule: [0.01, 0.1, 0.3][r] })],
    ['factors of a schedule', { vary: { learningRateFactor: [1, 10] }, optimizer: adam(), schedule: cosineSchedule({ rate: 0.01, steps: 5 }) }, (r) => ({ optimizer: adam(), schedule: cosineSchedule({ rate: [0.01, 0.1][r], steps: 5 }) })],
    ['a schedule each', { vary: {}, schedule: [0.1, cosineSchedule({ rate: 0.2, steps: 5 })], optimizer: sgd() }, (r) => ({ optimizer: sgd(), schedule: r === 0 ? 0.1 : cosineSchedule({ rate: 0.2, steps: 5 }) })],
    ['hyper-parameters', { vary: { weightDecay: [0, 0.1, 0.5], beta1: [0.9, 0.5, 0.9] }, optimizer: ({ weightDecay, beta1 }) => adamw({ weightDecay, beta1 }), schedule: 0.01 },
      (r) => ({ optimizer: adamw({ weightDecay: [0, 0.1, 0.5][r], beta1: [0.9, 0.5, 0.9][r] }), schedule: 0.01 })],
    ['all examples, noise of the optimizer, mixing', { vary: { seed: true }, replicas: 2, optimizer: langevin({ temperature: 0.01 }), schedule: 0.1, batchSize: 'full', mixup: { alpha: 0.5 } }, (r) => ({ seed: 7 + r, batchSize: 'full', optimizer: langevin({ temperature: 0.01 }), schedule: 0.1, mixup: { alpha: 0.5 } })],
    ['an average as the answer', { replicas: 2, optimizer: withExponentialAverage(sgd(), { decay: 0.5 }), schedule: 0.1 }, (r) => ({ seed: 7 + r, optimizer: withExponentialAverage(sgd(), { decay: 0.5 }), schedule: 0.1 })],
    ['parts of batches', { replicas: 2, optimizer: sgd(), schedule: 0.1, microBatch: 4 }, (r) => ({ seed: 7 + r, optimizer: sgd(), schedule: 0.1, microBatch: 4 })],
  ])('%s', async (_, options, alone) => {
    const { replicas } = await trainEnsemble(noisy, { ...exact, ...options });
    for (const [r, replica] of replicas.entries()) expectSame(replica, await train(noisy, { ...exact, ...alone(r) } as TrainOptions<unknown, unknown>), TIGHT);
    expect(difference(replicas[0], replicas[1])).toBeGreaterThan(1e-4);
  });

  test('initialisation, order and initial scale apart', async () => {
    const settings = { ...exact, optimizer: sgd({ momentum: 0.5 }), schedule: 0.1 };
    const { replicas } = await trainEnsemble(noisy, { ...settings, vary: { initialisation: [1, 1, 2], order: [5, 6, 5], initialScale: [1, 0.5, 2] } });
    for (const [r, replica] of replicas.entries()) {
      const start = noisy.model.init(split(key([1, 1, 2][r]), 'init'));
      const params = mapTree(({ data, shape, dtype }: NDArray) => new NDArray(Float64Array.from(data, (x) => x * [1, 0.5, 2][r]), shape, dtype), start.params);
      expectSame(replica, await train(noisy, { ...settings, seed: [5, 6, 5][r], start: { ...start, params } }), TIGHT);
      expect(replica.values).toEqual({ initialisation: [1, 1, 2][r], order: [5, 6, 5][r], initialScale: [1, 0.5, 2][r] });
    }
  });

  test('a start each: runs that fork', async () => {
    const settings = { ...exact, optimizer: sgd(), schedule: 0.1 };
    const { replicas: trunks } = await trainEnsemble(noisy, { ...settings, replicas: 2 });
    const [one, two] = trunks.map(({ params, state }) => ({ params, state }));
    const start = [one, one, two];
    const { replicas } = await trainEnsemble(noisy, { ...settings, start, vary: { order: [3, 4, 3] } });
    for (const [r, replica] of replicas.entries()) expectSame(replica, await train(noisy, { ...settings, seed: [3, 4, 3][r], start: start[r] }), TIGHT);
    expect(difference(replicas[0], replicas[1])).toBeGreaterThan(1e-4);
    const alike = await trainEnsemble(noisy, { ...settings, start: [one, two], vary: {} });
    expect(alike.replicas).toHaveLength(2);
    await expect(trainEnsemble(noisy, { ...settings, start: [one, two], replicas: 3 })).rejects.toThrow(/an entry for each of the 3 replicas/);
  });

  test('a schedule that looks at the losses looks at those of its replica', async () => {
    const schedule: Schedule = plateauSchedule({ rate: 0.5, window: 1, patience: 0, factor: 0.5 });
    const settings = { ...exact, steps: 8, schedule, optimizer: sgd() };
    const { replicas } = await trainEnsemble(noisy, { ...settings, replicas: 3 });
    for (const [r, replica] of replicas.entries()) expectSame(replica, await train(noisy, { ...settings, seed: 7 + r }), TIGHT);
    expect(new Set(replicas.map(({ table }) => table.series('learningRate').values.join(' '))).size).toBeGreaterThan(1);
  });
});

describe('on ONNX Runtime in float32', () => {
  // Rounding differs with the shapes of products; 40 steps multiply it.
  test.each([['SGD with momentum', sgd({ momentum: 0.9 }), 0.05], ['Adam', adam(), 0.01]] as const)('%s: a replica is its run to 1e-4', async (_, optimizer, schedule) => {
    const settings = { ...shared, steps: 40, optimizer, schedule };
    for (const vary of [{ seed: true }, { initialisation: true }] as const) {
      const { replicas } = await trainEnsemble(plain, { ...settings, replicas: 4, vary });
      const start = plain.model.init(split(key(9), 'init'));
      expectSame(replicas[2], await train(plain, 'seed' in vary ? { ...settings, seed: 9 } : { ...settings, start }), 1e-4);
      expect(replicas[2].end).toEqual({ reason: 'finished' });
    }
  });

  test('is a pure function of its options, bit by bit', async () => {
    const settings = { ...shared, steps: 20, replicas: 3, optimizer: adam(), schedule: 0.01 };
    const [first, again] = [await trainEnsemble(plain, settings), await trainEnsemble(plain, settings)];
    first.replicas.forEach((replica, r) => { expect(difference(replica, again.replicas[r])).toBe(0); });
    expect(first.provenance.hash).toBe(again.provenance.hash);
    expect((await trainEnsemble(plain, { ...settings, vary: { seed: [1, 2, 4] } })).provenance.hash).not.toBe(first.provenance.hash);
    const scheduled = async (rates: readonly number[]): Promise<string> => (await trainEnsemble(plain, { ...settings, steps: 1, schedule: rates })).provenance.hash;
    expect(await scheduled([0.01, 0.02, 0.03])).not.toBe(await scheduled([0.01, 0.02, 0.04]));
  });
});

describe('what does not differ has no axis of replicas', () => {
  /** Shapes of what is gathered in the step, and whether whole data sets are repeated. */
  async function gathered(vary: EnsembleOptions<unknown, unknown>['vary']): Promise<{ shapes: string[]; largest: number }> {
    const graphs: Graph[] = [];
    const executor: Executor = { name: 'watched', prepare: (graph, constants) => { graphs.push(graph); return referenceExecutor.prepare(graph, constants); } };
    await trainEnsemble(plain, { ...shared, steps: 1, replicas: 3, vary, optimizer: sgd(), schedule: 0.1, executor });
    const { nodes } = graphs.at(-1)!;
    const takes = nodes.filter(({ primitive }) => primitive.name === 'gather');
    return { shapes: takes.map(({ outputs: [{ shape }] }) => shape.join('x')), largest: Math.max(...takes.map(({ inputs: [operand] }) => operand.rank)) };
  }

  test('one order of batches is gathered once; several, from one copy of the data', async () => {
    expect(await gathered({ initialisation: true })).toEqual({ shapes: ['12x2', '12'], largest: 2 });
    expect(await gathered({ seed: true })).toEqual({ shapes: ['3x12x2', '3x12'], largest: 2 });
  });
});

describe('memory', () => {
  test('what does not fit runs in slices, says so, and gives the same', async () => {
    const settings = { ...exact, replicas: 5, optimizer: adam(), schedule: 0.01 };
    const whole = await trainEnsemble(noisy, settings);
    expect(whole.slices).toEqual([5]);
    const events: EnsembleEvent[] = [];
    const parts = await trainEnsemble(noisy, { ...settings, memoryBudget: Math.ceil(whole.bytes / 2), onEvent: (event) => events.push(event) });
    expect(parts.slices).toEqual([2, 2, 1]);
    expect(parts.bytes).toBeLessThanOrEqual(whole.bytes / 2);
    parts.replicas.forEach((replica, r) => { expect(difference(replica, whole.replicas[r])).toBeLessThan(TIGHT); });
    expect(events[0]).toEqual({ type: 'begin', steps: 5, replicas: 5, slices: [2, 2, 1], bytes: parts.bytes, memoryBudget: Math.ceil(whole.bytes / 2) });
    expect(events.filter(({ type }) => type === 'slice')).toEqual([{ type: 'slice', slice: 0, first: 0, replicas: 2 }, { type: 'slice', slice: 1, first: 2, replicas: 2 }, { type: 'slice', slice: 2, first: 4, replicas: 1 }]);
    expect(parts.costs.find(({ name }) => name === 'training')!.count).toBe(15);
    expect((await trainEnsemble(noisy, { ...settings, steps: 1, replicasAtOnce: 4 })).slices).toEqual([3, 2]);
    expect((await trainEnsemble(noisy, { ...settings, steps: 1, replicas: 2, memoryBudget: 1 })).slices).toEqual([1, 1]);
  });
});

test('a grid is all combinations', () => {
  expect(grid({ learningRate: [0.1, 1], seed: [0, 1, 2] })).toEqual({ learningRate: [0.1, 0.1, 0.1, 1, 1, 1], seed: [0, 1, 2, 0, 1, 2] });
});

test('options that contradict each other are refused', async () => {
  const run = (options: Partial<EnsembleOptions<unknown, unknown>>): Promise<unknown> => trainEnsemble(plain, { ...exact, optimizer: sgd(), schedule: 0.1, ...options });
  await expect(run({})).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: trainEnsemble: the number of replicas must be given, or a list in vary, got neither.]`);
  await expect(run({ replicas: 2, vary: { seed: [1, 2, 3] } })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: trainEnsemble: vary.seed must have an entry for each of the 2 replicas, got 3.
      Try: grid({ ... }) makes lists of all combinations]
  `);
  await expect(run({ vary: { learningRate: [1, 2] } })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: trainEnsemble: one of schedule and vary.learningRate must be given, got both.
      Try: vary.learningRateFactor multiplies a schedule]
  `);
  await expect(run({ vary: { momentum: [0.5, 0.9] } })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: trainEnsemble: vary.momentum must be a hyper-parameter that the optimizer is made with, got 'sgd', which does not use it.
      Try: optimizer: (hyper) => adamw({ momentum: hyper.momentum })]
  `);
  await expect(run({ vary: { momentum: [0.5, 2] }, optimizer: ({ momentum }) => sgd({ momentum }) })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: sgd: momentum must be a finite number of at least 0 and at most 1, got 2.]`);
  await expect(run({ replicas: 2, vary: { initialScale: true as never } })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: trainEnsemble: vary.initialScale must be a list of numbers, got true.]`);
  await expect(run({ vary: { initialisation: [1, 2] }, start: plain.model.init(key(0)) })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: trainEnsemble: one of start and vary.initialisation may be given, got both.]`);
});
