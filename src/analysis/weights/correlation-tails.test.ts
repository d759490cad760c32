import { describe, expect, test } from 'vitest';
import { correlationTails } from './correlation-tails.ts';
import { fitPowerLaw } from './power-law.ts';
import { paretoQuantiles } from './golden-spectra.test-helper.ts';

describe('correlationTails', () => {
  test('of values by hand: the longest run from the top whose product stays at least 1', () => {
    // Mean 1. Products from the top: 4, 4, 4 * 1 * 0.5 = 2, 1, then 0.5.
    const values = [4, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
    const { volumeTail, volumeStart } = correlationTails(values, { fewest: 3 });
    expect([volumeTail, volumeStart]).toEqual([4, 0.5]);
  });

  test('the gap and the exponent do not depend on scale and order; alpha-hat does on scale', () => {
    const values = paretoQuantiles(200, 1.4);
    const plain = correlationTails(values);
    const scaled = correlationTails([...values].reverse().map((x) => 64 * x));
    expect(scaled.gap).toBeCloseTo(plain.gap, 10);
    expect(scaled.fit.alpha.value).toBeCloseTo(plain.fit.alpha.value, 10);
    expect([scaled.tail, scaled.volumeTail]).toEqual([plain.tail, plain.volumeTail]);
    expect(scaled.alphaHat - plain.alphaHat).toBeCloseTo(plain.fit.alpha.value * Math.log10(64), 8);
  });

  test('against the definition, eigenvalue by eigenvalue', () => {
    for (const gamma of [0.5, 1, 2, 5]) {
      const values = paretoQuantiles(150, gamma);
      const { volumeTail, volumeStart, gap, fit } = correlationTails(values);
      const mean = values.reduce((a, b) => a + b, 0) / 150;
      const product = (count: number): number => values.slice(150 - count).reduce((sum, x) => sum + Math.log(x / mean), 0);
      expect(product(volumeTail)).toBeGreaterThanOrEqual(0);
      expect(product(volumeTail + 1)).toBeLessThan(0);
      expect(volumeStart).toBe(values[150 - volumeTail]);
      expect(gap).toBeCloseTo(Math.log(fit.xmin / volumeStart), 12);
    }
  });

  test('a power law of few values is not taken, where the plain fit would take it', () => {
    // Five values of an exact power law above a hundred that follow none.
    const values = [...Array.from({ length: 100 }, (_, i) => 1 + i / 100), ...paretoQuantiles(5, 3).map((x) => 50 * x)];
    expect(fitPowerLaw(values)!.spikes).toBeLessThan(8);
    expect(correlationTails(values).tail).toBeGreaterThanOrEqual(8);
  });

  test('refuses too few eigenvalues, and equal ones', () => {
    expect(() => correlationTails([1, 2, 3, 4, 5, 6, 7, 8, 9])).toThrow(/at least 10 eigenvalues above 1e-5, got 9/);
    expect(() => correlationTails(new Array<number>(20).fill(2))).toThrow(/must differ/);
    expect(() => correlationTails([1, 2, 3], { fewest: 1 })).toThrow(/fewest/);
  });
});
