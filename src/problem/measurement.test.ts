import { describe, expect, test } from 'vitest';
import { bounded, estimated, interval, jackknifed, studentQuantile } from './measurement.ts';

describe('measurements', () => {
  test('a mean of samples carries its standard error', () => {
    expect(estimated([1, 2, 3, 4])).toEqual({ value: 2.5, error: expect.closeTo(Math.sqrt(5 / 3 / 4), 14) as number, kind: 'standard error', samples: 4 });
    expect(estimated([3]).error).toBeNaN();
  });

  // Tables of the 97.5 % quantile.
  test.each([[1, 12.706205], [2, 4.302653], [3, 3.182446], [4, 2.776445], [9, 2.262157], [30, 2.042272], [Infinity, 1.959964]])('quantile of Student t with %d degrees of freedom', (degrees, value) => {
    expect(Math.abs(studentQuantile(degrees) / value - 1)).toBeLessThan(2e-3);
  });

  test('the jackknife of a mean is the mean with its standard error, that of a square loses its bias', () => {
    const samples = [1, 2, 4, 8, 3];
    const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
    expect(jackknifed(samples, mean).value).toBeCloseTo(estimated(samples).value, 13);
    expect(jackknifed(samples, mean).error).toBeCloseTo(estimated(samples).error, 13);
    // The square of a mean is too large by variance / n: the jackknife takes exactly that away.
    const { value, error } = estimated(samples);
    expect(jackknifed(samples, (values) => mean(values) ** 2).value).toBeCloseTo(value ** 2 - error ** 2, 12);
    expect(jackknifed([1, 2], mean)).toMatchObject({ value: 1.5, error: NaN, samples: 2 });
  });

  test('one sample leaves everything possible', () => {
    expect(interval(estimated([3]))).toEqual([-Infinity, Infinity]);
  });

  test('intervals: bounds as they are, standard errors widened', () => {
    expect(interval(bounded(2, 0.5))).toEqual([1.5, 2.5]);
    const [low, high] = interval({ value: 0, error: 1, kind: 'standard error', samples: 10 });
    expect(high).toBeCloseTo(2.2622, 3);
    expect(low).toBe(-high);
  });
});
