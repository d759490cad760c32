import { describe, expect, test } from 'vitest';
import { key } from '../util/random/index.ts';
import { inertia } from './inertia.ts';
import { bulkAndOutliers, inFloat32, rotated } from './known-spectrum.test-helper.ts';
import { diagonalOperator } from './operator.ts';

const exact = (n: number) => ({ atLeast: n, atMost: n });

describe('inertia', () => {
  test('of a small operator: exact numbers that add up', async () => {
    const { operator } = rotated([...Array.from({ length: 7 }, () => -1), 0, 0, 0, 1e-9, ...Array.from({ length: 9 }, (_, i) => i + 1)]);
    const result = await inertia(operator);
    expect(result).toMatchObject({ method: 'dense', size: 20, negative: exact(7), nearZero: exact(4), positive: exact(9) });
    expect(result.zero).toBeCloseTo(9e-6, 12);
    expect(await inertia(operator, { zero: 1.5 })).toMatchObject({ negative: exact(0), nearZero: exact(12), positive: exact(8) });
  });

  test('what lies within the margin of the threshold widens the range', async () => {
    const result = await inertia(inFloat32(rotated([-3, -1, 0, 1, 5]).operator), { zero: 0 });
    expect(result.margin).toBeGreaterThan(1e-8);
    expect(result).toMatchObject({ negative: { atLeast: 2, atMost: 3 }, nearZero: { atLeast: 0, atMost: 1 }, positive: { atLeast: 2, atMost: 3 } });
  });

  test('of a large one: proven lower bounds by Ritz values, which grow with the products', async () => {
    const values = bulkAndOutliers(600, [-4, -3, 5, 8, 9]);
    const { operator } = rotated(values);
    const truth = values.filter((x) => x < 0).length;
    let before = 0;
    for (const products of [5, 40, 150]) {
      const { negative, positive, nearZero, method, cost } = await inertia(operator, { denseUpTo: 0, products });
      expect(method).toBe('lanczos');
      expect(cost.products).toBe(products + 2);
      expect(negative.atLeast).toBeLessThanOrEqual(truth);
      expect(negative.atMost).toBeGreaterThanOrEqual(truth);
      expect(positive.atLeast).toBeLessThanOrEqual(600 - truth);
      expect(negative.atLeast).toBeGreaterThan(before);
      expect(negative.atMost).toBe(600 - positive.atLeast);
      expect(nearZero).toEqual({ atLeast: 0, atMost: 600 - negative.atLeast - positive.atLeast });
      before = negative.atLeast;
    }
    expect(before).toBeGreaterThan(60);
  });

  test('zero operator, one coordinate, rank one, all of a space by Lanczos', async () => {
    expect(await inertia(diagonalOperator(new Float64Array(4)))).toMatchObject({ negative: exact(0), nearZero: exact(4), positive: exact(0), margin: 0 });
    expect(await inertia(diagonalOperator(Float64Array.of(-1)))).toMatchObject({ negative: exact(1), nearZero: exact(0), positive: exact(0) });
    const rankOne = diagonalOperator(Float64Array.from({ length: 30 }, (_, i) => (i === 4 ? -2 : 0)));
    expect(await inertia(rankOne)).toMatchObject({ negative: exact(1), nearZero: exact(29), positive: exact(0) });
    expect(await inertia(rankOne, { denseUpTo: 0, products: 30 })).toMatchObject({ method: 'lanczos', negative: exact(1), nearZero: exact(29) });
  });

  test('same key, same bits; stops when asked', async () => {
    const { operator } = rotated(bulkAndOutliers(120, [3]));
    const run = () => inertia(operator, { denseUpTo: 0, products: 20, key: key(1) });
    const [{ cost: _a, ...first }, { cost: _b, ...second }] = [await run(), await run()];
    expect(first).toEqual(second);
    const controller = new AbortController();
    const result = await inertia(operator, { denseUpTo: 0, products: 50, signal: controller.signal, onProgress: ({ done }) => { if (done === 5) controller.abort(); } });
    expect(result.stopped).toBe('aborted');
    expect(result.cost.products).toBe(7);
  });
});
