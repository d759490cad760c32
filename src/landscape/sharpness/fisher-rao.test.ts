import { describe, expect, test } from 'vitest';
import { empiricalFisher, ggn, hessian, spectralDensity } from '../../curvature/index.ts';
import { bulkAndOutliers, rotated } from '../../curvature/known-spectrum.test-helper.ts';
import { dot } from '../../curvature/basis.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { fisherRaoIdentity, fisherRaoNorm, homogeneity } from './fisher-rao.ts';
import { reluProblem } from './sharpness.test-helper.ts';
import { negativeCurvature } from './spectral.ts';

const executor = referenceExecutor;

describe('Fisher-Rao norm', () => {
  test("is w' F w with the operators of the same Fisher matrices, also for chosen parameters", async () => {
    const { problem, point } = reluProblem(24);
    for (const parameters of [undefined, 'layers.1']) {
      for (const [labels, make] of [['data', empiricalFisher], ['model', ggn]] as const) {
        const operator = make(problem, point, { executor, parameters });
        const w = operator.space!.flatten();
        const [image] = await operator.multiply([w]);
        const found = await fisherRaoNorm(problem, point, { labels, parameters, executor, chunk: 7 });
        expect(found.value / dot(w, image)).toBeCloseTo(1, 10);
        expect(found.samples).toBe(24);
        expect(found.error).toBeGreaterThan(0);
        await operator.dispose();
      }
    }
  });

  test('the identity of homogeneous networks gives the same, and biases break it', async () => {
    const plain = reluProblem(24, { bias: false });
    const { degree, residual } = await homogeneity(plain.problem, plain.point, { executor });
    expect(degree.value).toBeCloseTo(3, 12);
    expect(residual).toBeLessThan(1e-14);
    const product = await fisherRaoNorm(plain.problem, plain.point, { labels: 'data', executor });
    const identity = await fisherRaoIdentity(plain.problem, plain.point, { degree: 3, executor });
    expect(identity.value / product.value).toBeCloseTo(1, 12);
    expect(identity.error / product.error).toBeCloseTo(1, 10);
    const biased = reluProblem(24);
    expect((await homogeneity(biased.problem, biased.point, { executor })).residual).toBeGreaterThan(0.01);
    const gap = (await fisherRaoIdentity(biased.problem, biased.point, { degree: 3, executor })).value / (await fisherRaoNorm(biased.problem, biased.point, { labels: 'data', executor })).value;
    expect(Math.abs(gap - 1)).toBeGreaterThan(1e-3);
  });

  test('refuses unknown labels and degrees', async () => {
    const { problem, point } = reluProblem(4);
    await expect(fisherRaoNorm(problem, point, { labels: 'sampled' as 'data', executor })).rejects.toThrow("'data' or 'model'");
    await expect(fisherRaoIdentity(problem, point, { degree: 0, executor })).rejects.toThrow('degree');
  });
});

describe('negative curvature of a spectrum', () => {
  test("the example of Loss Landscape Analysis's definitions", () => {
    const probe = { nodes: [-1, 0.5, 4], weights: [0.2, 0.3, 0.5] };
    const { extremes, nodeRatio, massRatio } = negativeCurvature([probe]);
    expect(extremes.value).toBeCloseTo(0.25, 12);
    expect(nodeRatio.value).toBeCloseTo(0.248243, 6);
    expect(massRatio.value).toBeCloseTo(0.2 / 2.15, 12);
    expect(extremes.error).toBeNaN();
    expect(negativeCurvature([probe, probe, probe]).nodeRatio).toMatchObject({ value: expect.closeTo(0.248243, 6) as number, samples: 3 });
  });

  test('the mass ratio does not change when nodes are split, the node ratio does', () => {
    const whole = { nodes: [-1, 2], weights: [0.4, 0.6] };
    const cut = { nodes: [-1, -1, 2], weights: [0.2, 0.2, 0.6] };
    expect(negativeCurvature([cut]).massRatio.value).toBeCloseTo(negativeCurvature([whole]).massRatio.value, 14);
    expect(negativeCurvature([cut]).nodeRatio.value / negativeCurvature([whole]).nodeRatio.value).toBeCloseTo(Math.SQRT2, 10);
    expect(negativeCurvature([whole], { moment: 2 }).massRatio.value).toBeCloseTo(0.4 / 2.4, 14);
  });

  test('over Lanczos steps the node ratio drifts, the mass ratio stays at that of the eigenvalues', async () => {
    const eigenvalues = bulkAndOutliers(300, [20, 12, 7, 4, 3]);
    const { operator } = rotated(eigenvalues);
    const truth = -eigenvalues.filter((x) => x < 0).reduce((a, b) => a + b, 0) / eigenvalues.filter((x) => x > 0).reduce((a, b) => a + b, 0);
    const at = [];
    for (const steps of [25, 50, 100]) at.push(negativeCurvature((await spectralDensity(operator, { steps, probes: 12 })).probes));
    const [few, some, many] = at.map(({ nodeRatio }) => nodeRatio.value);
    expect(some).toBeGreaterThan(1.03 * few);
    expect(many).toBeGreaterThan(1.03 * some);
    const masses = at.map(({ massRatio }) => massRatio);
    expect(Math.abs(masses[2].value / masses[0].value - 1)).toBeLessThan(0.01);
    expect(Math.abs(masses[2].value / masses[1].value - 1)).toBeLessThan(0.003);
    for (const { value, error } of masses) expect(Math.abs(value - truth)).toBeLessThan(4 * error);
  });

  test('of a positive spectrum is zero, of a negative one infinite, of none an error', async () => {
    expect(negativeCurvature([{ nodes: [1, 2], weights: [0.5, 0.5] }]).massRatio.value).toBe(0);
    expect(negativeCurvature([{ nodes: [-1, -2], weights: [0.5, 0.5] }]).massRatio.value).toBe(Infinity);
    expect(() => negativeCurvature([])).toThrow('every probe must have nodes');
    const { problem, point } = reluProblem(10);
    const operator = hessian(problem, point, { executor });
    expect(negativeCurvature((await spectralDensity(operator, { steps: 20, probes: 4 })).probes).massRatio.value).toBeGreaterThan(0);
    await operator.dispose();
  });
});
