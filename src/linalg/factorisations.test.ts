import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgumentError, NonFiniteError, ShapeError } from '../util/errors.ts';
import { key, normal } from '../util/random/index.ts';
import { cholesky, qr, solve, solveCholesky, svd, symmetricEigen } from './index.ts';
import { frobenius, identity, multiply, subtract, transpose } from './dense.test-helper.ts';

const random = (count: number, seed: number): Float64Array => normal(key(seed), count, { dtype: 'float64' });
const extents = fc.record({ rows: fc.integer({ min: 1, max: 15 }), columns: fc.integer({ min: 1, max: 15 }), seed: fc.nat() });

function requireOrthonormalColumns(a: Float64Array, rows: number, columns: number): void {
  expect(frobenius(subtract(multiply(transpose(a, rows, columns), a, columns, rows, columns), identity(columns)))).toBeLessThan(1e-13);
}

describe('qr', () => {
  test('A = Q R, Q orthonormal, R upper triangular with a non-negative diagonal', () => {
    fc.assert(fc.property(extents, ({ rows, columns, seed }) => {
      const matrix = random(rows * columns, seed);
      const k = Math.min(rows, columns);
      const { q, r } = qr(matrix, rows, columns);
      requireOrthonormalColumns(q, rows, k);
      expect(frobenius(subtract(multiply(q, r, rows, k, columns), matrix))).toBeLessThan(1e-14 * (1 + rows) * frobenius(matrix));
      for (let i = 0; i < k; i++) for (let j = 0; j <= i; j++) expect(i === j ? r[i * columns + i] >= 0 : r[i * columns + j] === 0).toBe(true);
    }));
  });

  test('stays orthonormal for equal, zero and nearly dependent columns', () => {
    const matrix = Float64Array.from({ length: 40 * 5 }, (_, at) => [1, 1, 0, 1 + 1e-15 * at, Math.sin(at)][at % 5]);
    const { q, r } = qr(matrix, 40, 5);
    requireOrthonormalColumns(q, 40, 5);
    expect(Math.abs(r[6])).toBeLessThan(1e-14);
    expect(frobenius(subtract(multiply(q, r, 40, 5, 5), matrix))).toBeLessThan(1e-13);
    requireOrthonormalColumns(qr(new Float64Array(12), 4, 3).q, 4, 3);
  });

  test('by hand: [3; 4] = [0.6; 0.8] 5', () => {
    const { q, r } = qr(Float64Array.of(-3, -4), 2, 1);
    expect(r[0]).toBeCloseTo(5, 14);
    expect(q[0]).toBeCloseTo(-0.6, 14);
  });
});

describe('svd', () => {
  test('A = U S V^T with orthonormal U and V and descending values, tall and wide', () => {
    fc.assert(fc.property(extents, ({ rows, columns, seed }) => {
      const matrix = random(rows * columns, seed);
      const k = Math.min(rows, columns);
      const { u, values, v } = svd(matrix, rows, columns);
      requireOrthonormalColumns(u, rows, k);
      requireOrthonormalColumns(v, columns, k);
      expect(values.every((x, i) => x >= 0 && (i === 0 || x <= values[i - 1]))).toBe(true);
      const rebuilt = multiply(u.map((x, at) => x * values[at % k]), transpose(v, columns, k), rows, k, columns);
      expect(frobenius(subtract(rebuilt, matrix))).toBeLessThan(1e-13 * frobenius(matrix));
    }));
  });

  test('squared singular values are the eigenvalues of the Gram matrix', () => {
    const matrix = random(30 * 8, 3);
    const gram = multiply(transpose(matrix, 30, 8), matrix, 8, 30, 8);
    const { values } = symmetricEigen(gram, 8);
    svd(matrix, 30, 8).values.forEach((value, i) => expect(value ** 2).toBeCloseTo(values[7 - i], 11));
  });

  test('rank-deficient, zero, empty, huge', () => {
    const { values } = svd(Float64Array.of(1, 2, 2, 4, 3, 6), 3, 2);
    expect(values[0]).toBeCloseTo(Math.sqrt(70), 13);
    expect(values[1]).toBeLessThan(1e-14);
    expect([...svd(new Float64Array(6), 2, 3).values]).toEqual([0, 0]);
    expect(svd(new Float64Array(0), 0, 3).values.length).toBe(0);
    expect(svd(Float64Array.of(3e300, 0, 0, 4e300), 2, 2).values[0]).toBeCloseTo(4e300, -290);
  });
});

describe('cholesky and solve', () => {
  test('A = L L^T, and both solvers invert A', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(), (n, seed) => {
      const factor = random(n * 2 * n, seed);
      const matrix = multiply(factor, transpose(factor, n, 2 * n), n, 2 * n, n);
      const lower = cholesky(matrix, n);
      expect(frobenius(subtract(multiply(lower, transpose(lower, n, n), n, n, n), matrix))).toBeLessThan(1e-13 * frobenius(matrix));
      const wanted = random(n * 3, seed + 1);
      const right = multiply(matrix, wanted, n, n, 3);
      for (const x of [solveCholesky(lower, n, right, 3), solve(matrix, n, right, 3)]) {
        expect(frobenius(subtract(multiply(matrix, x, n, n, 3), right))).toBeLessThan(1e-12 * frobenius(right));
      }
    }), { numRuns: 50 });
  });

  test('solve pivots, and takes badly scaled rows', () => {
    expect([...solve(Float64Array.of(0, 1, 1, 0), 2, Float64Array.of(5, 7))]).toEqual([7, 5]);
    expect([...solve(Float64Array.of(1e-200, 0, 0, 1e200), 2, Float64Array.of(1e-200, 2e200))].map((x) => Number(x.toPrecision(12)))).toEqual([1, 2]);
  });

  test('refuse singular, indefinite and ill-shaped matrices', () => {
    expect(() => solve(Float64Array.of(1, 2, 2, 4), 2, Float64Array.of(1, 1))).toThrow(ArgumentError);
    expect(() => solve(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), 3, new Float64Array(3))).toThrow(ArgumentError);
    expect(() => cholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: cholesky: matrix must be positive definite, got pivot 1 = -3.
        Try: add a multiple of the identity (damping), or use solve]
    `);
    expect(() => cholesky(new Float64Array(3), 2)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: cholesky: matrix must be square, [2,2] in row-major order, got 3 numbers.]`);
    expect(() => solve(identity(2), 2, new Float64Array(3))).toThrow(ShapeError);
    expect(() => qr(Float64Array.of(Number.NaN), 1, 1)).toThrow(NonFiniteError);
    expect(() => svd(Float64Array.of(1, Infinity), 1, 2)).toThrow(NonFiniteError);
  });
});
