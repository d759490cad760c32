import { describe, expect, test } from 'vitest';
import { leastSecondDifference, lineOptimum, plateau, quadraticOptimum } from './quadratic-optimum.ts';

describe('lineOptimum', () => {
  test('finds the vertex of a parabola, also on an uneven line', () => {
    const settings = [-4, -3, -1, 0, 2];
    const { at, curvature, isAtEnd, loss } = lineOptimum(settings, settings.map((x) => 2 + 3 * (x + 0.7) ** 2));
    expect(at).toBeCloseTo(-0.7, 12);
    expect(curvature).toBeCloseTo(6, 12);
    expect(isAtEnd).toBe(false);
    expect(loss).toBeCloseTo(2 + 3 * 0.09, 12);
  });

  test('an optimum at the end, or beside a run that diverged, is the setting itself', () => {
    expect(lineOptimum([1, 2, 3], [3, 2, 1])).toEqual({ at: 3, loss: 1, curvature: NaN, isAtEnd: true });
    expect(lineOptimum([1, 2, 3], [3, 1, NaN])).toEqual({ at: 2, loss: 1, curvature: NaN, isAtEnd: false });
  });

  test('refuses what has no optimum', () => {
    expect(() => lineOptimum([1, 2], [NaN, Infinity])).toThrow(/some loss must be finite/);
    expect(() => lineOptimum([2, 1], [1, 2])).toThrow(/ascend/);
    expect(() => lineOptimum([1, 2], [1])).toThrow(/a loss for each setting/);
  });
});

const [x, y] = [[-3, -2, -1, 0, 1, 2], [4, 5, 6, 7]];
/** 1 + (quadratic form of a tilted bowl around (-0.4, 5.3)) / 2. */
const bowl = (a: number, b: number): number => 1 + (0.02 * (a + 0.4) ** 2 - 2 * 0.01 * (a + 0.4) * (b - 5.3) + 0.04 * (b - 5.3) ** 2) / 2;
const losses = x.map((a) => y.map((b) => bowl(a, b)));

describe('quadraticOptimum', () => {
  test('recovers a bowl: place, value, Hessian, eigenvalues', () => {
    const { at, value, hessian, eigenvalues, rSquared, isInside, cells } = quadraticOptimum(x, y, losses);
    expect(at[0]).toBeCloseTo(-0.4, 10);
    expect(at[1]).toBeCloseTo(5.3, 10);
    expect(value).toBeCloseTo(1, 12);
    hessian.flat().forEach((entry, i) => { expect(entry).toBeCloseTo([0.02, -0.01, -0.01, 0.04][i], 12); });
    expect(eigenvalues[0]).toBeCloseTo(0.03 - Math.sqrt(0.0002), 12);
    expect(eigenvalues[1]).toBeCloseTo(0.03 + Math.sqrt(0.0002), 12);
    expect(rSquared).toBeCloseTo(1, 12);
    expect(isInside).toBe(true);
    expect(cells).toBe(losses.flat().filter((loss) => loss <= 1.05 * Math.min(...losses.flat())).length);
  });

  test('a saddle has an eigenvalue below zero; an optimum beyond the grid is said to be there', () => {
    const saddle = quadraticOptimum(x, y, x.map((a) => y.map((b) => 1 + 0.001 * (a * a - (b - 5) ** 2))));
    expect(saddle.eigenvalues[0]).toBeCloseTo(-0.002, 10);
    expect(quadraticOptimum(x, y, x.map((a) => y.map((b) => 1 + 0.0001 * ((a - 9) ** 2 + b * b)))).isInside).toBe(false);
  });

  test('leaves out what diverged and what is high', () => {
    const spoilt = losses.map((row, i) => row.map((loss, j) => (i === 0 ? NaN : j === 3 && i === 5 ? 100 : loss)));
    expect(quadraticOptimum(x, y, spoilt).at[0]).toBeCloseTo(-0.4, 10);
    expect(() => quadraticOptimum(x, y, losses, { within: 1.0001 })).toThrow(/at least 6 cells/);
    expect(() => quadraticOptimum(x, y, losses.slice(1))).toThrow(/6 rows of 4/);
  });
});

test('plateau: cells near the lowest, and what they span', () => {
  const flat = [[1.3, 1.005, 1.2], [1.009, 1, 1.02], [1.5, 1.01, 1.4], [2, 2, 2]];
  expect(plateau([1, 2, 3, 4], [10, 20, 30], flat)).toEqual({ share: 4 / 12, x: [1, 3], y: [10, 20] });
});

test('least second difference: of a parabola its curvature, of a saturating curve negative far out and positive near the bottom', () => {
  expect(leastSecondDifference([0, 1, 4, 9, 16])).toBe(2);
  expect(leastSecondDifference([0, 1, 4, 9, 16, 25], { spacing: 2 })).toBe(8);
  const saturating = [2.3, 2.2, 1.8, 1.2, 1, 1.1, Infinity];
  expect(leastSecondDifference(saturating)).toBeCloseTo(-0.3, 12);
  expect(leastSecondDifference(saturating, { within: 1.5 })).toBeCloseTo(0.3, 12);
  expect(leastSecondDifference([3, 1, 3], { within: 1.1 })).toBe(Infinity);
  expect(() => leastSecondDifference([1], { within: 0.5 })).toThrow(/within/);
});
