import { describe, expect, test } from 'vitest';
import { key } from '../util/random/index.ts';
import { bulkAndOutliers, rotated } from './known-spectrum.test-helper.ts';
import { logDeterminant } from './log-determinant.ts';
import { diagonalOperator } from './operator.ts';
import { exponential, logarithm, power, shrinkage, smoothedStep, type SpectralFunction } from './spectral-function.ts';
import { eigenvalueCount, spectralTrace } from './spectral-function-trace.ts';
import { lanczosQuadratures } from './spectral-quadrature.ts';

const sumOf = (values: readonly number[], f: (x: number) => number): number => values.reduce((sum, x) => sum + f(x), 0);
const positive = Array.from({ length: 40 }, (_, i) => 0.02 + 3 * (i / 39) ** 3);
const mixed = bulkAndOutliers(40, [2, 1, -1.5]);

describe('traces of functions', () => {
  const functions: readonly [SpectralFunction, readonly number[]][] = [
    [logarithm(), positive], [logarithm(2), mixed], [exponential(), mixed], [exponential(-3), mixed], [power(-1), positive], [power(0.5), positive], [power(3), mixed],
    [power(-0.5, 2), mixed], [shrinkage(0.1), positive], [smoothedStep(0.05), mixed], [smoothedStep(0.3, 1), positive],
  ];

  test.each(functions.map(([f, values], i) => [`${i} ${f.name}`, f, values] as const))('%s: exact of a diagonal matrix, covered otherwise', async (_, f, values) => {
    // Signs give the trace of a diagonal matrix without variance: all that is left is quadrature, exact with all steps.
    const diagonal = await spectralTrace(diagonalOperator(Float64Array.from(values)), f, { steps: 40, probes: 2 });
    expect(diagonal.value).toBeCloseTo(sumOf(values, f.value), 7);
    expect(diagonal.quadrature).toEqual({ error: 0, kind: 'bound', method: 'exact' });
    expect(diagonal.error).toBeLessThan(1e-7);
    const estimate = await spectralTrace(rotated(values).operator, f, { steps: 40, probes: 20 });
    expect(Math.abs(estimate.value - sumOf(values, f.value))).toBeLessThan(4 * estimate.error);
    expect(estimate.error).toBeGreaterThan(0);
  });

  test.each(functions.map(([f, values], i) => [`${i} ${f.name}`, f, values] as const))('%s: the bound of quadrature holds at any number of steps, and falls', async (_, f, values) => {
    const { operator } = rotated(values);
    const ends = [Math.min(...values), Math.max(...values)] as const;
    const errors: number[] = [];
    for (const steps of [2, 3, 5, 8, 12, 20]) {
      const options = { probes: 3, key: key(7) };
      const exact = await spectralTrace(operator, f, { ...options, steps: 40 });
      const { value, quadrature } = await spectralTrace(operator, f, { ...options, steps, spectrum: ends });
      expect(quadrature.kind).toBe('bound');
      expect(Math.abs(value - exact.value)).toBeLessThanOrEqual(quadrature.error + 1e-7);
      errors.push(quadrature.error);
    }
    expect(errors[5]).toBeLessThanOrEqual(0.2 * errors[0]);
  });

  test('the bounds are as sharp as they can be: Gauss and Gauss-Radau lie on both sides of the truth', async () => {
    const { operator } = rotated(positive);
    const options = { probes: 1, key: key(1) };
    const exact = (await spectralTrace(operator, logarithm(), { ...options, steps: 40 })).value;
    const { value, quadrature } = await spectralTrace(operator, logarithm(), { ...options, steps: 6, spectrum: [0.01, Infinity] });
    expect(quadrature.method).toBe('gauss-radau');
    expect(value).toBeGreaterThan(exact);
    expect(value - quadrature.error).toBeLessThan(exact);
    // exp: Gauss is too small, Radau at the upper end too large; only the upper end is needed.
    const upper = await spectralTrace(operator, exponential(), { ...options, steps: 3, spectrum: [-Infinity, 3.5] });
    const truth = (await spectralTrace(operator, exponential(), { ...options, steps: 40 })).value;
    expect(upper.value).toBeLessThan(truth);
    expect(upper.value + upper.quadrature.error).toBeGreaterThan(truth);
    // A polynomial of degree below 2 steps has no error; a pole at the end of the spectrum bounds nothing.
    expect((await spectralTrace(operator, power(3), { ...options, steps: 2, spectrum: [0, 4] })).quadrature).toEqual({ error: 0, kind: 'bound', method: 'moment' });
    expect((await spectralTrace(operator, logarithm(), { ...options, steps: 6, spectrum: [0, 4] })).quadrature).toMatchObject({ kind: 'estimate', method: 'fewer steps' });
  });

  test('without a known spectrum the error is estimated from fewer steps, on the safe side', async () => {
    let safe = 0;
    for (let seed = 0; seed < 20; seed++) {
      const options = { probes: 2, key: key(seed) };
      const { operator } = rotated(positive, seed);
      const exact = await spectralTrace(operator, Math.log1p, { ...options, steps: 40 });
      const { value, quadrature } = await spectralTrace(operator, Math.log1p, { ...options, steps: 8 });
      expect(quadrature).toMatchObject({ kind: 'estimate', method: 'fewer steps' });
      if (Math.abs(value - exact.value) <= quadrature.error) safe++;
    }
    expect(safe).toBeGreaterThanOrEqual(19);
  });

  test('refuses a spectrum that Ritz values contradict, and functions that are not finite there', async () => {
    const operator = diagonalOperator(Float64Array.of(-1, 2, 3));
    await expect(spectralTrace(operator, exponential(), { probes: 1, spectrum: [0, 5] })).rejects.toThrow(/spectrum must hold the Ritz values from (-1|-0\.99999999999\d*|-1\.00000000000\d*) to/);
    await expect(logDeterminant(operator, { probes: 1 })).rejects.toThrow('logarithm must be finite on the spectrum');
    await expect(logDeterminant(operator, { probes: 1 })).rejects.toThrow('a shift that makes all eigenvalues positive');
    expect(() => shrinkage(0)).toThrow('damping');
  });

  test('log det(A + shift I)', async () => {
    const { value, error, quadrature } = await logDeterminant(diagonalOperator(Float64Array.of(0, 1, 3)), { shift: 1, spectrum: [0, Infinity] });
    expect(value).toBeCloseTo(Math.log(8), 12);
    expect(error).toBeLessThan(1e-12);
    expect(quadrature.method).toBe('exact');
  });
});

describe('numbers of eigenvalues', () => {
  test('is exact with all steps, and between its bounds with fewer', async () => {
    const { operator } = rotated(mixed);
    const size = mixed.length;
    for (const below of [0, -0.05, 0.5, 1.5, -2, 5]) {
      const options = { probes: 4, key: key(3), below };
      const exact = await eigenvalueCount(operator, { ...options, steps: size });
      expect(exact.quadrature).toMatchObject({ error: 0, method: 'exact' });
      expect(Math.abs(exact.value - mixed.filter((x) => x < below).length)).toBeLessThanOrEqual(4 * exact.error + 1e-9);
      for (const steps of [1, 2, 4, 8, 16]) {
        const count = await eigenvalueCount(operator, { ...options, steps });
        expect(count.between[0]).toBeLessThanOrEqual(exact.value + 1e-7);
        expect(count.between[1]).toBeGreaterThanOrEqual(exact.value - 1e-7);
        expect(Math.abs(count.value - exact.value)).toBeLessThanOrEqual(count.quadrature.error + 1e-7);
      }
    }
  });

  test('of a gap the bounds are narrow; where the threshold is a Ritz value they still hold', async () => {
    const values = [...Array.from({ length: 12 }, (_, i) => -2 - i / 100), ...Array.from({ length: 28 }, (_, i) => 2 + i / 100)];
    const gap = await eigenvalueCount(rotated(values).operator, { steps: 12, probes: 10 });
    expect(gap.quadrature.error).toBeLessThan(1e-6);
    expect(Math.abs(gap.value - 12)).toBeLessThan(4 * gap.error);
    const { operator } = rotated(mixed);
    const [probe] = (await lanczosQuadratures('test', operator, { steps: 9, probes: 1 })).probes;
    const at = await eigenvalueCount(operator, { steps: 9, probes: 1, below: probe.nodes[4] });
    const exact = await eigenvalueCount(operator, { steps: 40, probes: 1, below: probe.nodes[4] });
    expect(at.between[0]).toBeLessThanOrEqual(exact.value);
    expect(at.between[1]).toBeGreaterThanOrEqual(exact.value);
  });
});
