import { describe, expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mul, square, sum } from '../ops/index.ts';
import { addGradientNoise, langevin } from './langevin.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import type { UpdateRule } from './optimizer.ts';
import { sgd } from './sgd.ts';
import { withGradientRule } from './wrapping.ts';

type Params = { w: Tensor };
const curvature = 2;
const bowl = ({ w }: Params): Tensor => mul(curvature / 2, sum(square(w)));
const origin = (n: number) => ({ w: new NDArray(new Float64Array(n), [n], 'float64') });
const meanSquare = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value * value, 0) / values.length;

describe('langevin', () => {
  // On a quadratic of curvature h each coordinate is an autoregression: its variance goes to T / (h (1 - rate h / 2)).
  test('samples the density exp(-L / T)', async () => {
    const [n, rate, temperature] = [4000, 0.2, 0.3];
    const { path } = await runOptimizer<Params>(langevin({ temperature }), bowl, origin(n), { steps: 60, rate });
    const expected = temperature / (curvature * (1 - (rate * curvature) / 2));
    // The mean square of n normal numbers has a relative standard error of sqrt(2 / n).
    expect(Math.abs(meanSquare(path.at(-1)!.w.data) / expected - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    const kurtosis = meanSquare(Array.from(path.at(-1)!.w.data, (x) => x * x)) / expected ** 2;
    expect(Math.abs(kurtosis - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
  });
  test('weight decay is a normal prior: curvatures add', async () => {
    const [n, rate, temperature] = [4000, 0.1, 1];
    const { path } = await runOptimizer<Params>(langevin({ temperature, weightDecay: 3 }), bowl, origin(n), { steps: 40, rate });
    expect(Math.abs(meanSquare(path.at(-1)!.w.data) / (1 / (5 * (1 - (rate * 5) / 2))) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });
  test('at temperature zero, or rate zero, there is no noise', async () => {
    const start = { w: new NDArray(new Float64Array([1, 2]), [2], 'float64') };
    const [cold, plain, still] = await Promise.all([
      runOptimizer<Params>(langevin({ temperature: 0 }), bowl, start, { steps: 3, rate: 0.1 }), runOptimizer<Params>(sgd(), bowl, start, { steps: 3, rate: 0.1 }),
      runOptimizer<Params>(langevin(), bowl, start, { steps: 1, rate: 0 }),
    ]);
    expect(cold.params.w.data).toEqual(plain.params.w.data);
    expect([...still.params.w.data]).toEqual([1, 2]);
  });
  test('refuses a negative temperature', () => { expect(() => langevin({ temperature: -1 })).toThrow(/temperature/); });
});

describe('gradient noise', () => {
  // Flat loss: each step adds rate^2 eta / (1 + t)^gamma to the variance.
  test('has the variance of its step', async () => {
    const n = 4000;
    const noisy = withGradientRule(sgd(), addGradientNoise({ eta: 0.5, gamma: 1 }) as UpdateRule);
    const { path } = await runOptimizer<Params>(noisy, ({ w }) => mul(0, sum(w)), origin(n), { steps: 3, rate: 2 });
    let [before, variance] = [origin(n).w, 0];
    path.forEach(({ w }, t) => {
      variance = meanSquare(Array.from(w.data, (x, i) => x - before.data[i]));
      expect(Math.abs(variance / ((4 * 0.5) / (1 + t)) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
      before = w;
    });
  });
});
