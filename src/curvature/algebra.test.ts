import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { referenceExecutor } from '../runtime/reference.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import { symmetricEigen } from '../linalg/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { gram, identityOperator, isOperator, productOf, scaled, shifted, sumOf, symmetricPart, transposed } from './algebra.ts';
import { blockDiagonal, lowRankOperator, orthonormal, outerProduct, projectedOff, submatrix } from './algebra-parts.ts';
import { dot } from './basis.ts';
import { hessian } from './hessian.ts';
import { inFloat32, rotated } from './known-spectrum.test-helper.ts';
import { denseMatrix, diagonalOperator, linearMap, matrixMap, matrixOperator, type LinearMap, type LinearOperator } from './operator.ts';

const draw = (name: string, count: number): Float64Array => normal(split(key(5), name), count, { dtype: 'float64' });
const randomMap = (name: string, rows: number, columns: number): LinearMap => matrixMap(draw(name, rows * columns), rows, columns, name);
const randomOperator = (name: string, size: number): LinearOperator => matrixOperator(draw(name, size * size), size, name);

const times = (a: Float64Array, b: Float64Array, rows: number, inner: number, columns: number): Float64Array => Float64Array.from({ length: rows * columns }, (_, at) => {
  let sum = 0;
  for (let k = 0; k < inner; k++) sum += a[Math.floor(at / columns) * inner + k] * b[k * columns + (at % columns)];
  return sum;
});
const flip = (a: Float64Array, rows: number, columns: number): Float64Array => Float64Array.from({ length: rows * columns }, (_, at) => a[(at % rows) * columns + Math.floor(at / rows)]);
const expectClose = (actual: Float64Array, expected: Float64Array): void => {
  expect(actual.length).toBe(expected.length);
  expect(Math.max(...actual.map((x, i) => Math.abs(x - expected[i])))).toBeLessThan(1e-12);
};

/** <u, A v> = <A'u, v> and symmetry where it is claimed. */
async function expectConsistent(map: LinearMap): Promise<void> {
  const v = [draw('v', map.columns), draw('v2', map.columns), draw('v3', map.columns)];
  const u = [draw('u', map.rows), draw('u2', map.rows), draw('u3', map.rows)];
  const [forward, back] = [await map.multiply(v), await map.multiplyTransposed(u)];
  forward.forEach((image, i) => expect(dot(u[i], image)).toBeCloseTo(dot(back[i], v[i]), 10));
  if (isOperator(map) && map.symmetric) {
    const dense = await denseMatrix(map);
    expectClose(dense, flip(dense, map.rows, map.columns));
  }
}

describe('combinations of maps against their dense matrices', () => {
  const a = randomMap('a', 4, 6);
  const b = randomMap('b', 4, 6);
  const square = randomOperator('square', 5);
  const symmetric = rotated([1, -2, 3, 0.5, 4]).operator;

  test('sum, multiple, shift', async () => {
    const [da, db, ds] = [await denseMatrix(a), await denseMatrix(b), await denseMatrix(square)];
    expectClose(await denseMatrix(sumOf([a, b, a])), da.map((x, i) => 2 * x + db[i]));
    expectClose(await denseMatrix(scaled(a, -2)), da.map((x) => -2 * x));
    expectClose(await denseMatrix(shifted(square, 3)), ds.map((x, i) => x + (i % 6 === 0 ? 3 : 0)));
    for (const map of [sumOf([a, b]), scaled(a, 2), shifted(square, 2), sumOf([symmetric, shifted(symmetric, 1)])]) await expectConsistent(map);
    expect(sumOf([symmetric, symmetric]).symmetric).toBe(true);
    expect(sumOf([symmetric, square]).symmetric).toBe(false);
  });

  test('product, transpose, gram, symmetric part', async () => {
    const [da, db, ds] = [await denseMatrix(a), await denseMatrix(b), await denseMatrix(square)];
    expectClose(await denseMatrix(productOf([a, transposed(b)])), times(da, flip(db, 4, 6), 4, 6, 4));
    expectClose(await denseMatrix(transposed(a)), flip(da, 4, 6));
    expectClose(await denseMatrix(transposed(transposed(a))), da);
    expectClose(await denseMatrix(gram(a)), times(flip(da, 4, 6), da, 6, 4, 6));
    expectClose(await denseMatrix(symmetricPart(square)), ds.map((x, i) => (x + flip(ds, 5, 5)[i]) / 2));
    expect(transposed(symmetric)).toBe(symmetric);
    expect(productOf([symmetric, square]).symmetric).toBe(false);
    expect(productOf([symmetric, shifted(symmetric, 1), symmetric]).symmetric).toBe(true);
    expect(productOf([transposed(a), a], { symmetric: true }).size).toBe(6);
    for (const map of [productOf([a, transposed(b), a]), transposed(a), gram(a), gram(transposed(a)), symmetricPart(square), productOf([square, symmetric]), productOf([symmetric, symmetric])]) await expectConsistent(map);
  });

  test('submatrix by ranges, block diagonal, low rank, outer product, projection', async () => {
    const ds = await denseMatrix(symmetric);
    const entries = (rows: number[], columns: number[]): Float64Array => Float64Array.from(rows.flatMap((i) => columns.map((j) => ds[i * 5 + j])));
    expectClose(await denseMatrix(submatrix(symmetric, [{ start: 3, end: 5 }, { start: 0, end: 1 }])), entries([3, 4, 0], [3, 4, 0]));
    expectClose(await denseMatrix(submatrix(symmetric, { rows: { start: 1, end: 2 }, columns: { start: 2, end: 5 } })), entries([1], [2, 3, 4]));
    const whole = blockDiagonal([symmetric, identityOperator(2), square]);
    expect([whole.size, whole.symmetric]).toEqual([12, false]);
    const dense = await denseMatrix(whole);
    expectClose(await denseMatrix(submatrix(whole, { start: 0, end: 5 })), ds);
    expectClose(await denseMatrix(submatrix(whole, { start: 7, end: 12 })), await denseMatrix(square));
    expect(dense.filter((x) => x !== 0)).toHaveLength(52);
    const vectors = [draw('p', 5), draw('q', 5)];
    const weights = Float64Array.of(2, -3);
    const low = await denseMatrix(lowRankOperator(vectors, weights));
    expectClose(low, Float64Array.from({ length: 25 }, (_, at) => vectors.reduce((sum, u, k) => sum + weights[k] * u[Math.floor(at / 5)] * u[at % 5], 0)));
    const outer = outerProduct([draw('l', 3)], [draw('r', 4)]);
    expectClose(await denseMatrix(outer), Float64Array.from({ length: 12 }, (_, at) => draw('l', 3)[Math.floor(at / 4)] * draw('r', 4)[at % 4]));
    for (const map of [submatrix(square, { start: 1, end: 4 }), whole, outer, lowRankOperator(vectors), projectedOff(square, vectors)]) await expectConsistent(map);
    const off = projectedOff(symmetric, [...vectors, vectors[0]]);
    for (const image of await off.multiply(vectors)) expect(Math.max(...image.map(Math.abs))).toBeLessThan(1e-12);
  });

  test('off its eigenvectors an operator keeps the other eigenvalues', async () => {
    const { values, vectors } = symmetricEigen(await denseMatrix(symmetric), 5);
    const column = (k: number): Float64Array => Float64Array.from({ length: 5 }, (_, i) => vectors[i * 5 + k]);
    const left = symmetricEigen(await denseMatrix(projectedOff(symmetric, [column(4), column(0)])), 5).values;
    [0, 0, values[1], values[2], values[3]].sort((x, y) => x - y).forEach((x, i) => expect(left[i]).toBeCloseTo(x, 10));
  });

  test('the algebra is linear: (A + B)(s v) = s A v + s B v', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: -8, max: 8 }), async (rows, columns, factor) => {
      const [one, two] = [randomMap('one', rows, columns), randomMap('two', rows, columns)];
      const v = draw('fc', columns);
      const [[left], [first], [second]] = [await scaled(sumOf([one, two]), factor).multiply([v]), await one.multiply([v]), await two.multiply([v])];
      expectClose(left, first.map((x, i) => factor * (x + second[i])));
    }), { numRuns: 30 });
  });
});

describe('what combinations carry along', () => {
  test('precision, blocks and products: one call of the part for a block', async () => {
    const sizes: number[] = [];
    const part = linearMap({ name: 'part', rows: 2, columns: 2, block: 4, apply: (vectors) => { sizes.push(vectors.length); return vectors.map((v) => v.slice()); } });
    const both = sumOf([part, matrixMap(Float64Array.of(1, 0, 0, 1), 2, 2)]);
    await both.multiply(Array.from({ length: 8 }, () => Float64Array.of(1, 2)));
    expect(sizes).toEqual([4, 4]);
    expect([both.products, part.products]).toEqual([8, 8]);
    const single = inFloat32(rotated([1, 2]).operator);
    for (const map of [sumOf([single, identityOperator(2)]), productOf([identityOperator(2), single]), scaled(single, 2), shifted(single, 1), gram(single), blockDiagonal([identityOperator(3), single]), submatrix(single, { start: 0, end: 1 }), projectedOff(single, [])]) expect(map.precision).toBe('float32');
    expect(sumOf([identityOperator(2), identityOperator(2)]).precision).toBe('float64');
  });

  test('parameters by name: the submatrix of a Hessian is the Hessian of those parameters', async () => {
    const problem = tinyClassification(7);
    const point = problem.model.init(key(0));
    const whole = hessian(problem, point, { executor: referenceExecutor });
    const names = whole.space!.names;
    for (const filter of [names[0], [names.at(-1)!, names[1]], (name: string) => name.endsWith('weight')]) {
      const direct = hessian(problem, point, { executor: referenceExecutor, parameters: filter });
      const part = submatrix(whole, filter);
      expect(part.space!.names).toEqual(direct.space!.names);
      expectClose(await denseMatrix(part), await denseMatrix(direct));
    }
    expect(shifted(whole, 1).space).toBe(whole.space);
    const cross = submatrix(whole, { rows: names[0], columns: names[1] });
    expect([cross.rows, cross.columns]).toEqual([whole.space!.ranges[0].size, whole.space!.ranges[1].size]);
    await expectConsistent(cross);
    const groups = whole.space!.groups('layer');
    expect(blockDiagonal(groups.map((group) => submatrix(whole, group)), { space: whole.space! }).space).toBe(whole.space);
  });

  test('refuses what does not fit', async () => {
    expect(() => sumOf([identityOperator(2), identityOperator(3)])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: sumOf: all parts must be 2 x 2, got 'identity' of 3 x 3.]`);
    expect(() => productOf([randomMap('a', 2, 3), randomMap('b', 2, 3)])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: productOf: 'b' must have as many rows as 'a' has columns, 3, got 2.]`);
    expect(() => submatrix(identityOperator(3), 'layers.0')).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: submatrix: choosing by name needs an operator over named parameters, got 'identity' without names.
        Try: choose ranges { start, end }]
    `);
    expect(() => submatrix(identityOperator(3), { start: 2, end: 4 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: submatrix: end must be an integer from 3 to 3, got 4.]`);
    expect(() => lowRankOperator([])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: lowRankOperator: vectors must hold at least one vector, got none.]`);
    expect(() => diagonalOperator(new Float64Array())).toThrow('size must be an integer of at least 1');
    const forwardOnly = linearMap({ name: 'forward', rows: 1, columns: 2, apply: (vectors) => vectors.map(() => Float64Array.of(0)) });
    await expect(transposed(forwardOnly).multiply([Float64Array.of(1)])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: forward: a product of the transpose is needed, got a map made without \`applyTransposed\`.
        Try: give \`applyTransposed\`, or \`symmetric: true\` where the map is its own transpose]
    `);
  });

  test('orthonormal drops dependent vectors and zeros', () => {
    const basis = orthonormal([Float64Array.of(3, 0, 0), Float64Array.of(1, 0, 0), new Float64Array(3), Float64Array.of(1, 2, 0)]);
    expect(basis.map((v) => [...v])).toEqual([[1, 0, 0], [0, 1, 0]]);
  });
});
