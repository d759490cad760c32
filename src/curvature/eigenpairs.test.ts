import { describe, expect, test } from 'vitest';
import { symmetricEigen } from '../linalg/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { lowRankOperator } from './algebra-parts.ts';
import { dot, orthogonalise } from './basis.ts';
import { topEigenpairs } from './eigenpairs.ts';
import { bulkAndOutliers, inFloat32, rotated } from './known-spectrum.test-helper.ts';
import { denseMatrix, diagonalOperator, linearOperator, matrixOperator } from './operator.ts';
import { diagonalPreconditioner } from './preconditioned.ts';

const OUTLIERS = [1, 1.2, 1.5, 2, 3, 5, 8, 13, 21, 34];
const spectrum = bulkAndOutliers(500, OUTLIERS);
const sorted = [...spectrum].sort((a, b) => a - b);
const { operator, matrix } = rotated(spectrum);

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

/** Sine of the angle between a unit vector and the span of orthonormal ones. */
function sineTo(vector: Float64Array, span: readonly Float64Array[]): number {
  const rest = vector.slice();
  return orthogonalise(span, rest).norm;
}

const exactVectors = (matrix: Float64Array, n: number): Float64Array[] => {
  const { vectors } = symmetricEigen(matrix, n);
  return Array.from({ length: n }, (_, k) => Float64Array.from({ length: n }, (_, i) => vectors[i * n + k]));
};

describe('how well eigenvectors are known', () => {
  const vectors = exactVectors(matrix, 500);

  test('the bound of the angle holds, for tolerances coarse and fine, and is no more than 50 times too wide', async () => {
    for (const [options, wide] of [[{ tolerance: 0.1 }, 50], [{ tolerance: 1e-3 }, 50], [{ tolerance: 1e-3, method: 'lobpcg' }, 50]] as const) {
      const { largest } = await topEigenpairs(operator, { largest: 6, ...options });
      largest.forEach((pair, i) => {
        const sine = sineTo(pair.vector, [vectors[499 - i]]);
        expect(sine).toBeLessThanOrEqual(pair.vectorError + 1e-12);
        expect(pair.vectorError).toBeLessThan(wide * sine + 1e-9);
      });
    }
  });

  test('both ends in one call', async () => {
    const { largest, smallest } = await topEigenpairs(operator, { largest: 2, smallest: 1, tolerance: 1e-4 });
    expect(sineTo(largest[1].vector, [vectors[498]])).toBeLessThanOrEqual(largest[1].vectorError + 1e-12);
    expect(sineTo(smallest[0].vector, [vectors[0]])).toBeLessThanOrEqual(smallest[0].vectorError + 1e-12);
  });

  test('copies of an eigenvalue have no vectors of their own: NaN, and the values are bounded all the same', async () => {
    const double = diagonalOperator(Float64Array.from({ length: 320 }, (_, i) => (i < 2 ? 7 : i === 2 ? 5 : i / 1000)));
    const { largest } = await topEigenpairs(double, { largest: 3, block: 2, tolerance: 1e-9 });
    expect(largest.map(({ vectorError }) => Number.isNaN(vectorError))).toEqual([true, true, false]);
    expect(largest[2].vectorError).toBeLessThan(1e-6);
    const dense = await topEigenpairs(diagonalOperator(Float64Array.of(2, 2, 1)), { largest: 3 });
    expect(dense.largest.map(({ vectorError }) => Number.isNaN(vectorError))).toEqual([true, true, false]);
  });

  test('one coordinate has one direction; a rank-one operator one vector', async () => {
    expect((await topEigenpairs(diagonalOperator(Float64Array.of(-2)))).largest[0].vectorError).toBe(0);
    const u = normal(key(3), 500, { dtype: 'float64' });
    const { largest: [pair], cost } = await topEigenpairs(lowRankOperator([u]), { largest: 1, tolerance: 1e-6 });
    expect(Math.abs(pair.value - dot(u, u))).toBeLessThan(1e-8);
    expect(sineTo(pair.vector, [u.map((x) => x / Math.sqrt(dot(u, u)))])).toBeLessThanOrEqual(pair.vectorError + 1e-12);
    expect(cost.products).toBeLessThan(10);
  });
});

describe('without checking products', () => {
  test('residuals of the search are those of a product, also after restarts and in float32', async () => {
    for (const [target, options] of [[operator, { tolerance: 1e-4 }], [operator, { tolerance: 1e-4, basis: 24 }], [inFloat32(operator), { tolerance: 1e-4, basis: 24 }]] as const) {
      const quick = await topEigenpairs(target, { largest: 10, verify: false, ...options });
      const images = await operator.multiply(quick.largest.map(({ vector }) => vector));
      quick.largest.forEach(({ value, vector, error }, i) => {
        expect(Math.sqrt(images[i].reduce((sum, x, j) => sum + (x - value * vector[j]) ** 2, 0))).toBeLessThanOrEqual(1.1 * error + 1e-12);
        expect(Math.abs(value - sorted.at(-1 - i)!)).toBeLessThanOrEqual(error + 1e-12);
      });
      const checked = await topEigenpairs(target, { largest: 10, ...options });
      expect(checked.cost.products - quick.cost.products).toBe(9);
    }
  });
});

describe('outliers are not duplicated', () => {
  // 595 in the bulk and 5 above 0.5: a Lanczos run of 100 steps without reorthogonalisation shows 46 Ritz values above 0.5.
  const five = rotated([...normal(split(key(1), 'bulk'), 595, { dtype: 'float64', deviation: 0.05 }), 1, 2, 3, 4, 5]).operator;

  test('five pairs above 0.5, by Lanczos with and without restarts and by LOBPCG', async () => {
    for (const options of [{ method: 'lanczos' }, { method: 'lanczos', basis: 24 }, { method: 'lobpcg' }] as const) {
      const { largest, stopped } = await topEigenpairs(five, { largest: 8, tolerance: 1e-3, maxProducts: 3000, ...options });
      expect(stopped).toBe('converged');
      expect(largest.filter(({ value }) => value > 0.5).map(({ value }) => Math.round(value * 1e4) / 1e4)).toEqual([5, 4, 3, 2, 1]);
    }
  });
});

describe('LOBPCG', () => {
  test('finds what Lanczos finds, at either end and both', async () => {
    const result = await topEigenpairs(operator, { method: 'lobpcg', largest: 4, smallest: 2, tolerance: 1e-5, maxProducts: 3000 });
    expect([result.method, result.stopped]).toEqual(['lobpcg', 'converged']);
    result.largest.forEach((pair, i) => expect(Math.abs(pair.value - sorted.at(-1 - i)!)).toBeLessThanOrEqual(pair.error + 1e-12));
    result.smallest.forEach((pair, i) => expect(Math.abs(pair.value - sorted[i])).toBeLessThanOrEqual(pair.error + 1e-12));
    const all = [...result.largest, ...result.smallest];
    all.forEach((a, i) => all.forEach((b, j) => expect(dot(a.vector, b.vector)).toBeCloseTo(i === j ? 1 : 0, 4)));
  });

  test('a preconditioner saves products at the small end of an ill-conditioned operator', async () => {
    const n = 400;
    const diagonal = Float64Array.from({ length: n }, (_, i) => 1 + i ** 2);
    const coupled = linearOperator({
      name: 'second differences and a diagonal', size: n, block: 4,
      apply: (vectors) => vectors.map((v) => v.map((x, i) => diagonal[i] * x - 0.4 * ((v[i - 1] ?? 0) + (v[i + 1] ?? 0)))),
    });
    const truth = symmetricEigen(await denseMatrix(coupled), n).values;
    const options = { method: 'lobpcg', largest: 0, smallest: 3, tolerance: 1e-8, maxProducts: 5000 } as const;
    const [plain, helped] = [await topEigenpairs(coupled, options), await topEigenpairs(coupled, { ...options, preconditioner: diagonalPreconditioner(diagonal) })];
    helped.smallest.forEach((pair, i) => expect(Math.abs(pair.value - truth[i])).toBeLessThanOrEqual(pair.error + 1e-10));
    expect(helped.stopped).toBe('converged');
    expect(helped.cost.products).toBeLessThan(0.2 * plain.cost.products);
  });

  test('same key, same bits; zero operator; float32; budget', async () => {
    const run = () => topEigenpairs(operator, { method: 'lobpcg', largest: 2, key: key(4) });
    expect((await run()).largest).toEqual((await run()).largest);
    const zero = await topEigenpairs(diagonalOperator(new Float64Array(350)), { method: 'lobpcg', largest: 3 });
    expect(zero.largest.map(({ value }) => value)).toEqual([0, 0, 0]);
    const single = await topEigenpairs(inFloat32(operator), { method: 'lobpcg', largest: 4, tolerance: 1e-4, maxProducts: 1000 });
    single.largest.forEach((pair, i) => expect(Math.abs(pair.value - sorted.at(-1 - i)!)).toBeLessThanOrEqual(pair.error));
    expect((await topEigenpairs(operator, { method: 'lobpcg', largest: 4, tolerance: 1e-9, maxProducts: 20 })).stopped).toBe('budget');
  });

  test('refuses magnitudes, and preconditioners of other methods', async () => {
    await expect(topEigenpairs(operator, { method: 'lobpcg', magnitude: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: topEigenpairs: method 'lobpcg' searches \`largest\` or \`smallest\`, got magnitude.
        Try: method 'lanczos']
    `);
    await expect(topEigenpairs(operator, { preconditioner: diagonalPreconditioner(new Float64Array(500).fill(1)) })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: topEigenpairs: preconditioner needs method 'lobpcg', got 'auto'.
        Try: for the eigenvalues of P^-1 H: preconditioned(operator, preconditioner)]
    `);
  });
});

describe('small operators', () => {
  test('are chosen dense by themselves, larger ones when many pairs are wanted', async () => {
    const methods = await Promise.all([[100, 50], [300, 1], [301, 1], [480, 80], [301, 300]].map(async ([size, largest]) =>
      (await topEigenpairs(diagonalOperator(Float64Array.from({ length: size }, (_, i) => 2 ** -i)), { largest, tolerance: 0.1, maxProducts: 600 })).method));
    expect(methods).toEqual(['dense', 'dense', 'lanczos', 'dense', 'dense']);
  });

  test('are decomposed exactly, at a product a coordinate', async () => {
    const values = bulkAndOutliers(60, [5, -4]);
    const { matrix: dense, operator: small } = rotated(values);
    const { values: expected } = symmetricEigen(dense, 60);
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
