import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { array, NDArray, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { solve } from '../linalg/index.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { conv, dense, layerNorm, normalizedConv, sequential } from '../nn/index.ts';
import { add, conv as convolve, flatten, matmul, mean, mul, reshape, tanh, transpose } from '../ops/index.ts';
import type { LossFunction, Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, normal, randint, split } from '../util/random/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { difference, largest, singlePrecision } from './dense-oracles.test-helper.ts';
import { ekfac } from './ekfac.ts';
import { fisher } from './fisher.ts';
import { kfac } from './kfac.ts';
import { denseMatrix } from './operator.ts';

const executor = referenceExecutor;
const draw = (name: string, shape: Shape): NDArray => array(normal(split(key(11), name), shape, { dtype: 'float64', deviation: 0.6 }), shape, 'float64');

/** A problem of a forward function and its parameters. */
function problemOf<P extends Record<string, Tensor>>(name: string, shapes: Record<keyof P & string, Shape>, forward: (params: P, x: Tensor) => Tensor, inputShape: Shape, targets: NDArray, loss: LossFunction): Problem<P> {
  const params = Object.fromEntries(Object.entries(shapes).map(([leaf, shape]) => [leaf, draw(leaf, shape as Shape)]));
  return {
    name, loss, train: { inputs: array(normal(split(key(11), 'x'), inputShape), inputShape), targets, size: inputShape[0] },
    model: { name, init: () => ({ params: params as never, state: {} }), apply: (p, x) => ({ outputs: forward(p, x), state: {} }) },
  };
}

const numbers = (shape: Shape): NDArray => array(normal(split(key(11), 'y'), shape), shape);
const labels = (shape: Shape, high: number): NDArray => new NDArray(randint(split(key(11), 'y'), shape, { high }), shape, 'int32');

/** A dense matrix without its entries between groups of coordinates. */
function blocksOnly(matrix: Float64Array, groups: readonly { start: number; end: number }[]): Float64Array {
  const n = Math.sqrt(matrix.length);
  const groupOf = (i: number): number => groups.findIndex(({ start, end }) => i >= start && i < end);
  return matrix.map((x, at) => (groupOf(Math.floor(at / n)) === groupOf(at % n) ? x : 0));
}

const classification: Problem<Layers> = { ...tinyClassification(8), loss: crossEntropy };
const regression: Problem<Layers> = { ...tinyRegression(8), loss: meanSquaredError };

/** Convolution with stride and padding, then a dense layer on what it gives; weight written as PyTorch has it. */
const image = problemOf<{ k: Tensor; kb: Tensor; w: Tensor; b: Tensor }>(
  'image', { k: [2, 2, 3, 2], kb: [2], w: [3, 12], b: [3] },
  ({ k, kb, w, b }, x) => {
    const h = tanh(add(convolve(x, k, { strides: [2, 1], padding: [[1, 1], [0, 0]] }), reshape(kb, [1, 2, 1, 1])));
    return add(matmul(reshape(h, [x.shape[0], 12]), transpose(w)), b);
  }, [5, 2, 4, 4], labels([5], 3), crossEntropy);

describe('exact where it must be', () => {
  test.each([classification, regression, { ...image, train: image.train }] as Problem<never>[])('one example: every layer\'s block of the GGN ($name)', async (problem) => {
    const point = problem.model.init(key(0));
    const { operator, space, uncovered } = await kfac(problem, point, { executor, samples: 1, ...(problem.name === 'image' && { parameters: ['w', 'b'] }) });
    expect(uncovered).toEqual([]);
    const whole = await denseMatrix(fisher(problem, point, { executor, samples: 1, ...(problem.name === 'image' && { parameters: ['w', 'b'] }) }));
    const expected = problem.name === 'image' ? whole : blocksOnly(whole, space.groups('layer'));
    expect(largest(expected)).toBeGreaterThan(0.01);
    expect(difference(await denseMatrix(operator), expected)).toBeLessThan(1e-12);
  });

  test('deep linear network with squared error: slopes do not depend on inputs, so any number of examples', async () => {
    const problem = problemOf<{ a: Tensor; b: Tensor; c: Tensor }>('deep linear', { a: [3, 4], b: [4, 3], c: [3, 2] }, ({ a, b, c }, x) => matmul(matmul(matmul(x, a), b), c), [9, 3], numbers([9, 2]), meanSquaredError);
    const point = problem.model.init(key(0));
    for (const options of [{}, { chunk: 4 }]) {
      const { operator, space } = await kfac(problem, point, { executor, ...options });
      const expected = blocksOnly(await denseMatrix(fisher(problem, point, { executor })), space.groups('parameter'));
      expect(difference(await denseMatrix(operator), expected)).toBeLessThan(1e-12);
    }
  });

  test('shared weights: `expand` is exact for linear tokens, `reduce` for their mean', async () => {
    const tokens = problemOf<{ w: Tensor; b: Tensor }>('tokens', { w: [3, 2], b: [2] }, ({ w, b }, x) => add(matmul(x, w), b), [4, 5, 3], numbers([4, 5, 2]), meanSquaredError);
    const pooled = problemOf<{ w: Tensor; b: Tensor }>('pooled', { w: [3, 2], b: [2] }, ({ w, b }, x) => mean(add(matmul(x, w), b), 1), [4, 5, 3], numbers([4, 2]), meanSquaredError);
    for (const [problem, sharing] of [[tokens, 'expand'], [pooled, 'reduce']] as const) {
      const point = problem.model.init(key(0));
      const expected = await denseMatrix(fisher(problem, point, { executor }));
      expect(difference(await denseMatrix((await kfac(problem, point, { executor, sharing })).operator), expected)).toBeLessThan(1e-12);
      const other = await kfac(problem, point, { executor, sharing: sharing === 'expand' ? 'reduce' : 'expand' });
      expect(difference(await denseMatrix(other.operator), expected)).toBeGreaterThan(1e-3);
    }
  });

  test('a convolution over the whole image is a dense layer; a factor on the weights is part of the layer', async () => {
    const whole = problemOf<{ k: Tensor; b: Tensor }>('whole image', { k: [3, 2, 2, 2], b: [3] }, ({ k, b }, x) => reshape(add(convolve(x, mul(k, 0.5)), reshape(mul(b, 0.25), [1, 3, 1, 1])), [x.shape[0], 3]), [1, 2, 2, 2], labels([1], 3), crossEntropy);
    const point = whole.model.init(key(0));
    expect(difference(await denseMatrix((await kfac(whole, point, { executor })).operator), await denseMatrix(fisher(whole, point, { executor })))).toBeLessThan(1e-12);
    const scaled = problemOf<{ k: Tensor; s: Tensor }>('scaled channels', { k: [3, 2, 2, 2], s: [3] }, ({ k, s }, x) => reshape(convolve(x, mul(k, reshape(s, [3, 1, 1, 1]))), [x.shape[0], 3]), [1, 2, 2, 2], labels([1], 3), crossEntropy);
    const at = scaled.model.init(key(0));
    expect(difference(await denseMatrix((await kfac(scaled, at, { executor, parameters: 'k' })).operator), await denseMatrix(fisher(scaled, at, { executor, parameters: 'k' })))).toBeLessThan(1e-12);
  });
});

describe('convolution over several places', () => {
  test('factors by hand: patches and slopes summed over places', async () => {
    // One channel in and out, window 2 on 3 places: rows (x0, x1), (x1, x2); outputs are the two places, loss of each 2/2 = 1.
    const problem: Problem<{ k: Tensor }> = problemOf<{ k: Tensor }>('line', { k: [1, 1, 2] }, ({ k }, x) => reshape(convolve(x, k), [x.shape[0], 2]), [2, 1, 3], numbers([2, 2]), meanSquaredError);
    const [factors] = (await kfac(problem, problem.model.init(key(0)), { executor })).factors;
    const x = problem.train.inputs.data;
    const rows = [[x[0], x[1]], [x[1], x[2]], [x[3], x[4]], [x[4], x[5]]];
    const expected = [0, 1].flatMap((i) => [0, 1].map((j) => rows.reduce((sum, row) => sum + row[i] * row[j] / 4, 0)));
    expect(difference(factors.inputFactor, Float64Array.from(expected))).toBeLessThan(1e-12);
    // Each place's slope is one root column of curvature 1: two of them an example.
    expect(factors.outputFactor[0]).toBeCloseTo(2, 12);
    expect([factors.names, factors.inputs, factors.outputs]).toEqual([['k'], 2, 1]);
  });
});

describe('EKFAC', () => {
  test.each([['exact', classification], ['empirical', classification], ['monte-carlo', classification], ['exact', image]] as [string, Problem<never>][])('is no farther from the %s Fisher than KFAC, in the Frobenius norm ($1.name)', async (kind, problem) => {
    const point = problem.model.init(key(0));
    const options = { executor, kind: kind as 'exact', draws: 3 };
    const [plain, corrected] = [await kfac(problem, point, options), await ekfac(problem, point, options)];
    const groups = problem.name === 'image' ? plain.space.groups('parameter') : plain.space.groups('layer');
    const joint = problem.name === 'image' ? [{ start: 0, end: 2 + 24 }, { start: 26, end: plain.space.size }] : groups;
    const order = plain.space.names.join();
    expect(problem.name === 'image' ? order : 'k,kb,w,b').toBe('k,kb,w,b');
    const truth = blocksOnly(await denseMatrix(fisher(problem, point, options)), joint);
    const distance = (matrix: Float64Array): number => Math.hypot(...matrix.map((x, i) => x - truth[i]));
    const [k, e] = [distance(await denseMatrix(plain.operator)), distance(await denseMatrix(corrected.operator))];
    expect(k).toBeGreaterThan(1e-3);
    expect(e).toBeLessThan(k);
    // The trace is that of the truth: eigenvalues are mean squares in an orthonormal basis.
    const trace = (matrix: Float64Array): number => matrix.reduce((sum, x, at) => (at % (plain.space.size + 1) === 0 ? sum + x : sum), 0);
    expect(trace(await denseMatrix(corrected.operator))).toBeCloseTo(trace(truth), 10);
  });
});

describe('inverses', () => {
  test('exact form is the inverse of the damped matrix; EKFAC\'s too', async () => {
    const point = classification.model.init(key(0));
    const vector = normal(key(2), 31, { dtype: 'float64' });
    for (const made of [await kfac(classification, point, { executor }), await ekfac(classification, point, { executor })]) {
      const dense = await denseMatrix(made.operator);
      const damped = dense.map((x, at) => (at % 32 === 0 ? x + 0.01 : x));
      const [result] = await made.inverse({ damping: 0.01 }).multiply([vector]);
      expect(difference(result, solve(damped, 31, vector))).toBeLessThan(1e-9);
    }
  });

  test('split form: each factor damped, balanced by their mean eigenvalues', async () => {
    const problem = problemOf<{ w: Tensor }>('one weight', { w: [2, 2] }, ({ w }, x) => matmul(x, w), [3, 2], numbers([3, 2]), meanSquaredError);
    const made = await kfac(problem, problem.model.init(key(0)), { executor });
    const [{ inputFactor: a, outputFactor: g }] = made.factors;
    const pi = Math.sqrt(((a[0] + a[3]) / 2) / ((g[0] + g[3]) / 2));
    const left = [a[0] + pi * 0.2, a[1], a[2], a[3] + pi * 0.2];
    const right = [g[0] + 0.2 / pi, g[1], g[2], g[3] + 0.2 / pi];
    const kronecker = Float64Array.from({ length: 16 }, (_, at) => {
      const [r, c] = [at >> 2, at & 3];
      return left[(r >> 1) * 2 + (c >> 1)] * right[(r & 1) * 2 + (c & 1)];
    });
    const vector = Float64Array.of(1, -2, 3, 0.5);
    const [result] = await made.inverse({ damping: 0.04, form: 'split' }).multiply([vector]);
    expect(difference(result, solve(kronecker, 4, vector))).toBeLessThan(1e-12);
  });

  test('singular without damping', async () => {
    const made = await kfac(classification, classification.model.init(key(0)), { executor, samples: 1 });
    await expect(async () => made.inverse({ damping: 0 }).multiply([new Float64Array(31)])).rejects.toThrow(ArgumentError);
    expect(() => made.inverse({ damping: -1 })).toThrow(ArgumentError);
  });
});

describe('what is covered', () => {
  const mixed = (): Problem<never> => {
    const model = sequential(conv({ inputs: 1, outputs: 2, window: [2, 2] }), flatten, dense({ inputs: 8, outputs: 6 }), layerNorm(6), tanh, dense({ inputs: 6, outputs: 3 }));
    return { name: 'mixed', model, loss: crossEntropy, train: { inputs: array(normal(key(1), 4 * 9), [4, 1, 3, 3]), targets: labels([4], 3), size: 4 } } as never;
  };

  test('layers of the package are found; what is none is refused by name, or counts as zero', async () => {
    const problem = mixed();
    const point = problem.model.init(key(0));
    await expect(kfac(problem, point)).rejects.toThrow(/2\.scale, 2\.bias/);
    const made = await kfac(problem, point, { uncovered: 'zero' });
    expect(made.uncovered).toEqual(['2.scale', '2.bias']);
    expect(made.factors.map(({ names, part, inputs, outputs }) => [names.join(), part, inputs, outputs])).toEqual([['0.weight,0.bias', 'joint', 5, 2], ['1.weight,1.bias', 'joint', 9, 6], ['3.weight,3.bias', 'joint', 7, 3]]);
    const separate = await kfac(problem, point, { uncovered: 'zero', bias: 'separate' });
    expect(separate.factors.map(({ names, part }) => [names.join(), part])).toEqual([['0.weight', 'weight'], ['0.bias', 'bias'], ['1.weight', 'weight'], ['1.bias', 'bias'], ['3.weight', 'weight'], ['3.bias', 'bias']]);
  });

  test('convolutions with batch norm folded into the kernel, also of one channel', async () => {
    const model = sequential(normalizedConv({ inputs: 1, outputs: 2, window: [2, 2] }), flatten, dense({ inputs: 8, outputs: 3 }));
    const problem = { ...mixed(), model } as unknown as Problem<never>;
    const { factors, uncovered } = await kfac(problem, problem.model.init(key(0)), { uncovered: 'zero' });
    expect(factors.map(({ names }) => names.join())).toEqual(['0.conv.weight', '1.weight,1.bias']);
    expect(uncovered).toEqual(['0.norm.scale', '0.norm.bias']);
  });

  test('a weight that is used twice is not taken for one layer', async () => {
    const tied = problemOf<{ w: Tensor }>('tied', { w: [3, 3] }, ({ w }, x) => matmul(tanh(matmul(x, w)), w), [4, 3], numbers([4, 3]), meanSquaredError);
    await expect(kfac(tied, tied.model.init(key(0)), { executor })).rejects.toThrow(/dense or convolution layer[^]*'?w/);
  });

  test('float32 on ONNX Runtime agrees to single precision', async () => {
    const point = image.model.init(key(0));
    const [exact, single] = [await kfac(image, point, { executor }), await kfac(image, { params: singlePrecision(point.params), state: {} }, { chunk: 2 })];
    const [a, b] = [await denseMatrix(exact.operator), await denseMatrix(single.operator)];
    expect(difference(a, b)).toBeLessThan(1e-5 * largest(a));
  });
});
