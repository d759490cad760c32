import { expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import { key, split, uniform } from '../util/random/index.ts';
import { makeSplit, type Dataset } from './dataset.ts';
import { pooledImages, redrawnLabels } from './pooled-images.ts';

const images = (name: string, size: number): ReturnType<typeof makeSplit> =>
  makeSplit(new NDArray(uniform(split(key(0), name), [size * 16], { dtype: 'float32' }), [size, 16], 'float32'), new NDArray(Int32Array.from({ length: size }, (_, i) => i % 3), [size], 'int32'));
const dataset: Dataset = { name: 'noise', kind: 'classification', train: images('train', 40), test: images('test', 10), inputShape: [1, 4, 4], licence: 'none', source: 'none' };

test('blocks are averaged, the mean image removed, and the mean squared norm is the number of pixels', () => {
  const { train, test: held, inputShape } = pooledImages(dataset, { side: 2 });
  expect([inputShape, train.inputs.shape, held.inputs.shape]).toEqual([[1, 2, 2], [40, 4], [10, 4]]);
  const data = Array.from(train.inputs.data);
  expect(data.reduce((sum, x) => sum + x * x, 0) / 40).toBeCloseTo(4, 5);
  for (const pixel of [0, 1, 2, 3]) expect(data.filter((_, i) => i % 4 === pixel).reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 4);
  // Differences between two images are those of their block means, times one number.
  const block = (n: number, [r, c]: readonly number[]): number => [0, 1, 4, 5].reduce((sum, at) => sum + dataset.train.inputs.data[16 * n + 8 * r + 2 * c + at] / 4, 0);
  const scale = (data[1] - data[5]) / (block(0, [0, 1]) - block(1, [0, 1]));
  expect((data[2] - data[6]) / (block(0, [1, 0]) - block(1, [1, 0]))).toBeCloseTo(scale, 4);
  const outside = Array.from(held.inputs.data);
  const testBlock = (n: number): number => [0, 1, 4, 5].reduce((sum, at) => sum + dataset.test.inputs.data[16 * n + at] / 4, 0);
  expect((outside[0] - outside[4]) / (testBlock(0) - testBlock(1))).toBeCloseTo(scale, 4);
});

test('what is done before leaves the constants as they are', () => {
  const plain = pooledImages(dataset, { side: 4 });
  const brighter = pooledImages(dataset, { side: 4, before: (pixels) => pixels.map((x) => x + 1) });
  const steps = Array.from(brighter.test.inputs.data, (x, i) => x - plain.test.inputs.data[i]);
  steps.forEach((step) => { expect(step).toBeCloseTo(steps[0], 4); });
  expect(steps[0]).toBeGreaterThan(1);
});

test('refusals', () => {
  expect(() => pooledImages(dataset, { side: 3 })).toThrow('side must divide 4, got 3');
  expect(() => pooledImages({ ...dataset, inputShape: [16] }, { side: 2 })).toThrow('images must have the shape [1,n,n], got [16]');
});

test('so many labels are redrawn, over all classes', () => {
  const { targets } = redrawnLabels(dataset.train, 0.5, 3, key(1));
  const changed = Array.from(targets.data).filter((label, i) => label !== dataset.train.targets.data[i]).length;
  expect(changed).toBeGreaterThan(5);
  expect(changed).toBeLessThanOrEqual(20);
  expect(redrawnLabels(dataset.train, 0, 3, key(1)).targets.data).toEqual(dataset.train.targets.data);
});
