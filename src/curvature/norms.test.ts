import { describe, expect, test } from 'vitest';
import { key, normal, rademacher, split } from '../util/random/index.ts';
import { diagonalOperator, linearMap, matrixMap } from './operator.ts';
import { frobeniusNorm } from './norms.ts';

describe('the Frobenius norm', () => {
  const [rows, columns] = [5, 9];
  const matrix = normal(key(1), rows * columns, { dtype: 'float64' });
  const transposed = Float64Array.from(matrix, (_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]);

  test('squared is the mean of |Az|^2 from the shorter side; the norm is its root within the bias that the jackknife takes away', async () => {
    const samples = Array.from({ length: 20 }, (_, i) => {
      const z = rademacher(split(key(3), 'probe', i), rows, { dtype: 'float64' });
      return Array.from({ length: columns }, (_c, c) => z.reduce((sum, x, r) => sum + x * matrix[r * columns + c], 0) ** 2).reduce((sum, x) => sum + x, 0);
    });
    const mean = samples.reduce((sum, x) => sum + x, 0) / 20;
    for (const map of [matrixMap(matrix, rows, columns), matrixMap(transposed, columns, rows)]) {
      const norm = await frobeniusNorm(map, { probes: 20, key: key(3) });
      expect(norm.squared.value).toBeCloseTo(mean, 10);
      const relative = norm.squared.error / norm.squared.value;
      expect(norm.error / (Math.sqrt(mean) * relative / 2)).toBeCloseTo(1, 1);
      // Second order of the root: E sqrt(m) = sqrt(mu) (1 - variance / (8 mu^2)).
      expect(norm.value / Math.sqrt(mean)).toBeCloseTo(1 + relative ** 2 / 8, 3);
      expect(norm).toMatchObject({ samples: 20, stopped: 'converged', cost: { products: 20 } });
    }
  });

  test('of a diagonal matrix is exact by signs, and right with normal vectors', async () => {
    const operator = diagonalOperator(Float64Array.of(3, -4, 12));
    expect(await frobeniusNorm(operator, { probes: 3 })).toMatchObject({ value: 13, error: 0 });
    const normals = await frobeniusNorm(operator, { probes: 4000, distribution: 'normal' });
    expect(Math.abs(normals.value - 13)).toBeLessThan(4 * normals.error);
    expect(normals.error).toBeGreaterThan(0);
  });

  test('of a wide map needs its transpose', async () => {
    const map = linearMap({ name: 'wide', rows: 2, columns: 3, apply: (vectors) => vectors.map(() => new Float64Array(2)) });
    await expect(frobeniusNorm(map)).rejects.toThrow('a product of the transpose is needed');
  });
});
