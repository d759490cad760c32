import { expect, test } from 'vitest';
import '../runtime/node.ts';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { conv, matmul, tanh, transpose } from '../ops/index.ts';
import type { Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, normal, split } from '../util/random/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { difference, largest, singlePrecision } from './dense-oracles.test-helper.ts';
import { exactDiagonal, ggnDiagonal, hessianDiagonal } from './diagonal.ts';
import { ggn } from './ggn.ts';
import { hessian } from './hessian.ts';
import { denseMatrix, diagonalOperator } from './operator.ts';

const executor = referenceExecutor;
const draw = (name: string, shape: number[]): ReturnType<typeof array> => array(normal(split(key(3), name), shape, { dtype: 'float64', deviation: 0.5 }), shape, 'float64');
/** Several positions of a shared kernel, labels for each of them. */
const shared: Problem<{ k: Tensor; w: Tensor }> = {
  name: 'shared weights', loss: crossEntropy,
  train: { inputs: array(normal(key(4), 5 * 2 * 4), [5, 2, 4]), targets: array([0, 1, 2, 1, 0, 2, 1, 1, 0, 2, 1, 0, 0, 1, 2], [5, 3], 'int32'), size: 5 },
  model: {
    name: 'shared', init: () => ({ params: { k: draw('k', [2, 2, 2]), w: draw('w', [2, 3]) }, state: {} }),
    apply: ({ k, w }, x) => ({ outputs: matmul(transpose(tanh(conv(x, k)), [0, 2, 1]), w), state: {} }),
  },
};
const problems: readonly Problem<never>[] = [{ ...tinyClassification(7), loss: crossEntropy } as Problem<Layers>, { ...tinyRegression(7), loss: meanSquaredError } as Problem<Layers>, shared] as never;
const diagonalOf = (matrix: Float64Array): Float64Array => {
  const n = Math.sqrt(matrix.length);
  return Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]);
};

test.each(problems)('diagonals of Hessian and GGN are those of the dense matrices: $name', async (problem) => {
  const point = problem.model.init(key(0));
  const expected = diagonalOf(await denseMatrix(ggn(problem, point, { executor })));
  expect(largest(expected)).toBeGreaterThan(0.01);
  for (const options of [{}, { chunk: 3 }]) expect(difference((await ggnDiagonal(problem, point, { executor, ...options })).values, expected)).toBeLessThan(1e-13);
  const { values, cost } = await hessianDiagonal(problem, point, { executor, chunk: 4 });
  expect(difference(values, diagonalOf(await denseMatrix(hessian(problem, point, { executor }))))).toBeLessThan(1e-13);
  expect(cost.products).toBe(values.length);
  const single = await ggnDiagonal(problem, { params: singlePrecision(point.params), state: {} }, { chunk: 3 });
  expect(difference(single.values, expected)).toBeLessThan(2e-6 * largest(expected));
});

test('refuses what would cost too much, and says what it would cost; stops at a signal', async () => {
  const operator = diagonalOperator(Float64Array.of(1, 2, 3));
  expect((await exactDiagonal(operator)).values).toEqual(Float64Array.of(1, 2, 3));
  await expect(exactDiagonal(operator, { maxProducts: 2 })).rejects.toThrow(/3, one for each coordinate/);
  await expect(exactDiagonal(operator, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  const [problem] = problems;
  await expect(ggnDiagonal(problem, problem.model.init(key(0)), { executor, maxPasses: 2 })).rejects.toThrow(ArgumentError);
});
