import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { takeRows } from '../data/index.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import { key } from '../util/random/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { batchHessians } from './batch-hessian.ts';
import { curvatureVariance } from './curvature-variance.ts';
import { hessian } from './hessian.ts';
import { denseMatrix } from './operator.ts';
import { topEigenpairs } from './eigenpairs.ts';

const EXAMPLES = 7;
const problem = tinyClassification(EXAMPLES);
const point = problem.model.init(key(0));

/** Of one batch, by the operator over the problem. */
async function denseOf(indices: readonly number[]): Promise<Float64Array> {
  const operator = hessian(problem, point, { data: takeRows(problem.train, indices) });
  const matrix = await denseMatrix(operator);
  await operator.dispose();
  return matrix;
}

describe('batchHessians', () => {
  test('is the Hessian over those examples, for batches of one size and of others', async () => {
    const batches = batchHessians(problem, point);
    for (const indices of [[0, 3], [6, 2], [1, 4, 5], [2]]) {
      const operator = batches.of(indices);
      const expected = await denseOf(indices);
      const dense = await denseMatrix(operator);
      expect(Math.max(...dense.map((x, i) => Math.abs(x - expected[i])))).toBeLessThan(1e-12);
      await operator.dispose();
    }
    await batches.dispose();
  });
  test('the block of some parameters', async () => {
    const batches = batchHessians(problem, point, { parameters: 'layers.1' });
    const whole = hessian(problem, point, { parameters: 'layers.1' });
    const indices = Array.from({ length: EXAMPLES }, (_, i) => i);
    const [a, b] = [await denseMatrix(batches.of(indices)), await denseMatrix(whole)];
    expect(a.length).toBe(b.length);
    expect(Math.max(...a.map((x, i) => Math.abs(x - b[i])))).toBeLessThan(1e-12);
    await Promise.all([batches.dispose(), whole.dispose()]);
  });
  test('refuses no example and one that is not there', () => {
    const batches = batchHessians(problem, point);
    expect(() => batches.of([])).toThrow(ArgumentError);
    expect(() => batches.of([EXAMPLES])).toThrow(/indices/);
  });
});

describe('curvatureVariance', () => {
  test('is what the dense Hessians of the examples give, in chunks too', async () => {
    const matrices = await Promise.all(Array.from({ length: EXAMPLES }, (_, i) => denseOf([i])));
    const size = Math.sqrt(matrices[0].length);
    const v = Float64Array.from({ length: size }, (_, i) => Math.sin(i + 1));
    const length = Math.hypot(...v);
    const unit = v.map((x) => x / length);
    const products = matrices.map((matrix) => Float64Array.from({ length: size }, (_, i) => unit.reduce((sum, x, j) => sum + matrix[i * size + j] * x, 0)));
    const mean = products.reduce((sum, product) => sum.map((x, i) => x + product[i] / EXAMPLES), new Float64Array(size));
    const inner = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
    const differences = products.map((product) => product.map((x, i) => x - mean[i]));
    const average = (values: readonly number[]): number => values.reduce((sum, x) => sum + x / EXAMPLES, 0);
    for (const chunk of [undefined, 2]) {
      const { transverse, along, curvature, samples } = await curvatureVariance(problem, point, v, chunk === undefined ? {} : { chunk });
      expect(along.value).toBeCloseTo(average(differences.map((d) => inner(d, unit) ** 2)), 13);
      expect(transverse.value).toBeCloseTo(average(differences.map((d) => inner(d, d) - inner(d, unit) ** 2)), 13);
      expect(curvature.value).toBeCloseTo(average(products.map((product) => inner(product, unit))), 13);
      expect([samples, transverse.kind]).toEqual([EXAMPLES, 'standard error']);
    }
  });
  test('second-order perturbation: the mean leading eigenvalue over all batches of all but one', async () => {
    const many = tinyClassification(24);
    const [n, at] = [many.train.size, many.model.init(key(0))];
    const whole = hessian(many, at);
    const { largest: [top, ...others] } = await topEigenpairs(whole, { largest: whole.size, method: 'dense' });
    const batches = batchHessians(many, at);
    const all = Array.from({ length: n }, (_, i) => i);
    let mean = 0;
    for (const left of all) mean += (await topEigenpairs(batches.of(all.filter((i) => i !== left)), { largest: 1, method: 'lanczos', tolerance: 1e-6 })).largest[0].value / n;
    const images = await Promise.all(all.map(async (i) => (await batches.of([i]).multiply([top.vector]))[0]));
    const inner = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
    const variances = others.map(({ vector }) => images.reduce((sum, image) => sum + inner(vector, image) ** 2 / n, 0));
    // What turns the vector away is the sum of those variances.
    const { transverse } = await curvatureVariance(many, at, top.vector);
    expect(transverse.value / variances.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 8);
    // H without one example is H - (H_i - H) / (n - 1).
    const predicted = others.reduce((sum, { value }, j) => sum + variances[j] / (top.value - value), 0) / (n - 1) ** 2;
    expect((mean - top.value) / predicted).toBeGreaterThan(0.8);
    expect((mean - top.value) / predicted).toBeLessThan(1.25);
    await Promise.all([whole.dispose(), batches.dispose()]);
  });
  test('refuses a zero vector, another length, and a single example', async () => {
    await expect(curvatureVariance(problem, point, new Float64Array(31))).rejects.toThrow(/zero/);
    await expect(curvatureVariance(problem, point, new Float64Array(2))).rejects.toThrow(ShapeError);
    await expect(curvatureVariance(problem, point, new Float64Array(31).fill(1), { samples: 1 })).rejects.toThrow(/samples/);
  });
});
