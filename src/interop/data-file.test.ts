import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { array, NDArray, type DType } from '../core/ndarray.ts';
import { datasetOfArrays, type DataArraysOptions } from './data-arrays.ts';
import { isDataFile, loadDataFile } from './data-file.node.ts';
import { encodeNpy, type NpyArray } from './npy.ts';
import { encodeNpz } from './npz.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'thalweg-data-'));
afterAll(() => { rmSync(folder, { recursive: true }); });
const at = (name: string, content: Uint8Array | string): string => {
  writeFileSync(path.join(folder, name), content);
  return path.join(folder, name);
};
const ramp = (shape: readonly number[], dtype: DType = 'float32', modulus = Infinity): NDArray => array(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i % modulus), shape, dtype);
const made = (arrays: Record<string, NpyArray>, options?: DataArraysOptions): ReturnType<typeof datasetOfArrays> => datasetOfArrays(new Map(Object.entries(arrays)), 'a.npz', options);

describe('what arrays become', () => {
  test('images and labels by their usual names, with a test set of their own', () => {
    const { dataset, notices } = made({ y_test: ramp([4], 'int32', 2), images: ramp([6, 1, 2, 2]), labels: ramp([6], 'int32', 3), x_test: ramp([4, 1, 2, 2]) });
    expect([dataset.kind, dataset.classes, dataset.inputShape, dataset.train.size, dataset.test.size, notices]).toEqual(['classification', ['0', '1', '2'], [1, 2, 2], 6, 4, []]);
  });
  test('columns of targets; one column is a list; numbers are regressed on', () => {
    expect(made({ x: ramp([4, 2]), y: ramp([4, 1], 'int32', 2) }).dataset.train.targets.shape).toEqual([4]);
    const { dataset } = made({ x: ramp([4, 2]), y: array([0.5, 1, 2, 3]) });
    expect([dataset.kind, dataset.train.targets.toString(), dataset.classes]).toEqual(['regression', 'f32[4,1]', undefined]);
    expect(made({ x: ramp([4, 2]), y: ramp([4], 'int32', 2) }, { kind: 'regression' }).dataset.train.targets.dtype).toBe('float32');
  });
  test('whole floating-point targets are labels, and that is said', () => {
    const { dataset, notices } = made({ x: ramp([8, 2]), y: ramp([8], 'float32', 2) });
    expect([dataset.kind, dataset.train.targets.dtype]).toEqual(['classification', 'int32']);
    expect(notices.join()).toContain("'y' holds whole floating-point numbers");
  });
  test('tokens predict the next one where nothing else is said; bytes are pixels', () => {
    const { dataset, notices } = made({ input_ids: ramp([2, 3], 'int32') });
    expect([dataset.kind, dataset.vocabulary, Array.from(dataset.train.targets.data)]).toEqual(['sequence', 6, [1, 2, -100, 4, 5, -100]]);
    expect(notices.join()).toContain('each token');
    expect(made({ x: Object.assign(ramp([2, 3], 'int32'), { descr: '|u1' }), y: ramp([2], 'int32') }).dataset.train.inputs.dtype).toBe('float32');
  });
  test('a share held out, fewer samples, standardised', () => {
    const { dataset, notices } = made({ x: ramp([40, 2]), y: ramp([40], 'int32', 2) }, { split: 0.25, samples: 20, seed: 1, standardize: true });
    expect([dataset.train.size, dataset.test.size, notices.length]).toEqual([20, 10, 3]);
    expect(Math.abs(Array.from(dataset.train.inputs.data).reduce((a, b) => a + b, 0))).toBeLessThan(1e-3);
  });
});

describe('refusals name the array and the first offending index', () => {
  const x = ramp([4, 2]);
  test.each([
    [{ x, y: array([0, 1, -1, 0], undefined, 'int32') }, {}, "labels 'y' must be from 0 to 99999, got -1 at index [2]"],
    [{ x, y: array([0, 1, 0.5, 0]) }, { kind: 'classification' }, "labels 'y' must be whole numbers, got 0.5 at index [2]"],
    [{ x: array([0, 1, 2, NaN, 4, 5], [3, 2]), y: ramp([3], 'int32') }, {}, "'x' must hold finite numbers, got NaN at index [1, 1]"],
    [{ x, y: ramp([3], 'int32') }, {}, "'x' and 'y' must have as many examples, got 4 and 3"],
    [{ x: array([1], []), y: ramp([4], 'int32') }, {}, "'x' must have an axis of examples, got a single number"],
    [{ x: array([], [0, 2]), y: array([], [0], 'int32') }, {}, "'x' must have examples, got shape [0,2]"],
    [{ x }, {}, 'there must be an array of targets: y, labels or targets, got x'],
    [{ weights: x }, {}, 'there must be an array of inputs'],
    [{ x, y: ramp([4], 'int32') }, { y: 'z' }, 'the array y=z must be in the file, got x, y'],
    [{ x, y: ramp([4], 'int32') }, { samples: 9 }, 'samples must be at most the 4 training examples, got 9'],
    [{ x, y: ramp([4], 'int32'), x_test: ramp([2, 3]), y_test: ramp([2], 'int32') }, {}, 'test examples must look like the training examples'],
    [{ input_ids: array([1, -2], [1, 2], 'int32') }, {}, "tokens 'input_ids' must not be negative, got -2 at index [0, 1]"],
  ] as [Record<string, NDArray>, DataArraysOptions, string][])('%#', (arrays, options, message) => { expect(() => made(arrays, options)).toThrow(message); });
});

describe('files', () => {
  test('npz with names of arrays, npy pairs, CSV, IDX', async () => {
    const archive = at('a.npz', encodeNpz({ left: ramp([4, 2]), right: ramp([4], 'int32', 2) }));
    expect((await loadDataFile(`${archive}:x=left,y=right`)).dataset.train.size).toBe(4);
    at('labels.npy', encodeNpy(ramp([4], 'int32', 2)));
    expect((await loadDataFile(`${at('x.npy', encodeNpy(ramp([4, 2])))}:y=labels.npy`)).dataset.kind).toBe('classification');
    const { dataset, notices } = await loadDataFile(at('t.csv', 'a,b,kind\n1,2,u\n3,4,v\n5,6,u\n7,8,v\n'));
    expect([dataset.classes, dataset.inputShape, notices]).toEqual([['u', 'v'], [2], ["'kind' is predicted from 2 columns"]]);
    at('labels.idx', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 1, 0));
    const images = at('images.idx', Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4));
    expect((await loadDataFile(`${images}:y=labels.idx`)).dataset.inputShape).toEqual([1, 2, 1]);
  });
  test('what is no file, and what is missing', async () => {
    expect(['mnist', 'modular-arithmetic:modulus=59', 'a.npz', 'b.csv:y=c', './data'].map(isDataFile)).toEqual([false, false, true, true, true]);
    await expect(loadDataFile(path.join(folder, 'none.npz'))).rejects.toThrow('the file must exist');
    await expect(loadDataFile(path.join(folder, 'a.txt'))).rejects.toThrow('the file must end with .npz');
    await expect(loadDataFile(`${path.join(folder, 'a.npz')}:colour=red`)).rejects.toThrow('options must be key=value');
  });
});
