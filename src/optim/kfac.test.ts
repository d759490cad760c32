import { describe, expect, test } from 'vitest';
import { NDArray, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { kfac as kfacMatrix } from '../curvature/index.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { add, conv as convolve, flatten as flattenImage, matmul, mul, reshape, tanh } from '../ops/index.ts';
import { evaluateGradient, ParameterSpace, type Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile } from '../transforms/index.ts';
import { key, normal, randint, split } from '../util/random/index.ts';
import { kfac } from './kfac.ts';
import { runOnProblem } from './model-run.test-helper.ts';
import { naturalGradient } from './natural-gradient.ts';

const executor = referenceExecutor;
const classification: Problem<Layers> = { ...tinyClassification(12), loss: crossEntropy };
const draw = (name: string, shape: Shape): NDArray => new NDArray(normal(split(key(11), name), shape, { dtype: 'float64', deviation: 0.6 }), shape, 'float64');
const close = (actual: Float64Array, expected: Float64Array, digits: number): void => { actual.forEach((value, i) => { expect(value).toBeCloseTo(expected[i], digits); }); };

/** A convolution with bias, a dense layer, and a factor that lies in no layer. */
const images: Problem<{ k: Tensor; b: Tensor; w: Tensor; gain: Tensor }> = {
  name: 'images', loss: crossEntropy, train: { inputs: draw('x', [6, 2, 3, 3]), targets: new NDArray(randint(split(key(3), 'y'), 6, { high: 3 }), [6], 'int32'), size: 6 },
  model: {
    name: 'images', init: () => ({ params: { k: draw('k', [2, 2, 2, 2]), b: draw('b', [2]), w: draw('w', [8, 3]), gain: draw('gain', [8]) }, state: {} }),
    apply: ({ k, b, w, gain }, x) => ({ outputs: matmul(mul(flattenImage(tanh(add(convolve(x, k, { strides: 1 }), reshape(b, [1, 2, 1, 1])))), gain), w), state: {} }),
  },
};

/** The same, its bias shaped to be added as it is: a leaf of four axes, which comes before the kernel's. */
const imagesWithWideBias: typeof images = {
  ...images, name: 'images, bias of four axes',
  model: { ...images.model, init: () => ({ params: { k: draw('k', [2, 2, 2, 2]), b: draw('b', [1, 2, 1, 1]), w: draw('w', [8, 3]), gain: draw('gain', [8]) }, state: {} }), apply: (p, x, mode) => images.model.apply({ ...p, b: reshape(p.b, [2]) }, x, mode) },
};

describe('a step', () => {
  test.each([[classification], [images], [imagesWithWideBias]] as unknown as [Problem<unknown>][])('is the gradient times the damped inverse of the empirical Kronecker factors ($name)', async (problem) => {
    const point = problem.model.init(key(0));
    const { inverse, space, uncovered } = await kfacMatrix(problem, point, { executor, kind: 'empirical', uncovered: 'zero' });
    const { gradient } = await evaluateGradient(problem, point, problem.train, { executor });
    const [expected] = await inverse({ damping: 0.01, form: 'split' }).multiply([gradient]);
    const before = space.flatten();
    const { path } = await runOnProblem(kfac({ fisher: 'empirical', damping: 0.01, momentum: 0 }), problem, { steps: 1, rate: 0.1 });
    const after = space.flatten(path[0]);
    for (const { name, offset, size } of space.ranges) {
      for (let i = offset; i < offset + size; i++) expect(after[i], name).toBeCloseTo(before[i] - 0.1 * (uncovered.includes(name) ? gradient[i] : expected[i]), 9);
    }
  });

  test('of one linear layer with squared error is the natural gradient, where the second moment of slopes is that of the model', async () => {
    // The Fisher matrix is the product of the inputs' second moment with that of slopes, which with the mean over two outputs is the identity.
    const base = tinyRegression(40, [3, 2]);
    const { params } = base.model.init(key(0));
    const outputs = compile(((p: Layers, x: Tensor) => base.model.apply(p, x, { mode: 'train', state: {} }).outputs) as never, { executor, dtype: 'float64' }) as unknown as (p: unknown, x: NDArray) => Promise<NDArray>;
    const { inputs } = base.train as { readonly inputs: NDArray };
    const fitted = await outputs(params, new NDArray(Float64Array.from(inputs.data), inputs.shape, 'float64'));
    // Errors (1, 1), (1, -1), (-1, 1), (-1, -1) over and over: slopes are the errors, and their second moment exactly the identity.
    const errorAt = (at: number): number => ((at % 2 === 0 ? at >> 2 : at >> 1) & 1 ? -1 : 1);
    const targets = new NDArray(Float64Array.from(fitted.data, (value, at) => value - errorAt(at)), fitted.shape, 'float64');
    const problem: Problem<Layers> = { ...base, loss: meanSquaredError, train: { ...base.train, targets } };
    const [kronecker, exact] = await Promise.all([kfac({ fisher: 'empirical', damping: 0, momentum: 0 }), naturalGradient({ damping: 0 })].map((optimizer) => runOnProblem(optimizer, problem, { steps: 1, rate: 1 })));
    const space = new ParameterSpace(params);
    const [start, a, b] = [space.flatten(), space.flatten(kronecker.path[0]), space.flatten(exact.path[0])];
    expect(Math.hypot(...b.map((x, i) => x - start[i]))).toBeGreaterThan(0.01);
    close(a, b, 12);
  });

  test('of the same with drawn targets is it up to what draws leave', async () => {
    // The second moment of n draws is off by sqrt(2 / n) on the diagonal and sqrt(1 / n) beside it: 0.035 in Frobenius norm for n = 5000.
    const base = tinyRegression(5000, [3, 2]);
    const problem: Problem<Layers> = { ...base, loss: meanSquaredError };
    const [kronecker, exact] = await Promise.all([kfac({ damping: 1e-6, momentum: 0 }), naturalGradient({ damping: 1e-6 })].map((optimizer) => runOnProblem(optimizer, problem, { steps: 1, rate: 1, executor: nodeExecutor({ threads: 1 }) })));
    const space = new ParameterSpace(problem.model.init(key(0)).params);
    const [start, a, b] = [space.flatten(), space.flatten(kronecker.path[0]), space.flatten(exact.path[0])];
    const moved = Math.hypot(...b.map((x, i) => x - start[i]));
    expect(Math.hypot(...a.map((x, i) => x - b[i])) / moved).toBeLessThan(0.06);
    expect(kronecker.losses[1] - exact.losses[1]).toBeLessThan(0.01 * (exact.losses[0] - exact.losses[1]));
  });
});

describe('factors over steps', () => {
  type Sides = { readonly first: NDArray; readonly rest: NDArray };
  const stateAfter = async (steps: number, options = {}): Promise<{ factors: Sides[]; inverses: Sides[] }> =>
    ((await runOnProblem(kfac({ momentum: 0, fisher: 'empirical', damping: 0.1, ...options }), classification, { steps, rate: 0.2 })).state as { factors: Sides[]; inverses: Sides[] }[])[1];
  const values = ({ data }: NDArray): Float64Array => Float64Array.from(data);

  test('the second counts half, later ones 1 - decay; inverses wait for their step', async () => {
    const options = { factorsEvery: 2, inversesEvery: 4, decay: 0.6 };
    const [one, two, three, five] = [await stateAfter(1, options), await stateAfter(2, options), await stateAfter(3, options), await stateAfter(5, options)];
    close(values(two.factors[0].rest), values(one.factors[0].rest), 14);
    expect(values(three.factors[1].rest)).not.toEqual(values(two.factors[1].rest));
    expect(values(three.inverses[1].first)).toEqual(values(one.inverses[1].first));
    expect(values(five.inverses[1].first)).not.toEqual(values(one.inverses[1].first));
    // The inputs of the first layer are the data, whatever the step: any weights that sum to one keep them.
    close(values(five.factors[0].first), values(one.factors[0].first), 12);
    const { path } = await runOnProblem(kfac({ momentum: 0, fisher: 'empirical', damping: 0.1, ...options }), classification, { steps: 2, rate: 0.2 });
    const { factors } = await kfacMatrix(classification, { params: path[1], state: {} }, { executor, kind: 'empirical' });
    // Slopes have room for a bias that they do not have: the last row and column are zero.
    const { outputs, outputFactor } = factors[1];
    const n = outputs + 1;
    const fresh = Float64Array.from({ length: n * n }, (_, at) => (Math.floor(at / n) < outputs && at % n < outputs ? outputFactor[Math.floor(at / n) * outputs + (at % n)] : 0));
    close(values(three.factors[1].rest), values(one.factors[1].rest).map((x, i) => (x + fresh[i]) / 2), 10);
  });

  test('a weight that is too long keeps its gradient', async () => {
    const problem: Problem<Layers> = { ...tinyClassification(12, [3, 5, 3]), loss: crossEntropy };
    await expect(runOnProblem(kfac({ fisher: 'empirical', largest: 4 }), problem, { steps: 1, rate: 0.1 })).rejects.toThrow('largest = 4');
    const deep: Problem<Layers> = { ...tinyClassification(12, [3, 3, 6, 3]), loss: crossEntropy };
    const start = deep.model.init(key(0));
    const space = new ParameterSpace(start.params);
    const { gradient } = await evaluateGradient(deep, start, deep.train, { executor });
    const { path } = await runOnProblem(kfac({ momentum: 0, fisher: 'empirical', largest: 4 }), deep, { steps: 1, rate: 0.1 });
    const [before, after] = [space.flatten(), space.flatten(path[0])];
    const isPlain = (name: string): boolean => { const range = space.ranges.find((each) => each.name === name)!; return gradient.slice(range.offset, range.offset + range.size).every((g, i) => Math.abs(after[range.offset + i] - before[range.offset + i] + 0.1 * g) < 1e-12); };
    expect(space.names.map(isPlain)).toEqual([false, false, true, true, true, true]);
  });
});

test('the bound of rate^2 <direction, gradient> is met, and reported', async () => {
  const plain = await runOnProblem(kfac({ momentum: 0, fisher: 'empirical', damping: 0.01 }), classification, { steps: 1, rate: 0.5 });
  const clipped = await runOnProblem(kfac({ momentum: 0, fisher: 'empirical', damping: 0.01, clipping: 1e-4 }), classification, { steps: 1, rate: 0.5 });
  const space = new ParameterSpace(classification.model.init(key(0)).params);
  const { gradient } = await evaluateGradient(classification, classification.model.init(key(0)), classification.train, { executor });
  const start = space.flatten();
  const along = (params: unknown): number => space.flatten(params).reduce((sum, x, i) => sum + 0.5 * (start[i] - x) * gradient[i], 0);
  expect(along(plain.path[0])).toBeGreaterThan(1e-3);
  expect(along(clipped.path[0]) * clipped.reports[0].shortening).toBeCloseTo(1e-4, 10);
  expect(clipped.reports[0].shortening).toBeCloseTo(Math.sqrt(1e-4 / along(plain.path[0])), 9);
});

test('trains in float32 on ONNX Runtime, with drawn targets, in forty steps', async () => {
  const problem: Problem<Layers> = { ...tinyClassification(40, [3, 8, 3], 'float32'), loss: crossEntropy };
  const { losses } = await runOnProblem(kfac({ damping: 0.03, factorsEvery: 2, inversesEvery: 4 }), problem, { steps: 40, rate: 0.1, executor: nodeExecutor({ threads: 1 }) });
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]);
});

test('a model without layers is refused', async () => {
  const bare: Problem<{ s: Tensor }> = { name: 'bare', loss: meanSquaredError, train: images.train, model: { name: 'bare', init: () => ({ params: { s: draw('s', [1]) }, state: {} }), apply: ({ s }, x) => ({ outputs: mul(reshape(x, [6, 18]), s), state: {} }) } };
  await expect(runOnProblem(kfac({ fisher: 'empirical' }), { ...bare, train: { ...bare.train, targets: draw('y', [6, 18]) } }, { steps: 1, rate: 0.1 })).rejects.toThrow('dense or a convolution layer');
});
