/** Norms, the trace-log condition, the Marchenko-Pastur bulk and the randomised control. */
import { describe, expect, test } from 'vitest';
import '../../runtime/node.ts';
import { key, normal, split } from '../../util/random/index.ts';
import { fitMarchenkoPastur, marchenkoPasturDensity } from './marchenko-pastur.ts';
import { alphaNorms, spectralNorms } from './norms.ts';
import { fitPowerLaw } from './power-law.ts';
import { jensenShannon } from './randomised.ts';
import { spectrumSolver } from './spectrum.ts';
import { traceLog } from './trace-log.ts';
import { goldenSets } from './golden-spectra.test-helper.ts';
import { shuffled } from './randomised.ts';
import type { Matrix } from './matrices.ts';

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const gaussian = (seed: number, rows: number, columns: number, deviation = 1): Matrix => ({ rows, columns, data: normal(key(seed), rows * columns, { dtype: 'float64', deviation }) });
const spectrumOf = async (matrix: Matrix): Promise<Float64Array> => (await spectrumSolver().solve(matrix)).eigenvalues;

describe('norms', () => {
  test('WeightWatcher\'s numbers of the second golden set', () => {
    const values = ascending(goldenSets[1].values);
    const { alphaHat, logAlphaNorm } = alphaNorms(values, fitPowerLaw(values)!.alpha.value);
    expect(alphaHat).toBeCloseTo(3.4712108, 7);
    expect(logAlphaNorm).toBeCloseTo(3.6795907, 7);
    expect(spectralNorms(values, 200).stableRank).toBeCloseTo(17.6035097, 7);
  });

  test('of a flat spectrum and of one eigenvalue', () => {
    const flat = spectralNorms([4, 4, 4, 4], 4);
    expect(flat).toMatchObject({ stableRank: 4, rank: 4, conditionNumber: 1 });
    expect(flat.entropy).toBeCloseTo(1, 8);
    expect(flat.logNorm).toBeCloseTo(Math.log10(16), 12);
    expect(spectralNorms([0, 0, 9], 3)).toMatchObject({ rank: 1, stableRank: 1, conditionNumber: 1 });
  });

  test('the rank counts nothing below the rounding of the eigenvalues', async () => {
    // Rank 3 in 40 columns: the Gram matrix leaves noise in the other 37.
    const [a, b] = [gaussian(1, 60, 3), gaussian(2, 3, 40)];
    const data = Float64Array.from({ length: 60 * 40 }, (_, at) => [0, 1, 2].reduce((sum, k) => sum + a.data[Math.floor(at / 40) * 3 + k] * b.data[k * 40 + (at % 40)], 0));
    const { eigenvalues, error } = await spectrumSolver().solve({ rows: 60, columns: 40, data });
    expect(spectralNorms(eigenvalues, 60, error).rank).toBe(3);
    expect(Math.max(...eigenvalues.subarray(0, 37))).toBeLessThan(error);
  });

  test('a large exponent does not overflow', () => expect(alphaNorms([1e200, 2e200], 3).logAlphaNorm).toBeCloseTo(600 + Math.log10(9), 9));
});

describe('traceLog', () => {
  test('WeightWatcher\'s numbers', () => {
    const top = Array.from({ length: 100 }, (_, i) => (i < 90 ? 0 : 1));
    expect(traceLog(top, { rescale: false })).toEqual({ count: 11, index: 89, value: 0 });
    expect(traceLog(ascending(goldenSets[1].values))).toMatchObject({ count: 155, index: 45 });
  });

  test('does not overflow, and ends where all are passed', () => {
    expect(traceLog(Array.from({ length: 400 }, () => 1e300), { rescale: false })).toEqual({ count: 400, index: 0, value: 1e300 });
    expect(traceLog([1e-300, 1e300, 1e300], { rescale: false })).toMatchObject({ count: 3, index: 0 });
  });
});

describe('the Marchenko-Pastur law', () => {
  test('has mass one and mean sigma^2', () => {
    for (const [ratio, sigma] of [[2, 1], [1.3, 0.7], [8, 0.5]]) {
      let [mass, mean] = [0, 0];
      const [low, high] = [(sigma * (1 - 1 / Math.sqrt(ratio))) ** 2, (sigma * (1 + 1 / Math.sqrt(ratio))) ** 2];
      const steps = 20_000;
      for (let i = 0; i < steps; i++) {
        const angle = ((i + 0.5) * Math.PI) / (2 * steps);
        const x = low + (high - low) * Math.sin(angle) ** 2;
        const weight = marchenkoPasturDensity(x, ratio, sigma, false) * (high - low) * Math.sin(2 * angle) * (Math.PI / (2 * steps));
        mass += weight;
        mean += x * weight;
      }
      expect(mass).toBeCloseTo(1, 6);
      expect(mean).toBeCloseTo(sigma ** 2, 6);
    }
  });

  test.each([[600, 200], [300, 300], [900, 100]])('noise of %i x %i has sigma 1, no spikes, and its edges', async (rows, columns) => {
    const fit = fitMarchenkoPastur(await spectrumOf(gaussian(3, rows, columns, 0.1)), rows, columns)!;
    expect(fit.sigma).toBeGreaterThan(0.97);
    expect(Math.abs(fit.sigmaOfMedian - 1)).toBeLessThan(0.03);
    expect(fit.spikes).toBe(0);
    // Entries of deviation 0.1: eigenvalues are 0.01 rows times the law's.
    expect(fit.upper / (0.01 * rows)).toBeCloseTo((1 + Math.sqrt(columns / rows)) ** 2, 0);
    expect(fit.softRank).toBeGreaterThan(0.9);
    expect(fit.distance).toBeLessThan(0.06);
  });

  test('planted directions are spikes, and lower the noise\'s share', async () => {
    const [rows, columns, planted] = [600, 200, 5];
    const noise = gaussian(4, rows, columns);
    const [left, right] = [normal(key(5), rows * planted, { dtype: 'float64' }), normal(key(6), columns * planted, { dtype: 'float64' })];
    const data = noise.data.map((x, at) => x + Array.from({ length: planted }, (_, k) => 0.3 * (k + 1) * left[Math.floor(at / columns) * planted + k] * right[(at % columns) * planted + k]).reduce((a, b) => a + b, 0));
    const fit = fitMarchenkoPastur(await spectrumOf({ rows, columns, data }), rows, columns)!;
    expect(fit.spikes).toBe(planted);
    expect(fit.sigma).toBeLessThan(0.7);
    expect(fit.sigma ** 2 * data.reduce((sum, x) => sum + x * x, 0) / data.length).toBeCloseTo(1, 0);
    expect(fit.softRank).toBeLessThan(0.1);
  });

  test('nothing is fitted to zeros', () => expect(fitMarchenkoPastur([0, 0, 0], 5, 3)).toBeUndefined());
});

describe('the randomised control', () => {
  test('shuffling keeps entries and the sum of eigenvalues', async () => {
    const matrix = gaussian(7, 40, 30);
    const control = shuffled(matrix, split(key(0), 'x'));
    expect([...control.data].sort()).toEqual([...matrix.data].sort());
    const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
    expect(total(await spectrumOf(control))).toBeCloseTo(total(await spectrumOf(matrix)), 9);
  });

  test('Jensen-Shannon distance: SciPy\'s, zero for equal lists, sqrt(ln 2) for disjoint ones', () => {
    expect(jensenShannon(Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 1, 5, 9))).toBeCloseTo(0.16755416014628988, 15);
    expect(jensenShannon(Float64Array.of(1, 2, 3), Float64Array.of(2, 4, 6))).toBe(0);
    expect(jensenShannon(Float64Array.of(1, 0), Float64Array.of(0, 5))).toBeCloseTo(Math.sqrt(Math.LN2), 12);
  });
});
