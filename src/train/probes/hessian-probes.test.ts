import { describe, expect, test } from 'vitest';
import '../../runtime/node.ts';
import { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { dot, norm } from '../../curvature/basis.ts';
import { symmetricEigen } from '../../linalg/index.ts';
import { mlp, type MlpParameters } from '../../nn/index.ts';
import { spirals } from '../../data/index.ts';
import { crossEntropy } from '../../losses/index.ts';
import { add, mul } from '../../ops/index.ts';
import type { Optimizer } from '../../optim/index.ts';
import { defaultExecutor } from '../../core/backend.ts';
import { tinyClassification, tinyRegression } from '../../problem/tiny-problems.test-helper.ts';
import { ParameterSpace, type Problem } from '../../problem/index.ts';
import { mapTree } from '../../tree/index.ts';
import type { Measured } from '../probe.ts';
import { gradientAlignment } from './gradient-alignment.ts';
import { hessianTrace } from './hessian-trace.ts';
import { together } from './moving-hessian.ts';
import { preconditionedSharpness } from './preconditioned-sharpness.ts';
import { countingExecutor, denseDerivatives, momentAt, settingOf } from './probes.test-helper.ts';
import { sharpness } from './sharpness.ts';
import { topEigenvalues } from './top-eigenvalues.ts';

const problems = [tinyClassification(24, [3, 6, 3]), tinyRegression(24, [3, 6, 2])];

/** Eigenvalues, descending, and the vector of the largest. */
function spectrum(matrix: Float64Array, size: number): { values: number[]; top: Float64Array } {
  const { values, vectors } = symmetricEigen(matrix, size);
  return { values: [...values].reverse(), top: Float64Array.from({ length: size }, (_, i) => vectors[i * size + size - 1]) };
}

describe.each(problems)('on the $name', (problem) => {
  const moments = [0, 1, 2].map((number) => momentAt(problem, number));
  const dense = moments.map((moment) => denseDerivatives(problem, moment));

  test('sharpness is the largest eigenvalue of the dense Hessian, within an error that is small', async () => {
    const prepared = await sharpness({ tolerance: 1e-6 }).prepare(settingOf(problem));
    for (const [i, moment] of moments.entries()) {
      const { hessian, size } = await dense[i];
      const { value, error, kind, cost } = (await prepared.measure(moment))[''];
      const { values } = spectrum(hessian, size);
      expect(kind).toBe('bound');
      expect(Math.abs(value - values[0])).toBeLessThanOrEqual(error + 1e-13);
      expect(error).toBeLessThan(1e-5 * values[0]);
      expect(cost!.products).toBeGreaterThan(5);
    }
    await prepared.dispose();
  });

  test('the largest eigenvalues are those of the dense Hessian, in order', async () => {
    const prepared = await topEigenvalues({ count: 4, tolerance: 1e-5 }).prepare(settingOf(problem));
    for (const [i, moment] of moments.entries()) {
      const { hessian, size } = await dense[i];
      const found = Object.entries(await prepared.measure(moment));
      expect(found.map(([part]) => part)).toEqual(['1', '2', '3', '4']);
      const { values } = spectrum(hessian, size);
      found.forEach(([, { value, error }], k) => { expect(Math.abs(value - values[k])).toBeLessThanOrEqual(error + 1e-12); expect(error).toBeLessThan(1e-3 * values[0]); });
    }
    await prepared.dispose();
  });

  test('the gradient\'s share along the top eigenvector', async () => {
    const prepared = await gradientAlignment({ tolerance: 1e-7, count: 2 }).prepare(settingOf(problem));
    for (const [i, moment] of moments.entries()) {
      const { gradient, hessian, size } = await dense[i];
      const { vectors } = symmetricEigen(hessian, size);
      const cosine = (k: number): number => Math.abs(dot(gradient, Float64Array.from({ length: size }, (_, row) => vectors[row * size + size - 1 - k]))) / norm(gradient);
      const { '': aligned, share } = await prepared.measure(moment);
      expect(Math.abs(aligned.value - cosine(0))).toBeLessThanOrEqual(aligned.error + 1e-12);
      expect(Math.abs(share.value - cosine(0) ** 2 - cosine(1) ** 2)).toBeLessThanOrEqual(share.error + 1e-12);
      expect(aligned.error).toBeLessThan(1e-3);
      expect(aligned.value).toBeGreaterThan(1e-3);
    }
    await prepared.dispose();
  });

  test('the trace within its standard error, from the same random vectors every time', async () => {
    const prepared = await hessianTrace({ vectors: 64 }).prepare(settingOf(problem));
    for (const [i, moment] of moments.entries()) {
      const { hessian, size } = await dense[i];
      const trace = Array.from({ length: size }, (_, k) => hessian[k * size + k]).reduce((a, b) => a + b, 0);
      const { value, error, samples } = (await prepared.measure(moment))[''];
      expect(samples).toBe(64);
      expect(Math.abs(value - trace)).toBeLessThan(3 * error);
      expect(error).toBeLessThan(0.2 * Math.abs(trace));
      expect((await prepared.measure(moment))[''].value).toBe(value);
    }
    await prepared.dispose();
  });

  test('preconditioned sharpness is the largest eigenvalue of P^-1/2 H P^-1/2', async () => {
    // P grows along the parameters, and with the step.
    const optimizer: Optimizer = {
      name: 'scaled', init: () => ({}), update: () => { throw new Error('not stepped'); },
      preconditioner: <P>(memory: unknown, step: Tensor): P => mapTree((leaf: Tensor) => add(leaf, mul(0.1, step)), memory) as P,
    };
    const prepared = await preconditionedSharpness({ tolerance: 1e-6 }).prepare(settingOf(problem, { optimizer }));
    const both: unknown[] = [];
    for (const [i, moment] of moments.entries()) {
      const memory = mapTree(({ data, shape }: NDArray) => new NDArray(Float64Array.from(data, (x) => 0.5 + x * x), shape, 'float64'), moment.params);
      const { '': { value, error } } = await prepared.measure({ ...moment, memory });
      if (i === 0) { expect(value).toBeNaN(); continue; }
      const { hessian, size } = await dense[i];
      const divisors = new ParameterSpace(memory).flatten().map((x) => x + 0.1 * moment.step);
      const { values } = spectrum(hessian.map((h, at) => h / Math.sqrt(divisors[Math.floor(at / size)] * divisors[at % size])), size);
      expect(Math.abs(value - values[0])).toBeLessThanOrEqual(error + 1e-12);
      expect(error).toBeLessThan(1e-4 * values[0]);
      both.push({ ...moment, memory }, value);
    }
    const [first, one, second, two] = both as [typeof moments[0], number, typeof moments[0], number];
    const all = await prepared.measureAll!([second, first]);
    expect(all[0][''].value).toBeCloseTo(two, 5);
    expect(all[1][''].value).toBeCloseTo(one, 5);
    await prepared.dispose();
  });

  test.each([sharpness({ tolerance: 1e-8 }), hessianTrace(), topEigenvalues({ count: 2, tolerance: 1e-7 }), gradientAlignment({ tolerance: 1e-7 })])('replicas at once measure what they do one by one: $name', async (probe) => {
    const atOnce = await probe.prepare(settingOf(problem));
    // Twice: the second time from the vectors of the first.
    for (const set of [moments, [...moments].reverse()]) {
      const all = await atOnce.measureAll!(set);
      for (const [i, moment] of set.entries()) {
        const alone = await probe.prepare(settingOf(problem));
        const one: Measured = await alone.measure(moment);
        for (const part of Object.keys(one)) expect(Math.abs(all[i][part].value - one[part].value), part).toBeLessThan(1e-6 * (1 + Math.abs(one[part].value)));
        await alone.dispose();
      }
    }
    await atOnce.dispose();
  });
});

describe('along a run', () => {
  const [problem] = problems;
  const moments = Array.from({ length: 4 }, (_, number) => momentAt(problem, number));

  test('nothing is compiled after the first measurement, alone or at once', async () => {
    const executor = countingExecutor();
    for (const probe of [sharpness(), hessianTrace(), gradientAlignment(), topEigenvalues()]) {
      const prepared = await probe.prepare(settingOf(problem, { executor }));
      await prepared.measure(moments[0]);
      await prepared.measureAll!(moments);
      const { prepared: programs } = executor;
      for (const moment of moments.slice(1)) await prepared.measure(moment);
      await prepared.measureAll!([...moments].reverse());
      expect(executor.prepared, probe.name).toBe(programs);
      await prepared.dispose();
    }
  });

  test('a search that starts from the last vector takes fewer products, and one that is restored takes the same', async () => {
    const data = spirals({ samples: 200, testSamples: 2 });
    const network: Problem<MlpParameters> = { name: data.name, model: mlp({ sizes: [2, 32, 32, data.classes!.length], activation: 'tanh' }), loss: crossEntropy, train: data.train };
    const setting = settingOf(network, { executor: defaultExecutor() });
    const probe = sharpness({ tolerance: 1e-6 });
    const [whole, other] = [await probe.prepare(setting), await probe.prepare(setting)];
    const near = (step: number) => ({ ...momentAt(network, 0), step });
    const first = (await whole.measure(near(0)))[''];
    const saved = whole.save!();
    other.restore!(saved);
    const [again, resumed] = [(await whole.measure(near(20)))[''], (await other.measure(near(20)))['']];
    expect(again.cost!.products).toBeLessThan(first.cost!.products);
    expect([resumed.value, resumed.error]).toEqual([again.value, again.error]);
    expect(Math.abs(again.value - first.value)).toBeLessThanOrEqual(again.error + first.error);
    await Promise.all([whole.dispose(), other.dispose()]);
  });

  test('an optimizer without a preconditioner is refused', () => {
    expect(() => preconditionedSharpness().prepare(settingOf(problem))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: preconditionedSharpness: the optimizer must divide gradients by a diagonal, got 'sgd', which has no preconditioner.
        Try: sharpness]
    `);
  });
});

describe('together', () => {
  test('one product answers all who have not left', async () => {
    const calls: number[][] = [];
    const meeting = together(3, 1, async (vectors) => {
      calls.push(vectors.map(([x]) => x));
      return vectors.map(([x]) => Float64Array.of(2 * x));
    });
    const task = async (index: number, rounds: number): Promise<number[]> => {
      const out: number[] = [];
      for (let i = 0; i < rounds; i++) out.push((await meeting.multiply(index, Float64Array.of(10 * index + i + 1)))[0]);
      meeting.leave(index);
      return out;
    };
    expect(await Promise.all([task(0, 1), task(1, 3), task(2, 2)])).toEqual([[2], [22, 24, 26], [42, 44]]);
    expect(calls).toEqual([[1, 11, 21], [0, 12, 22], [0, 13, 0]]);
  });

  test('a product that fails fails for all who wait', async () => {
    const meeting = together(2, 1, () => Promise.reject(new Error('no backend')));
    await expect(Promise.all([0, 1].map((i) => meeting.multiply(i, new Float64Array(1))))).rejects.toThrow('no backend');
  });
});
