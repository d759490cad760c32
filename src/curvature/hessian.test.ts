import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import type { NDArray } from '../core/ndarray.ts';
import { array, toDtype } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { symmetricEigen } from '../linalg/index.ts';
import { matmul } from '../ops/index.ts';
import { examplesOf, lossSum, ParameterSpace, type Problem } from '../problem/index.ts';
import { crossEntropy, squaredError, tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { compile, grad, hessian as denseHessian } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { key, normal } from '../util/random/index.ts';
import { empiricalFisher } from './empirical-fisher.ts';
import { ggn } from './ggn.ts';
import { hessian } from './hessian.ts';
import { denseMatrix } from './operator.ts';

const executor = referenceExecutor;
const EXAMPLES = 9;
const problems: readonly Problem<Layers>[] = [tinyClassification(EXAMPLES), tinyRegression(EXAMPLES)];

/** The dense Hessian of the mean loss by the `hessian` transformation, rows and columns in the space's order. */
async function denseOracle(problem: Problem<Layers>, filter?: string): Promise<Float64Array> {
  const point = problem.model.init(key(0));
  const space = new ParameterSpace(point.params, filter);
  const batch = examplesOf(problem.train, 'float64');
  const f = (chosen: Tensor[], inputs: Tensor, targets: Tensor, params: Layers): Tensor => lossSum(problem, space.replace(params, chosen) as Layers, {}, { inputs, targets });
  const tree = await compile((chosen: Tensor[], inputs: Tensor, targets: Tensor, params: Layers) => denseHessian(f)(chosen, inputs, targets, params), { executor })(
    space.pick<NDArray>(point.params), batch.inputs, batch.targets, point.params);
  const blocks = leaves<NDArray>(tree);
  const matrix = new Float64Array(space.size ** 2);
  const { ranges, size } = space;
  ranges.forEach((row, a) => ranges.forEach((column, b) => {
    const { data } = blocks[a * ranges.length + b];
    for (let i = 0; i < row.size; i++) for (let j = 0; j < column.size; j++) matrix[(row.offset + i) * size + column.offset + j] = data[i * column.size + j] / EXAMPLES;
  }));
  return matrix;
}

const largest = (a: Float64Array): number => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const difference = (a: Float64Array, b: Float64Array): number => largest(a.map((x, i) => x - b[i]));
const transposed = (a: Float64Array): Float64Array => {
  const n = Math.sqrt(a.length);
  return a.map((_, at) => a[(at % n) * n + Math.floor(at / n)]);
};

describe.each(problems)('the Hessian of $name', (problem) => {
  const point = problem.model.init(key(0));

  test('is the dense Hessian of the mean loss, in chunks and blocks too', async () => {
    const expected = await denseOracle(problem);
    expect(largest(expected)).toBeGreaterThan(0.01);
    for (const options of [{ block: 1 }, { block: 4, chunk: 2 }, { block: 3, chunk: 4, memoryBudget: 0 }]) {
      const operator = hessian(problem, point, { executor, ...options });
      const dense = await denseMatrix(operator);
      expect(difference(dense, expected)).toBeLessThan(1e-12);
      expect(difference(dense, transposed(dense))).toBeLessThan(1e-12);
      expect(operator.products).toBe(operator.size);
      await operator.dispose();
    }
  });

  test.each(['layers.0', 'layers.*.bias', 'layers.1.weight'])('restricted to %s is the diagonal block', async (parameters) => {
    const operator = hessian(problem, point, { executor, parameters });
    expect(operator.space!.names.length).toBeLessThan(4);
    const expected = await denseOracle(problem, parameters);
    expect(expected.length).toBe(operator.size ** 2);
    expect(difference(await denseMatrix(operator), expected)).toBeLessThan(1e-12);
  });

  test('in float32 on ONNX Runtime agrees to single precision', async () => {
    const expected = await denseOracle(problem);
    const single = { params: { layers: point.params.layers.map(({ weight, bias }) => ({ weight: toDtype(weight, 'float32'), bias: toDtype(bias, 'float32') })) }, state: {} };
    const operator = hessian(problem, single, { chunk: 4 });
    expect(operator.precision).toBe('float32');
    expect(difference(await denseMatrix(operator), expected)).toBeLessThan(2e-6 * largest(expected));
    expect(operator.chunks).toMatchObject({ examples: 9, chunk: 4, chunks: 3, remainder: 1, kept: 3, recomputed: 0 });
    await operator.dispose();
  });

  test('of the first samples is that of a shorter split', async () => {
    const operator = hessian(problem, point, { executor, samples: 4 });
    const shorter = hessian({ ...problem, train: { ...problem.train, inputs: array(problem.train.inputs.data.slice(0, 12), [4, 3]), targets: take(problem.train.targets, 4), size: 4 } }, point, { executor });
    expect(difference(await denseMatrix(operator), await denseMatrix(shorter))).toBeLessThan(1e-13);
  });

  test('GGN: symmetric, positive semi-definite, J\'HJ', async () => {
    const dense = await denseMatrix(ggn(problem, point, { executor, chunk: 4 }));
    expect(difference(dense, transposed(dense))).toBeLessThan(1e-12);
    const { values } = symmetricEigen(dense, Math.sqrt(dense.length));
    expect(values[0]).toBeGreaterThan(-1e-12);
    expect(values.at(-1)).toBeGreaterThan(0.1);
    // With respect to the last layer the outputs are linear in the parameters: GGN and Hessian are one matrix.
    const [g, h] = await Promise.all([ggn, hessian].map((make) => denseMatrix(make(problem, point, { executor, parameters: 'layers.1' }))));
    expect(difference(g, h)).toBeLessThan(1e-12);
  });

  test('the empirical Fisher matrix is the mean of outer products of gradients', async () => {
    const dense = await denseMatrix(empiricalFisher(problem, point, { executor, chunk: 4 }));
    const space = new ParameterSpace(point.params);
    const gradient = compile((params: Layers, inputs: Tensor, targets: Tensor) => grad((p: Layers) => lossSum(problem, p, {}, { inputs, targets }))(params), { executor });
    const expected = new Float64Array(dense.length);
    for (let n = 0; n < EXAMPLES; n++) {
      const row = toDtype(array(problem.train.inputs.data.slice(3 * n, 3 * n + 3), [1, 3]), 'float64');
      const target = take(problem.train.targets, 1, n);
      const g = space.flatten(await gradient(point.params as never, row, target.dtype === 'int32' ? target : toDtype(target, 'float64')));
      for (let i = 0; i < space.size; i++) for (let j = 0; j < space.size; j++) expected[i * space.size + j] += (g[i] * g[j]) / EXAMPLES;
    }
    expect(difference(dense, expected)).toBeLessThan(1e-12);
  });
});

function take({ data, shape, dtype }: NDArray, count: number, from = 0): NDArray {
  const width = data.length / shape[0];
  return array(data.slice(from * width, (from + count) * width), [count, ...shape.slice(1)], dtype);
}

describe('factors of the linear model, by hand', () => {
  const linear = (loss: typeof squaredError, targets: NDArray): Problem<{ w: Tensor }> => ({
    name: 'linear', loss, train: { inputs: array([[1, 2], [3, -1]]), targets, size: 2 },
    model: { name: 'linear', init: () => ({ params: { w: array([[0, 0], [0, 0]], [2, 2], 'float64') }, state: {} }), apply: ({ w }, x) => ({ outputs: matmul(x, w), state: {} }) },
  });
  // X'X / N, and for two outputs the mean squared error has second derivative 2 / 2 = 1 in each.
  const gram = [[5, -0.5], [-0.5, 2.5]];
  test.each([['GGN', ggn], ['Hessian', hessian]] as const)('%s of squared error: X\'X / N, no factor 2 lost or doubled', async (_, make) => {
    const problem = linear(squaredError, array([[1, 2], [3, 4]]));
    const dense = await denseMatrix(make(problem, problem.model.init(key(0)), { executor }));
    const expected = [0, 1, 2, 3].flatMap((r) => [0, 1, 2, 3].map((c) => (r % 2 === c % 2 ? gram[r >> 1][c >> 1] : 0)));
    expect(difference(dense, Float64Array.from(expected))).toBeLessThan(1e-12);
  });
  test.each([['GGN', ggn], ['Hessian', hessian]] as const)('%s of cross-entropy at equal probabilities: X\'X / N times (diag p - pp\')', async (_, make) => {
    const problem = linear(crossEntropy, array([0, 1], [2], 'int32'));
    const dense = await denseMatrix(make(problem, problem.model.init(key(0)), { executor }));
    const expected = [0, 1, 2, 3].flatMap((r) => [0, 1, 2, 3].map((c) => gram[r >> 1][c >> 1] * (r % 2 === c % 2 ? 0.25 : -0.25)));
    expect(difference(dense, Float64Array.from(expected))).toBeLessThan(1e-12);
  });
});

test('the same product twice has the same bits, and memory of residuals stays flat', async () => {
  const problem = tinyClassification(40, [3, 4, 3], 'float32');
  const operator = hessian(problem, problem.model.init(key(0)), { chunk: 8 });
  const vector = normal(key(1), operator.size, { dtype: 'float64' });
  const [first] = await operator.multiply([vector]);
  const kept = operator.chunks!.residualBytes;
  for (let i = 0; i < 20; i++) expect((await operator.multiply([vector]))[0]).toEqual(first);
  await operator.multiply(Array.from({ length: 9 }, () => vector));
  await operator.multiply([vector]);
  expect(operator.chunks!.residualBytes).toBe(kept);
  await operator.dispose();
});
