import { describe, expect, test } from 'vitest';
import { key, normal, split } from '../util/random/index.ts';
import { addCombination, combinations, dot, norm, orthogonalise, projections, scaleBy } from './basis.ts';
import { randomUnit } from './estimator.ts';

const SIZE = 5000;
const random = (name: string | number): Float64Array => normal(split(key(4), name), SIZE, { dtype: 'float64' });

describe('loops over sets of vectors', () => {
  // Four at a time, and what is left over; longer than a tile.
  test.each([1, 3, 4, 6, 9])('%d vectors: projections and combinations as one by one', (count) => {
    const basis = Array.from({ length: count }, (_, i) => random(i));
    const w = random('w');
    const expected = basis.map((v) => v.reduce((sum, x, i) => sum + x * w[i], 0));
    projections(basis, w).forEach((x, j) => expect(x).toBeCloseTo(expected[j], 9));
    const factors = Float64Array.from({ length: count }, (_, j) => j - 1.5);
    const sum = w.slice();
    addCombination(sum, factors, basis);
    const [combination] = combinations(basis, [factors]);
    for (const i of [0, 2047, 2048, 4095, 4096, SIZE - 1]) {
      const part = basis.reduce((total, v, j) => total + factors[j] * v[i], 0);
      expect(combination[i]).toBeCloseTo(part, 12);
      expect(sum[i]).toBeCloseTo(w[i] + part, 12);
    }
  });

  test('a vector that nearly lies in the span comes out orthogonal to working precision', () => {
    const basis: Float64Array[] = [];
    for (let i = 0; i < 20; i++) {
      const v = random(i);
      scaleBy(v, 1 / orthogonalise(basis, v).norm);
      basis.push(v);
    }
    const factors = Float64Array.from({ length: 20 }, (_, j) => j + 1);
    const [w] = combinations(basis, [factors]);
    const small = randomUnit(key(9), SIZE);
    for (let i = 0; i < SIZE; i++) w[i] += 1e-9 * small[i];
    const { coefficients, norm: left } = orthogonalise(basis, w);
    expect(left).toBeCloseTo(norm(w), 20);
    expect(left / 1e-9).toBeCloseTo(1, 1);
    coefficients.forEach((x, j) => expect(x).toBeCloseTo(factors[j], 8));
    basis.forEach((v) => expect(Math.abs(dot(v, w)) / left).toBeLessThan(1e-13));
  });
});
