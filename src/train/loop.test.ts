import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { makeSplit } from '../data/index.ts';
import { matmul, mean, mul, square, sub } from '../ops/index.ts';
import { adam, cosineSchedule, sgd, withExponentialAverage } from '../optim/index.ts';
import { rounded, type Problem } from '../problem/index.ts';
import { train, type BesideProbe, type InsideProbe, type Moment, type TrainEvent, type TrainOptions } from './index.ts';
import { clusters, contentOf, countedGradient, countedLength, noisyModel } from './training.test-helper.ts';

const settings: TrainOptions<unknown, unknown> = { optimizer: sgd({ momentum: 0.9 }), schedule: 0.05, steps: 40, batchSize: 32, seed: 0 };

describe('several steps in one call', () => {
  test.each([
    ['a plain network', clusters(), settings],
    ['batch normalisation, dropout, a schedule, an average and mixing', clusters(120, noisyModel()), { ...settings, optimizer: withExponentialAverage(adam(), { decay: 0.9 }), schedule: cosineSchedule({ rate: 0.05, steps: 40 }), mixup: { alpha: 1 } }],
    ['probes that are due now and then', clusters(), { ...settings, probes: [countedGradient(10), countedLength(15)] }],
    ['the whole training set', clusters(), { ...settings, batchSize: 'full' as const }],
  ])('give the same bits however many, and those of single steps up to rounding: %s', async (_, problem, options) => {
    const [single, two, many] = [await train(problem, { ...options, stepsPerCall: 1 }), await train(problem, { ...options, stepsPerCall: 2 }), await train(problem, { ...options, stepsPerCall: 16 })];
    expect(contentOf(many)).toEqual(contentOf(two));
    single.losses.forEach((loss, step) => { expect(many.losses[step]).toBeCloseTo(loss, 5); });
  });

  test('end where one who hears of a step says so', async () => {
    const single = await train(clusters(), { ...settings, steps: 21, stepsPerCall: 2 });
    const interrupt = new AbortController();
    const run = await train(clusters(), { ...settings, stepsPerCall: 16, signal: interrupt.signal, onEvent: (event) => { if (event.type === 'step' && event.step === 21) interrupt.abort(); } });
    expect(run.end).toEqual({ reason: 'interrupted' });
    expect(contentOf(run)).toEqual({ ...(contentOf(single) as object), end: { reason: 'interrupted' } });
  });

  test('keep everything before a loss that is not finite, probes included', async () => {
    // The loss is 2.5 w^2 and a step multiplies w by 1 - 5 rate: it overflows in some call, not at its first step.
    type Weights = { w: Tensor };
    const problem: Problem<Weights> = {
      name: 'parabola', train: makeSplit(array([[1], [2]]), array([[0], [0]])),
      model: { name: 'line', init: () => ({ params: { w: array([1], [1, 1], 'float64') }, state: {} }), apply: ({ w }, x) => ({ outputs: matmul(x, w), state: {} }) },
      loss: (outputs, targets) => mean(square(sub(outputs, targets)), 1),
    };
    const options = { ...settings, optimizer: sgd(), schedule: 1e5, steps: 400, batchSize: 2, executor: referenceExecutor, probes: [countedGradient(1)] } as unknown as TrainOptions<Weights, Record<string, never>>;
    const [single, several] = [await train(problem, { ...options, stepsPerCall: 1 }), await train(problem, { ...options, stepsPerCall: 16 })];
    expect(single.end.reason).toBe('diverged');
    expect(single.losses.length % 16).toBeGreaterThan(1);
    expect(contentOf(several as never)).toEqual(contentOf(single as never));
    expect(several.table.entries('gradient.squared')).toHaveLength(several.losses.length);
    expect(2.5 * several.params.w.data[0] ** 2).toBeCloseTo(several.losses.at(-1)!, -Math.log10(several.losses.at(-1)!) + 12);
  });
});

describe('probes', () => {
  test('measure at multiples of their cadence and at the last step, inside and beside', async () => {
    const moments: Pick<Moment, 'step' | 'epoch' | 'learningRate'>[] = [];
    const watching: BesideProbe = {
      where: 'beside', name: 'watching', every: 10,
      prepare: ({ batchSize, start, problem }) => {
        expect([batchSize, problem.name, Object.keys(start)]).toEqual([32, 'clusters', ['params', 'state']]);
        return { measure: ({ step, epoch, learningRate }) => { moments.push({ step, epoch, learningRate }); return Promise.resolve({ '': rounded(step, 0, { products: 2, seconds: 0 }) }); }, dispose: () => { moments.push({ step: -1, epoch: 0, learningRate: 0 }); return Promise.resolve(); } };
      },
    };
    const run = await train(clusters(), { ...settings, steps: 25, schedule: (step) => 1 / (1 + step), probes: [countedGradient(10), watching] });
    expect(run.table.series('gradient.squared').steps).toEqual([0, 10, 20, 24]);
    // What it remembers is kept at every step, not only where it is due.
    expect(run.table.series('gradient.seen').values).toEqual([0, 10, 20, 24]);
    expect(moments.map(({ step }) => step)).toEqual([0, 10, 20, 25, -1]);
    // 96 examples make three steps an epoch. After the last step the rate is that of the last.
    expect(moments[1]).toEqual({ step: 10, epoch: 10 / 3, learningRate: 1 / 11 });
    expect(moments[3].learningRate).toBe(1 / 25);
    expect(run.table.series('watching').values).toEqual([0, 10, 20, 25]);
    expect(run.table.series('loss').values).toEqual(run.losses);
    expect(run.table.series('learningRate').values).toEqual(run.losses.map((_, step) => 1 / (1 + step)));
    const costs = Object.fromEntries(run.costs.map((cost) => [cost.name, cost]));
    expect(Object.keys(costs)).toEqual(['training', 'gradient', 'watching']);
    expect([costs.training.count, costs.gradient.count, costs.watching.count, costs.watching.products]).toEqual([25, 4, 4, 8]);
    expect(costs.training.seconds).toBeGreaterThan(0);
  });

  test('do not change the training', async () => {
    const plain = await train(clusters(), settings);
    const watched = await train(clusters(), { ...settings, probes: [countedGradient(3), countedLength(5)] });
    watched.losses.forEach((loss, step) => { expect(loss).toBeCloseTo(plain.losses[step], 5); });
    // Those beside the step leave its program alone.
    const beside = await train(clusters(), { ...settings, probes: [countedLength(5)] });
    expect([beside.losses, beside.params]).toEqual([plain.losses, plain.params]);
  });

  test('see the step: before and after, outputs and targets', async () => {
    const seeing: InsideProbe = {
      where: 'inside', name: 'seeing', every: 1,
      measure: ({ params, next, initial, learningRate, grad, outputs, targets, memory, nextMemory, batchSize, step }) => {
        const [p, n, first, g] = [params, next, initial, grad()].map((tree) => (tree as { layers: { weight: Tensor }[] }).layers[0].weight);
        expect([outputs().shape, targets.shape, batchSize]).toEqual([[32, 3], [32], 32]);
        expect([typeof memory, typeof nextMemory]).toEqual(['object', 'object']);
        return { values: { residual: mean(square(sub(n, sub(p, mul(learningRate, g))))), moved: mean(square(sub(p, first))), step } };
      },
      finish: ({ residual, moved, step }) => ({ residual: rounded(residual, 0), moved: rounded(moved, 1), step: rounded(step, 0) }),
    };
    const run = await train(clusters(), { ...settings, optimizer: sgd(), steps: 5, probes: [seeing] });
    expect(run.table.series('seeing.step').values).toEqual([0, 1, 2, 3, 4]);
    expect(Math.max(...run.table.series('seeing.residual').values)).toBeLessThan(1e-14);
    const moved = run.table.series('seeing.moved');
    expect(moved.values[0]).toBe(0);
    expect(moved.values[4]).toBeGreaterThan(0);
    expect(moved.errors).toEqual([1, 1, 1, 1, 1]);
  });

  test('of one name, or with the name of a column of every step, are refused', async () => {
    await expect(train(clusters(), { ...settings, probes: [countedLength(1), countedLength(2)] })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: train: every probe must have a name of its own, got 'length' twice.]`);
    await expect(train(clusters(), { ...settings, probes: [{ ...countedLength(1), name: 'loss' }] })).rejects.toThrow("a probe's column must not be called 'loss'");
    await expect(train(clusters(), { ...settings, probes: [countedLength(0)] })).rejects.toThrow("every of probe 'length' must be an integer of at least 1, got 0");
  });
});

describe('options', () => {
  test('the whole training set is one batch, in its order', async () => {
    const problem = clusters();
    const full = await train(problem, { ...settings, batchSize: 'full', steps: 3 });
    const same = await train(problem, { ...settings, batchSize: problem.train.size, steps: 3 });
    same.losses.forEach((loss, step) => { expect(full.losses[step]).toBeCloseTo(loss, 5); });
    expect(full.table.series('loss').steps).toEqual([0, 1, 2]);
  });

  test('steps and epochs are two ways to say how long', async () => {
    expect((await train(clusters(), { ...settings, steps: undefined, epochs: 2 })).losses).toEqual((await train(clusters(), { ...settings, steps: 6 })).losses);
    await expect(train(clusters(), { ...settings, epochs: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: train: one of steps and epochs must be given, got both.]`);
    await expect(train(clusters(), { ...settings, steps: undefined })).rejects.toThrow('got neither');
  });

  test('what an optimizer reports becomes columns, and its answer is given', async () => {
    const reporting = { ...sgd(), update: (context, state) => ({ ...sgd().update(context, state as never), report: { slope: context.learningRate } }) } as typeof settings.optimizer;
    const run = await train(clusters(), { ...settings, steps: 4, optimizer: reporting });
    expect(run.table.series('optimizer.slope').values.map((value) => Math.fround(value))).toEqual([0.05, 0.05, 0.05, 0.05].map(Math.fround));
    expect(run.answer).toBeUndefined();
    const averaged = await train(clusters(), { ...settings, steps: 4, optimizer: withExponentialAverage(sgd(), { decay: 0.5 }) });
    expect(averaged.answer).toBeDefined();
    expect(averaged.answer).not.toEqual(averaged.params);
  });

  test('events come in the order in which things happen', async () => {
    const events: string[] = [];
    const tell = (event: TrainEvent): void => { events.push(`${event.type} ${event.step}${event.type === 'measured' ? ` ${event.probe}` : ''}`); };
    await train(clusters(), { ...settings, steps: 4, probes: [countedGradient(2), countedLength(3)], onEvent: tell });
    expect(events).toEqual(['begin 0', 'measured 0 length', 'measured 0 gradient', 'step 1', 'step 2', 'measured 2 gradient', 'step 3', 'epoch 3', 'measured 3 length', 'measured 3 gradient', 'step 4', 'measured 4 length']);
  });
});

describe('provenance', () => {
  test('says what made the run; the hash is that of the configuration alone', async () => {
    const [first, again, other] = [await train(clusters(), { ...settings, steps: 1 }), await train(clusters(), { ...settings, steps: 1 }), await train(clusters(), { ...settings, steps: 1, optimizer: sgd({ momentum: 0.8 }) })];
    const { provenance } = first;
    expect(provenance).toMatchObject({ thalweg: expect.stringMatching(/^\d+\.\d+\.\d+/) as string, seed: 0, platform: `${process.platform} ${process.arch}`, runtime: { node: process.versions.node }, configuration: { optimizer: 'momentum', batchSize: 32, steps: 1, schedule: '0.05' } });
    expect(provenance.cores).toBeGreaterThan(0);
    expect(provenance.executor).toMatch(/^onnxruntime-\S+.* \d+\.\d+\.\d+$/);
    expect(provenance.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(again.provenance.hash).toBe(provenance.hash);
    expect(other.provenance.hash).not.toBe(provenance.hash);
    expect(Date.parse(provenance.started)).toBeLessThanOrEqual(Date.parse(provenance.ended));
  });
});
