import { describe, expect, test } from 'vitest';
import { covarianceRank } from './covariance-rank.ts';

/** Two points on each axis, at plus and minus the length. */
const cross = (lengths: readonly number[]) => {
  const n = lengths.length;
  const values = new Float64Array(2 * n * n);
  lengths.forEach((length, j) => { values[2 * j * n + j] = length; values[(2 * j + 1) * n + j] = -length; });
  return { examples: 2 * n, features: n, values };
};

describe('the covariance of features', () => {
  test('a power law of eigenvalues has its exponent, and the entropy of its shares', () => {
    const variances = [1, 2, 3, 4, 5, 6].map((j) => j ** -1.5);
    const { effectiveRank, decay, eigenvalues } = covarianceRank(cross(variances.map(Math.sqrt)));
    variances.forEach((x, j) => { expect(eigenvalues[j]).toBeCloseTo(x / 6, 12); });
    expect(decay).toBeCloseTo(1.5, 10);
    const total = variances.reduce((a, b) => a + b, 0);
    expect(effectiveRank).toBeCloseTo(Math.exp(-variances.reduce((sum, x) => sum + (x / total) * Math.log(x / total), 0)), 12);
  });

  test('equal variances: as many directions as features, no decay', () => {
    const { effectiveRank, decay } = covarianceRank(cross([2, 2, 2, 2]));
    expect(effectiveRank).toBeCloseTo(4, 12);
    expect(decay).toBeCloseTo(0, 12);
  });

  test('weights are repetitions, and the mean is taken out', () => {
    const rows = [[1, 2, 0], [0, 1, 5], [3, -1, 1], [2, 2, 2]];
    const times = [1, 3, 2, 2];
    const matrix = (all: readonly number[][]) => ({ examples: all.length, features: 3, values: Float64Array.from(all.flat()) });
    const weighted = covarianceRank(matrix(rows.map((row) => row.map((x) => x + 100))), times);
    const repeated = covarianceRank(matrix(rows.flatMap((row, i) => Array.from({ length: times[i] }, () => row))));
    repeated.eigenvalues.forEach((x, j) => { expect(weighted.eigenvalues[j]).toBeCloseTo(x, 9); });
    expect(weighted.effectiveRank).toBeCloseTo(repeated.effectiveRank, 9);
  });

  test('one direction, none, and wrong weights', () => {
    const line = covarianceRank({ examples: 2, features: 2, values: Float64Array.of(1, 0, -1, 0) });
    expect([line.effectiveRank, line.decay]).toEqual([1, NaN]);
    expect(covarianceRank({ examples: 2, features: 1, values: Float64Array.of(3, 3) }).effectiveRank).toBeNaN();
    const some = cross([1, 2]);
    expect(() => covarianceRank(some, [1, 1])).toThrow(/one an example, 4/);
    expect(() => covarianceRank(some, [1, 1, -1, 1])).toThrow(/at least 0/);
  });
});
