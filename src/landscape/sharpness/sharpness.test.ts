import { describe, expect, test } from 'vitest';
import { hessian } from '../../curvature/index.ts';
import { denseMatrix } from '../../curvature/index.ts';
import { norm } from '../../curvature/basis.ts';
import { symmetricEigen } from '../../linalg/index.ts';
import { evaluateGradient, interval, ParameterSpace } from '../../problem/index.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { key } from '../../util/random/index.ts';
import { averageSharpness, pacBayesFlatness } from './average-case.ts';
import { fisherRaoIdentity, fisherRaoNorm } from './fisher-rao.ts';
import { sharpnessObjective, type Sharpness } from './objective.ts';
import { at, quadratic, reluProblem, rescaled, withOwnLabels } from './sharpness.test-helper.ts';
import { hessianSharpness } from './spectral.ts';
import { adaptiveSharpness, keskarSharpness, samSharpness, worstCaseSharpness } from './worst-case.ts';

const executor = referenceExecutor;
const bowl = quadratic([1, 4, 9]);

describe('worst case', () => {
  test('one step of SAM is rho g / |g|, whatever it gives', async () => {
    // At (1, 1, 1): g = (1, 4, 9).
    const size = Math.sqrt(98);
    const moved = [1, 4, 9].map((c) => 1 + (0.1 * c) / size);
    const expected = moved.reduce((sum, w, i) => sum + ([1, 4, 9][i] * w * w) / 2, 0) - 7;
    const result = await samSharpness(bowl, at(1, 1, 1), { radius: 0.1, executor });
    expect(result.value).toBeCloseTo(expected, 12);
    expect([...result.perturbation]).toEqual([1, 4, 9].map((c) => expect.closeTo((0.1 * c) / size, 12) as number));
    expect(result).toMatchObject({ loss: 7, kind: 'rounding', rescaling: 'changes', cost: { gradients: 2, losses: 0 } });
    expect(result.error).toBeLessThan(1e-13);
  });

  test('at a minimum of a quadratic, ascent finds rho^2 lambda / 2 along the sharpest direction', async () => {
    const result = await samSharpness(bowl, at(0, 0, 0), { radius: 0.3, steps: 40, executor });
    expect(result.value).toBeCloseTo(0.5 * 9 * 0.09, 10);
    expect(Math.abs(result.perturbation[2])).toBeCloseTo(0.3, 6);
    expect(result.gap).toBeLessThan(1e-6);
  });

  test('more steps never find less, and several starts never less than one', async () => {
    const { problem, point } = reluProblem(20);
    const found: number[] = [];
    for (const steps of [2, 5, 20]) found.push((await samSharpness(problem, point, { radius: 0.5, steps, executor })).value);
    expect(found[1]).toBeGreaterThanOrEqual(found[0]);
    expect(found[2]).toBeGreaterThanOrEqual(found[1]);
    expect((await samSharpness(problem, point, { radius: 0.5, steps: 5, starts: 3, executor })).value).toBeGreaterThanOrEqual(found[1]);
  });

  test('the box maximum of a separable convex function is at the corner away from the origin', async () => {
    const w = [1, -2, 0.5];
    const epsilon = 0.01;
    const corner = w.map((x) => x + epsilon * (Math.abs(x) + 1) * Math.sign(x));
    const energy = (v: number[]): number => v.reduce((sum, x, i) => sum + ([1, 4, 9][i] * x * x) / 2, 0);
    const result = await keskarSharpness(bowl, at(...w), { epsilon, executor });
    expect(result.value).toBeCloseTo((100 * (energy(corner) - energy(w))) / (1 + energy(w)), 10);
    expect(result.gap).toBeLessThan(1e-10);
  });

  test('the first adaptive step is that of ASAM, rho c^2 g / |c g|', async () => {
    const w = [1, -2, 0.5];
    const g = w.map((x, i) => [1, 4, 9][i] * x);
    const size = Math.hypot(...w.map((x, i) => Math.abs(x) * g[i]));
    const { perturbation, rescaling } = await adaptiveSharpness(bowl, at(...w), { radius: 0.05, executor });
    w.forEach((x, i) => { expect(perturbation[i]).toBeCloseTo((0.05 * x * x * g[i]) / size, 12); });
    expect(rescaling).toBe('invariant');
    expect((await adaptiveSharpness(bowl, at(...w), { radius: 0.05, offset: 0.01, executor })).rescaling).toBe('changes');
  });

  test('stays within the region and attains what it says', async () => {
    const { problem, point } = reluProblem(12);
    const objective = sharpnessObjective(problem, point, { executor });
    for (const [bound, scale] of [[2, 'constant'], [Infinity, 'elementwise'], [2, 'elementwise']] as const) {
      const { perturbation, value, loss } = await worstCaseSharpness(problem, point, { radius: 0.2, norm: bound, scale, steps: 6, executor });
      const u = perturbation.map((d, i) => (scale === 'elementwise' ? d / Math.abs(objective.centre[i]) : d));
      expect(bound === 2 ? norm(u) : Math.max(...u.map(Math.abs))).toBeLessThanOrEqual(0.2 * (1 + 1e-12));
      expect((await objective.lossAt(objective.centre.map((x, i) => x + perturbation[i]))) - loss).toBeCloseTo(value, 12);
    }
    await objective.dispose();
  });

  test('names its parameters only, refuses what makes no sense, and stops at a signal', async () => {
    const { problem, point } = reluProblem(6);
    const space = new ParameterSpace(point.params, 'layers.1');
    expect((await samSharpness(problem, point, { parameters: 'layers.1', executor })).perturbation).toHaveLength(space.size);
    await expect(samSharpness(problem, point, { radius: -1, executor })).rejects.toThrow('radius');
    await expect(worstCaseSharpness(problem, point, { radius: 1, norm: 1 as 2, executor })).rejects.toThrow('norm must be 2 or Infinity');
    await expect(samSharpness(problem, point, { steps: 0, executor })).rejects.toThrow('steps');
    await expect(samSharpness(bowl, at(NaN, 1, 1), { executor })).rejects.toThrow('finite');
    await expect(samSharpness(problem, point, { signal: AbortSignal.abort(new Error('enough')), executor })).rejects.toThrow('enough');
  });
});

describe('average case', () => {
  test('of a quadratic: half the trace in the metric, whatever the gradient', async () => {
    const w = [1, -2, 0.5];
    const cases = [
      [{ radius: 0.1 }, 0.5 * 0.01 * 14], [{ radius: 0.1, distribution: 'sphere' }, (0.5 * 0.01 * 14) / 3], [{ radius: 0.1, scale: 'elementwise' }, 0.5 * 0.01 * (1 + 16 + 9 / 4)],
    ] as const;
    for (const [options, expected] of cases) {
      const result = await averageSharpness(bowl, at(...w), { ...options, draws: 400, executor });
      expect(Math.abs(result.value - expected)).toBeLessThan(4 * result.error);
      expect(result.error).toBeLessThan(0.15 * expected);
      expect(result).toMatchObject({ samples: 400, cost: { losses: 801, gradients: 0 } });
    }
  });

  test('same key, same bits; another key, another estimate', async () => {
    const run = (seed: number): Promise<Sharpness> => averageSharpness(bowl, at(1, 1, 1), { radius: 1, draws: 4, key: key(seed), executor });
    expect((await run(1)).value).toBe((await run(1)).value);
    expect((await run(1)).value).not.toBe((await run(2)).value);
  });

  test('intervals cover the truth about as often as they say', async () => {
    let covered = 0;
    for (let seed = 0; seed < 40; seed++) {
      const [low, high] = interval(await averageSharpness(bowl, at(0, 0, 0), { radius: 1, draws: 16, key: key(seed), executor }));
      if (low <= 7 && 7 <= high) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(32);
  });
});

describe('PAC-Bayes flatness', () => {
  test('of a quadratic: sigma^2 = 2 target / trace', async () => {
    const result = await pacBayesFlatness(bowl, at(0.3, -1, 2), { target: 0.5, draws: 400, executor });
    const expected = Math.sqrt(1 / 14);
    expect(Math.abs(result.value - expected)).toBeLessThan(4 * result.error);
    expect(result.error).toBeLessThan(0.1 * expected);
    expect(result.stopped).toBe('converged');
    expect(result.increase.value).toBeLessThanOrEqual(0.5);
    expect(result.increase.value).toBeGreaterThan(0.495);
    expect(result.inverseSquare.value).toBeCloseTo(result.value ** -2, 10);
    // Errors of a power: relative ones double.
    expect(result.inverseSquare.error / result.inverseSquare.value).toBeCloseTo((2 * result.error) / result.value, 10);
  });

  test('magnitude-aware: sigma^2 = (2 target - floor^2 trace) / sum of curvature w^2', async () => {
    const result = await pacBayesFlatness(bowl, at(0.3, -1, 2), { target: 0.5, magnitudeAware: true, floor: 0.1, draws: 400, executor });
    const expected = Math.sqrt((1 - 0.01 * 14) / (0.09 + 4 + 36));
    expect(Math.abs(result.value - expected)).toBeLessThan(4 * result.error);
    expect(result.rescaling).toBe('changes');
  });

  test('its standard error is that over keys', async () => {
    const runs = await Promise.all(Array.from({ length: 24 }, (_, seed) => pacBayesFlatness(bowl, at(0.3, -1, 2), { target: 0.5, draws: 24, tolerance: 1e-4, key: key(seed), executor })));
    const mean = runs.reduce((sum, { value }) => sum + value / 24, 0);
    const spread = Math.sqrt(runs.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / 23);
    const stated = runs.reduce((sum, { error }) => sum + error / 24, 0);
    expect(stated / spread).toBeGreaterThan(0.6);
    expect(stated / spread).toBeLessThan(1.6);
  });

  test('a loss that no noise raises is unbounded, one that any noise raises too much is zero', async () => {
    expect(await pacBayesFlatness(quadratic([0, 0]), at(1, 2), { draws: 2, executor })).toMatchObject({ value: Infinity, error: NaN, stopped: 'unbounded' });
    expect(await pacBayesFlatness(quadratic([1e20]), at(0), { draws: 2, executor })).toMatchObject({ value: 0, stopped: 'zero' });
  });

  test('by the share of wrong labels', async () => {
    const { problem, point } = reluProblem(40);
    const known = await withOwnLabels(problem, point);
    const result = await pacBayesFlatness(known, point, { metric: 'error', target: 0.05, draws: 6, tolerance: 0.05, executor });
    expect(result.stopped).toBe('converged');
    expect(result.increase.value).toBeLessThanOrEqual(0.05);
    expect(result.error).toBeGreaterThan(0);
    await expect(pacBayesFlatness(bowl, at(1, 1, 1), { metric: 'error', executor })).rejects.toThrow('labels');
  });
});

describe('measures and the Hessian', () => {
  test('largest eigenvalue and trace against the dense matrix', async () => {
    const { problem, point } = reluProblem(20);
    const operator = hessian(problem, point, { executor });
    const dense = await denseMatrix(operator);
    const { values } = symmetricEigen(dense, operator.size);
    const { largest, trace } = await hessianSharpness(operator, { probes: 200 });
    expect(largest.value).toBeCloseTo(values[values.length - 1], 8);
    expect(Math.abs(trace.value - values.reduce((sum, x) => sum + x, 0))).toBeLessThan(4 * trace.error);
    expect(trace.cost.products).toBe(200);
    await operator.dispose();
  });

  test('for small radii SAM sharpness is rho |g|, average sharpness rho^2 trace / 2', async () => {
    const { problem, point } = reluProblem(20);
    const { gradient } = await evaluateGradient(problem, point, problem.train, { executor });
    expect((await samSharpness(problem, point, { radius: 1e-5, executor })).value / 1e-5).toBeCloseTo(norm(gradient), 3);
    const operator = hessian(problem, point, { executor });
    const matrix = await denseMatrix(operator);
    const trace = Array.from({ length: operator.size }, (_, i) => matrix[i * (operator.size + 1)]).reduce((a, b) => a + b);
    const average = await averageSharpness(problem, point, { radius: 1e-3, draws: 60, executor });
    expect(Math.abs(average.value - 0.5e-6 * trace)).toBeLessThan(4 * average.error);
    await operator.dispose();
  });
});

describe('rescaling of layers of a ReLU network', () => {
  const { problem, point } = reluProblem(16);
  const other = rescaled(point, 3);
  const options = { executor };
  const measures: Record<string, (p: typeof point) => Promise<Sharpness>> = {
    'SAM, one step': (p) => samSharpness(problem, p, { ...options, radius: 0.1 }),
    'SAM, five steps': (p) => samSharpness(problem, p, { ...options, radius: 0.1, steps: 5 }),
    'adaptive, one step': (p) => adaptiveSharpness(problem, p, { ...options, radius: 0.1 }),
    'adaptive, box, five steps': (p) => adaptiveSharpness(problem, p, { ...options, radius: 0.1, norm: Infinity, steps: 5 }),
    'adaptive, offset': (p) => adaptiveSharpness(problem, p, { ...options, radius: 0.1, offset: 0.05 }),
    'adaptive, logits normalised': (p) => adaptiveSharpness(problem, p, { ...options, radius: 0.1, logitNormalized: true }),
    Keskar: (p) => keskarSharpness(problem, p, { ...options, epsilon: 0.01 }),
    average: (p) => averageSharpness(problem, p, { ...options, radius: 0.1, draws: 4 }),
    'average, adaptive': (p) => averageSharpness(problem, p, { ...options, radius: 0.1, scale: 'elementwise', draws: 4 }),
    'PAC-Bayes': (p) => pacBayesFlatness(problem, p, { ...options, draws: 4 }),
    'PAC-Bayes, magnitude-aware': (p) => pacBayesFlatness(problem, p, { ...options, draws: 4, magnitudeAware: true, floor: 0.1 }),
    'PAC-Bayes, magnitude-aware, no floor': (p) => pacBayesFlatness(problem, p, { ...options, draws: 4, magnitudeAware: true, floor: 0 }),
    'Fisher-Rao, model': (p) => fisherRaoNorm(problem, p, options),
    'Fisher-Rao, data': (p) => fisherRaoNorm(problem, p, { ...options, labels: 'data' }),
    'Fisher-Rao, identity': (p) => fisherRaoIdentity(problem, p, { ...options, degree: 3 }),
    'largest eigenvalue': async (p) => (await hessianSharpness(hessian(problem, p, options))).largest,
    trace: async (p) => (await hessianSharpness(hessian(problem, p, options))).trace,
  };
  test.each(Object.entries(measures))('%s: changes if and only if it says so', async (_, measure) => {
    const [before, after] = [await measure(point), await measure(other)];
    const change = Math.abs(after.value / before.value - 1);
    expect(before.value).not.toBe(0);
    if (before.rescaling === 'invariant') expect(change).toBeLessThan(1e-9);
    else expect(change).toBeGreaterThan(0.01);
  });
});

describe('logits normalised', () => {
  test('a factor of the last layer changes nothing', async () => {
    const { problem, point } = reluProblem(10, { bias: false });
    const objective = sharpnessObjective(problem, point, { logitNormalized: true, executor });
    const last = objective.space.ranges.find(({ name }) => name === 'layers.2.weight')!;
    const scaled = objective.centre.map((w, i) => (i >= last.offset && i < last.offset + last.size ? 5 * w : w));
    expect(await objective.lossAt(scaled)).toBeCloseTo(await objective.lossAt(objective.centre), 12);
    await objective.dispose();
    const plain = sharpnessObjective(problem, point, { executor });
    expect(Math.abs((await plain.lossAt(scaled)) - (await plain.lossAt(plain.centre)))).toBeGreaterThan(0.1);
    await plain.dispose();
    await expect(samSharpness(quadratic([1]), at(1), { logitNormalized: true, executor })).rejects.toThrow('at least two classes');
  });
});
