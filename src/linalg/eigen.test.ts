import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgumentError, NonFiniteError, ShapeError } from '../util/errors.ts';
import { key, normal, split } from '../util/random/index.ts';
import { symmetricEigen, tridiagonalEigen, tridiagonalEigenEnds } from './index.ts';
import type { SymmetricEigen } from './index.ts';
import { frobenius, identity, multiply, subtract, transpose } from './dense.test-helper.ts';

const fromEntries = (n: number, entry: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, at) => entry(Math.max(Math.floor(at / n), at % n), Math.min(Math.floor(at / n), at % n)));

function randomSymmetric(n: number, seed: number): Float64Array {
  const entries = normal(key(seed), n * n, { dtype: 'float64' });
  return fromEntries(n, (i, j) => entries[i * n + j]);
}

const tridiagonal = (diagonal: ArrayLike<number>, off: ArrayLike<number>): Float64Array =>
  fromEntries(diagonal.length, (i, j) => (i === j ? diagonal[i] : i === j + 1 ? off[j] : 0));

/** |A V - V diag(values)| and |V^T V - I| in the Frobenius norm, the first relative to |A|; and the values ascend. */
function requireEigenpairs(matrix: Float64Array, n: number, { values, vectors }: SymmetricEigen): void {
  const scaled = vectors.map((x, at) => x * values[at % n]);
  const tolerance = 4e-15 * Math.max(n, 4);
  expect(frobenius(subtract(multiply(matrix, vectors, n, n, n), scaled))).toBeLessThanOrEqual(tolerance * frobenius(matrix));
  expect(frobenius(subtract(multiply(transpose(vectors, n, n), vectors, n, n, n), identity(n)))).toBeLessThan(tolerance);
  expect(values.every((x, i) => i === 0 || x >= values[i - 1])).toBe(true);
}

describe('symmetricEigen', () => {
  test('random matrices of every small size', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 24 }), fc.nat(), (n, seed) => {
      const matrix = randomSymmetric(n, seed);
      requireEigenpairs(matrix, n, symmetricEigen(matrix, n));
    }), { numRuns: 60 });
  });

  const spectra: Record<string, (i: number, n: number) => number> = {
    'all equal': () => 3,
    'two repeated': (i, n) => (i < n / 2 ? -1 : 2),
    'clustered within 1e-13': (i) => 1 + i * 1e-13,
    'rank 3, as of a Hessian': (i) => (i < 3 ? 10 ** i : 0),
    'graded over 30 decades': (i, n) => 10 ** ((-30 * i) / n),
    'signs mixed': (i) => (-1) ** i * i,
  };

  test.each(Object.entries(spectra))('a prescribed spectrum behind a random rotation: %s', (_, spectrum) => {
    const n = 60;
    const rotation = symmetricEigen(randomSymmetric(n, 5), n).vectors;
    const wanted = Float64Array.from({ length: n }, (_, i) => spectrum(i, n));
    const product = multiply(rotation.map((x, at) => x * wanted[at % n]), transpose(rotation, n, n), n, n, n);
    const matrix = fromEntries(n, (i, j) => product[i * n + j]);
    const result = symmetricEigen(matrix, n);
    requireEigenpairs(matrix, n, result);
    const norm = Math.max(...wanted.map(Math.abs));
    wanted.sort().forEach((value, i) => expect(Math.abs(result.values[i] - value)).toBeLessThan(1e-13 * norm));
  });

  test('graded diagonals in both directions', () => {
    for (const sign of [-1, 1]) {
      const matrix = fromEntries(40, (i, j) => 10 ** ((sign * (i + j)) / 5) * (i === j ? 1 : 0.3));
      requireEigenpairs(matrix, 40, symmetricEigen(matrix, 40));
    }
  });

  test('zero, identity, one by one, empty', () => {
    expect([...symmetricEigen(new Float64Array(9), 3).values]).toEqual([0, 0, 0]);
    expect(symmetricEigen(new Float64Array(9), 3).vectors).toEqual(identity(3));
    expect([...symmetricEigen(identity(4), 4).values]).toEqual([1, 1, 1, 1]);
    expect(symmetricEigen(Float64Array.of(-7), 1)).toEqual({ values: Float64Array.of(-7), vectors: Float64Array.of(1) });
    expect(symmetricEigen(new Float64Array(0), 0).values.length).toBe(0);
  });

  test.each([1e-320, 1e-300, 1e-160, 1e160, 1e307])('entries near %s neither overflow nor lose the vectors', (magnitude) => {
    // Eigenvalues of [[2, 1], [1, 2]] are 1 and 3.
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2).map((x) => x * magnitude), 2);
    expect(values[0] / magnitude).toBeCloseTo(1, magnitude < 1e-310 ? 3 : 13);
    expect(values[1] / magnitude).toBeCloseTo(3, magnitude < 1e-310 ? 3 : 13);
    expect(Math.abs(vectors[0])).toBeCloseTo(Math.SQRT1_2, 13);
  });

  test('refuses what is not square, symmetric or finite', () => {
    expect(() => symmetricEigen(new Float64Array(6), 2)).toThrow(ShapeError);
    expect(() => symmetricEigen(Float64Array.of(1, 0, Number.NaN, 1), 2)).toThrow(NonFiniteError);
    expect(() => symmetricEigen(Float64Array.of(1, Infinity, Infinity, 1), 2)).toThrowErrorMatchingInlineSnapshot(`[NonFiniteError: symmetricEigen: matrix must be finite, got Infinity at [0,1].]`);
    expect(() => symmetricEigen(Float64Array.of(1, 2, 3, 4), 2)).toThrow(ArgumentError);
    expect(() => symmetricEigen(Float64Array.of(1, 2, 3, 4), 2)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: symmetricEigen: matrix must be symmetric: entries [1,0] and [0,1] must agree, got 3 and 2.
        Try: decompose (A + A^T) / 2, or use svd]
    `);
  });
});

describe('tridiagonalEigen', () => {
  test.each([1, 2, 3, 10, 100])('second differences of size %i: 2 - 2 cos(k pi / (n + 1))', (n) => {
    const { values, vectors } = tridiagonalEigen(new Float64Array(n).fill(2), new Float64Array(n - 1).fill(-1));
    for (let k = 1; k <= n; k++) {
      const angle = (k * Math.PI) / (n + 1);
      expect(Math.abs(values[k - 1] - (2 - 2 * Math.cos(angle)))).toBeLessThan(2e-14);
      for (let i = 1; i <= n; i++) {
        expect(Math.abs(vectors[(i - 1) * n + k - 1])).toBeCloseTo(Math.abs(Math.sqrt(2 / (n + 1)) * Math.sin(i * angle)), 11);
      }
    }
  });

  test("Wilkinson's W21+: its largest two agree to 14 digits but are two", () => {
    const diagonal = Float64Array.from({ length: 21 }, (_, i) => Math.abs(i - 10));
    const off = new Float64Array(20).fill(1);
    const result = tridiagonalEigen(diagonal, off);
    requireEigenpairs(tridiagonal(diagonal, off), 21, result);
    expect(result.values[20]).toBeCloseTo(10.746194182903393, 12);
    expect(result.values[19]).toBeCloseTo(10.746194182903322, 12);
    expect(result.values[0]).toBeCloseTo(-1.125441522119984, 12);
  });

  test('Clement: 0 on the diagonal, sqrt(i (n - i)) beside it, has the integers n-1, n-3, ... 1-n', () => {
    const n = 31;
    const { values } = tridiagonalEigen(new Float64Array(n), Float64Array.from({ length: n - 1 }, (_, i) => Math.sqrt((i + 1) * (n - 1 - i))));
    values.forEach((value, i) => expect(Math.abs(value - (1 - n + 2 * i))).toBeLessThan(1e-12));
  });

  test('random, with zeros among the couplings and tiny blocks', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(), (n, seed) => {
      const diagonal = normal(split(key(seed), 'diagonal'), n, { dtype: 'float64' }).map((x, i) => (i % 7 === 3 ? 0 : x));
      const off = normal(split(key(seed), 'off'), n - 1, { dtype: 'float64' }).map((x, i) => (i % 5 === 2 ? 0 : i % 11 === 7 ? x * 1e-200 : x));
      requireEigenpairs(tridiagonal(diagonal, off), n, tridiagonalEigen(diagonal, off));
    }), { numRuns: 60 });
  });

  test('agrees with the dense decomposition', () => {
    const diagonal = normal(key(1), 40, { dtype: 'float64' });
    const off = normal(key(2), 39, { dtype: 'float64' });
    const dense = symmetricEigen(tridiagonal(diagonal, off), 40);
    tridiagonalEigen(diagonal, off).values.forEach((value, i) => expect(value).toBeCloseTo(dense.values[i], 12));
  });

  test('refuses arrays that do not fit', () => {
    expect(() => tridiagonalEigen([1, 2], [1, 2])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: tridiagonalEigen: offDiagonal must have one entry less than diagonal (2), got 2 entries.]`);
    expect(() => tridiagonalEigen([1, Number.NaN], [1])).toThrow(NonFiniteError);
  });
});

describe('tridiagonalEigenEnds', () => {
  test('first and last components are those of the full decomposition', () => {
    const n = 50;
    const diagonal = normal(key(3), n, { dtype: 'float64' });
    const off = normal(key(4), n - 1, { dtype: 'float64' });
    const full = tridiagonalEigen(diagonal, off);
    const ends = tridiagonalEigenEnds(diagonal, off);
    expect(ends.values).toEqual(full.values);
    expect(ends.first).toEqual(full.vectors.slice(0, n));
    expect(ends.last).toEqual(full.vectors.slice(n * (n - 1)));
    expect(tridiagonalEigenEnds([5], [])).toEqual({ values: Float64Array.of(5), first: Float64Array.of(1), last: Float64Array.of(1) });
  });

  test('squared first components are the weights of Gauss-Legendre quadrature', () => {
    const n = 12;
    const off = Float64Array.from({ length: n - 1 }, (_, i) => (i + 1) / Math.sqrt(4 * (i + 1) ** 2 - 1));
    const { values, first } = tridiagonalEigenEnds(new Float64Array(n), off);
    for (let power = 0; power <= 2 * n - 1; power++) {
      const integral = 2 * values.reduce((sum, x, i) => sum + first[i] ** 2 * x ** power, 0);
      expect(integral).toBeCloseTo(power % 2 === 0 ? 2 / (power + 1) : 0, 13);
    }
  });
});
