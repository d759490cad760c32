import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import { DataError } from '../util/errors.ts';
import { encodeSafetensors } from './index.ts';
import { openSafetensors, writeSafetensors } from './node.ts';

let folder = '';
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'thalweg-safetensors-')); });
afterAll(() => rm(folder, { recursive: true }));
const at = (...names: string[]): string => join(folder, ...names);

const arrays = { 'a.weight': array([1, 2, 3, 4, 5, 6], [2, 3]), 'a.bias': array([0.5], [1], 'float64'), count: array([3], [], 'int32') };

describe('files on disk', () => {
  test('are written whole and read one tensor at a time', async () => {
    await writeSafetensors(at('one.safetensors'), arrays, { model: 'x' });
    expect(new Uint8Array(await readFile(at('one.safetensors')))).toEqual(encodeSafetensors(arrays, { model: 'x' }));
    const file = await openSafetensors(at('one.safetensors'));
    expect(file.metadata).toEqual({ model: 'x' });
    for (const [name, value] of Object.entries(arrays)) expect(await file.read(name)).toEqual(value);
    await expect(file.read('b')).rejects.toThrow(/got 'b'/);
    await file.close();
  });

  test('a write that fails leaves nothing behind, and what was there', async () => {
    await mkdir(at('taken.safetensors'));
    await expect(writeSafetensors(at('taken.safetensors'), arrays)).rejects.toThrow(DataError);
    await expect(writeSafetensors(at('no', 'such', 'folder.safetensors'), arrays)).rejects.toThrow(/must be writable, got ENOENT/);
    expect((await readdir(folder)).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });

  test('that are missing, empty, no safetensors, or shrink while open', async () => {
    await expect(openSafetensors(at('none'))).rejects.toThrow(/must be readable, got ENOENT/);
    await writeFile(at('empty.safetensors'), '');
    await expect(openSafetensors(at('empty.safetensors'))).rejects.toThrow(/empty\.safetensors: the file must begin.*got 0 bytes/);
    await writeFile(at('zip.safetensors'), 'PK\u0003\u0004 a PyTorch checkpoint is a zip archive');
    await expect(openSafetensors(at('zip.safetensors'))).rejects.toThrow(/at most 100000000 bytes.*\n.*another format/);
    await writeSafetensors(at('shrinking.safetensors'), arrays);
    const file = await openSafetensors(at('shrinking.safetensors'));
    await truncate(at('shrinking.safetensors'), 100);
    await expect(file.read('a.weight')).rejects.toThrow(/the file has changed while it was open/);
    await file.close();
  });
});

describe('shards', () => {
  const index = (map: unknown): string => JSON.stringify({ metadata: { total_size: 1 }, weight_map: map });
  beforeAll(async () => {
    await mkdir(at('model'));
    await writeSafetensors(at('model', 'model-00001-of-00002.safetensors'), { a: arrays['a.weight'], b: arrays['a.bias'] });
    await writeSafetensors(at('model', 'model-00002-of-00002.safetensors'), { c: arrays.count });
  });

  test('are one model, named by the index or by the folder', async () => {
    await writeFile(at('model', 'model.safetensors.index.json'), index({ a: 'model-00001-of-00002.safetensors', b: 'model-00001-of-00002.safetensors', c: 'model-00002-of-00002.safetensors' }));
    for (const path of [at('model'), at('model', 'model.safetensors.index.json')]) {
      const file = await openSafetensors(path);
      expect(file.tensors.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c']);
      expect(await file.read('a')).toEqual(arrays['a.weight']);
      expect(await file.read('c')).toEqual(arrays.count);
      await expect(file.read('d')).rejects.toThrow(DataError);
      await file.close();
    }
  });

  test.each([
    [{ a: 'model-00002-of-00002.safetensors' }, /must hold 'a', as the index says/],
    [{ a: 'model-00003.safetensors' }, /must be readable, got ENOENT/],
    [{ a: '../one.safetensors' }, /must be a file name beside the index, got "\.\.\/one/],
    [{ a: '/etc/passwd' }, /beside the index/],
    [{ a: '..' }, /beside the index/],
    [{ a: 3 }, /beside the index, got 3/],
    [undefined, /must have an object weight_map, got none/],
    [['a'], /must have an object weight_map/],
  ])('an index that says %j', async (map, message) => {
    const path = at('model', 'wrong.safetensors.index.json');
    await writeFile(path, index(map));
    await expect(openSafetensors(path)).rejects.toThrow(DataError);
    await expect(openSafetensors(path)).rejects.toThrow(message);
  });

  test('a folder without a model', async () => {
    await mkdir(at('nothing'));
    await expect(openSafetensors(at('nothing'))).rejects.toThrow(/must hold model\.safetensors or model\.safetensors\.index\.json, got neither/);
  });
});
