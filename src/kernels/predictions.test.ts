import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { array, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Model } from '../nn/index.ts';
import { mul, square, sub, sum } from '../ops/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, grad } from '../transforms/index.ts';
import { leaves, mapTree, unflatten } from '../tree/index.ts';
import { draw, inputsFor, samples } from './models.test-helper.ts';
import { outputsOf } from './network.ts';
import {
  empiricalNtk, ensemblePosterior, gaussianProcess, gradientFlow, infiniteDense, infiniteKernel, infiniteRelu, infiniteSerial, maximalLearningRate,
  outputsAsRows, taylorModel, type GradientFlowOptions,
} from './index.ts';

interface Pair { readonly nngp: readonly number[]; readonly ntk: readonly number[] }
interface Predicted { readonly learningRate: number; readonly time: number | null; readonly train: readonly number[]; readonly test: readonly number[] }
interface Goldens {
  readonly train: Pair; readonly testTrain: Pair; readonly testTest: Pair;
  readonly targets: readonly number[]; readonly initial: readonly number[]; readonly initialTest: readonly number[];
  readonly flow: readonly (Predicted & { readonly regularisation: number; readonly absolute: boolean })[];
  readonly momentum: readonly (Predicted & { readonly momentum: number })[];
  readonly posterior: readonly { readonly time: number | null; readonly kernel: 'nngp' | 'ntk'; readonly mean: readonly number[]; readonly covariance: readonly number[] }[];
}
const goldens = JSON.parse(readFileSync(new URL('../../test/golden/kernels/predictions.json', import.meta.url), 'utf8')) as Goldens;
const matrix = (values: readonly number[]): Float64Array => Float64Array.from(values);
const near = (received: ArrayLike<number>, wanted: readonly number[], digits: number): void => {
  expect(received).toHaveLength(wanted.length);
  wanted.forEach((value, i) => { expect(received[i]).toBeCloseTo(value, digits); });
};
const training = { kernel: matrix(goldens.train.ntk), targets: goldens.targets, outputs: 2 };
const testTrain = matrix(goldens.testTrain.ntk);

describe('against neural-tangents', () => {
  test.each(goldens.flow)('gradient_descent_mse at $time, rate $learningRate, regularisation $regularisation, absolute $absolute', ({ time, train, test: wanted, ...options }) => {
    const flow = gradientFlow(training, options);
    near(flow.train(time ?? Infinity, goldens.initial), train, 9);
    near(flow.test(time ?? Infinity, testTrain, goldens.initial, goldens.initialTest), wanted, 9);
  });

  test.each(goldens.momentum)('gradient_descent with momentum $momentum at $time', ({ time, train, test: wanted, ...options }) => {
    const flow = gradientFlow(training, options);
    // The peer solves the differential equation numerically, to about 1e-7.
    near(flow.train(time!, goldens.initial), train, 6);
    near(flow.test(time!, testTrain, goldens.initial, goldens.initialTest), wanted, 6);
  });

  test.each(goldens.posterior)('gradient_descent_mse_ensemble by $kernel at $time', ({ time, kernel, mean, covariance }) => {
    const tangent = { train: matrix(goldens.train[kernel]), testTrain: matrix(goldens.testTrain[kernel]) };
    const set = { train: matrix(goldens.train.nngp), testTrain: matrix(goldens.testTrain.nngp), testTest: matrix(goldens.testTest.nngp) };
    const found = ensemblePosterior(tangent, set, goldens.targets, { outputs: 2, time: time ?? Infinity, regularisation: 1e-3, noise: kernel === 'nngp' });
    near(found.mean, mean, 8);
    near(found.covariance, covariance, 8);
  });
});

describe('goldens of the definition', () => {
  // neural-tangents' code re-enacted in NumPy: x = (1, 2, 3), y = (-1, .5, 2), two hidden ReLU layers, W_std^2 = 2.
  const points = array([1, 2, 3, -1, 0.5, 2], [2, 3], 'float64');
  const network = (options: object) => {
    const dense = () => infiniteDense({ weightScale: Math.SQRT2, ...options });
    return infiniteSerial(dense(), infiniteRelu(), dense(), infiniteRelu(), dense());
  };
  test('NTK parametrisation', async () => {
    const { nngp, ntk } = await infiniteKernel(network({}), points);
    near(nngp, [9.3333333, 4.5037259, 4.5037259, 3.5], 7);
    near(ntk!, [28, 10.1038740, 10.1038740, 10.5], 7);
    const biased = await infiniteKernel(network({ biasScale: 0.05 }), points);
    near(biased.nngp, [9.3408333, 4.5112613, 4.5112613, 3.5075], 7);
    near(biased.ntk!, [28.015, 10.1173161, 10.1173161, 10.515], 7);
  });
  test('standard parametrisation of width 100', async () => {
    const { nngp, ntk } = await infiniteKernel(network({ parametrization: 'standard', width: 100, biasScale: 0.05 }), points);
    near(ntk!, [950.70833, 396.36104, 396.36104, 358.625], 5);
    near(nngp, [9.3408333, 4.5112613, 4.5112613, 3.5075], 7);
  });
  test('maximal learning rate', async () => {
    const { ntk } = await infiniteKernel(network({}), points);
    expect(maximalLearningRate(ntk!, 2).value).toBeCloseTo(0.1226391, 7);
    expect(maximalLearningRate(ntk!, 2, 0.9).value).toBeCloseTo(0.2330143, 7);
  });
});

describe('gradientFlow', () => {
  test('an explicit small-step integration agrees, with and without momentum', () => {
    const n = goldens.targets.length;
    const [kernel, targets, rate] = [training.kernel, goldens.targets, 0.3];
    const acceleration = (f: readonly number[]): number[] => f.map((_, at) => {
      let sum = 0;
      for (let j = 0; j < 4; j++) sum -= (kernel[Math.floor(at / 2) * 4 + j] * (f[j * 2 + (at % 2)] - targets[j * 2 + (at % 2)])) / n;
      return sum;
    });
    const steps = 20000;
    const time = 4;
    let f = [...goldens.initial];
    const midpoint = (h: number): void => {
      const half = acceleration(f).map((a, i) => f[i] + (h / 2) * a);
      f = acceleration(half).map((a, i) => f[i] + h * a);
    };
    for (let i = 0; i < steps; i++) midpoint((rate * time) / steps);
    near(gradientFlow(training, { learningRate: rate }).train(time, goldens.initial), f, 6);
    const momentum = 0.8;
    const friction = (1 - momentum) / Math.sqrt(rate);
    f = [...goldens.initial];
    let q = f.map(() => 0);
    const h = (Math.sqrt(rate) * time) / steps;
    for (let i = 0; i < steps; i++) {
      const middle = f.map((x, j) => x + (h / 2) * q[j]);
      const force = acceleration(middle);
      const next = q.map((v, j) => (v * (1 - (friction * h) / 2) + h * force[j]) / (1 + (friction * h) / 2));
      f = middle.map((x, j) => x + (h / 2) * next[j]);
      q = next;
    }
    near(gradientFlow(training, { learningRate: rate, momentum }).train(time, goldens.initial), f, 6);
  });

  test('where the kernel vanishes nothing moves, and elsewhere the limit is reached', () => {
    const flow = gradientFlow({ kernel: Float64Array.of(2, 0, 0, 0), targets: [3, 5] });
    near(flow.train(Infinity, [1, 1]), [3, 1], 12);
    near(flow.test(Infinity, Float64Array.of(1, 0)), [1.5], 12);
    for (const momentum of [undefined, 0.5]) {
      const slow = gradientFlow({ kernel: Float64Array.of(2, 0, 0, 1e-12), targets: [3, 5] }, { ...(momentum !== undefined && { momentum }) } as GradientFlowOptions);
      // Along a nearly flat direction the output moves by time x kernel x residual / count.
      const pace = momentum === undefined ? 7 : (7 + Math.expm1(-0.5 * 7) / 0.5) / 0.5;
      expect(slow.train(7)[1] / (pace * 1e-12 * 5 / 2)).toBeCloseTo(1, 6);
    }
  });

  test('refuses a kernel that is none', () => {
    expect(() => gradientFlow({ kernel: Float64Array.of(1, 2, 2, 1), targets: [1, 1] })).toThrow('positive semidefinite');
    expect(() => gradientFlow({ kernel: Float64Array.of(1, 0, 0, 1), targets: [1, 1, 1] })).toThrow('targets must be [n, 1]');
  });
});

describe('gaussianProcess', () => {
  test('is the limit of the ensemble driven by its own kernel, and its evidence is the density', () => {
    const set = { train: matrix(goldens.train.nngp), testTrain: matrix(goldens.testTrain.nngp), testTest: matrix(goldens.testTest.nngp) };
    const regression = gaussianProcess(set, goldens.targets, { outputs: 2, regularisation: 0.1, absolute: true });
    const raised = { ...set, train: set.train.map((value, at) => value + (at % 5 === 0 ? 0.1 : 0)) };
    const limit = ensemblePosterior(raised, raised, goldens.targets, { outputs: 2 });
    near(regression.mean, [...limit.mean], 10);
    near(regression.covariance, [...limit.covariance], 10);
    // One example: log N(y; 0, k).
    const one = gaussianProcess({ train: Float64Array.of(2), testTrain: Float64Array.of(1), testTest: Float64Array.of(1) }, [1.5]);
    expect(one.logMarginalLikelihood).toBeCloseTo(-0.5 * (1.5 ** 2 / 2 + Math.log(2 * Math.PI * 2)), 12);
    near(one.mean, [0.75], 12);
    near(one.variance, [0.5], 12);
  });
});

describe('linearised training', () => {
  test('gradient descent on the linearised network follows the predicted flow, on training and on other examples', async () => {
    const sample = samples[1];
    const linear = taylorModel(sample.network.model as Model<unknown>, sample.point.params as never);
    const [inputs, others, targets] = [inputsFor(sample, 3), inputsFor(sample, 2, 'others'), draw('targets', [3, 3])];
    const network = { name: 'linearised', model: linear };
    const options = { executor: referenceExecutor, outputs: 'full' } as const;
    const kernel = outputsAsRows(await empiricalNtk(sample.network, sample.point, inputs, undefined, options));
    const crossed = outputsAsRows(await empiricalNtk(sample.network, sample.point, others, inputs, options));
    const evaluate = compile((params: unknown, x: Tensor) => outputsOf(network, params, {}, x), { executor: referenceExecutor });
    const gradient = compile((params: unknown, x: Tensor, y: Tensor) => grad((p: unknown) => mul(sum(square(sub(outputsOf(network, p, {}, x), y))), 1 / 18))(params), { executor: referenceExecutor });
    const flow = gradientFlow({ kernel, targets: targets.data });
    const [initial, initialOthers] = [(await evaluate(sample.point.params as never, inputs as never)).data, (await evaluate(sample.point.params as never, others as never)).data];
    const steps = 60;
    const rate = maximalLearningRate(kernel, 9).value / 100;
    let params: unknown = sample.point.params;
    for (let i = 0; i < steps; i++) {
      // The midpoint rule: second order, so that the steps stand for the flow.
      const half = stepped(params, await gradient(params as never, inputs as never, targets as never), rate / 2);
      params = stepped(params, await gradient(half as never, inputs as never, targets as never), rate);
    }
    const scale = Math.max(...initial.map(Math.abs));
    const moved = (await evaluate(params as never, inputs as never)).data;
    flow.train(steps * rate, initial).forEach((value, i) => { expect(Math.abs(value - moved[i])).toBeLessThan(2e-4 * scale); });
    const movedOthers = (await evaluate(params as never, others as never)).data;
    flow.test(steps * rate, crossed, initial, initialOthers).forEach((value, i) => { expect(Math.abs(value - movedOthers[i])).toBeLessThan(2e-4 * scale); });
    expect(Math.max(...moved.map((value, i) => Math.abs(value - initial[i])))).toBeGreaterThan(0.1 * scale);
  });
});

const stepped = (params: unknown, gradient: unknown, rate: number): unknown =>
  unflatten(params, leaves<NDArray>(mapTree((p: NDArray, g: NDArray) => array(p.data.map((value, i) => value - rate * g.data[i]) as never, p.shape, 'float64'), params, gradient)));
