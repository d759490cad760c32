import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { key, normal, split } from '../../util/random/index.ts';
import { bestAssignment } from './assignment.ts';

const total = (gains: ArrayLike<number>, n: number, units: ArrayLike<number>): number => Array.from(units).reduce((sum, j, i) => sum + gains[i * n + j], 0);

/** The largest total over all n! permutations. */
function bruteForce(gains: ArrayLike<number>, n: number, row = 0, used = new Set<number>()): number {
  if (row === n) return 0;
  let best = -Infinity;
  for (let j = 0; j < n; j++) if (!used.has(j)) best = Math.max(best, gains[row * n + j] + bruteForce(gains, n, row + 1, new Set([...used, j])));
  return best;
}

describe('bestAssignment', () => {
  test('is the best of all permutations, with ties and negative gains too', () => {
    const matrices = fc.integer({ min: 1, max: 6 }).chain((n) => fc.tuple(fc.constant(n), fc.array(fc.integer({ min: -4, max: 4 }), { minLength: n * n, maxLength: n * n })));
    fc.assert(fc.property(matrices, ([n, gains]) => {
      const units = bestAssignment(Float64Array.from(gains), n);
      expect(new Set(units).size).toBe(n);
      expect(total(gains, n, units)).toBe(bruteForce(gains, n));
    }), { numRuns: 300, seed: 1 });
  });

  test('is optimal for 512 units, where potentials prove the optimum', () => {
    const n = 512;
    const [u, v, slack] = ['u', 'v', 'slack'].map((name) => normal(split(key(2), name), name === 'slack' ? n * n : n, { dtype: 'float64' }));
    const planted = Int32Array.from({ length: n }, (_, i) => (i * 129 + 7) % n);
    // gains[i, j] <= u_i + v_j with equality on the planted permutation alone: nothing can exceed the sum of all potentials.
    const gains = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return u[i] + v[j] - (planted[i] === j ? 0 : Math.abs(slack[at]) + 1e-6);
    });
    expect([...bestAssignment(gains, n)]).toEqual([...planted]);
    // And without a margin: the optimum of a plain random matrix is no worse than any exchange of two.
    const plain = normal(key(3), [n, n], { dtype: 'float64' });
    const units = bestAssignment(plain, n);
    let violations = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) violations += Number(plain[i * n + units[i]] + plain[j * n + units[j]] < plain[i * n + units[j]] + plain[j * n + units[i]] - 1e-12);
    expect(violations).toBe(0);
  });

  test('refuses gains that are not finite', () => {
    expect(() => bestAssignment(Float64Array.of(1, 2, NaN, 4), 2)).toThrow(/gains must be finite, got NaN for row 1 and column 0/);
  });
});
