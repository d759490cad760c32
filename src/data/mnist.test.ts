import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DataError } from '../util/errors.ts';
import { labelCounts, mnistFromFiles } from './index.ts';
import type { MnistFiles } from './index.ts';
import { datasets, loadDataset, mnist } from './node.ts';

/** Two training images (the first all 255, the second all 0) and one test image of 51s. */
function tinyFiles(): MnistFiles {
  const images = (...fills: number[]): Uint8Array =>
    Uint8Array.from([0, 0, 8, 3, 0, 0, 0, fills.length, 0, 0, 0, 28, 0, 0, 0, 28, ...fills.flatMap((fill) => new Array<number>(784).fill(fill))]);
  const labels = (...digits: number[]): Uint8Array => Uint8Array.from([0, 0, 8, 1, 0, 0, 0, digits.length, ...digits]);
  return { trainImages: images(255, 0), trainLabels: labels(3, 9), testImages: images(51), testLabels: labels(0) };
}

describe('mnist', () => {
  test('all 70,000: label histogram, pixel statistics, first digits', async () => {
    const dataset = await loadDataset('mnist');
    expect(dataset.train.inputs.toString()).toBe('f32[60000,784]');
    expect(dataset.test.inputs.toString()).toBe('f32[10000,784]');
    expect([...labelCounts(dataset.train)]).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect([...labelCounts(dataset.test)]).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect([...dataset.train.targets.data.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    const pixels = dataset.train.inputs.data;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < pixels.length; i++) {
      sum += pixels[i];
      squares += pixels[i] * pixels[i];
    }
    const mean = sum / pixels.length;
    expect(mean).toBeCloseTo(0.1307, 4);
    expect(Math.sqrt(squares / pixels.length - mean * mean)).toBeCloseTo(0.3081, 4);
    expect(await mnist()).toBe(dataset);
    expect(Object.keys(datasets)).toContain('iris');
  }, 60_000);

  test('scales bytes to [0, 1]; standardize uses the train pixels for both splits', () => {
    const plain = mnistFromFiles(tinyFiles());
    expect([plain.train.inputs.data[0], plain.train.inputs.data[784], plain.test.inputs.data[0]]).toEqual([1, 0, Math.fround(0.2)]);
    expect([...plain.train.targets.data]).toEqual([3, 9]);
    const standard = mnistFromFiles(tinyFiles(), { standardize: true });
    expect([standard.train.inputs.data[0], standard.train.inputs.data[784]]).toEqual([1, -1]);
    expect(standard.test.inputs.data[5]).toBeCloseTo((0.2 - 0.5) / 0.5, 6);
  });

  test('files that do not fit', () => {
    const files = tinyFiles();
    expect(() => mnistFromFiles({ ...files, trainLabels: files.testLabels })).toThrowErrorMatchingInlineSnapshot(`[DataError: mnist: MNIST train labels must be 2 digits, got shape [1], largest 0.]`);
    expect(() => mnistFromFiles({ ...files, testImages: files.testLabels })).toThrowErrorMatchingInlineSnapshot(`[DataError: mnist: MNIST test images must have the shape [n,28,28], got [1].]`);
    expect(() => mnistFromFiles({ ...files, testLabels: Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 10) })).toThrow(DataError);
    expect(() => mnistFromFiles({ ...files, trainImages: files.trainImages.subarray(0, 500) })).toThrow(/truncated/);
  });

  test('a folder of files; a missing one is named, and found once it is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'thalweg-mnist-'));
    try {
      const files = tinyFiles();
      await writeFile(join(folder, 'train-images-idx3-ubyte'), files.trainImages);
      await writeFile(join(folder, 'train-labels-idx1-ubyte'), files.trainLabels);
      await writeFile(join(folder, 't10k-images-idx3-ubyte'), files.testImages);
      await expect(mnist({ folder })).rejects.toThrow(DataError);
      await expect(mnist({ folder })).rejects.toThrow(/t10k-labels-idx1-ubyte must be readable, got ENOENT/);
      await writeFile(join(folder, 't10k-labels-idx1-ubyte'), files.testLabels);
      expect((await mnist({ folder })).train.size).toBe(2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
