import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { array, NDArray } from '../../src/core/ndarray.ts';
import { readArray, readCase, writeArray, writeCase, type Case } from './manifest.ts';

let directory: string;
beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'thalweg-manifest-')); });
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const small: Case = {
  model: 'mlp', config: { heads: 4 },
  parameters: { 'layers.0.weight': array([[1.5, -2], [3e-40, Infinity]]), 'layers.0.bias': array([0.1, -0]) },
  constants: { 'norm.mean': array([7]) },
  x: array([[1, 2]]), labels: array([3], [1], 'int32'),
  vectors: [{ 'layers.0.weight': array([[1, 2], [3, 4]]), 'layers.0.bias': array([5, 6]) }],
};

test('a case is read as it was written', () => {
  writeCase(directory, small);
  expect(readCase(directory)).toEqual(small);
});

test('files are little-endian and row-major, and their names are the paths', () => {
  writeCase(directory, small);
  expect([...readFileSync(path.join(directory, 'x.bin'))]).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
  expect([...readFileSync(path.join(directory, 'labels.bin'))]).toEqual([3, 0, 0, 0]);
  expect(readFileSync(path.join(directory, 'vectors/0/layers.0.weight.bin')).readFloatLE(8)).toBe(3);
});

test('a view into a larger buffer is written alone', () => {
  const view = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const entry = writeArray(directory, 'view.bin', new NDArray(view, [2], 'float32'));
  expect([...readArray(directory, entry).data]).toEqual([1, 2]);
});

test('a file that is too short is refused, as are other dtypes', () => {
  const entry = writeArray(directory, 'short.bin', array([1, 2, 3]));
  truncateSync(path.join(directory, 'short.bin'), 8);
  expect(() => readArray(directory, entry)).toThrow('readArray: short.bin must hold 12 bytes, got 8.');
  expect(() => writeArray(directory, 'double.bin', array([1], [1], 'float64'))).toThrow('float32 or int32, got float64');
});
