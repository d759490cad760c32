/** Safetensors files on disk, whole or in shards, read one tensor at a time. Node only. @module */
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError } from '../util/errors.ts';
import type { NDArray } from '../core/ndarray.ts';
import { decodeTensor, LENGTH_BYTES, parseSafetensorsHeader, safetensorsHeaderLength, type SafetensorsEntry } from './safetensors.ts';
import { bytesOfArray, planSafetensors, type NamedArrays } from './safetensors-write.ts';

/** Tensors of one file, or of all shards of a model. */
export interface SafetensorsFile {
  readonly path: string;
  /** In the order of the file; of shards, file after file. */
  readonly tensors: readonly SafetensorsEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Reads one tensor; nothing else is loaded. @throws DataError when there is no such tensor or the disk refuses. */
  read(name: string): Promise<NDArray>;
  close(): Promise<void>;
}

/** One read of the system: larger ones are refused by some platforms. */
const READ_BYTES = 2 ** 28;
const INDEX_SUFFIX = '.index.json';

const refuse = (path: string, required: string, received: string, remedy?: string): never => {
  throw new DataError({ operation: `safetensors file ${path}`, required, received, remedy });
};
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/**
 * Opens a `.safetensors` file, a `model.safetensors.index.json` of shards that lie beside it, or a folder with one of both.
 * Headers are read and checked at once, elements when asked for.
 * @throws DataError when a file is missing or malformed, or a shard lacks a tensor that the index promises.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const found = await stat(path).catch((error: unknown) => refuse(path, 'the file must be readable', codeOf(error)));
  if (found.isDirectory()) return openFolder(path);
  return path.endsWith(INDEX_SUFFIX) ? openShards(path) : openFile(path);
}

async function openFolder(folder: string): Promise<SafetensorsFile> {
  for (const name of [`model.safetensors${INDEX_SUFFIX}`, 'model.safetensors']) {
    const path = join(folder, name);
    const exists = await stat(path).then((entry) => entry.isFile(), () => false);
    if (exists) return openSafetensors(path);
  }
  return refuse(folder, `the folder must hold model.safetensors or model.safetensors${INDEX_SUFFIX}`, 'neither', 'name the file itself');
}

async function openFile(path: string): Promise<SafetensorsFile> {
  const handle = await open(path, 'r').catch((error: unknown) => refuse(path, 'the file must be readable', codeOf(error)));
  try {
    const { size } = await handle.stat();
    const length = safetensorsHeaderLength(await readBytes(handle, path, 0, Math.min(LENGTH_BYTES, size)), size, path);
    const { tensors, metadata } = parseSafetensorsHeader(await readBytes(handle, path, LENGTH_BYTES, length), size, path);
    const entries = new Map(tensors.map((entry) => [entry.name, entry]));
    return {
      path, tensors, metadata,
      async read(name) {
        const entry = entries.get(name) ?? refuse(path, 'a tensor of the file must be asked for', `'${name}'`);
        return decodeTensor(entry, await readBytes(handle, path, entry.offset, entry.bytes), path);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readBytes(handle: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(READ_BYTES, length - done), offset + done)
      .catch((error: unknown) => refuse(path, `${length} bytes at ${offset} must be readable`, codeOf(error)));
    if (bytesRead === 0) refuse(path, `${length} bytes at ${offset} must be readable`, `the end of the file after ${done}`, 'the file has changed while it was open');
    done += bytesRead;
  }
  return bytes;
}

/** Tensor name -> file name, from an index. */
async function weightMap(path: string): Promise<[string, string][]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    return refuse(path, 'the index must be readable JSON', (error as Error).message.slice(0, 120));
  }
  const map = (parsed as { weight_map?: unknown } | null)?.weight_map;
  if (map === null || typeof map !== 'object' || Array.isArray(map)) return refuse(path, 'the index must have an object weight_map', map === undefined ? 'none' : String(JSON.stringify(map)).slice(0, 80));
  return Object.entries(map as Record<string, unknown>).map(([name, file]) => {
    // An index from elsewhere must not name files outside of its own folder.
    if (typeof file !== 'string' || !/^[^/\\]+$/.test(file) || file === '..' || file === '.') return refuse(path, `the shard of '${name}' must be a file name beside the index`, String(JSON.stringify(file)).slice(0, 80));
    return [name, file];
  });
}

async function openShards(path: string): Promise<SafetensorsFile> {
  const map = await weightMap(path);
  const files = [...new Set(map.map(([, file]) => file))].sort();
  const shards = new Map<string, SafetensorsFile>();
  const close = async (): Promise<void> => { await Promise.all([...shards.values()].map((shard) => shard.close())); };
  try {
    for (const file of files) shards.set(file, await openFile(join(dirname(path), file)));
    const owners = new Map<string, SafetensorsFile>();
    const names = new Map([...shards].map(([file, shard]) => [file, new Set(shard.tensors.map(({ name }) => name))]));
    for (const [name, file] of map) {
      const shard = shards.get(file)!;
      if (names.get(file)?.has(name) !== true) refuse(path, `${file} must hold '${name}', as the index says`, 'no such tensor in it');
      owners.set(name, shard);
    }
    const tensors = [...shards.values()].flatMap((shard) => shard.tensors.filter(({ name }) => owners.get(name) === shard));
    return {
      path, tensors, close,
      metadata: Object.assign({}, ...[...shards.values()].map(({ metadata }) => metadata)) as Record<string, string>,
      read: async (name) => (owners.get(name) ?? refuse(path, 'a tensor of the index must be asked for', `'${name}'`)).read(name),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Writes arrays as one `.safetensors` file: under another name first, which takes the place of `path` when it is whole.
 * @throws ArgumentError when an array is called `__metadata__`; DataError when the disk refuses.
 */
export async function writeSafetensors(path: string, arrays: NamedArrays, metadata?: Readonly<Record<string, string>>): Promise<void> {
  const { head, order } = planSafetensors(arrays, metadata);
  const unfinished = `${path}.unfinished`;
  try {
    const handle = await open(unfinished, 'w');
    try {
      await handle.writeFile(head);
      for (const name of order) await handle.writeFile(bytesOfArray(arrays[name]));
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    refuse(path, 'the file must be writable', codeOf(error));
  }
}
