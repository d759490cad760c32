import { describe, expect, test } from 'vitest';
import { key } from '../util/random/index.ts';
import { topEigenpairs } from './eigenpairs.ts';
import { bulkAndOutliers, rotated } from './known-spectrum.test-helper.ts';

/** A symmetric matrix of this spectrum, and eigenvectors found from nothing. */
async function known(values: readonly number[]) {
  const { operator } = rotated(values, 1);
  const { largest } = await topEigenpairs(operator, { largest: 3, tolerance: 1e-9, method: 'lanczos' });
  return { operator, vectors: largest.map(({ vector }) => vector) };
}

describe('a search that is started from guesses', () => {
  const values = bulkAndOutliers(320, [10, 9.9, 6]);

  test('begins with them: at the eigenvector itself, eight products and those of the check do', async () => {
    const { operator, vectors } = await known(values);
    const options = { largest: 1, tolerance: 1e-6, method: 'lanczos' } as const;
    const cold = await topEigenpairs(operator, options);
    const warm = await topEigenpairs(operator, { ...options, start: vectors.slice(0, 1) });
    expect(warm.largest[0].value).toBeCloseTo(10, 8);
    expect(warm.cost.products).toBeLessThan(cost(cold) - 3);
    const several = { ...options, largest: 3 };
    expect(cost(await topEigenpairs(operator, { ...several, start: vectors }))).toBeLessThan(cost(await topEigenpairs(operator, several)));
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('finds an eigenvalue that has overtaken, seed %i', async (seed) => {
    const { operator, vectors } = await known(values);
    // The guess is exactly the eigenvector of the second: what leads to the first is the random part alone.
    const { largest: [{ value, error }] } = await topEigenpairs(operator, { largest: 1, tolerance: 1e-3, method: 'lanczos', start: [vectors[1]], key: key(seed) });
    expect(Math.abs(value - 9.9)).toBeGreaterThan(0.05);
    expect(Math.abs(value - 10)).toBeLessThanOrEqual(error);
  });

  test('guesses of another size are refused', async () => {
    const { operator } = rotated([3, 2, 1]);
    await expect(topEigenpairs(operator, { largest: 1, method: 'lanczos', start: [new Float64Array(2)] })).rejects.toThrow(/vectors of start must have the 3 entries/);
  });
});

const cost = ({ cost: { products } }: { readonly cost: { readonly products: number } }): number => products;
