import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NonFiniteError, ShapeError } from '../util/errors.ts';
import { key, normal, split } from '../util/random/index.ts';
import { symmetricEigen, symmetricEigenvalues, symmetricEigenvaluesPausing } from './index.ts';

function symmetric(n: number, seed: number): Float64Array {
  const entries = normal(key(seed), n * n, { dtype: 'float64' });
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) entries[j * n + i] = entries[i * n + j];
  return entries;
}
const largest = (values: ArrayLike<number>): number => Math.max(...Array.from(values, Math.abs));

describe('symmetricEigenvalues', () => {
  test('are those of the full decomposition, at every size modulo the rows of a block', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 33 }), fc.nat(), (n, seed) => {
      const matrix = symmetric(n, seed);
      const before = matrix.slice();
      const expected = symmetricEigen(matrix, n).values;
      const values = symmetricEigenvalues(matrix, n);
      expect(matrix).toEqual(before);
      values.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(1e-14 * n * largest(expected)));
    }), { numRuns: 80 });
  });

  test('of the path graph are 2 - 2 cos(k pi / (n + 1))', () => {
    const n = 101;
    const matrix = Float64Array.from({ length: n * n }, (_, at) => { const d = Math.abs(Math.floor(at / n) - (at % n)); return d === 0 ? 2 : d === 1 ? -1 : 0; });
    symmetricEigenvalues(matrix, n).forEach((value, i) => expect(value).toBeCloseTo(2 - 2 * Math.cos(((i + 1) * Math.PI) / (n + 1)), 13));
  });

  test('diagonal, zero, rank one, tiny and huge matrices', () => {
    expect([...symmetricEigenvalues(Float64Array.of(3, 0, 0, 0, -1, 0, 0, 0, 2), 3)]).toEqual([-1, 2, 3]);
    expect([...symmetricEigenvalues(new Float64Array(16), 4)]).toEqual([0, 0, 0, 0]);
    expect([...symmetricEigenvalues(new Float64Array(0), 0)]).toEqual([]);
    for (const scale of [1e-300, 1, 1e300]) {
      const values = symmetricEigenvalues(new Float64Array(49).fill(scale), 7);
      expect(values[6] / scale).toBeCloseTo(7, 12);
      expect(largest(values.subarray(0, 6)) / scale).toBeLessThan(1e-14);
    }
  });

  test('of a matrix of rank four with rounding in its kernel: couplings among values at zero never get small beside their neighbours', () => {
    // [0 B^T; B 0] with B of rank two: plus and minus its singular values, all others zero.
    const [n, wide] = [60, 40];
    for (const [noise, seed] of [[0, 0], [1e-17, 2], [1e-20, 2], [1e-20, 3]]) {
      const draw = (name: string, columns: number): Float64Array => normal(split(key(seed), 'x', name), [n, columns], { dtype: 'float64' });
      const [a, u, v] = [draw('a', n), draw('u', 2), draw('v', 2)];
      const matrix = Float64Array.from({ length: n * n }, (_, at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        return noise * a[at] + (i >= wide && j < wide ? u[2 * i] * v[2 * j] + u[2 * i + 1] * v[2 * j + 1] : 0);
      });
      const values = symmetricEigenvalues(matrix, n);
      expect(largest(values.subarray(2, n - 2))).toBeLessThan(1e-13);
      for (const i of [0, 1]) expect(values[i]).toBeCloseTo(-values[n - 1 - i], 12);
    }
  });

  test('reads the lower triangle alone, and overwrites when allowed', () => {
    const matrix = symmetric(9, 4);
    const lower = matrix.map((x, at) => (at % 9 > Math.floor(at / 9) ? 1e6 : x));
    expect(symmetricEigenvalues(lower, 9)).toEqual(symmetricEigenvalues(matrix, 9));
    const work = lower.slice();
    expect(symmetricEigenvalues(work, 9, { overwrite: true })).toEqual(symmetricEigenvalues(matrix, 9));
    expect(work).not.toEqual(lower);
  });

  test('pausing gives the same bits, says how far it is, and can be ended', async () => {
    const matrix = symmetric(512, 1);
    const fractions: number[] = [];
    const values = await symmetricEigenvaluesPausing(matrix, 512, (fraction) => { fractions.push(fraction); return Promise.resolve(); });
    expect(values).toEqual(symmetricEigenvalues(matrix, 512));
    expect(fractions.length).toBeGreaterThan(0);
    expect(fractions.every((x, i) => x > (fractions[i - 1] ?? 0) && x < 1)).toBe(true);
    await expect(symmetricEigenvaluesPausing(matrix, 512, () => Promise.reject(new Error('enough')))).rejects.toThrow('enough');
  });

  test('refuses what is not square or not finite', () => {
    expect(() => symmetricEigenvalues(new Float64Array(5), 2)).toThrow(ShapeError);
    expect(() => symmetricEigenvalues(Float64Array.of(1, 0, NaN, 1), 2)).toThrow(NonFiniteError);
  });
});
