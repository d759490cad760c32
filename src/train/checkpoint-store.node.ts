/** Checkpoints in a folder. Node only. @module */
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../interop/node.ts';
import type { NDArray } from '../core/ndarray.ts';
import { DataError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import type { Checkpoint, CheckpointRecord, CheckpointStore } from './checkpoint.ts';

/** The model's own arrays: what other programs read. */
const MODEL = 'model.safetensors';
/** What it takes to go on: optimizer, probes, histories. */
const TRAINING = 'training.safetensors';
const RECORD = 'checkpoint.json';
const FINISHED = /^step-(\d+)$/;
const UNFINISHED = '.unfinished-';
/** Parameters have no prefix. */
const isOfModel = (name: string): boolean => !/^(memory|inside|probe|history):/.test(name);

export interface DirectoryStoreOptions {
  /** Checkpoints that are kept; older ones are removed once a newer one is whole. Default 2. */
  readonly keep?: number;
}

/**
 * Checkpoints as folders `step-00000123` of `directory`: `model.safetensors` (parameters by path, batch statistics as `state:path`),
 * `training.safetensors` and `checkpoint.json`. Each is written under another name, brought to the disk, and then renamed, so that
 * every `step-` folder is whole at any instant. The folder is made when it is missing.
 *
 * @throws DataError when the disk refuses, or a checkpoint cannot be read.
 */
export function directoryStore(directory: string, { keep = 2 }: DirectoryStoreOptions = {}): CheckpointStore {
  requireInteger('directoryStore', 'keep', keep, 1);
  return {
    save: (checkpoint) => guarded(directory, 'writable', () => save(directory, checkpoint, keep)),
    latest: () => guarded(directory, 'readable', async () => {
      const last = (await finished(directory)).at(-1);
      return last === undefined ? undefined : await load(join(directory, last));
    }),
  };
}

async function save(directory: string, { arrays, record }: Checkpoint, keep: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  const name = `step-${String(record.step).padStart(8, '0')}`;
  const unfinished = join(directory, `${UNFINISHED}${name}`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  const chosen = (wanted: boolean): Record<string, NDArray> => Object.fromEntries(Object.entries(arrays).filter(([path]) => isOfModel(path) === wanted));
  await writeSafetensors(join(unfinished, MODEL), chosen(true));
  await writeSafetensors(join(unfinished, TRAINING), chosen(false));
  await writeFile(join(unfinished, RECORD), `${JSON.stringify(record)}\n`);
  for (const file of [MODEL, TRAINING, RECORD]) await sync(join(unfinished, file));
  await sync(unfinished);
  // A run that goes on from an older checkpoint comes to the same step again.
  if ((await finished(directory)).includes(name)) await remove(directory, name, `${UNFINISHED}replaced-${name}`);
  await rename(unfinished, join(directory, name));
  await sync(directory);
  const others = (await readdir(directory)).filter((entry) => entry.startsWith(UNFINISHED));
  const old = (await finished(directory)).slice(0, -keep);
  for (const entry of others) await rm(join(directory, entry), { recursive: true, force: true });
  for (const entry of old) await remove(directory, entry, `${UNFINISHED}${entry}`);
}

/** Takes its name away first: a removal that is cut short must not leave half a checkpoint. */
async function remove(directory: string, entry: string, doomed: string): Promise<void> {
  await rename(join(directory, entry), join(directory, doomed));
  await rm(join(directory, doomed), { recursive: true, force: true });
}

/** Names of the whole checkpoints, fewest steps first. */
async function finished(directory: string): Promise<string[]> {
  const entries = await readdir(directory).catch((error: unknown) => { if (codeOf(error) === 'ENOENT') return []; throw error; });
  return entries.filter((entry) => FINISHED.test(entry)).sort((a, b) => Number(FINISHED.exec(a)![1]) - Number(FINISHED.exec(b)![1]));
}

async function load(folder: string): Promise<Checkpoint> {
  const record = JSON.parse(await readFile(join(folder, RECORD), 'utf8')) as CheckpointRecord;
  if (record.format !== 'thalweg training 1') throw new DataError({ operation: 'directoryStore', required: `${join(folder, RECORD)} must have the format 'thalweg training 1'`, received: `'${String(record.format)}'` });
  const arrays: Record<string, NDArray> = {};
  for (const name of [MODEL, TRAINING]) {
    const file = await openSafetensors(join(folder, name));
    try {
      for (const tensor of file.tensors) arrays[tensor.name] = await file.read(tensor.name);
    } finally {
      await file.close();
    }
  }
  return { arrays, record };
}

/** Brings a file or folder to the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? (error as Error).message;

async function guarded<T>(directory: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError({ operation: 'directoryStore', required: `the folder ${directory} must be ${what}`, received: codeOf(error) });
  }
}
