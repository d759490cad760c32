import { describe, expect, test } from 'vitest';
import { takeRows } from '../data/index.ts';
import { symmetricEigen } from '../linalg/index.ts';
import { interval } from '../problem/index.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, normal, permutation, split } from '../util/random/index.ts';
import { dot } from './basis.ts';
import { ggn } from './ggn.ts';
import { hessian } from './hessian.ts';
import { groupedErrors, subsamplingErrors, traceSubsamplingError } from './subsampling.ts';
import { hutchinsonTrace } from './trace.ts';

const executor = referenceExecutor;
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const deviation = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, x) => sum + (x - mean(values)) ** 2, 0) / (values.length - 1));

describe('of a problem', () => {
  const problem = tinyClassification(30);
  const point = problem.model.init(key(0));
  const size = 31;
  const vectors = [0, 1, 2].map((i) => normal(split(key(1), i), size, { dtype: 'float64' }));

  test.each([['hessian', hessian], ['ggn', ggn]] as const)('%s: the forms of groups are those of operators over the groups', async (matrix, make) => {
    // 22 of 30 samples in 5 groups of 4; two are in no group but in the value.
    const result = await subsamplingErrors(problem, point, vectors, { executor, matrix, groups: 5, samples: 22 });
    const over = async (indices: number[]): Promise<number[]> => {
      const operator = make(problem, point, { executor, data: takeRows(problem.train, indices) });
      return (await operator.multiply(vectors)).map((image, i) => dot(image, vectors[i]));
    };
    const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
    const all = await over(range(0, 22));
    const groups = await Promise.all([0, 1, 2, 3, 4].map((g) => over(range(4 * g, 4))));
    const factor = Math.sqrt(1 - 22 / 30);
    vectors.forEach((_, i) => {
      expect(result.forms[i].value).toBeCloseTo(all[i], 10);
      const error = (deviation(groups.map((group) => group[i])) / Math.sqrt(5)) * Math.sqrt(20 / 22) * factor;
      expect(result.forms[i]).toMatchObject({ kind: 'standard error', samples: 5, error: expect.closeTo(error, 10) as number });
    });
    expect(result.mean.value).toBeCloseTo(mean(all), 10);
    expect(result.mean.error).toBeCloseTo((deviation(groups.map(mean)) / Math.sqrt(5)) * Math.sqrt(20 / 22) * factor, 10);
    expect(result).toMatchObject({ groups: 5, groupSize: 4, samples: 22, population: 30, populationFactor: factor, cost: { products: 3 } });
  });

  test('groups of several chunks, as a memory budget wants them, are the same; a signal ends it', async () => {
    const many = Array.from({ length: 6 }, (_, i) => normal(split(key(2), i), size, { dtype: 'float64' }));
    const larger = tinyClassification(200);
    const options = { executor, groups: 3, samples: 199 };
    let visits = 0;
    const onProgress = (): void => { visits++; };
    const whole = await subsamplingErrors(larger, point, many, { ...options, onProgress });
    // Four and two vectors, three groups and the sample that is left.
    expect([visits, whole.groupSize]).toEqual([8, 66]);
    visits = 0;
    const cut = await subsamplingErrors(larger, point, many, { ...options, memoryBudget: 300_000, onProgress });
    // Three chunks of 22 a group.
    expect([visits, cut.groupSize]).toEqual([20, 66]);
    many.forEach((_, i) => {
      expect(cut.forms[i].value).toBeCloseTo(whole.forms[i].value, 12);
      expect(cut.forms[i].error).toBeCloseTo(whole.forms[i].error, 12);
    });
    const controller = new AbortController();
    const steps: number[] = [];
    const ended = subsamplingErrors(larger, point, many, { ...options, signal: controller.signal, onProgress: ({ done }) => { steps.push(done); if (done === 4) controller.abort(new Error('enough')); } });
    await expect(ended).rejects.toThrow('enough');
    expect(steps).toEqual([1, 2, 3, 3, 4]);
  });

  test('all of the population leaves no error; of a distribution the whole', async () => {
    const whole = await subsamplingErrors(problem, point, vectors, { executor });
    expect(whole.populationFactor).toBe(0);
    expect(whole.forms[0].error).toBe(0);
    const drawn = await subsamplingErrors(problem, point, vectors, { executor, population: Infinity });
    expect(drawn).toMatchObject({ populationFactor: 1, groups: 20, groupSize: 1 });
    expect(drawn.forms[0].error).toBeGreaterThan(0);
    expect(drawn.forms[0].value).toBeCloseTo(whole.forms[0].value, 12);
  });

  test('the trace: the probes of Hutchinson, the error of the groups; of a block of parameters too', async () => {
    const parameters = 'layers.1';
    const trace = await traceSubsamplingError(problem, point, { executor, parameters, probes: 6, groups: 5, population: Infinity, key: key(4) });
    const plain = await hutchinsonTrace(hessian(problem, point, { executor, parameters }), { probes: 6, key: key(4) });
    expect(trace.value).toBeCloseTo(plain.value, 10);
    expect(trace).toMatchObject({ samples: 5, kind: 'standard error', populationFactor: 1 });
    expect(trace.error).toBeGreaterThan(0);
  });

  test('refuses one group, no vectors, and a population below the samples', async () => {
    await expect(subsamplingErrors(problem, point, vectors, { executor, groups: 1 })).rejects.toThrow('groups must be an integer from 2 to 30');
    await expect(subsamplingErrors(problem, point, [], { executor })).rejects.toThrow('at least one vector');
    await expect(subsamplingErrors(problem, point, vectors, { executor, population: 10 })).rejects.toThrow('population must be a finite number of at least 30');
  });
});

describe('coverage, over 200 draws of samples from a population of matrices', () => {
  const [n, population, samples, groups] = [5, 300, 100, 20];
  const centre = [4, 1.5, 1, 0.5, -0.5];
  const matrices = Array.from({ length: population }, (_, s) => {
    const noise = normal(split(key(6), s), n * n, { dtype: 'float64' });
    return noise.map((x, at) => (at % (n + 1) === 0 ? centre[at % n] : 0) + (x + noise[(at % n) * n + Math.floor(at / n)]) / 2);
  });
  const average = (indices: ArrayLike<number>): Float64Array => {
    const out = new Float64Array(n * n);
    for (let s = 0; s < indices.length; s++) matrices[indices[s]].forEach((x, at) => { out[at] += x / indices.length; });
    return out;
  };
  const traceOf = (matrix: Float64Array): number => centre.reduce((sum, _, i) => sum + matrix[i * (n + 1)], 0);
  const top = (matrix: Float64Array): { value: number; vector: Float64Array } => {
    const { values, vectors } = symmetricEigen(matrix, n);
    return { value: values[n - 1], vector: Float64Array.from({ length: n }, (_, i) => vectors[i * n + n - 1]) };
  };
  const form = (matrix: Float64Array, v: Float64Array): number => matrix.reduce((sum, x, at) => sum + x * v[Math.floor(at / n)] * v[at % n], 0);

  test.each([['the population', population], ['the distribution', Infinity]])('intervals for the eigenvalue and the trace of %s', (_, of) => {
    const hits = { eigenvalue: 0, trace: 0 };
    for (let seed = 0; seed < 200; seed++) {
      // The distribution: other matrices each time; the population: others of the same 300.
      const drawn = of === Infinity
        ? Array.from({ length: samples }, (_s, s) => { const noise = normal(split(key(seed), 'sample', s), n * n, { dtype: 'float64' }); return noise.map((x, at) => (at % (n + 1) === 0 ? centre[at % n] : 0) + (x + noise[(at % n) * n + Math.floor(at / n)]) / 2); })
        : Array.from(permutation(split(key(seed), 'choice'), population).slice(0, samples), (s) => matrices[s]);
      const whole = new Float64Array(n * n);
      for (const matrix of drawn) matrix.forEach((x, at) => { whole[at] += x / samples; });
      const { value, vector } = top(whole);
      const grouped = (statistic: (matrix: Float64Array) => number): number[] => Array.from({ length: groups }, (_g, g) => mean(drawn.slice(5 * g, 5 * g + 5).map(statistic)));
      const { forms } = groupedErrors([grouped((matrix) => form(matrix, vector)), grouped(traceOf)], { groupSize: 5, samples, population: of });
      expect(forms[0].value).toBeCloseTo(value, 10);
      const truth = of === Infinity ? { eigenvalue: 4, trace: 6.5 } : { eigenvalue: top(average(matrices.map((_m, i) => i))).value, trace: traceOf(average(matrices.map((_m, i) => i))) };
      (['eigenvalue', 'trace'] as const).forEach((name, i) => {
        const [low, high] = interval(forms[i]);
        if (low <= truth[name] && truth[name] <= high) hits[name]++;
      });
    }
    for (const count of Object.values(hits)) {
      expect(count / 200).toBeGreaterThanOrEqual(0.9);
      expect(count / 200).toBeLessThanOrEqual(0.99);
    }
  });
});
