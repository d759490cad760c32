import { describe, expect, test } from 'vitest';
import { gaussianOrthogonal, symmetricEigenvalues } from '../linalg/index.ts';
import { key, split } from '../util/random/index.ts';
import { effectiveBatchSize, spikedEigenvalue } from './spiked-curvature.ts';

describe('effectiveBatchSize', () => {
  test('B / (1 - B / N): twice the half, the whole without noise, B of an infinite set', () => {
    expect(effectiveBatchSize(50, 100)).toBe(100);
    expect(effectiveBatchSize(100, 100)).toBe(Infinity);
    expect(effectiveBatchSize(50)).toBe(50);
    expect(() => effectiveBatchSize(0)).toThrow(/batch/);
    expect(() => effectiveBatchSize(101, 100)).toThrow(/population/);
  });
  test('the variance of a mean drawn without replacement, counted over all batches', () => {
    // Means of 2 of {0, 1, 2, 3, 4, 5}: their variance over the 15 pairs, against the set's own (n - 1 in the divisor) over b.
    const values = [0, 1, 2, 3, 4, 5];
    const means = values.flatMap((a, i) => values.slice(i + 1).map((b) => (a + b) / 2));
    const variance = (list: readonly number[], divisor: number): number => list.reduce((sum, x) => sum + (x - 2.5) ** 2 / divisor, 0);
    expect(variance(means, means.length)).toBeCloseTo(variance(values, values.length - 1) / effectiveBatchSize(2, 6), 12);
  });
});

describe('spikedEigenvalue', () => {
  test('is continuous where the spike leaves the bulk, and grows as 1 / b beyond it', () => {
    const at = (batch: number) => spikedEigenvalue({ spike: 3, size: 900, deviation: 2, batch });
    expect(at(400.001)).toMatchObject({ isOutlier: true });
    expect(at(400)).toEqual({ value: 6, isOutlier: false });
    expect(at(400.001).value).toBeCloseTo(6, 4);
    expect(at(3600).value).toBeCloseTo(3 + 900 * 4 / 3600 / 3, 12);
    expect((at(1000).value - 3) / (at(2000).value - 3)).toBeCloseTo(2, 12);
  });
  test('is what random matrices give on both sides', () => {
    const size = 150;
    const spike = 3;
    for (const batch of [6, 50]) {
      const tops = Array.from({ length: 4 }, (_, draw) => {
        const matrix = gaussianOrthogonal(split(key(2), batch, draw), size).map((x) => x / Math.sqrt(batch));
        matrix[0] += spike;
        return symmetricEigenvalues(matrix, size).at(-1)!;
      });
      const { value } = spikedEigenvalue({ spike, size, batch });
      expect(Math.abs(tops.reduce((sum, x) => sum + x / 4, 0) / value - 1), `batch ${batch}`).toBeLessThan(0.06);
    }
  });
  test('refuses numbers out of range', () => {
    expect(() => spikedEigenvalue({ spike: 0, size: 10, batch: 1 })).toThrow(/spike/);
    expect(() => spikedEigenvalue({ spike: 1, size: 10, batch: 1, deviation: -1 })).toThrow(/deviation/);
  });
});
