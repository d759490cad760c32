import { describe, expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import { ArgumentError } from '../util/errors.ts';
import {
  datasetNamed, datasets, gaussianClusters, iris, labelCounts, loadDataset, makeSplit, modularArithmetic, sparseParity, spirals, standardized, takeRows,
  teacherStudent,
} from './index.ts';
import type { Split } from './index.ts';

/** Mean and standard deviation of every feature. */
function featureMoments(split: Split): { mean: number; deviation: number }[] {
  const width = split.inputs.size / split.size;
  return Array.from({ length: width }, (_, j) => {
    const values = Array.from({ length: split.size }, (_, i) => split.inputs.data[i * width + j]);
    const mean = values.reduce((a, b) => a + b, 0) / split.size;
    return { mean, deviation: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / split.size) };
  });
}

describe('every portable dataset', () => {
  test.each(Object.keys(datasets) as (keyof typeof datasets)[])('%s: complete, consistent, a pure function of its options', async (name) => {
    const dataset = await loadDataset(name);
    expect(dataset.name).toBe(name);
    for (const split of [dataset.train, dataset.test]) {
      expect(split.inputs.shape[0]).toBe(split.size);
      expect(split.targets.shape[0]).toBe(split.size);
      expect(split.inputs.size).toBe(split.size * dataset.inputShape.reduce((a, b) => a * b, 1));
      expect(split.inputs.data.every(Number.isFinite)).toBe(true);
      expect(split.inputs.dtype).toBe(dataset.kind === 'sequence' ? 'int32' : 'float32');
      expect(split.targets.dtype).toBe(dataset.kind === 'regression' ? 'float32' : 'int32');
      if (dataset.classes !== undefined) expect(labelCounts(split).length).toBeLessThanOrEqual(dataset.classes.length);
    }
    expect(dataset.licence.length).toBeGreaterThan(5);
    expect(dataset.source.length).toBeGreaterThan(5);
    expect(await loadDataset(name)).toEqual(dataset);
    const other = await loadDataset(name, { seed: 1 });
    expect(other.train.inputs.data).not.toEqual(dataset.train.inputs.data);
    expect(dataset.test.inputs.data.slice(0, 20)).not.toEqual(dataset.train.inputs.data.slice(0, 20));
  });

  test('an unknown name', async () => {
    await expect(loadDataset('cifar' as 'iris')).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: loadDataset: name must be that of a dataset, got 'cifar'.
        Try: iris, gaussian-clusters, spirals, teacher-student, opposing-outliers, sparse-parity, mixed-entropy-bigram, modular-arithmetic]
    `);
    await expect(loadDataset('toString' as 'iris')).rejects.toThrow(ArgumentError);
  });

  test('come from texts with options, and wrong ones are refused by name', async () => {
    expect(await datasetNamed('iris')).toEqual(iris());
    expect(await datasetNamed('modular-arithmetic:modulus=7,trainFraction=0.3,equalsToken=false')).toEqual(modularArithmetic({ modulus: 7, trainFraction: 0.3, equalsToken: false }));
    expect(await datasetNamed('teacher-student:hidden=5-3,samples=12,testSamples=0')).toMatchObject({ train: { size: 12 }, test: { size: 0 } });
    await expect(datasetNamed('spirals:arm=2')).rejects.toThrow(/dataset spirals: options must be key=value with a key of seed, samples, .*'arm=2'/);
    await expect(datasetNamed('spirals:arms=0')).rejects.toThrow(/arms must be a positive integer, got '0'/);
    await expect(datasetNamed('cifar:a=1')).rejects.toThrow(/name must be that of a dataset, got 'cifar'/);
  });
});

describe('iris', () => {
  test('150 flowers, 50 of each species, known means', () => {
    const all = iris({ testSamples: 0 });
    expect(all.test.size).toBe(0);
    expect([...labelCounts(all.train)]).toEqual([50, 50, 50]);
    const expected = [5.8433, 3.0573, 3.758, 1.1993];
    featureMoments(all.train).forEach(({ mean }, j) => expect(mean).toBeCloseTo(expected[j], 3));
    expect(all.classes).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(all.train.targets.data[0]).toBe(0);
  });

  test('the division is stratified, and standardize uses the train split', () => {
    const dataset = iris({ seed: 5, standardize: true });
    expect([...labelCounts(dataset.test)]).toEqual([10, 10, 10]);
    for (const { mean, deviation } of featureMoments(dataset.train)) {
      expect(mean).toBeCloseTo(0, 6);
      expect(deviation).toBeCloseTo(1, 6);
    }
    expect(() => iris({ testSamples: 150 })).toThrow(ArgumentError);
  });
});

describe('synthetic laws', () => {
  test('gaussian clusters: balanced, unit variance around centres that train and test share', () => {
    const { train, test: held } = gaussianClusters({ classes: 4, dimension: 3, samples: 4000, testSamples: 4000, separation: 10 });
    expect([...labelCounts(train)]).toEqual([1000, 1000, 1000, 1000]);
    const ofClass = (split: Split, label: number): Split =>
      takeRows(split, Array.from(split.targets.data.keys()).filter((i) => split.targets.data[i] === label));
    for (let label = 0; label < 4; label++) {
      const other = featureMoments(ofClass(held, label));
      featureMoments(ofClass(train, label)).forEach(({ mean, deviation }, j) => {
        expect(Math.abs(deviation - 1)).toBeLessThan(0.11); // 1000 draws: standard error 0.022
        expect(Math.abs(mean - other[j].mean)).toBeLessThan(0.23); // standard error 0.045
      });
    }
  });

  test('gaussian clusters on a sphere: centres at the radius; label noise leaves inputs as they are', () => {
    const options = { classes: 5, dimension: 4, samples: 10_000, testSamples: 0, radius: 6 };
    const { train } = gaussianClusters(options);
    for (let label = 0; label < 5; label++) {
      const own = takeRows(train, Array.from(train.targets.data.keys()).filter((i) => train.targets.data[i] === label));
      // The mean of 2000 draws: |mean|^2 = 36 + 4 / 2000 in expectation, standard error of the norm 0.022.
      expect(Math.abs(Math.hypot(...featureMoments(own).map(({ mean }) => mean)) - 6)).toBeLessThan(0.1);
    }
    const noisy = gaussianClusters({ ...options, labelNoise: 0.3 }).train;
    expect(noisy.inputs.data).toEqual(train.inputs.data);
    const changed = noisy.targets.data.filter((label, i) => label !== train.targets.data[i]).length;
    // 3000 are drawn anew, of which one in five stays what it was: 2400 with a standard deviation of 22.
    expect(Math.abs(changed - 2400)).toBeLessThan(100);
    expect(() => gaussianClusters({ separation: 2, radius: 2 })).toThrow(/one of separation and radius/);
    expect(() => gaussianClusters({ labelNoise: 1.2 })).toThrow(/share/);
  });

  test('spirals: without noise every point lies on its arm', () => {
    const { train } = spirals({ arms: 3, turns: 2, noise: 0 });
    for (let i = 0; i < train.size; i++) {
      const [x, y] = train.inputs.data.subarray(2 * i, 2 * i + 2);
      const radius = Math.hypot(x, y);
      const angle = 2 * Math.PI * (2 * radius + train.targets.data[i] / 3);
      expect(Math.hypot(x - radius * Math.cos(angle), y - radius * Math.sin(angle))).toBeLessThan(1e-5);
    }
  });

  test('teacher: the targets are the outputs of the published layers, plus noise of the stated size', () => {
    const options = { dimension: 3, hidden: [2], samples: 5000 };
    const { train, teacher } = teacherStudent(options);
    const [first, last] = teacher;
    const answer = (x: ArrayLike<number>): number => [0, 1].reduce((sum, unit) => {
      const activation = first.bias.data[unit] + x[0] * first.weight.data[unit] + x[1] * first.weight.data[2 + unit] + x[2] * first.weight.data[4 + unit];
      return sum + Math.tanh(activation) * last.weight.data[unit];
    }, last.bias.data[0]);
    for (let i = 0; i < 100; i++) expect(train.targets.data[i]).toBeCloseTo(answer(train.inputs.data.subarray(3 * i, 3 * i + 3)), 6);
    const noisy = teacherStudent({ ...options, noise: 0.3 });
    expect(noisy.train.inputs.data).toEqual(train.inputs.data);
    const variance = Float64Array.from(noisy.train.targets.data).reduce((sum, y, i) => sum + (y - train.targets.data[i]) ** 2, 0) / 5000;
    expect(Math.abs(variance - 0.09)).toBeLessThan(4.5 * 0.09 * Math.sqrt(2 / 5000));
  });

  test('a teacher without hidden layers is linear', () => {
    const { train, teacher } = teacherStudent({ dimension: 1, hidden: [], outputs: 2, samples: 5 });
    const [{ weight, bias }] = teacher;
    train.targets.data.forEach((y, at) => expect(y).toBeCloseTo(train.inputs.data[at >> 1] * weight.data[at % 2] + bias.data[at % 2], 6));
  });

  test('sparse parity: the label is the parity of the support, and no smaller subset tells it', () => {
    const { train, support } = sparseParity({ dimension: 12, order: 3, samples: 4000 });
    expect(new Set(support).size).toBe(3);
    const sign = (i: number, bits: readonly number[]): number => bits.reduce((product, bit) => product * train.inputs.data[12 * i + bit], 1);
    for (let i = 0; i < train.size; i++) expect(train.targets.data[i]).toBe(sign(i, support) < 0 ? 1 : 0);
    for (const bits of [[], [support[0]], support.slice(0, 2)]) {
      let correlation = 0;
      for (let i = 0; i < train.size; i++) correlation += sign(i, bits) * (1 - 2 * train.targets.data[i]);
      expect(Math.abs(correlation)).toBeLessThan(4.5 * Math.sqrt(train.size));
    }
  });

  test('modular arithmetic: every pair once, in train or test, with its sum', () => {
    const { train, test: held, vocabulary } = modularArithmetic({ modulus: 11, trainFraction: 0.3 });
    expect(vocabulary).toBe(12);
    expect([train.size, held.size]).toEqual([36, 85]);
    const seen = new Set<number>();
    for (const split of [train, held]) {
      for (let i = 0; i < split.size; i++) {
        const [a, b, equals] = split.inputs.data.subarray(3 * i, 3 * i + 3);
        seen.add(a * 11 + b);
        expect(equals).toBe(11);
        expect(split.targets.data[i]).toBe((a + b) % 11);
      }
    }
    expect(seen.size).toBe(121);
    const pairs = modularArithmetic({ modulus: 11, trainFraction: 0.3, equalsToken: false });
    expect([...pairs.train.inputs.data]).toEqual([...train.inputs.data].filter((_, at) => at % 3 !== 2));
  });

  test('standardized leaves a constant feature at 0 and refuses tokens', () => {
    const clusters = gaussianClusters({ samples: 100 });
    const data = Float32Array.from(clusters.train.inputs.data, (x, at) => (at % 2 === 0 ? 0.1 : x));
    const constant = { ...clusters, train: makeSplit(new NDArray(data, [100, 2], 'float32'), clusters.train.targets) };
    const moments = featureMoments(standardized(constant).train);
    expect(Math.abs(moments[0].mean)).toBeLessThan(1e-6);
    expect(moments[1].deviation).toBeCloseTo(1, 5);
    expect(() => standardized(modularArithmetic({ modulus: 3 }))).toThrow(/inputs must be float32/);
  });

  test('refuse options out of range', () => {
    expect(() => gaussianClusters({ classes: 0 })).toThrow(ArgumentError);
    expect(() => spirals({ noise: -1 })).toThrow(ArgumentError);
    expect(() => teacherStudent({ hidden: [0] })).toThrow(ArgumentError);
    expect(() => sparseParity({ dimension: 2, order: 3 })).toThrow(ArgumentError);
    expect(() => modularArithmetic({ trainFraction: 1.5 })).toThrow(ArgumentError);
    expect(() => spirals({ samples: 0 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: spirals: samples must be an integer of at least 1, got 0.]`);
  });
});
