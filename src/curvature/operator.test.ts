import { describe, expect, test } from 'vitest';
import { denseMatrix, diagonalOperator, linearOperator, matrixMap, matrixOperator } from './operator.ts';

describe('linear operators', () => {
  test('a matrix multiplies blocks of vectors and counts them', async () => {
    const operator = matrixOperator(Float64Array.of(4, 1, 1, 3), 2);
    const [a, b, c] = await operator.multiply([Float64Array.of(1, 0), Float64Array.of(0, 1), Float64Array.of(1, -2)]);
    expect([[...a], [...b], [...c]]).toEqual([[4, 1], [1, 3], [2, -5]]);
    expect(operator.products).toBe(3);
    expect(operator.symmetric).toBe(true);
    expect(matrixOperator(Float64Array.of(1, 2, 3, 4), 2).symmetric).toBe(false);
  });

  test('longer blocks are cut, and the rest goes one by one', async () => {
    const sizes: number[] = [];
    const operator = linearOperator({ name: 'identity', size: 1, block: 4, apply: (vectors) => { sizes.push(vectors.length); return vectors.map((v) => v.slice()); } });
    const vectors = Array.from({ length: 10 }, (_, i) => Float64Array.of(i));
    expect(await operator.multiply(vectors)).toEqual(vectors);
    expect(sizes).toEqual([4, 4, 1, 1]);
  });

  test('dense by unit vectors', async () => {
    expect([...(await denseMatrix(diagonalOperator(Float64Array.of(1, 2, 3))))]).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3]);
    const matrix = Float64Array.from({ length: 49 }, (_, i) => i);
    expect(await denseMatrix(matrixOperator(matrix, 7))).toEqual(matrix);
  });

  test('maps and their transposes, rectangular and square, counted together', async () => {
    const map = matrixMap(Float64Array.of(1, 2, 3, 4, 5, 6), 2, 3);
    expect([...(await map.multiply([Float64Array.of(1, 0, -1)]))[0]]).toEqual([-2, -2]);
    expect([...(await map.multiplyTransposed([Float64Array.of(1, -1)]))[0]]).toEqual([-3, -3, -3]);
    expect([map.products, map.rows, map.columns]).toEqual([2, 2, 3]);
    expect(await denseMatrix(map)).toEqual(Float64Array.of(1, 2, 3, 4, 5, 6));
    const symmetric = diagonalOperator(Float64Array.of(2, 3));
    expect([symmetric.rows, symmetric.columns, symmetric.size]).toEqual([2, 2, 2]);
    expect([...(await symmetric.multiplyTransposed([Float64Array.of(1, 1)]))[0]]).toEqual([2, 3]);
    expect([...(await matrixOperator(Float64Array.of(1, 2, 3, 4), 2).multiplyTransposed([Float64Array.of(1, 0)]))[0]]).toEqual([1, 2]);
    const forward = linearOperator({ name: 'shift', size: 2, symmetric: false, apply: (vectors) => vectors.map(([a]) => Float64Array.of(0, a)) });
    await expect(forward.multiplyTransposed([Float64Array.of(1, 0)])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: shift: a product of the transpose is needed, got a map made without \`applyTransposed\`.
        Try: give \`applyTransposed\`, or \`symmetric: true\` where the map is its own transpose]
    `);
    await expect(map.multiplyTransposed([new Float64Array(3)])).rejects.toThrow('vector 0 must have 2 entries');
  });

  test('refuses vectors of another length and products that are not finite', async () => {
    await expect(diagonalOperator(Float64Array.of(1, 2)).multiply([new Float64Array(3)])).rejects.toThrowErrorMatchingInlineSnapshot(`[ShapeError: diagonal: vector 0 must have 2 entries, got 3.]`);
    await expect(diagonalOperator(Float64Array.of(1, NaN)).multiply([Float64Array.of(1, 1)])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [NonFiniteError: diagonal: products must be finite, got NaN at coordinate 1 of product 0.
        Try: check that the loss is finite at these parameters, and that vectors are]
    `);
  });
});
