import { describe, expect, test } from 'vitest';
import { spectrumSplit } from './spectrum-split.ts';

describe('spectrumSplit', () => {
  test('counts by thresholds relative to the largest, which is no outlier of itself by rounding', () => {
    const split = spectrumSplit([0.05, 10, -0.2, 1, 1.001, 0, 0.09, -0.1]);
    // Above 1: 10 and 1.001. Below 0.1 in magnitude: 0.05, 0, 0.09.
    expect(split).toMatchObject({ outliers: 2, nearZero: 3 / 8, negativeRatio: 0.02 });
    expect(split.leadingShare(2)).toBeCloseTo(11.001 / 11.841, 12);
    expect(split.leadingShare(8)).toBe(1);
  });

  test('thresholds may be moved, and do not depend on the scale', () => {
    const values = [8, 4, 2, 1, 0.5];
    for (const scale of [1e-9, 1, 1e9]) {
      expect(spectrumSplit(values.map((x) => scale * x), { outlier: 0.2, zero: 0.3 })).toMatchObject({ outliers: 3, nearZero: 3 / 5, negativeRatio: 0 });
    }
  });

  test('the spectrum of k clusters with k - 1 directions each above a flat bulk', () => {
    const spectrum = [...Array.from({ length: 6 }, (_, i) => 5 - i / 2), ...new Array<number>(194).fill(1e-4)];
    const split = spectrumSplit(spectrum);
    expect([split.outliers, split.nearZero]).toEqual([6, 0.97]);
  });

  test('refuses what has no largest positive eigenvalue', () => {
    for (const values of [[], [0, 0], [-1, -2], [1, NaN], [Infinity, 1]]) expect(() => spectrumSplit(values)).toThrow(/eigenvalues must be finite/);
    expect(() => spectrumSplit([1, 2]).leadingShare(3)).toThrow(/count/);
    expect(() => spectrumSplit([1, 2], { outlier: 2 })).toThrow(/outlier/);
  });
});
