import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { adam, plateauSchedule, sgd, withExponentialAverage } from '../optim/index.ts';
import { memoryStore, train, type Checkpoint, type CheckpointStore, type TrainOptions } from './index.ts';
import { clusters, contentOf, countedGradient, countedLength, noisyModel } from './training.test-helper.ts';

const problem = clusters(120, noisyModel());

/** Everything that a step can depend on: optimizer state, dropout, batch statistics, mixing, losses before, probes that remember. */
const options = (): TrainOptions<unknown, unknown> => ({
  optimizer: withExponentialAverage(adam(), { decay: 0.9 }), schedule: plateauSchedule({ rate: 0.05, window: 2, patience: 1, factor: 0.5, threshold: 0.05 }), steps: 40, batchSize: 25, seed: 4, mixup: { alpha: 0.4 },
  probes: [countedGradient(3), countedLength(7)],
});

/** All checkpoints of a run, as they would be read back. */
function collecting(): CheckpointStore & { readonly all: Checkpoint[] } {
  const all: Checkpoint[] = [];
  return { all, save: (checkpoint) => { all.push({ ...checkpoint, record: JSON.parse(JSON.stringify(checkpoint.record)) as Checkpoint['record'] }); return Promise.resolve(); }, latest: () => Promise.resolve(undefined) };
}

describe('a resumed run', () => {
  test('is the run that was never interrupted, bit by bit, wherever it goes on', async () => {
    const whole = await train(problem, options());
    const rates = new Set(whole.table.series('learningRate').values);
    expect(rates.size).toBeGreaterThan(1);
    expect(whole.table.columns).toEqual(expect.arrayContaining(['gradient.squared', 'gradient.seen', 'length', 'length.times']));
    expect(whole.table.series('gradient.seen').values.at(-1)).toBe(39);
    const store = collecting();
    const saved = await train(problem, { ...options(), checkpoint: { store, every: 14 } });
    expect(contentOf(saved)).toEqual(contentOf(whole));
    expect(store.all.map(({ record }) => record.step)).toEqual([14, 28, 40]);
    for (const resume of store.all) {
      const run = await train(problem, { ...options(), resume });
      expect(contentOf(run)).toEqual(contentOf(whole));
      expect(run.provenance.resumedAt).toEqual([resume.record.step]);
      // It did the remaining steps only.
      expect(run.costs.find(({ name }) => name === 'training')!.count).toBe(40 - resume.record.step);
    }
  });

  test('goes on after an interruption', async () => {
    const whole = await train(problem, options());
    const store = memoryStore();
    const interrupt = new AbortController();
    const cut = await train(problem, { ...options(), checkpoint: { store, every: 10 }, signal: interrupt.signal, onEvent: ({ step }) => { if (step === 23) interrupt.abort(); } });
    expect([cut.end.reason, cut.losses.length]).toEqual(['interrupted', 23]);
    const resume = await store.latest();
    // Nothing was due there, so that the last step done is kept too.
    expect(resume?.record.step).toBe(23);
    expect(contentOf(await train(problem, { ...options(), resume, checkpoint: { store, every: 10 } }))).toEqual(contentOf(whole));
    expect((await store.latest())?.record).toMatchObject({ step: 40, provenance: { resumedAt: [23] } });
  });

  test('may be made longer, where the schedule is the same', async () => {
    const settings = { optimizer: sgd({ momentum: 0.9 }), schedule: 0.05, batchSize: 25, seed: 1 };
    const store = memoryStore();
    await train(problem, { ...settings, steps: 10, checkpoint: { store, every: 100 } });
    const longer = await train(problem, { ...settings, steps: 30, resume: await store.latest() });
    expect(contentOf(longer)).toEqual(contentOf(await train(problem, { ...settings, steps: 30 })));
  });

  test('of another configuration is refused, naming what differs', async () => {
    const store = memoryStore();
    const settings = { optimizer: sgd({ momentum: 0.9 }), schedule: 0.05, steps: 5, batchSize: 25, seed: 1 };
    await train(problem, { ...settings, checkpoint: { store, every: 5 } });
    const resume = await store.latest();
    const refusal = (changed: object, other = problem): Promise<string> => train(other, { ...settings, resume, ...changed }).then(() => 'accepted', (error: Error) => error.message);
    expect(await refusal({ seed: 2, batchSize: 20 })).toMatch(/seed \(1 before, 2 now\); batchSize \(25 before, 20 now\)/);
    expect(await refusal({ schedule: 0.1 })).toContain('schedule (0.05 before, 0.1 now)');
    // Equal at the steps that are shown.
    const stepped = (at: number) => (step: number): number => (step < at ? 0.05 : 0.01);
    const early = memoryStore();
    await train(problem, { ...settings, schedule: stepped(20), checkpoint: { store: early, every: 5 } });
    expect(await refusal({ schedule: stepped(30), resume: await early.latest() })).toContain('schedule');
    // A constant of the optimizer shows in the traced step alone.
    expect(await refusal({ optimizer: sgd({ momentum: 0.8 }) })).toMatch(/other values of step \(\w+ before, \w+ now\)\./);
    expect(await refusal({ mixup: { alpha: 1 } })).toContain('mixup (none before, alpha 1 now)');
    expect(await refusal({ probes: [countedLength(2)] })).toContain('probes');
    expect(await refusal({ labels: { purpose: 'test' } })).toContain('label purpose (none before, test now)');
    expect(await refusal({}, clusters(150, noisyModel()))).toMatch(/data \(120 examples, \w+ before, 150 examples, \w+ now\)/);
    expect(await refusal({ steps: 4 })).toContain('at most 4 steps');
    expect(await refusal({ resume: { ...resume!, arrays: {} } })).toContain("must hold 'first.");
    expect(await refusal({})).toBe('accepted');
  });

  test('a new run does not write among the checkpoints of another', async () => {
    const store = memoryStore();
    const settings = { optimizer: sgd(), schedule: 0.05, steps: 5, batchSize: 25, seed: 1, checkpoint: { store, every: 5 } };
    await train(problem, settings);
    await expect(train(problem, settings)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: train: the store of a new run must be empty, got one with a checkpoint of step 5.
        Try: resume that checkpoint, or another store]
    `);
  });
});
