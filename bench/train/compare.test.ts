import { expect, test } from 'vitest';
import { array } from '../../src/core/ndarray.ts';
import { differenceOf, FIRST, isWithin } from './compare.ts';

const runs = (first: readonly number[], later: readonly number[]) => array(first.map((value, r) => [...Array.from({ length: FIRST }, () => value), later[r], later[r]]));

test('first steps differ by the norm, later ones by their mean', () => {
  const { first, later } = differenceOf(runs([3.03, 4], [1, 2]), runs([3, 4], [2, 2]));
  expect(first).toBeCloseTo(0.03 / 5, 6);
  expect(later).toBeCloseTo(0.25, 6);
});

test('later steps may differ one by one', () => {
  expect(isWithin(differenceOf(runs([1, 1], [1, 3]), runs([1, 1], [2, 2])))).toBe(true);
  expect(isWithin(differenceOf(runs([1.01, 1], [2, 2]), runs([1, 1], [2, 2])))).toBe(false);
  expect(isWithin(differenceOf(runs([1, 1], [2, 2.5]), runs([1, 1], [2, 2])))).toBe(false);
});

test('short runs have first steps only; what is not a number agrees with nothing', () => {
  expect(differenceOf(array([[1, 2]]), array([[1, 2]]))).toEqual({ first: 0, later: 0 });
  expect(isWithin(differenceOf(runs([1, 1], [NaN, 2]), runs([1, 1], [2, 2])))).toBe(false);
});
