import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import { openSafetensors } from '../interop/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, uniform } from '../util/random/index.ts';
import { continued, STEPS } from './checkpoint-kill.test-helper.ts';
import { memoryStore, train, type Checkpoint } from './index.ts';
import { directoryStore } from './node.ts';
import { adam } from '../optim/index.ts';
import { clusters, contentOf, countedGradient, countedLength, noisyModel } from './training.test-helper.ts';

const root = mkdtempSync(join(tmpdir(), 'thalweg-checkpoints-'));
afterAll(() => { rmSync(root, { recursive: true, force: true }); });
let folders = 0;
const folder = (): string => join(root, String(folders++));

/** A run with everything that a checkpoint may hold, saved to both stores. */
async function saved(directory: string): Promise<{ kept: Checkpoint; read: Checkpoint }> {
  const [memory, disk] = [memoryStore(), directoryStore(directory)];
  const both = { save: async (checkpoint: Checkpoint) => { await memory.save(checkpoint); await disk.save(checkpoint); }, latest: () => disk.latest() };
  await train(clusters(60, noisyModel()), { optimizer: adam(), schedule: 0.05, steps: 7, batchSize: 20, seed: 0, executor: referenceExecutor, probes: [countedGradient(2), countedLength(3)], checkpoint: { store: both, every: 2 } });
  return { kept: (await memory.latest())!, read: (await disk.latest())! };
}

describe('checkpoints in a folder', () => {
  test('come back bit by bit, and only the last are kept', async () => {
    const directory = folder();
    const { kept, read } = await saved(directory);
    expect(read.record).toEqual(kept.record);
    expect(Object.keys(read.arrays).sort()).toEqual(Object.keys(kept.arrays).sort());
    for (const [name, { data, shape, dtype }] of Object.entries(kept.arrays)) expect(read.arrays[name]).toEqual(new NDArray(data, shape, dtype));
    expect(Object.keys(read.arrays)).toEqual(expect.arrayContaining(['first.weight', 'state:norm.mean', 'inside:gradient.seen', 'probe:length:times', 'history:losses']));
    expect(readdirSync(directory).sort()).toEqual(['step-00000006', 'step-00000007']);
    // The model's file holds parameters and statistics alone: what other programs read.
    const model = await openSafetensors(join(directory, 'step-00000007'));
    expect(model.tensors.map(({ name }) => name).sort()).toEqual(['first.bias', 'first.weight', 'last.bias', 'last.weight', 'norm.bias', 'norm.scale', 'state:norm.mean', 'state:norm.variance']);
    await model.close();
  });

  test('half a checkpoint is none, and is cleared away', async () => {
    const directory = folder();
    expect(await directoryStore(directory).latest()).toBeUndefined();
    const { read } = await saved(directory);
    mkdirSync(join(directory, '.unfinished-step-00000099'));
    writeFileSync(join(directory, '.unfinished-step-00000099', 'checkpoint.json'), '{');
    const store = directoryStore(directory, { keep: 1 });
    expect((await store.latest())!.record.step).toBe(7);
    await store.save({ ...read, record: { ...read.record, step: 12 } });
    expect(readdirSync(directory)).toEqual(['step-00000012']);
    // The same step again takes the place of the one before.
    await store.save({ ...read, record: { ...read.record, step: 12, columns: ['again'] } });
    expect((await store.latest())!.record.columns).toEqual(['again']);
  });

  test('what cannot be read or written is said', async () => {
    const directory = folder();
    await saved(directory);
    const path = join(directory, 'step-00000007', 'checkpoint.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('thalweg training 1', 'thalweg training 0'));
    await expect(directoryStore(directory).latest()).rejects.toThrow("must have the format 'thalweg training 1', got 'thalweg training 0'");
    writeFileSync(path, '{');
    await expect(directoryStore(directory).latest()).rejects.toThrow(/directoryStore: the folder .* must be readable/);
    writeFileSync(join(root, 'file'), '');
    await expect(directoryStore(join(root, 'file', 'below')).save(await memoryCheckpoint())).rejects.toThrow(/must be writable, got ENOTDIR/);
    expect(() => directoryStore(directory, { keep: 0 })).toThrow('keep');
  });
});

async function memoryCheckpoint(): Promise<Checkpoint> {
  const store = memoryStore();
  await train(clusters(60), { optimizer: adam(), schedule: 0.05, steps: 1, batchSize: 20, seed: 0, executor: referenceExecutor, checkpoint: { store, every: 1 } });
  return (await store.latest())!;
}

test('a process killed at any instant leaves a whole checkpoint, and the run goes on from it to the same end', { timeout: 60_000 }, async () => {
  const directory = folder();
  const helper = fileURLToPath(new URL('./checkpoint-kill.test-helper.ts', import.meta.url));
  const whole = await continued(memoryStore());
  // How long after the first progress to wait for the next checkpoint to be begun.
  const delays = uniform(key(5), 2, { dtype: 'float64' });
  const reached: number[] = [];
  let unfinished = 0;
  for (const share of delays) {
    const before = (await directoryStore(directory).latest())?.record.step ?? 0;
    const child = spawn(process.execPath, ['--conditions', 'thalweg-source', '--import', 'tsx', helper, directory], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text: Buffer) => { said += text.toString(); });
    const ended = new Promise<string | null>((resolve) => { child.on('exit', (_, signal) => { resolve(signal); }); });
    const saved = (): number => Math.max(0, ...(existsSync(directory) ? readdirSync(directory) : []).map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? 0)));
    while (saved() <= before && child.exitCode === null) await new Promise((resolve) => { setTimeout(resolve, 5); });
    await new Promise((resolve) => { setTimeout(resolve, 50 * share); });
    const isWriting = (): boolean => readdirSync(directory).some((name) => name.startsWith('.unfinished-step'));
    for (let tries = 0; tries < 100_000 && !isWriting(); tries++);
    child.kill('SIGKILL');
    expect([await ended, said]).toEqual(['SIGKILL', '']);
    unfinished += readdirSync(directory).filter((name) => name.startsWith('.unfinished')).length;
    const checkpoint = (await directoryStore(directory).latest())!;
    reached.push(checkpoint.record.step);
    expect([...checkpoint.arrays['history:losses'].data]).toEqual(whole.losses.slice(0, checkpoint.record.step));
  }
  expect(reached.every((step, i) => step > (reached[i - 1] ?? 0) && step < STEPS)).toBe(true);
  // Kills were aimed at the writing; one of them at least should have hit.
  expect(unfinished).toBeGreaterThan(0);
  const end = await continued(directoryStore(directory));
  expect(contentOf(end)).toEqual(contentOf(whole));
  expect(end.provenance.resumedAt).toHaveLength(reached.length);
});
