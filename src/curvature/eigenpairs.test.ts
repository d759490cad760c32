import { describe, expect, test } from 'vitest';
import { symmetricEigen } from '../linalg/index.ts';
import { key } from '../util/random/index.ts';
import { dot } from './basis.ts';
import { topEigenpairs } from './eigenpairs.ts';
import { bulkAndOutliers, inFloat32, rotated } from './known-spectrum.test-helper.ts';
import { diagonalOperator, matrixOperator } from './operator.ts';

const OUTLIERS = [1, 1.2, 1.5, 2, 3, 5, 8, 13, 21, 34];
const spectrum = bulkAndOutliers(500, OUTLIERS);
const sorted = [...spectrum].sort((a, b) => a - b);
const { operator } = rotated(spectrum);

describe('extreme eigenpairs by Lanczos', () => {
  test('the ten largest and three smallest of a bulk with outliers, within their bounds', async () => {
    const result = await topEigenpairs(operator, { largest: 10, smallest: 3, tolerance: 1e-6 });
    expect(result.method).toBe('lanczos');
    expect(result.stopped).toBe('converged');
    expect(result.largest).toHaveLength(10);
    result.largest.forEach((pair, i) => {
      expect(pair.kind).toBe('bound');
      expect(Math.abs(pair.value - sorted.at(-1 - i)!)).toBeLessThanOrEqual(pair.error + 1e-12);
      expect(pair.error).toBeLessThan(1e-6 * Math.max(pair.value, 0.34) + 1e-10);
      expect(dot(pair.vector, pair.vector)).toBeCloseTo(1, 12);
    });
    result.smallest.forEach((pair, i) => expect(Math.abs(pair.value - sorted[i])).toBeLessThanOrEqual(pair.error + 1e-12));
    for (let i = 0; i < 10; i++) for (let j = 0; j < i; j++) expect(Math.abs(dot(result.largest[i].vector, result.largest[j].vector))).toBeLessThan(1e-10);
    expect(result.cost.products).toBeLessThan(300);
  });

  test('restarts: a basis of 24 vectors finds the same', async () => {
    const result = await topEigenpairs(operator, { largest: 10, basis: 24, tolerance: 1e-8 });
    expect(result.stopped).toBe('converged');
    result.largest.forEach((pair, i) => expect(Math.abs(pair.value - sorted.at(-1 - i)!)).toBeLessThan(1e-9));
    const both = await topEigenpairs(operator, { largest: 2, smallest: 2, basis: 12, tolerance: 1e-5, maxProducts: 3000 });
    expect(both.stopped).toBe('converged');
    both.smallest.forEach((pair, i) => expect(Math.abs(pair.value - sorted[i])).toBeLessThan(1e-5));
  });

  test('largest in magnitude, of either sign', async () => {
    const values = bulkAndOutliers(400, [5, -9, 7, -3]);
    const result = await topEigenpairs(rotated(values).operator, { magnitude: 4, tolerance: 1e-8 });
    expect(result.magnitude.map(({ value }) => Math.round(value * 1e6) / 1e6)).toEqual([-9, 7, 5, -3]);
  });

  test('blocks find every copy of a multiple eigenvalue', async () => {
    const multiple = rotated(bulkAndOutliers(400, [4, 4, 4, 2])).operator;
    const result = await topEigenpairs(multiple, { largest: 5, block: 3, tolerance: 1e-6 });
    expect(result.stopped).toBe('converged');
    expect(result.largest.slice(0, 4).map(({ value }) => value)).toEqual([4, 4, 4, 2].map((x) => expect.closeTo(x, 6) as number));
  });

  test('an invariant subspace does not stop the search', async () => {
    // Three distinct eigenvalues: a single vector's Krylov space has three dimensions.
    const values = Float64Array.from({ length: 400 }, (_, i) => (i < 2 ? 7 : i < 4 ? 5 : 0));
    const result = await topEigenpairs(diagonalOperator(values), { largest: 4, tolerance: 1e-8, maxProducts: 200 });
    expect(result.largest.map(({ value }) => value)).toEqual([7, 7, 5, 5].map((x) => expect.closeTo(x, 8) as number));
  });

  test('bounds hold in float32, where the tolerance is below rounding', async () => {
    const result = await topEigenpairs(inFloat32(operator), { largest: 10, tolerance: 1e-12, maxProducts: 150 });
    result.largest.forEach((pair, i) => {
      expect(Math.abs(pair.value - sorted.at(-1 - i)!)).toBeLessThanOrEqual(pair.error);
      expect(pair.error).toBeLessThan(1e-4);
    });
    expect(result.rounding).toBeGreaterThan(1e-8);
  });

  test('bounds hold when the budget ends early, and say so', async () => {
    const result = await topEigenpairs(operator, { largest: 10, maxProducts: 14, tolerance: 1e-10 });
    expect(result.stopped).toBe('budget');
    result.largest.forEach((pair) => {
      expect(Math.min(...sorted.map((x) => Math.abs(x - pair.value)))).toBeLessThanOrEqual(pair.error);
    });
    expect(result.largest.at(-1)!.error).toBeGreaterThan(1e-3);
  });

  test('same key, same bits; another key, other vectors', async () => {
    const run = (seed: number) => topEigenpairs(operator, { largest: 3, key: key(seed) });
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a.largest.map(({ value, error, vector }) => [value, error, ...vector])).toEqual(b.largest.map(({ value, error, vector }) => [value, error, ...vector]));
    expect(a.largest[0].vector).not.toEqual(c.largest[0].vector);
  });

  test('stops when asked and keeps what it has; reports progress', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const result = await topEigenpairs(operator, {
      largest: 10, tolerance: 1e-12, signal: controller.signal,
      onProgress: ({ done, total }) => { seen.push(done); expect(total).toBe(10); if (done >= 2) controller.abort(); },
    });
    expect(result.stopped).toBe('aborted');
    expect(seen.at(-1)).toBeGreaterThanOrEqual(2);
    expect(Math.abs(result.largest[0].value - 34)).toBeLessThanOrEqual(result.largest[0].error + 1e-12);
    await expect(topEigenpairs(operator, { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
  });

  test('the zero operator and the identity', async () => {
    for (const value of [0, 1]) {
      const result = await topEigenpairs(diagonalOperator(new Float64Array(350).fill(value)), { largest: 3, maxProducts: 50 });
      result.largest.forEach((pair) => expect(Math.abs(pair.value - value)).toBeLessThanOrEqual(pair.error + 1e-14));
    }
  });
});

describe('small operators', () => {
  test('are decomposed exactly, at a product a coordinate', async () => {
    const values = bulkAndOutliers(60, [5, -4]);
    const { matrix, operator: small } = rotated(values);
    const { values: expected } = symmetricEigen(matrix, 60);
    const result = await topEigenpairs(small, { largest: 4, smallest: 2, magnitude: 2 });
    expect(result.method).toBe('dense');
    expect(result.largest.map(({ value }) => value)).toEqual([59, 58, 57, 56].map((i) => expect.closeTo(expected[i], 12) as number));
    expect(result.smallest.map(({ value }) => value)).toEqual([0, 1].map((i) => expect.closeTo(expected[i], 12) as number));
    expect(result.magnitude.map(({ value }) => Math.round(value))).toEqual([5, -4]);
    result.largest.forEach(({ error }) => expect(error).toBeLessThan(1e-12));
  });

  test('of one coordinate', async () => {
    expect((await topEigenpairs(diagonalOperator(Float64Array.of(-2)))).largest[0].value).toBe(-2);
  });

  test('refuses what it cannot do', async () => {
    await expect(topEigenpairs(matrixOperator(Float64Array.of(1, 2, 3, 4), 2))).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: topEigenpairs: operator must be symmetric, got 'matrix', which is not.]`);
    await expect(topEigenpairs(operator, { largest: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: topEigenpairs: at least one eigenpair must be asked for, got none.]`);
    await expect(topEigenpairs(operator, { largest: 501 })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: topEigenpairs: largest must be an integer from 0 to 500, got 501.]`);
  });
});
