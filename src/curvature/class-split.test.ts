import { expect, test } from 'vitest';
import '../runtime/node.ts';
import { toDtype } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { symmetricEigen } from '../linalg/index.ts';
import type { Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile } from '../transforms/index.ts';
import { key } from '../util/random/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { classSplit } from './class-split.ts';
import { denseJacobian, difference, largest, outerSum, singlePrecision } from './dense-oracles.test-helper.ts';
import { ggn } from './ggn.ts';
import { denseMatrix } from './operator.ts';

const executor = referenceExecutor;
const problem: Problem<Layers> = { ...tinyClassification(12), loss: crossEntropy };
const point = problem.model.init(key(0));

/** Gradients g_nk and weights p_nk from the dense Jacobian. */
async function pairs(): Promise<{ gradient: Float64Array; weight: number; c: number; k: number }[]> {
  const J = await denseJacobian(problem);
  const columns = J.length / 36;
  const outputs = await logits();
  return Array.from({ length: 12 }, (_, n) => n).flatMap((n) => {
    const z = outputs.slice(3 * n, 3 * n + 3);
    const total = z.reduce((sum, x) => sum + Math.exp(x), 0);
    const p = z.map((x) => Math.exp(x) / total);
    return [0, 1, 2].map((k) => ({
      c: problem.train.targets.data[n], k, weight: p[k] / 12,
      gradient: Float64Array.from({ length: columns }, (_, j) => [0, 1, 2].reduce((sum, o) => sum + (p[o] - Number(o === k)) * J[(3 * n + o) * columns + j], 0)),
    }));
  });
}

async function logits(): Promise<number[]> {
  const run = compile((params: Layers, x: Tensor) => problem.model.apply(params, x, { mode: 'eval', state: {} }).outputs, { executor });
  return [...(await run(point.params as never, toDtype(problem.train.inputs, 'float64'))).data];
}

test('the parts add up to the GGN, and each is what its definition says', async () => {
  const split = classSplit(problem, point, { executor, chunk: 5 });
  const [own, within, cross, between, whole] = await Promise.all([split.ownLabel, split.within, split.crossClass, split.betweenClass, split.whole].map(denseMatrix));
  expect(difference(whole, await denseMatrix(ggn(problem, point, { executor })))).toBeLessThan(1e-13);
  for (const part of [own, within, cross, between]) expect(largest(part)).toBeGreaterThan(1e-3);
  expect(difference(whole, own.map((x, i) => x + within[i] + cross[i] + between[i]))).toBeLessThan(1e-12);

  const all = await pairs();
  const meanOf = (some: typeof all): Float64Array => {
    const total = some.reduce((sum, { weight }) => sum + weight, 0);
    return some[0].gradient.map((_, i) => some.reduce((sum, { gradient, weight }) => sum + (weight / total) * gradient[i], 0));
  };
  const others = all.filter(({ c, k }) => c !== k);
  const sameLabel = all.filter(({ c, k }) => c === k);
  expect(difference(own, outerSum(sameLabel.map(({ gradient }) => gradient), (i) => sameLabel[i].weight))).toBeLessThan(1e-12);
  const deviations = others.map(({ gradient, c, k }) => {
    const mean = meanOf(others.filter((other) => other.c === c && other.k === k));
    return gradient.map((x, i) => x - mean[i]);
  });
  expect(difference(within, outerSum(deviations, (i) => others[i].weight))).toBeLessThan(1e-12);
  const centres = others.map(({ c }) => meanOf(others.filter((other) => other.c === c)));
  expect(difference(between, outerSum(centres, (i) => others[i].weight))).toBeLessThan(1e-12);
});

test('the low-rank parts have at most as many eigenvalues as their definition has terms', async () => {
  const split = classSplit(problem, point, { executor });
  const rank = async (part: keyof typeof split & ('betweenClass' | 'crossClass')): Promise<number> => {
    const dense = await denseMatrix(split[part]);
    const n = Math.sqrt(dense.length);
    return symmetricEigen(dense, n).values.filter((x) => x > 1e-10).length;
  };
  expect(await rank('betweenClass')).toBeLessThanOrEqual(3);
  expect(await rank('crossClass')).toBeLessThanOrEqual(3);
  const { weights } = await split.means();
  expect(weights.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 12);
});

test('in float32 on ONNX Runtime the parts still add up', async () => {
  const split = classSplit(problem, { params: singlePrecision(point.params), state: {} }, { chunk: 5 });
  const [own, within, cross, between, whole] = [await denseMatrix(split.ownLabel), await denseMatrix(split.within), await denseMatrix(split.crossClass), await denseMatrix(split.betweenClass), await denseMatrix(split.whole)];
  expect(difference(whole, own.map((x, i) => x + within[i] + cross[i] + between[i]))).toBeLessThan(2e-6 * largest(whole));
  await split.dispose();
});

test('refused: other losses, and means that do not fit', () => {
  const regression = { ...tinyRegression(4), loss: meanSquaredError };
  expect(() => classSplit(regression, regression.model.init(key(0)))).toThrow(ArgumentError);
  expect(() => classSplit(problem, point, { meansBudget: 100 })).toThrow(/meansBudget/);
});
