import { describe, expect, test } from 'vitest';
import { key, normal, split } from '../util/random/index.ts';
import { linearRegression, powerLawRegression } from './regression.ts';

describe('linear regression', () => {
  test('recovers the coefficients of an exact relation', () => {
    const [a, b] = [[0, 1, 2, 3, 5], [1, -1, 4, 0, 2]];
    const fit = linearRegression([a, b], a.map((x, i) => 7 + 2 * x - 3 * b[i]));
    expect(fit.intercept).toBeCloseTo(7, 12);
    expect(fit.slopes.map((slope) => Math.round(slope * 1e10) / 1e10)).toEqual([2, -3]);
    expect(fit.rSquared).toBeCloseTo(1, 14);
    expect(Math.max(...fit.residuals.map(Math.abs))).toBeLessThan(1e-12);
  });

  test('one column: cov / var, error s / sqrt(sum of squared deviations), r squared the squared correlation', () => {
    const [x, y] = [[1, 2, 3, 4], [2, 1, 4, 3]];
    // Deviations of x: +-1.5, +-0.5, sum of squares 5; of products 3; of y 5.
    const { slopes: [slope], intercept, errors: [error], rSquared } = linearRegression([x], y);
    expect(slope).toBeCloseTo(3 / 5, 14);
    expect(intercept).toBeCloseTo(2.5 - 0.6 * 2.5, 14);
    expect(rSquared).toBeCloseTo(9 / 25, 14);
    expect(error).toBeCloseTo(Math.sqrt((5 * (1 - 9 / 25)) / 2 / 5), 14);
  });

  test('standard errors are the spread of slopes over draws of the noise', () => {
    const x = Array.from({ length: 12 }, (_, i) => i ** 1.5);
    const z = x.map((_, i) => Math.sin(i));
    const draws = Array.from({ length: 400 }, (_, r) => normal(split(key(3), r), 12, { dtype: 'float64' }));
    const fits = draws.map((noise) => linearRegression([x, z], x.map((value, i) => value + z[i] + noise[i])));
    for (const k of [0, 1]) {
      const slopes = fits.map((fit) => fit.slopes[k]);
      const spread = Math.sqrt(slopes.reduce((sum, slope) => sum + (slope - 1) ** 2, 0) / slopes.length);
      const error = Math.sqrt(fits.reduce((sum, fit) => sum + fit.errors[k] ** 2, 0) / fits.length);
      expect(error / spread).toBeGreaterThan(0.9);
      expect(error / spread).toBeLessThan(1.1);
    }
  });

  test('an exact fit has no error that could be told; dependent columns are refused', () => {
    expect(linearRegression([[1, 2]], [3, 5]).errors[0]).toBeNaN();
    expect(() => linearRegression([[1, 1, 1]], [1, 2, 3])).toThrow(/column 0/);
    expect(() => linearRegression([[1, 2, 4], [3, 5, 9]], [1, 2, 3])).toThrow(/column 1/);
    expect(() => linearRegression([[1, 2], [2, 1]], [1, 2])).toThrow(/at least 3 values/);
    expect(() => linearRegression([[1]], [1, 2])).toThrow(/length of the values, 2/);
  });
});

describe('power laws', () => {
  test('prefactor and exponents of an exact law in two variables', () => {
    const [n, d] = [[1e3, 1e4, 1e3, 1e5], [1e6, 1e6, 1e8, 1e7]];
    const { prefactor, exponents, rSquared } = powerLawRegression([n, d], n.map((x, i) => 1.79 * x ** -0.713 * d[i] ** 0.307));
    expect(prefactor).toBeCloseTo(1.79, 10);
    expect(exponents[0]).toBeCloseTo(-0.713, 12);
    expect(exponents[1]).toBeCloseTo(0.307, 12);
    expect(rSquared).toBeCloseTo(1, 12);
  });

  test('refuses what has no logarithm', () => { expect(() => powerLawRegression([[1, 2]], [0, 1])).toThrow(/positive/); });
});
