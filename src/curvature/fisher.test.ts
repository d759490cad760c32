import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { binaryCrossEntropy, crossEntropy, hinge, meanSquaredError, squaredError } from '../losses/index.ts';
import { matmul, tanh, transpose } from '../ops/index.ts';
import type { LossFunction, Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, normal, randint, split } from '../util/random/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { difference, exampleGradients, largest, outerSum } from './dense-oracles.test-helper.ts';
import { fisher } from './fisher.ts';
import { ggn } from './ggn.ts';
import { denseMatrix } from './operator.ts';

const executor = referenceExecutor;
const classification: Problem<Layers> = { ...tinyClassification(7), loss: crossEntropy };
const regression: Problem<Layers> = { ...tinyRegression(7), loss: meanSquaredError };
const binary: Problem<Layers> = { ...tinyRegression(7), loss: binaryCrossEntropy, name: 'tiny binary', train: { ...tinyRegression(7).train, targets: new NDArray(Float32Array.from(randint(key(3), 14, { high: 2 })), [7, 2], 'float32') } };
/** Three tokens an example, four classes a token: tokens see each other. */
const sequence: Problem<{ w: Tensor; v: Tensor }> = {
  name: 'tiny sequence', loss: crossEntropy,
  train: { inputs: array(normal(split(key(5), 'x'), 5 * 3 * 2), [5, 3, 2]), targets: new NDArray(randint(split(key(5), 'y'), 15, { high: 4 }), [5, 3], 'int32'), size: 5 },
  model: {
    name: 'tokens',
    init: () => ({ params: { w: array(normal(split(key(5), 'w'), 4, { dtype: 'float64' }), [2, 2], 'float64'), v: array(normal(split(key(5), 'v'), 8, { dtype: 'float64' }), [2, 4], 'float64') }, state: {} }),
    apply: ({ w, v }, x) => {
      const h = tanh(matmul(x, w));
      return { outputs: matmul(matmul(matmul(h, transposed(h)), h), v), state: {} };
    },
  },
};
function transposed(h: Tensor): Tensor { return transpose(h, [0, 2, 1]); }

describe.each([classification, regression, binary, sequence] as Problem<never>[])('Fisher of $name', (problem) => {
  const point = problem.model.init(key(0));

  test('exact: equals the GGN, in chunks too, with no factor of two or of the outputs lost', async () => {
    const expected = await denseMatrix(ggn(problem, point, { executor }));
    expect(largest(expected)).toBeGreaterThan(0.01);
    for (const chunking of [{}, { chunk: 3 }]) expect(difference(await denseMatrix(fisher(problem, point, { executor, ...chunking })), expected)).toBeLessThan(1e-12 * largest(expected));
  });

  test('Monte Carlo: deterministic, the same in chunks, tends to the exact one as one over the root of the draws', async () => {
    const expected = await denseMatrix(fisher(problem, point, { executor }));
    const distance = async (draws: number, seed: number): Promise<number> => {
      const dense = await denseMatrix(fisher(problem, point, { executor, kind: 'monte-carlo', draws, key: key(seed) }));
      return Math.sqrt(dense.reduce((sum, x, i) => sum + (x - expected[i]) ** 2, 0) / expected.reduce((sum, x) => sum + x * x, 0));
    };
    const few = await distance(20, 1);
    const many = await distance(2000, 1);
    expect(many).toBeLessThan(few / 4);
    expect(many).toBeLessThan(0.06);
    const [a, b] = await Promise.all([{}, { chunk: 2 }].map((chunking) => denseMatrix(fisher(problem, point, { executor, kind: 'monte-carlo', draws: 3, key: key(4), ...chunking }))));
    expect(difference(a, b)).toBeLessThan(1e-12 * largest(a));
    const other = await denseMatrix(fisher(problem, point, { executor, kind: 'monte-carlo', draws: 3, key: key(5) }));
    expect(difference(a, other)).toBeGreaterThan(1e-3 * largest(a));
  });

  test('empirical: the outer products of the gradients at the data\'s targets', async () => {
    const gradients = await exampleGradients(problem);
    const expected = outerSum(gradients, () => 1 / gradients.length);
    expect(difference(await denseMatrix(fisher(problem, point, { executor, kind: 'empirical' })), expected)).toBeLessThan(1e-12);
  });
});

test('losses of one\'s own name their distribution; a summed squared error has the weight of one term', async () => {
  const summed: LossFunction = (outputs, targets) => meanSquaredError(outputs, targets, { reduction: 'sum' });
  const problem = { ...regression, loss: summed };
  const point = problem.model.init(key(0));
  expect(() => fisher(problem, point)).toThrow(ArgumentError);
  const expected = await denseMatrix(ggn(problem, point, { executor }));
  expect(difference(await denseMatrix(fisher(problem, point, { executor, distribution: { name: 'gaussian', reduction: 'sum' } })), expected)).toBeLessThan(1e-12);
});

test('the Fisher matrix of half the squared error is its Gauss-Newton matrix', async () => {
  const problem = { ...regression, loss: squaredError };
  const point = problem.model.init(key(0));
  expect(difference(await denseMatrix(fisher(problem, point, { executor })), await denseMatrix(ggn(problem, point, { executor })))).toBeLessThan(1e-12);
});

test('losses without a distribution are refused by name', () => {
  const problem = { ...classification, loss: hinge };
  expect(() => fisher(problem, problem.model.init(key(0)))).toThrow(/hinge[^]*empirical/);
});
