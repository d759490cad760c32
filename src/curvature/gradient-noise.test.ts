import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { NDArray } from '../core/ndarray.ts';
import { evaluateGradient, interval } from '../problem/index.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import { key, normal, split } from '../util/random/index.ts';
import { gradientNoise, noiseStatistics } from './gradient-noise.ts';

describe('statistics of group gradients', () => {
  test('two groups, by hand', () => {
    const { covarianceTrace, squaredNorm, noiseScale } = noiseStatistics([Float64Array.of(3, 0), Float64Array.of(1, 2)], 5);
    // Mean (2, 1); sum of squared distances 2 + 2; tr = 5 / 1 * 4; |G|^2 = 5 - 20 / 10.
    expect([covarianceTrace.value, squaredNorm.value]).toEqual([20, 3]);
    expect(noiseScale.value).toBeCloseTo(20 / 3, 12);
    expect(noiseScale.error).toBeNaN();
  });

  test('the jackknife equals leaving groups out one by one', () => {
    const groups = Array.from({ length: 6 }, (_, k) => normal(split(key(1), k), 4, { dtype: 'float64', mean: 1 }));
    const whole = noiseStatistics(groups, 3);
    const replicates = groups.map((_, k) => noiseStatistics(groups.filter((__, i) => i !== k), 3));
    for (const name of ['covarianceTrace', 'squaredNorm', 'noiseScale'] as const) {
      const values = replicates.map((r) => r[name].value);
      const centre = values.reduce((a, b) => a + b) / 6;
      expect(whole[name].error).toBeCloseTo(Math.sqrt((5 / 6) * values.reduce((s, x) => s + (x - centre) ** 2, 0)), 10);
    }
  });

  test('unbiased, and 95 % intervals cover for 90 to 99 % of 200 seeds', () => {
    // Gradients of one example: mean m, independent coordinates of deviation 2: tr(Sigma) = 4 * 30, |G|^2 = 30 * 0.25.
    const [dimension, count, size] = [30, 40, 8];
    const truth = { covarianceTrace: 4 * dimension, squaredNorm: 0.25 * dimension, noiseScale: 16 };
    const hits = { covarianceTrace: 0, squaredNorm: 0, noiseScale: 0 };
    let mean = 0;
    for (let seed = 0; seed < 200; seed++) {
      const groups = Array.from({ length: count }, (_, k) => normal(split(key(seed), k), dimension, { dtype: 'float64', mean: 0.5, deviation: 2 / Math.sqrt(size) }));
      const result = noiseStatistics(groups, size);
      mean += result.squaredNorm.value / 200;
      for (const name of ['covarianceTrace', 'squaredNorm', 'noiseScale'] as const) {
        const [low, high] = interval(result[name]);
        if (low <= truth[name] && truth[name] <= high) hits[name]++;
      }
    }
    expect(Math.abs(mean / truth.squaredNorm - 1)).toBeLessThan(0.02);
    for (const count_ of Object.values(hits)) {
      expect(count_ / 200).toBeGreaterThanOrEqual(0.9);
      expect(count_ / 200).toBeLessThanOrEqual(0.99);
    }
  });

  test('a gradient below its noise has no noise scale', () => {
    const { noiseScale, squaredNorm } = noiseStatistics([Float64Array.of(1), Float64Array.of(-1), Float64Array.of(0)], 1);
    expect(squaredNorm.value).toBeLessThan(0);
    expect(noiseScale.value).toBe(Infinity);
    expect(noiseScale.error).toBeNaN();
  });
});

describe('gradient noise of a problem', () => {
  const problem = tinyClassification(53);
  const point = problem.model.init(key(0));

  test('gradient over all examples, statistics from equal groups; the rest joins the gradient', async () => {
    const result = await gradientNoise(problem, point, { groups: 10, executor: referenceExecutor });
    const whole = await evaluateGradient(problem, point, problem.train, { executor: referenceExecutor });
    expect([result.groups, result.groupSize]).toEqual([10, 5]);
    expect(result.loss).toBeCloseTo(whole.loss, 12);
    result.gradient.forEach((x, i) => expect(x).toBeCloseTo(whole.gradient[i], 12));
    expect(result.norm.value).toBeCloseTo(Math.hypot(...whole.gradient), 12);
    const groups = await Promise.all(Array.from({ length: 10 }, async (_, k) => {
      const { inputs, targets } = problem.train;
      const part = { inputs: slice(inputs, 5 * k, 5), targets: slice(targets, 5 * k, 5), size: 5 };
      return (await evaluateGradient(problem, point, part, { executor: referenceExecutor })).gradient;
    }));
    const expected = noiseStatistics(groups, 5);
    expect(result.noiseScale.value).toBeCloseTo(expected.noiseScale.value, 9);
    expect(result.noiseScale.error).toBeCloseTo(expected.noiseScale.error, 9);
  });

  test('rounding of the norm in float32 is within what is said', async () => {
    const single = tinyClassification(53, undefined, 'float32');
    const [result, exact] = [await gradientNoise(single, single.model.init(key(0))), await gradientNoise(problem, point, { executor: referenceExecutor })];
    expect(Math.abs(result.norm.value - exact.norm.value)).toBeLessThanOrEqual(result.norm.error);
    expect(result.norm.error).toBeLessThan(1e-5 * result.norm.value);
  });

  test('refuses a single group', async () => {
    await expect(gradientNoise(problem, point, { groups: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: gradientNoise: groups must be an integer from 2 to 53, got 1.]`);
  });
});

const slice = ({ data, shape, dtype }: NDArray, start: number, count: number): NDArray => {
  const width = data.length / shape[0];
  return new NDArray(data.slice(start * width, (start + count) * width), [count, ...shape.slice(1)], dtype);
};
