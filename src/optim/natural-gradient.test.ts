import { describe, expect, test } from 'vitest';
import { array, NDArray } from '../core/ndarray.ts';
import { placeholder, type Tensor } from '../core/tensor.ts';
import { denseMatrix, empiricalFisher, fisher } from '../curvature/index.ts';
import { solve } from '../linalg/index.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { constant, matmul } from '../ops/index.ts';
import { evaluateGradient, ParameterSpace, type Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, normal, split } from '../util/random/index.ts';
import { runOnProblem } from './model-run.test-helper.ts';
import { naturalGradient } from './natural-gradient.ts';

const executor = referenceExecutor;
const classification: Problem<Layers> = { ...tinyClassification(12), loss: crossEntropy };

test.each([['exact', fisher], ['empirical', empiricalFisher]] as const)('%s: one step is (F + damping I)^-1 g of the dense operator', async (kind, operator) => {
  const point = classification.model.init(key(0));
  const space = new ParameterSpace(point.params);
  const matrix = await denseMatrix(operator(classification, point, { executor }));
  for (let i = 0; i < space.size; i++) matrix[i * space.size + i] += 0.01;
  const { gradient } = await evaluateGradient(classification, point, classification.train, { executor });
  const direction = solve(matrix, space.size, gradient);
  const before = space.flatten();
  const { path } = await runOnProblem(naturalGradient({ damping: 0.01, fisher: kind }), classification, { steps: 1, rate: 0.5 });
  space.flatten(path[0]).forEach((value, i) => { expect(value).toBeCloseTo(before[i] - 0.5 * direction[i], 9); });
});

test('a matrix of more than one block of columns', async () => {
  const problem: Problem<Layers> = { ...tinyRegression(100, [3, 12, 2]), loss: meanSquaredError };
  const point = problem.model.init(key(0));
  const space = new ParameterSpace(point.params);
  expect(space.size).toBeGreaterThan(64);
  const matrix = await denseMatrix(fisher(problem, point, { executor }));
  for (let i = 0; i < space.size; i++) matrix[i * space.size + i] += 0.1;
  const { gradient } = await evaluateGradient(problem, point, problem.train, { executor });
  const direction = solve(matrix, space.size, gradient);
  const before = space.flatten();
  const { path } = await runOnProblem(naturalGradient({ damping: 0.1 }), problem, { steps: 1, rate: 1 });
  space.flatten(path[0]).forEach((value, i) => { expect(value).toBeCloseTo(before[i] - direction[i], 9); });
});

describe('linear least squares', () => {
  const inputs = new NDArray(normal(split(key(4), 'x'), [20, 3], { dtype: 'float64' }), [20, 3], 'float64');
  const targets = new NDArray(normal(split(key(4), 'y'), [20, 2], { dtype: 'float64' }), [20, 2], 'float64');
  const linear = (change: readonly number[][], w: readonly number[]): Problem<{ w: Tensor }> => ({
    name: 'linear', loss: meanSquaredError, train: { inputs, targets, size: 20 },
    // The weight is change w: another parametrisation of the same functions.
    model: { name: 'linear', init: () => ({ params: { w: array([...w], [3, 2], 'float64') }, state: {} }), apply: (p, x) => ({ outputs: matmul(x, matmul(matrix(change, p.w), p.w)), state: {} }) },
  });
  const matrix = (values: readonly number[][], { dtype }: Tensor): Tensor => constant(array(values.flat(), [values.length, values[0].length], dtype as 'float64'));
  const identity = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

  test('one step of rate one is at the optimum, as the Fisher matrix is the Hessian', async () => {
    const { losses } = await runOnProblem(naturalGradient({ damping: 1e-12 }), linear(identity, [1, 2, 3, 4, 5, 6]), { steps: 2, rate: 1 });
    expect(losses[1]).toBeLessThan(0.05 * losses[0]);
    expect(Math.abs(losses[2] - losses[1])).toBeLessThan(1e-12);
  });

  test('steps do not depend on a linear change of parameters', async () => {
    const change = [[2, 0, 0], [1, 0.5, 0], [0, -3, 1]];
    const start = [1, 2, 3, 4, 5, 6];
    const back = [0, 1].map((column) => solve(Float64Array.from(change.flat()), 3, Float64Array.from([start[column], start[2 + column], start[4 + column]])));
    const plain = await runOnProblem(naturalGradient({ damping: 1e-12 }), linear(identity, start), { steps: 3, rate: 0.3 });
    const other = await runOnProblem(naturalGradient({ damping: 1e-12 }), linear(change, [0, 1, 2].flatMap((i) => [back[0][i], back[1][i]])), { steps: 3, rate: 0.3 });
    plain.losses.forEach((loss, i) => { expect(other.losses[i]).toBeCloseTo(loss, 8); });
    expect(plain.losses[3]).toBeLessThan(plain.losses[0]);
  });
});

test('refuses large models', () => { expect(() => naturalGradient().init({ w: placeholder({ shape: [100, 100], dtype: 'float32' }) })).toThrow('at most 4096'); });
