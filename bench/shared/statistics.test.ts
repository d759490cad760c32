import { expect, test } from 'vitest';
import { median, pairedRatios, quantile, relativeDifference, spread } from './statistics.ts';

test('quantiles are linear between order statistics', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(spread([5, 4, 3, 2, 1])).toEqual({ median: 3, lower: 2, upper: 4 });
  expect([0, 0.1, 1].map((at) => quantile([10, 20], at))).toEqual([10, 11, 20]);
  expect(median([])).toBeNaN();
});

test('a slow round falls out of paired ratios', () => {
  expect(pairedRatios([2, 20, 2], [1, 10, 1])).toEqual([2, 2, 2]);
});

test('rounds that one side lacks are left out', () => {
  expect(pairedRatios([2, 4, 6], [1, NaN])).toEqual([2]);
});

test('the difference is relative to the whole norm, not to each part', () => {
  expect(relativeDifference([[3, 4], [0]], [[0, 4], [3]])).toBeCloseTo(Math.sqrt(18 / 25), 12);
  expect(relativeDifference([[NaN]], [[1]])).toBeNaN();
});
