import { describe, expect, test } from 'vitest';
import { rankCorrelation, ranks } from './rank-correlation.ts';

describe('rank correlation', () => {
  test('without ties: 1 - 6 sum d^2 / (n (n^2 - 1))', () => {
    // Ranks (1, 2, 3, 4, 5) and (2, 1, 4, 5, 3): differences -1, 1, -1, -1, 2.
    expect(rankCorrelation([10, 20, 30, 40, 50], [2, 1, 9, 80, 7])).toBeCloseTo(1 - (6 * 8) / (5 * 24), 12);
  });

  test('depends on the order alone', () => {
    const x = [3, -1, 0.5, 8, 2];
    expect(rankCorrelation(x, x.map((value) => Math.exp(value)))).toBe(1);
    expect(rankCorrelation(x, x.map((value) => -(value ** 3)))).toBe(-1);
  });

  test('equal values share the mean of their ranks', () => {
    expect([...ranks([5, 1, 5, 5, 0])]).toEqual([4, 2, 4, 4, 1]);
    // Ranks (1.5, 1.5, 3) and (1, 2, 3): covariance 1.5, variances 1.5 and 2.
    expect(rankCorrelation([1, 1, 2], [1, 2, 3])).toBeCloseTo(1.5 / Math.sqrt(1.5 * 2), 12);
  });

  test('where there is no order there is no correlation', () => {
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(() => rankCorrelation([1, NaN], [1, 2])).toThrow(/NaN at 1/);
    expect(() => rankCorrelation([1, 2], [1])).toThrow(/one length/);
    expect(() => rankCorrelation([1], [1])).toThrow(/at least two/);
  });
});
