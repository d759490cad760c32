import { describe, expect, test } from 'vitest';
import { key, normal, split } from '../util/random/index.ts';
import { combinations, dot, norm, orthogonalise, projections } from './basis.ts';
import { RowBasis, type RowType } from './basis-rows.ts';
import { rowLoops } from './basis-wasm.ts';
import { randomUnit } from './estimator.ts';

// Longer than two tiles and no multiple of four; rows in groups of five with some left over.
const SIZE = 2 * 8192 + 4095;
const COUNT = 13;
const TYPES: readonly RowType[] = ['float32', 'float64'];
const random = (name: string | number): Float64Array => normal(split(key(4), name), SIZE, { dtype: 'float64' });
const rounded = (vector: Float64Array, type: RowType): Float64Array => (type === 'float32' ? Float64Array.from(Float32Array.from(vector)) : vector);
const factors = Float64Array.from({ length: COUNT }, (_, j) => j - 1.7);

describe.each(TYPES)('rows in %s', (type) => {
  const vectors = Array.from({ length: COUNT }, (_, j) => random(j));
  const stored = vectors.map((vector) => rounded(vector, type));
  const filled = (loops: typeof rowLoops | undefined): RowBasis => {
    const basis = new RowBasis(SIZE, COUNT + 1, type, loops);
    for (const vector of vectors) basis.push(vector);
    return basis;
  };
  // A default applies to undefined only: an implementation that finds nothing is what no WebAssembly looks like.
  const javascript = filled(() => undefined);

  test('projections and combinations are those of the vectors', () => {
    const basis = filled(rowLoops);
    const w = random('w');
    expect(basis.length).toBe(COUNT);
    expect(basis.row(7)).toEqual(stored[7]);
    const expected = projections(stored, w);
    basis.projections(w).forEach((x, j) => expect(x).toBeCloseTo(expected[j], 9));
    const [combination] = basis.combinations([factors]);
    const [reference] = combinations(stored, [factors]);
    expect(Math.max(...combination.map((x, i) => Math.abs(x - reference[i])))).toBeLessThan(1e-12);
    expect(combination).toHaveLength(SIZE);
  });

  test('WebAssembly and JavaScript give the same bits', () => {
    const basis = filled(rowLoops);
    // Node has WebAssembly: without this, the test would compare JavaScript with itself.
    expect(rowLoops(type === 'float32' ? 4 : 8, 8 * SIZE * COUNT)).toBeDefined();
    const w = random('w');
    expect(basis.projections(w)).toEqual(javascript.projections(w));
    expect(basis.combinations([factors, factors.subarray(0, 3)])).toEqual(javascript.combinations([factors, factors.subarray(0, 3)]));
    expect(basis.orthogonalise(w, 2)).toEqual(javascript.orthogonalise(w, 2));
    basis.pushRest(0.3);
    javascript.pushRest(0.3);
    expect(basis.row(COUNT)).toEqual(javascript.row(COUNT));
    javascript.truncate(COUNT);
  });

  test('a basis grown by Gram-Schmidt is orthonormal to its storage', () => {
    const basis = new RowBasis(SIZE, COUNT, type);
    for (const vector of vectors) {
      const { norm: left } = basis.orthogonalise(vector);
      basis.pushRest(1 / left);
    }
    const tolerance = type === 'float32' ? 1e-8 : 1e-14;
    for (let i = 0; i < COUNT; i++) basis.projections(basis.row(i)).forEach((x, j) => expect(Math.abs(x - (i === j ? 1 : 0))).toBeLessThan(tolerance));
    // What lies in the span but for a millionth is found with the coefficients it was made of.
    const [inside] = basis.combinations([factors]);
    const small = randomUnit(key(9), SIZE);
    const w = inside.map((x, i) => x + 1e-6 * small[i]);
    const { coefficients, norm: left } = basis.orthogonalise(w);
    const reference = orthogonalise(Array.from({ length: COUNT }, (_, i) => basis.row(i)), w.slice());
    coefficients.forEach((x, j) => expect(x).toBeCloseTo(reference.coefficients[j], 11));
    expect(left / reference.norm).toBeCloseTo(1, 6);
  });

  test('memory serves again: rows of an earlier and longer use leave nothing behind', () => {
    const basis = filled(rowLoops);
    basis.truncate(0);
    const w = random('w');
    const { coefficients, norm: left } = basis.orthogonalise(w, 2);
    expect(coefficients).toHaveLength(0);
    expect(left).toBeCloseTo(norm(w), 9);
    basis.pushRest(1 / left);
    expect(basis.projections(w)).toHaveLength(1);
    expect(basis.projections(w)[0]).toBeCloseTo(dot(rounded(w.map((x) => x / left), type), w), 8);
  });
});

test('a basis larger than an address space of 32 bits does without WebAssembly, and so does one of less than a page', () => {
  expect(rowLoops(8, 2 ** 33)).toBeUndefined();
  expect(rowLoops(8, 1000)).toBeUndefined();
});
