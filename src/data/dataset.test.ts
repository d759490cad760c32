import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array, filled, NDArray } from '../core/ndarray.ts';
import { ArgumentError, DtypeError, ShapeError } from '../util/errors.ts';
import { key } from '../util/random/index.ts';
import { batches, divide, epochOrder, labelCounts, makeSplit, subset, takeRows } from './index.ts';
import type { Split } from './index.ts';

/** Labels as given; the input of example i is [i, -i]. */
function splitOf(labels: readonly number[]): Split {
  return makeSplit(array(labels.map((_, i) => [i, -i]), [labels.length, 2]), new NDArray(Int32Array.from(labels), [labels.length], 'int32'));
}

/** Which examples of the original a split holds. */
const members = (split: Split): number[] => Array.from({ length: split.size }, (_, i) => split.inputs.data[2 * i]);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('splits', () => {
  test('makeSplit refuses what does not fit', () => {
    expect(() => makeSplit(filled([3, 2], 0), filled([2], 0, 'int32'))).toThrow(ShapeError);
    expect(() => makeSplit(filled([3, 2], 0, 'float64'), filled([3], 0, 'int32'))).toThrow(DtypeError);
    expect(() => makeSplit(filled([], 0), filled([], 0))).toThrow(ShapeError);
  });

  test('takeRows keeps order, repetition and the pairing of inputs with targets', () => {
    const taken = takeRows(splitOf([7, 8, 9]), [2, 0, 2]);
    expect([...taken.inputs.data]).toEqual([2, -2, 0, -0, 2, -2]);
    expect([...taken.targets.data]).toEqual([9, 7, 9]);
    expect(taken.inputs.shape).toEqual([3, 2]);
    expect(() => takeRows(splitOf([1]), [1])).toThrow(ArgumentError);
  });

  test('labelCounts', () => {
    expect([...labelCounts(splitOf([0, 2, 2, 5]))]).toEqual([1, 0, 2, 0, 0, 1]);
    expect(() => labelCounts(makeSplit(filled([2, 1], 0), filled([2, 1], 0)))).toThrow(DtypeError);
  });
});

describe('subset', () => {
  test('without a seed: the first n', () => {
    expect(members(subset(splitOf([0, 1, 0, 1]), 3))).toEqual([0, 1, 2]);
  });

  test('with a seed: labels keep their shares to within one example, indices ascend and differ', () => {
    const labels = fc.array(fc.nat(4), { minLength: 1, maxLength: 60 });
    fc.assert(fc.property(labels, fc.nat(1000), fc.nat(), (names, take, seed) => {
      const n = take % (names.length + 1);
      const split = splitOf(names);
      const chosen = subset(split, n, seed);
      expect(chosen.size).toBe(n);
      const indices = members(chosen);
      expect(indices.every((index, i) => i === 0 || index > indices[i - 1])).toBe(true);
      const all = labelCounts(split);
      const counts = n === 0 ? [] : labelCounts(chosen);
      all.forEach((count, label) => expect(Math.abs((counts[label] ?? 0) - (n * count) / names.length)).toBeLessThan(1));
      expect(members(subset(split, n, seed))).toEqual(indices);
    }));
  });

  test('another seed is another choice; too many is an error', () => {
    const split = splitOf(range(100).map((i) => i % 2));
    expect(members(subset(split, 50, 1))).not.toEqual(members(subset(split, 50, 2)));
    expect(() => subset(split, 101)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: subset: n must be an integer from 0 to 100, got 101.]`);
  });

  test('regression targets form one stratum', () => {
    const split = makeSplit(filled([10, 2], 1), filled([10, 1], 0.5));
    expect(subset(split, 4, 0).targets.shape).toEqual([4, 1]);
  });

  test('divide: disjoint and complete', () => {
    const { chosen, rest } = divide(splitOf(range(30).map((i) => i % 3)), 9, 4);
    expect([...members(chosen), ...members(rest)].sort((a, b) => a - b)).toEqual(range(30));
    expect([...labelCounts(chosen)]).toEqual([3, 3, 3]);
    expect(() => divide(splitOf([1]), 2, 0)).toThrow(ArgumentError);
  });
});

describe('epochs and batches', () => {
  test('an epoch holds every example once; epochs differ; each repeats', () => {
    expect([...epochOrder(key(1), 100, 3)].sort((a, b) => a - b)).toEqual(range(100));
    expect(epochOrder(key(1), 100, 3)).toEqual(epochOrder(key(1), 100, 3));
    expect(epochOrder(key(1), 100, 3)).not.toEqual(epochOrder(key(1), 100, 4));
  });

  test('batches drop or keep the remainder', () => {
    const order = Int32Array.from(range(10));
    expect(batches(order, { batchSize: 4 }).map((batch) => [...batch])).toEqual([[0, 1, 2, 3], [4, 5, 6, 7]]);
    expect(batches(order, { batchSize: 4, remainder: 'keep' }).at(-1)).toEqual(Int32Array.of(8, 9));
    expect(batches(order, { batchSize: 11 })).toEqual([]);
    expect(() => batches(order, { batchSize: 0 })).toThrow(ArgumentError);
  });
});
