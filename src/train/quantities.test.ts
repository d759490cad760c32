import { describe, expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { drawNoise as drawTargets } from '../curvature/fisher.ts';
import { denseMatrix, distributionOf, fisher, ggn, kfac } from '../curvature/index.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { batchNorm, conv, dense, drawNoise, dropout, sequential } from '../nn/index.ts';
import type { ModelQuantities } from '../optim/index.ts';
import { flatten as flattenImage, mean, tanh } from '../ops/index.ts';
import { examplesOf, ParameterSpace, type Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, grad, type Host } from '../transforms/index.ts';
import { mapTree } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { key, normal, randint, split, type Key } from '../util/random/index.ts';
import { modelQuantities, stepDraws, type StepDraws } from './quantities.ts';

const executor = referenceExecutor;
const classification: Problem<Layers> = { ...tinyClassification(6), loss: crossEntropy };
const regression: Problem<Layers> = { ...tinyRegression(6), loss: meanSquaredError };
const inDouble = <T>(tree: T): T => mapTree((leaf: NDArray) => (leaf.dtype === 'float32' ? new NDArray(Float64Array.from(leaf.data), leaf.shape, 'float64') : leaf), tree) as T;
type AnyProblem = Problem<unknown, unknown>;

/** Images through a model whose convolution stores [outputs, inputs, window], the dense layer [inputs, outputs]. */
function images(extra: 'plain' | 'dropout' | 'batch norm'): AnyProblem {
  const model = sequential(conv({ inputs: 1, outputs: 2, window: [2, 2], strides: 2 }), ...(extra === 'batch norm' ? [batchNorm(2)] : []), tanh, (x: Tensor) => flattenImage(x), ...(extra === 'dropout' ? [dropout(0.5)] : []), dense({ inputs: 8, outputs: 3 }));
  const inputs = new NDArray(normal(split(key(3), 'x'), [5, 1, 4, 4], { dtype: 'float64' }), [5, 1, 4, 4], 'float64');
  const targets = new NDArray(randint(split(key(3), 'y'), 5, { high: 3 }), [5], 'int32');
  return { name: `images, ${extra}`, model: { ...model, init: (k: Key) => inDouble(model.init(k)) } as never, loss: crossEntropy, train: { inputs, targets, size: 5 } };
}

interface Setting { readonly draws?: StepDraws<unknown, NDArray>; readonly noise?: NDArray[]; readonly vector?: unknown }

/** Evaluates something of a problem's quantities, its whole training set being the batch. */
function evaluate<Out>(problem: AnyProblem, what: (q: ModelQuantities<unknown>, call: { params: unknown; vector: unknown; lossAt: (p: unknown) => Tensor }) => Out, { draws = {}, noise = [], vector = {} }: Setting = {}): Promise<Host<Out>> {
  const traced = ({ params, state, batch, ...given }: { params: unknown; state: unknown; batch: { inputs: Tensor; targets: Tensor }; draws: StepDraws<unknown>; noise: Tensor[]; vector: unknown }): Out => {
    const lossAt = (at: unknown): Tensor => mean(problem.loss(problem.model.apply(at, batch.inputs, { mode: 'train', state, noise: given.noise }).outputs, batch.targets));
    return what(modelQuantities(problem, { params, state, batch, noise: given.noise, draws: given.draws }), { params, vector: given.vector, lossAt });
  };
  const program = compile(traced as never, { executor }) as unknown as (call: unknown) => Promise<Host<Out>>;
  return program({ ...problem.model.init(key(0)), batch: examplesOf(problem.train, 'float64'), draws, noise, vector });
}

const spaceOf = (problem: AnyProblem): ParameterSpace => new ParameterSpace(problem.model.init(key(0)).params);
function near(actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 10): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i], digits);
}

const problems = [classification, regression, images('plain')] as unknown as AnyProblem[];

test.each(problems)('ggnvp is the product with the GGN of the batch ($name)', async (problem) => {
  const space = spaceOf(problem);
  const direction = normal(key(5), space.size, { dtype: 'float64' });
  const product = space.flatten(await evaluate(problem, (q, { vector }) => q.ggnvp(vector), { vector: space.unflatten(direction) }));
  const [expected] = await ggn(problem, problem.model.init(key(0)), { executor }).multiply([direction]);
  near(product, expected);
});

describe('perExampleGrad', () => {
  test.each([...problems, images('dropout')])('its mean is the gradient of the batch loss ($name)', async (problem) => {
    const noise = drawNoise(problem.model, problem.train.inputs.shape, key(2)).map((array) => inDouble(array));
    const { each, whole } = await evaluate(problem, (q, { params, lossAt }) => ({ each: q.perExampleGrad(), whole: grad(lossAt)(params) }), { noise });
    const space = spaceOf(problem);
    const averaged = mapTree((leaf: NDArray) => {
      const size = leaf.data.length / problem.train.size;
      return new NDArray(Float64Array.from({ length: size }, (_, i) => Array.from({ length: problem.train.size }, (__, n) => leaf.data[n * size + i]).reduce((sum, x) => sum + x, 0) / problem.train.size), leaf.shape.slice(1), 'float64');
    }, each);
    near(space.flatten(averaged), space.flatten(whole));
  });

  test('with batch statistics every example is taken with the kept ones: other examples do not matter', async () => {
    const problem = images('batch norm');
    const { inputs, targets } = problem.train;
    const first = { ...problem, train: { inputs: new NDArray(inputs.data.slice(0, 32), [2, 1, 4, 4], 'float64'), targets: new NDArray(targets.data.slice(0, 2), [2], 'int32'), size: 2 } };
    const [all, two] = [await evaluate(problem, (q) => q.perExampleGrad()), await evaluate(first, (q) => q.perExampleGrad())] as NDArray[][];
    const leaf = (tree: unknown): NDArray => (tree as { weight: NDArray }[])[0].weight;
    near(leaf(all).data.slice(0, 16), leaf(two).data);
  });
});

describe('sampledGrad', () => {
  test('batch size times its outer product has the Fisher matrix as expectation: over a grid of draws of one example', async () => {
    const one = { ...classification, train: { ...classification.train, inputs: new NDArray(classification.train.inputs.data.slice(0, 3), [1, 3], 'float32'), targets: new NDArray(new Int32Array(1), [1], 'int32'), size: 1 } } as unknown as AnyProblem;
    const space = spaceOf(one);
    const size = 300;
    const sum = new Float64Array(space.size ** 2);
    for (let i = 0; i < size; i++) {
      const drawn = new NDArray(Float64Array.of((i + 0.5) / size), [1], 'float64');
      const g = space.flatten(await evaluate(one, (q) => q.sampledGrad(), { draws: { targets: drawn } }));
      g.forEach((a, j) => g.forEach((b, k) => { sum[j * space.size + k] += a * b / size; }));
    }
    const exact = await denseMatrix(fisher(one, one.model.init(key(0)), { executor }));
    const scale = Math.max(...exact);
    // The grid misses the probability of a class by at most half a cell at each of its two borders.
    sum.forEach((value, i) => { expect(Math.abs(value - exact[i])).toBeLessThan(3 * scale / size); });
    expect(scale).toBeGreaterThan(0.05);
  });

  test('one example of a regression: the outer product is the Monte Carlo Fisher of the same draw', async () => {
    const one = { ...regression, train: { inputs: new NDArray(regression.train.inputs.data.slice(0, 3), [1, 3], 'float32'), targets: new NDArray(regression.train.targets.data.slice(0, 2), [1, 2], 'float32'), size: 1 } } as unknown as AnyProblem;
    const point = one.model.init(key(0));
    const noise = drawTargets(one, point, distributionOf('test', one.loss), 1, key(9), {});
    const space = spaceOf(one);
    const g = space.flatten(await evaluate(one, (q) => q.sampledGrad(), { draws: { targets: new NDArray(noise.data, [1, 2], 'float64') } }));
    const expected = await denseMatrix(fisher(one, point, { executor, kind: 'monte-carlo', key: key(9) }));
    near(Float64Array.from(g).reduce<number[]>((all, a) => [...all, ...Array.from(g, (b) => a * b)], []), expected);
  });
});

describe('layerFactors', () => {
  const factorsAt = (problem: AnyProblem, setting: Setting = {}): Promise<Host<{ inputs: Tensor; slopes: Tensor }[]>> => evaluate(problem, (q) => q.layerFactors().map(({ inputs, slopes }) => ({ inputs, slopes })), setting);

  test.each(problems)('are those of KFAC with the data\'s own targets ($name)', async (problem) => {
    const { factors } = await kfac(problem, problem.model.init(key(0)), { executor, kind: 'empirical' });
    const found = await factorsAt(problem);
    expect(found).toHaveLength(factors.length);
    found.forEach(({ inputs, slopes }, i) => {
      near(inputs.data, factors[i].inputFactor);
      near(slopes.data, factors[i].outputFactor);
    });
  });

  test('with drawn targets, those of the Monte Carlo Fisher of the same draw', async () => {
    const problem = images('plain');
    const point = problem.model.init(key(0));
    const noise = drawTargets(problem, point, distributionOf('test', problem.loss), 1, key(9), {});
    const { factors } = await kfac(problem, point, { executor, kind: 'monte-carlo', key: key(9) });
    const found = await factorsAt(problem, { draws: { targets: new NDArray(noise.data, [5], 'float64') } });
    found.forEach(({ slopes }, i) => { near(slopes.data, factors[i].outputFactor); });
    expect(found).toHaveLength(2);
  });

  test('the matrices of a layer are laid out as its factors, and come back to its leaves', async () => {
    const problem = images('plain');
    const { back, original, matrices } = await evaluate(problem, (q, { params }) => {
      const layers = q.layerFactors();
      expect(layers.map((layer) => layer.names)).toEqual([['0.weight', '0.bias'], ['1.weight', '1.bias']]);
      return { original: params, back: layers.map((layer) => layer.leaves(layer.matrix(params))), matrices: layers.map((layer) => layer.matrix(params)) };
    });
    const [convolution, linear] = original as { weight: NDArray; bias: NDArray }[];
    near(back[0]['0.weight'].data, convolution.weight.data);
    near(back[0]['0.bias'].data, convolution.bias.data);
    near(back[1]['1.weight'].data, linear.weight.data);
    expect([back[0]['0.weight'].shape, back[1]['1.bias'].shape]).toEqual([[2, 1, 2, 2], [3]]);
    // Row r, column o of the convolution's matrix is its kernel for output o at place r of the window; the last row is the bias.
    expect(matrices[0].shape).toEqual([5, 2]);
    expect([matrices[0].data[2 * 2 + 1], matrices[0].data[8]]).toEqual([convolution.weight.data[4 + 2], convolution.bias.data[0]]);
  });
});

describe('stepDraws', () => {
  const draws = stepDraws(classification as unknown as AnyProblem, classification.model.init(key(0)) as never, [{ kind: 'normal' }, { kind: 'targets', every: 4 }], { batchSize: 3, key: key(1) });

  test('are functions of the step, kept as long as they declare', () => {
    const at = [0, 1, 3, 4, 5].map((step) => draws(step));
    expect(at[0].targets).toBe(at[2].targets);
    expect(at[3].targets).toBe(at[4].targets);
    expect(at[0].targets!.data).not.toEqual(at[3].targets!.data);
    expect(at[0].targets!.shape).toEqual([3]);
    const leaf = (i: number): NDArray => (at[i].normal as { layers: { weight: NDArray }[] }).layers[0].weight;
    expect(leaf(0).data).not.toEqual(leaf(1).data);
    expect([leaf(0).shape, leaf(0).dtype]).toEqual([[3, 4], 'float64']);
    expect(draws(0)).toEqual(at[0]);
  });

  test('what is not declared is absent, and a quantity says which draw it lacks', async () => {
    const problem = classification as unknown as AnyProblem;
    expect(stepDraws(problem, problem.model.init(key(0)), [], { batchSize: 3, key: key(1) })(0)).toEqual({});
    await expect(evaluate(problem, (q) => q.sampledGrad())).rejects.toThrow(ArgumentError);
    await expect(evaluate(problem, (q) => q.normal())).rejects.toThrow("add { kind: 'normal' }");
    expect(() => stepDraws({ ...problem, loss: (outputs) => outputs }, problem.model.init(key(0)), [{ kind: 'targets' }], { batchSize: 3, key: key(1) })).toThrow('likelihood');
  });
});
