import { describe, expect, test } from 'vitest';
import { beta } from './beta.ts';
import { key, split } from './key.ts';

describe('beta', () => {
  test.each([[0.2, 0.2], [1, 1], [2, 5], [0.5, 3]])('has the moments of Beta(%d, %d)', (a, b) => {
    const n = 20_000;
    const draws = Array.from({ length: n }, (_, i) => beta(split(key(7), i), a, b));
    const mean = draws.reduce((sum, x) => sum + x, 0) / n;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
    const exact = (a * b) / ((a + b) ** 2 * (a + b + 1));
    // Four standard errors; the fourth moment is at most that of a two-point distribution.
    expect(Math.abs(mean - a / (a + b))).toBeLessThan(4 * Math.sqrt(exact / n));
    expect(Math.abs(variance - exact)).toBeLessThan(4 * Math.sqrt(exact / n) / 2);
    expect(draws.every((x) => x >= 0 && x <= 1)).toBe(true);
  });

  test('is uniform at a = b = 1: its distribution function', () => {
    const n = 10_000;
    const sorted = Array.from({ length: n }, (_, i) => beta(split(key(8), i), 1, 1)).sort((x, y) => x - y);
    const distance = Math.max(...sorted.map((x, i) => Math.abs(x - (i + 0.5) / n)));
    // Kolmogorov's distance exceeds 1.95 / sqrt(n) once in a thousand seeds.
    expect(distance).toBeLessThan(1.95 / Math.sqrt(n));
  });

  test('is a function of the key, finite at tiny parameters, and refuses what has no distribution', () => {
    expect(beta(key(1), 0.4, 0.4)).toBe(beta(key(1), 0.4, 0.4));
    expect(Array.from({ length: 50 }, (_, i) => beta(key(i), 1e-4, 1e-4)).every((x) => x >= 0 && x <= 1)).toBe(true);
    expect(() => beta(key(0), 0, 1)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: beta: a must be a finite number of at least 5e-324, got 0.]`);
  });
});
