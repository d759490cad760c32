import { describe, expect, test } from 'vitest';
import { tailAlternatives, type TailAlternative } from './tail-alternatives.ts';
import { paretoQuantiles } from './golden-spectra.test-helper.ts';

const byLaw = (list: readonly TailAlternative[], law: TailAlternative['law']): TailAlternative => list.find((entry) => entry.law === law)!;
/** Quantiles of a distribution from its inverse. */
const quantiles = (n: number, inverse: (p: number) => number): number[] => Array.from({ length: n }, (_, k) => inverse((k + 0.5) / n));
/** Sum of ln p(x) of the power law at its own maximum likelihood. */
function powerLawLikelihood(tail: readonly number[], xmin: number): number {
  const alpha = 1 + tail.length / tail.reduce((sum, x) => sum + Math.log(x / xmin), 0);
  return tail.reduce((sum, x) => sum + Math.log((alpha - 1) / xmin) - alpha * Math.log(x / xmin), 0);
}

describe('tailAlternatives', () => {
  test('the exponential against its closed form', () => {
    const tail = paretoQuantiles(80, 2).map((x) => 3 * x);
    const rate = 1 / (tail.reduce((a, b) => a + b, 0) / tail.length - 3);
    const expected = tail.reduce((sum, x) => sum + Math.log(rate) - rate * (x - 3), 0) - powerLawLikelihood(tail, 3);
    const found = byLaw(tailAlternatives(tail, 3), 'exponential');
    expect(found.logLikelihoodRatio).toBeCloseTo(expected, 8);
    expect(found.parameters['rate']).toBeCloseTo(rate, 10);
  });

  test('the numbers of the Python package powerlaw 1.5 (fit_method Likelihood)', () => {
    const found = (values: readonly number[]): [number, number][] => {
      const list = tailAlternatives(values, values[0]);
      return (['truncated power law', 'exponential', 'log-normal'] as const).map((law) => [byLaw(list, law).logLikelihoodRatio, byLaw(list, law).p]);
    };
    const expected = [[[0.0559361, 0.738023], [-27.2514793, 0.0366521], [0.0072868, 0.9413729]], [[31.6729888, 0], [31.6729895, 4.77e-7], [30.7390128, 1.38e-6]]];
    [paretoQuantiles(100, 1.5), quantiles(400, (p) => 1 - Math.log(1 - p))].forEach((values, i) => found(values).forEach(([ratio, p], j) => {
      // The log-normal of the first has no maximum: it goes on towards the power law, as far as each search does.
      expect(Math.abs(ratio - expected[i][j][0])).toBeLessThan(i === 0 && j === 2 ? 2e-4 : 5e-6);
      expect(Math.abs(p - expected[i][j][1])).toBeLessThan(i === 0 && j === 2 ? 2e-3 : 1e-5);
    }));
  });

  test('exponential draws are found to be exponential, power-law draws not', () => {
    const light = byLaw(tailAlternatives(quantiles(400, (p) => 1 - Math.log(1 - p)), 1), 'exponential');
    expect(light.logLikelihoodRatio).toBeGreaterThan(0);
    expect(light.p).toBeLessThan(0.01);
    const heavy = byLaw(tailAlternatives(paretoQuantiles(400, 1.5), 1), 'exponential');
    expect(heavy.logLikelihoodRatio).toBeLessThan(0);
    expect(heavy.p).toBeLessThan(0.05);
  });

  test('a truncated power law contains the power law: the ratio is never negative, and zero on pure ones', () => {
    const heavier = byLaw(tailAlternatives(quantiles(300, (p) => Math.exp(Math.tan((p * Math.PI) / 2))).filter((x) => x < 1e100), 1), 'truncated power law');
    expect(heavier).toMatchObject({ logLikelihoodRatio: 0, p: 1, parameters: { rate: 0 } });
  });

  test('parameters of a truncated power law: x^-2 e^(-x / 5), by its distribution function', () => {
    // Numerical inversion on a fine grid.
    const density = (x: number): number => x ** -2 * Math.exp(-x / 5);
    const grid = Float64Array.from({ length: 200_001 }, (_, i) => Math.exp((i / 200_000) * Math.log(200)));
    const cumulative = new Float64Array(grid.length);
    for (let i = 1; i < grid.length; i++) cumulative[i] = cumulative[i - 1] + ((density(grid[i]) + density(grid[i - 1])) / 2) * (grid[i] - grid[i - 1]);
    const total = cumulative[cumulative.length - 1];
    const tail = quantiles(4000, (p) => grid[cumulative.findIndex((c) => c >= p * total)]);
    const { parameters, logLikelihoodRatio } = byLaw(tailAlternatives(tail, 1), 'truncated power law');
    expect(parameters['alpha']).toBeCloseTo(2, 1);
    expect(parameters['rate']).toBeCloseTo(0.2, 1);
    const z = total;
    expect(logLikelihoodRatio).toBeCloseTo(tail.reduce((sum, x) => sum + Math.log(density(x) / z), 0) - powerLawLikelihood(tail, 1), 0);
  });

  test('parameters of a log-normal above xmin', () => {
    // ln x is normal(1, 0.7) above ln xmin = 0, by the inverse error function through bisection on a table.
    const grid = Float64Array.from({ length: 100_001 }, (_, i) => (i / 100_000) * 6);
    const cumulative = new Float64Array(grid.length);
    const density = (y: number): number => Math.exp(-(((y - 1) / 0.7) ** 2) / 2);
    for (let i = 1; i < grid.length; i++) cumulative[i] = cumulative[i - 1] + ((density(grid[i]) + density(grid[i - 1])) / 2) * (grid[i] - grid[i - 1]);
    const total = cumulative[cumulative.length - 1];
    const tail = quantiles(4000, (p) => Math.exp(grid[cumulative.findIndex((c) => c >= p * total)]));
    const { parameters, logLikelihoodRatio, p } = byLaw(tailAlternatives(tail, 1), 'log-normal');
    expect(parameters['mu']).toBeCloseTo(1, 1);
    expect(parameters['sigma']).toBeCloseTo(0.7, 1);
    expect(logLikelihoodRatio).toBeGreaterThan(10);
    expect(p).toBeLessThan(0.01);
  });

  test('of one value nothing is said', () => expect(tailAlternatives([2, 2, 2], 2)).toEqual([]));
});
