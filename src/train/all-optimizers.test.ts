/** Every optimizer of the registry trains a small network, and goes on from a checkpoint as if nothing had happened. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { gaussianClusters } from '../data/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { mlp, type AnyModel } from '../nn/index.ts';
import { entries, rows, scheduled } from '../optim/all-optimizers.test-helper.ts';
import { optimizerNamed } from '../optim/index.ts';
import { evaluate, type Problem } from '../problem/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { directoryStore } from './checkpoint-store.node.ts';
import { train, type CheckpointStore, type TrainOptions } from './index.ts';
import { contentOf } from './training.test-helper.ts';

const executor = nodeExecutor({ threads: 1 });
const data = gaussianClusters({ samples: 240, seed: 3 });
const problem: Problem<unknown, unknown> = { name: 'clusters', model: mlp({ sizes: [2, 16, 3] }) as AnyModel, loss: crossEntropy, train: data.train, test: data.test };
const folder = mkdtempSync(path.join(tmpdir(), 'thalweg-optimizers-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

/** A store on disk that keeps one step and no other: where a run that was killed would go on. */
function keeping(step: number, directory: string): CheckpointStore {
  const disk = directoryStore(directory);
  return { save: (checkpoint) => (checkpoint.record.step === step ? disk.save(checkpoint) : Promise.resolve()), latest: () => disk.latest() };
}

describe('a network of 99 parameters on three classes', () => {
  test.each(entries.map(([name]) => name))('%s', async (name) => {
    const trial = rows[name].network;
    const steps = trial.steps ?? 60;
    const options = (): TrainOptions<unknown, unknown> => ({ optimizer: optimizerNamed(trial.optimizer), schedule: scheduled(trial, steps), steps, batchSize: 32, seed: 0, executor });
    const store = keeping(40, path.join(folder, name));
    const run = await train(problem, { ...options(), checkpoint: { store, every: 40 } });
    expect(run.end).toEqual({ reason: 'finished' });
    const { accuracy } = await evaluate(problem, { params: run.answer ?? run.params, state: run.state }, data.test!, { executor });
    expect(accuracy!.value, `${trial.optimizer} at ${trial.rate}: loss ${run.losses[0]} to ${run.losses.at(-1)}`).toBeGreaterThan(0.85);

    const resume = await store.latest();
    expect(resume?.record.step).toBe(40);
    expect(contentOf(await train(problem, { ...options(), resume }))).toEqual(contentOf(run));
  });
});
