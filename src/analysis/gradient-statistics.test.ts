import { describe, expect, test } from 'vitest';
import { NDArray, toDtype } from '../core/ndarray.ts';
import { gradientNoise } from '../curvature/index.ts';
import { subset } from '../data/index.ts';
import { evaluateGradient, interval, type Point } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, normal, split } from '../util/random/index.ts';
import { measureStepAlpha, stepAlpha } from './gradient-statistics-alpha.ts';
import { eachExampleGradient, gradientStatistics, measureGradientStatistics, type GradientStatistics } from './gradient-statistics.ts';

const executor = referenceExecutor;
const rows = (...vectors: number[][]): Float64Array[] => vectors.map((vector) => Float64Array.from(vector));
const NAMES = ['normTest', 'innerProductTest', 'orthogonalityTest', 'signalToNoise', 'earlyStopping', 'batchSize'] as const;

/** The definitions with Cockpit's code read literally. */
function literal(g: readonly Float64Array[], loss: number): Record<(typeof NAMES)[number], number> {
  const B = g.length;
  const P = g[0].length;
  const range = Array.from({ length: P }, (_, j) => j);
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const mean = range.map((j) => sum(g.map((v) => v[j])) / B);
  const second = range.map((j) => sum(g.map((v) => v[j] ** 2)) / B);
  const size = sum(mean.map((x) => x * x));
  const along = g.map((v) => sum(range.map((j) => v[j] * mean[j])));
  const norms = g.map((v) => sum(range.map((j) => v[j] ** 2)));
  const centre = sum(along) / B;
  return {
    normTest: Math.sqrt((sum(norms) - B * size) / (B - 1) / (B * size)),
    innerProductTest: Math.sqrt(sum(along.map((x) => (x - centre) ** 2)) / (B - 1) / (B * size ** 2)),
    orthogonalityTest: Math.sqrt(sum(g.map((v, i) => sum(range.map((j) => (v[j] - (along[i] / size) * mean[j]) ** 2)))) / (B - 1) / (B * size)),
    signalToNoise: sum(range.map((j) => mean[j] ** 2 / (second[j] - mean[j] ** 2 + 1e-5))) / P,
    earlyStopping: 1 - (B * sum(range.map((j) => mean[j] ** 2 / ((B * (second[j] - mean[j] ** 2)) / (B - 1) + 1e-5)))) / P,
    batchSize: sum(range.map((j) => B * second[j] - B * mean[j] ** 2)) / (B * loss),
  };
}

describe('gradient statistics', () => {
  test("three gradients, Cockpit's numbers", () => {
    const result = gradientStatistics(rows([1, 0], [0, 1], [1, 1]), 1, { curvature: { trace: 5, diagonal: [2, 3] } });
    expect(result.normTest.value).toBeCloseTo(0.5, 12);
    expect(result.innerProductTest.value).toBeCloseTo(0.25, 12);
    expect(result.orthogonalityTest.value).toBeCloseTo(0.4330127, 7);
    expect(result.signalToNoise.value).toBeCloseTo(1.99991, 7);
    expect(result.earlyStopping.value).toBeCloseTo(-2.99988, 6);
    expect(result.batchSize.value).toBeCloseTo(0.4444444, 7);
    expect(result.informationTrace!.value * (5 + 1e-7)).toBeCloseTo(1.3333333, 7);
    expect(result.informationDiagonal!.value).toBeCloseTo(2 / 3 / (2 + 1e-7) + 2 / 3 / (3 + 1e-7), 12);
    expect([result.examples, result.groups, [...result.gradient]]).toEqual([3, 3, [2 / 3, 2 / 3].map((x) => expect.closeTo(x, 14) as number)]);
  });

  test('agree with the definitions whatever the groups', () => {
    for (const [count, size] of [[17, 5], [40, 3], [4, 9]]) {
      const examples = Array.from({ length: count }, (_, i) => normal(split(key(count), i), size, { dtype: 'float64', mean: 0.4 }));
      const expected = literal(examples, 0.7);
      for (const groups of [2, 4]) {
        const found = gradientStatistics(examples, 0.7, { groups });
        for (const name of NAMES) expect(found[name].value / expected[name]).toBeCloseTo(1, 10);
        expect(found.normTest.samples).toBe(groups);
      }
      expect(gradientStatistics(examples, 0.7, { learningRate: 0.1 }).batchSize.value).toBeCloseTo(0.1 * expected.batchSize, 12);
      expect(gradientStatistics(examples, 0.7).informationTrace).toBeUndefined();
    }
  });

  test('standard errors are the spread over batches', () => {
    const runs: GradientStatistics[] = [];
    for (let batch = 0; batch < 60; batch++) {
      const examples = Array.from({ length: 200 }, (_, i) => normal(split(key(batch), i), 6, { dtype: 'float64', mean: 0.5 }));
      runs.push(gradientStatistics(examples, 1, { groups: 20 }));
    }
    for (const name of NAMES) {
      const mean = runs.reduce((sum, run) => sum + run[name].value / 60, 0);
      const spread = Math.sqrt(runs.reduce((sum, run) => sum + (run[name].value - mean) ** 2, 0) / 59);
      const stated = runs.reduce((sum, run) => sum + run[name].error / 60, 0);
      expect(stated / spread, name).toBeGreaterThan(0.65);
      expect(stated / spread, name).toBeLessThan(1.5);
      const covered = runs.filter((run) => { const [low, high] = interval(run[name]); return low <= mean && mean <= high; }).length;
      expect(covered, name).toBeGreaterThanOrEqual(51);
    }
  });

  test('equal gradients have no noise, zero ones no signal', () => {
    const equal = gradientStatistics(rows([1, 2], [1, 2], [1, 2], [1, 2]), 1);
    for (const name of ['normTest', 'innerProductTest', 'orthogonalityTest', 'batchSize'] as const) expect(equal[name].value).toBeCloseTo(0, 7);
    expect(equal.earlyStopping.value).toBeLessThan(-1e5);
    const opposed = gradientStatistics(rows([1, 0], [-1, 0], [0, 1], [0, -1]), 1);
    expect(opposed.earlyStopping.value).toBe(1);
    expect(opposed.signalToNoise.value).toBe(0);
  });

  test('refuse what does not fit', () => {
    expect(() => gradientStatistics(rows([1]), 1)).toThrow('at least two examples');
    expect(() => gradientStatistics(rows([1], [1, 2]), 1)).toThrow('1 entries');
    expect(() => gradientStatistics(rows([1], [2]), NaN)).toThrow('loss');
    expect(gradientStatistics(rows([1], [2]), [0.5, 1.5]).batchSize.value).toBe(gradientStatistics(rows([1], [2]), 1).batchSize.value);
    expect(() => gradientStatistics(rows([1, 1], [2, 2]), 1, { curvature: { diagonal: [1] } })).toThrow('curvature.diagonal');
    expect(() => gradientStatistics(rows([1], [2]), 1, { groups: 3 })).toThrow('groups');
  });
});

describe('gradients of single examples', () => {
  test('are those of data sets of one example, however they are cut', async () => {
    for (const problem of [tinyClassification(11), tinyRegression(11)]) {
      const point = problem.model.init(key(0));
      const found: Float64Array[] = [];
      await eachExampleGradient(problem, point, (gradient, example) => { found[example] = gradient.slice(); }, { executor, chunk: 4 });
      for (const i of [0, 4, 10]) {
        const one = subset(problem.train, i + 1);
        const tail = (array: NDArray): NDArray => new NDArray(array.data.slice(-array.size / (i + 1)), [1, ...array.shape.slice(1)], array.dtype);
        const { gradient } = await evaluateGradient(problem, point, { inputs: tail(one.inputs), targets: tail(one.targets), size: 1 }, { executor });
        gradient.forEach((x, j) => { expect(found[i][j]).toBeCloseTo(x, 12); });
      }
      const single: Float64Array[] = [];
      await eachExampleGradient(problem, point, (gradient) => { single.push(gradient.slice()); }, { executor, chunk: 1, parameters: 'layers.1' });
      expect(single).toHaveLength(11);
      single[5].forEach((x, j) => { expect(x).toBeCloseTo(found[5][found[5].length - single[5].length + j], 12); });
    }
  });

  test('fit the memory budget: smaller chunks, the same statistics', async () => {
    const problem = tinyClassification(60);
    const point = problem.model.init(key(0));
    const sizes: number[] = [];
    let last = 0;
    const small = await measureGradientStatistics(problem, point, { executor, memoryBudget: 2 ** 15, groups: 6, onProgress: (done) => { sizes.push(done - last); last = done; } });
    // 31 parameters of 8 bytes, a sixteenth of 32 KiB.
    expect(Math.max(...sizes)).toBe(8);
    const large = await measureGradientStatistics(problem, point, { executor, groups: 6 });
    for (const name of NAMES) expect(small[name].value / large[name].value).toBeCloseTo(1, 10);
  });

  test('give the statistics of a problem, with the noise scale of gradientNoise', async () => {
    const problem = tinyClassification(50);
    const point = problem.model.init(key(0));
    const examples: Float64Array[] = [];
    await eachExampleGradient(problem, point, (gradient) => { examples.push(gradient.slice()); }, { executor });
    const measured = await measureGradientStatistics(problem, point, { executor, groups: 7 });
    const expected = gradientStatistics(examples, measured.loss, { groups: 7 });
    for (const name of NAMES) {
      expect(measured[name].value / expected[name].value).toBeCloseTo(1, 10);
      // The mean loss is given as known, so its share of the error is missing.
      if (name !== 'batchSize') expect(measured[name].error / expected[name].error).toBeCloseTo(1, 8);
    }
    expect(measured.examples).toBe(50);
    const { loss, gradient } = await evaluateGradient(problem, point, problem.train, { executor });
    expect(measured.loss).toBeCloseTo(loss, 12);
    gradient.forEach((x, j) => { expect(measured.gradient[j]).toBeCloseTo(x, 12); });
    const exact = await measureGradientStatistics(problem, point, { executor, groups: 10 });
    const noise = await gradientNoise(problem, point, { executor, groups: 10 });
    expect(exact.noise.covarianceTrace.value).toBeCloseTo(noise.covarianceTrace.value, 10);
    expect(exact.noise.squaredNorm.value).toBeCloseTo(noise.squaredNorm.value, 10);
    await expect(measureGradientStatistics(problem, point, { executor, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });
});

describe('alpha of a step', () => {
  const parabola = (t: number) => ({ length: t, losses: [0.5, 0.5 * (t - 1) ** 2] as const, slopes: [-1, t - 1] as const });

  test('on (x - 1)^2 / 2 from 0', () => {
    for (const [t, alpha] of [[0.5, -0.5], [1, 0], [1.5, 0.5], [2, 1]]) {
      expect(stepAlpha(parabola(t)).value).toBeCloseTo(alpha, 12);
      expect(stepAlpha({ ...parabola(t), lossVariances: [0, 3], slopeVariances: [1e-3, 40] }).value).toBeCloseTo(alpha, 6);
    }
    expect(stepAlpha({ length: 1e-6, losses: [0.5, 0.5 * (1e-6 - 1) ** 2], slopes: [-1, 1e-6 - 1] }).value).toBeCloseTo(1e-6 - 1, 12);
  });

  test('a concave fit is -1', () => expect(stepAlpha({ length: 1, losses: [0, -2], slopes: [-1, -3] })).toMatchObject({ value: -1, error: 0 }));

  test('weights decide between observations that contradict each other', () => {
    // Slopes say the minimum is at 1, losses (with the first slope) that it is further off.
    const contradiction = { length: 1, losses: [0.5, 0.3], slopes: [-1, 0] } as const;
    const trusting = stepAlpha({ ...contradiction, lossVariances: [1e3, 1e3], slopeVariances: [1e-6, 1e-6] }).value;
    expect(trusting).toBeCloseTo(0, 4);
    expect(Math.abs(stepAlpha({ ...contradiction, lossVariances: [1e-6, 1e-6], slopeVariances: [1, 1] }).value)).toBeGreaterThan(0.1);
  });

  test('refuses a step of no length', () => {
    expect(() => stepAlpha({ length: 0, losses: [0, 0], slopes: [0, 0] })).toThrow('length');
    expect(() => stepAlpha({ ...parabola(1), lossVariances: [-1, 0] })).toThrow('variances');
  });

  const moved = (point: Point<Layers>, direction: Float64Array, by: number): Point<Layers> => {
    let at = 0;
    const layers = (point.params as unknown as { layers: { weight: NDArray; bias: NDArray }[] }).layers.map(({ weight, bias }) => {
      const shift = (leaf: NDArray): NDArray => new NDArray(Float64Array.from(leaf.data, (x) => x + by * direction[at++]), leaf.shape, 'float64');
      return { weight: shift(weight), bias: shift(bias) };
    });
    return { params: { layers } as never, state: {} };
  };

  test('of gradient steps on a problem: short ones stop before the minimum of the line, long ones beyond', async () => {
    const problem = tinyRegression(80);
    const point = problem.model.init(key(0));
    const { gradient } = await evaluateGradient(problem, point, problem.train, { executor });
    const alphas: number[] = [];
    for (const rate of [0.01, 0.3, 3]) alphas.push((await measureStepAlpha(problem, point, moved(point, gradient, -rate), { executor })).value);
    expect(alphas[0]).toBeGreaterThan(-1.001);
    expect(alphas[0]).toBeLessThan(-0.9);
    expect(alphas[1]).toBeGreaterThan(alphas[0]);
    expect(alphas[2]).toBeGreaterThan(0);
    const { observations } = await measureStepAlpha(problem, point, moved(point, gradient, -0.3), { executor, chunk: 9 });
    expect(observations.slopes[0]).toBeCloseTo(-Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0)), 10);
    const end = await evaluateGradient(problem, moved(point, gradient, -0.3), problem.train, { executor });
    expect(observations.losses[1]).toBeCloseTo(end.loss, 12);
    await expect(measureStepAlpha(problem, point, point, { executor })).rejects.toThrow('must differ');
  });

  test('its standard error is the spread over samples of examples', async () => {
    const whole = tinyRegression(2400);
    const point = whole.model.init(key(0));
    const { gradient } = await evaluateGradient(whole, point, whole.train, { executor });
    const end = moved(point, gradient, -0.4);
    const found: { value: number; error: number }[] = [];
    for (let part = 0; part < 24; part++) {
      const cut = (array: NDArray): NDArray => { const width = array.size / 2400; return toDtype(new NDArray(array.data.slice(part * 100 * width, (part + 1) * 100 * width), [100, ...array.shape.slice(1)], array.dtype), 'float32'); };
      found.push(await measureStepAlpha(whole, point, end, { executor, data: { inputs: cut(whole.train.inputs), targets: cut(whole.train.targets), size: 100 } }));
    }
    const mean = found.reduce((sum, { value }) => sum + value / 24, 0);
    const spread = Math.sqrt(found.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / 23);
    const stated = found.reduce((sum, { error }) => sum + error / 24, 0);
    expect(stated / spread).toBeGreaterThan(0.6);
    expect(stated / spread).toBeLessThan(1.7);
  });
});
