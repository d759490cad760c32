import { describe, expect, test } from 'vitest';
import { key, split } from '../util/random/index.ts';
import { gaussianOrthogonal } from './gaussian-orthogonal.ts';
import { symmetricEigenvalues } from './symmetric-eigenvalues.ts';

describe('gaussianOrthogonal', () => {
  const size = 150;
  const matrix = gaussianOrthogonal(key(4), size, { deviation: 3 });
  test('is symmetric, with the variance on the diagonal twice that off it', () => {
    let [on, off] = [0, 0];
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) {
      expect(matrix[i * size + j]).toBe(matrix[j * size + i]);
      if (i === j) on += matrix[i * size + j] ** 2 / size;
      else off += matrix[i * size + j] ** 2 / (size * (size - 1));
    }
    // Standard errors: 18 sqrt(2 / 150) = 2.1 and 9 sqrt(4 / 22350) = 0.12.
    expect(Math.abs(on - 18)).toBeLessThan(6);
    expect(Math.abs(off - 9)).toBeLessThan(0.4);
  });
  test('its spectrum is the semicircle: edges at 2 d sqrt(n), second and fourth moment', () => {
    const radius = 2 * 3 * Math.sqrt(size);
    const values = symmetricEigenvalues(matrix, size);
    expect(Math.abs(values.at(-1)! / radius - 1)).toBeLessThan(0.06);
    expect(Math.abs(values[0] / radius + 1)).toBeLessThan(0.06);
    const moment = (power: number): number => values.reduce((sum, value) => sum + (value / radius) ** power / size, 0);
    expect(Math.abs(moment(2) - 1 / 4)).toBeLessThan(0.02);
    expect(Math.abs(moment(4) - 1 / 8)).toBeLessThan(0.02);
  });
  test('is a function of the key, and checks its arguments', () => {
    expect(gaussianOrthogonal(key(4), size, { deviation: 3 })).toEqual(matrix);
    expect(gaussianOrthogonal(split(key(4), 'other'), size)[1]).not.toBe(matrix[1]);
    expect(() => gaussianOrthogonal(key(0), 0)).toThrow(/size/);
    expect(() => gaussianOrthogonal(key(0), 2, { deviation: -1 })).toThrow(/deviation/);
  });
});
