import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { crossEntropy } from '../losses/index.ts';
import { matmul } from '../ops/index.ts';
import type { Problem } from '../problem/index.ts';
import { tinyClassification, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { leaves } from '../tree/index.ts';
import { key, normal } from '../util/random/index.ts';
import { norm } from './basis.ts';
import { denseMatrix } from './operator.ts';
import { empiricalFisher } from './empirical-fisher.ts';
import { fisher, type FisherOptions } from './fisher.ts';
import { ggn } from './ggn.ts';
import { gradientCovariance } from './gradient-covariance.ts';
import { hessian } from './hessian.ts';
import type { CurvatureOptions, ProblemOperator } from './problem-operator.ts';
import { residualHessian } from './residual-hessian.ts';

type Make = (problem: Problem<Layers>, point: ReturnType<Problem<Layers>['model']['init']>, options: CurvatureOptions) => ProblemOperator;
const monteCarlo = (options: FisherOptions): FisherOptions => ({ ...options, kind: 'monte-carlo', draws: 2 });
const family: readonly [string, Make][] = [
  ['Hessian', hessian], ['GGN', ggn], ['empirical Fisher', empiricalFisher], ['residual Hessian', residualHessian], ['gradient covariance', gradientCovariance],
  ['exact Fisher', fisher], ['Monte Carlo Fisher', (problem, point, options) => fisher(problem, point, monteCarlo(options))],
];
const EXAMPLES = 53;

describe.each(family)('%s', (_, make) => {
  test.each([['float32', 1e-6], ['float64', 1e-10]] as const)('unequal chunks agree with one batch in %s to %f', async (dtype, tolerance) => {
    const problem = { ...tinyClassification(EXAMPLES, [3, 4, 3], dtype), loss: crossEntropy };
    const point = problem.model.init(key(0));
    const vector = normal(key(5), 31, { dtype: 'float64' });
    const [whole] = await make(problem, point, { chunk: EXAMPLES }).multiply([vector]);
    for (const options of [{ chunk: 7 }, { chunk: 40, memoryBudget: 0 }]) {
      const operator = make(problem, point, options);
      const [product] = await operator.multiply([vector]);
      expect(operator.chunks!.remainder).toBeGreaterThan(0);
      expect(norm(product.map((x, i) => x - whole[i]))).toBeLessThan(tolerance * norm(whole));
      await operator.dispose();
    }
  });

  test('memory: predicted before the first product, kept as predicted, the same after a hundred', async () => {
    const problem = { ...tinyClassification(EXAMPLES, [3, 4, 3], 'float32'), loss: crossEntropy };
    const point = problem.model.init(key(0));
    const before = leaves<NDArray>(point.params).map(({ data }) => data.slice());
    const operator = make(problem, point, { chunk: 20 });
    const { predicted } = operator;
    expect(operator.products).toBe(0);
    expect(predicted).toMatchObject({ examples: EXAMPLES, chunk: 20, chunks: 3, kept: 3 });
    expect(predicted.workingBytes).toBeGreaterThan(0);
    const vector = normal(key(5), 31, { dtype: 'float64' });
    await operator.multiply([vector]);
    const { residualBytes, ...cost } = operator.chunks!;
    // The last chunk is smaller than predicted for all; passes after the prediction may keep other values.
    expect(residualBytes).toBeLessThanOrEqual(1.5 * predicted.residualBytes);
    expect(cost.workingBytes).toBe(predicted.workingBytes);
    for (let i = 0; i < 100; i++) await operator.multiply([vector]);
    expect(operator.chunks!.residualBytes).toBe(residualBytes);
    expect(operator.chunks).toMatchObject({ ...cost, calls: cost.calls + 100 });
    leaves<NDArray>(point.params).forEach(({ data }, i) => expect(data).toEqual(before[i]));
    await operator.dispose();
  });

  test('a budget that holds nothing recomputes all and says so beforehand', async () => {
    const problem = { ...tinyClassification(EXAMPLES, [3, 4, 3], 'float32'), loss: crossEntropy };
    const operator = make(problem, problem.model.init(key(0)), { chunk: 20, memoryBudget: 0 });
    expect(operator.predicted).toMatchObject({ kept: 0, residualBytes: 0 });
    await operator.multiply([normal(key(5), 31, { dtype: 'float64' })]);
    expect(operator.chunks).toMatchObject({ kept: 0, recomputed: 3, residualBytes: 0 });
    await operator.dispose();
  });
});

test.each(family)('%s: parameters that the model does not use have zero rows and columns, frozen ones none', async (_, make) => {
  const problem: Problem<{ unused: Tensor; used: Tensor }> = {
    name: 'idle', loss: crossEntropy, train: tinyClassification(6).train,
    model: {
      name: 'idle', init: () => ({ params: { unused: array([1, 2], [2], 'float64'), used: array(normal(key(1), 9, { dtype: 'float64' }), [3, 3], 'float64') }, state: {} }),
      apply: ({ used }, x) => ({ outputs: matmul(x, used), state: {} }),
    },
  };
  const point = problem.model.init(key(0));
  const dense = await denseMatrix(make(problem as never, point as never, { executor: referenceExecutor }));
  for (let i = 0; i < 11; i++) for (const j of [0, 1]) expect([dense[i * 11 + j], dense[j * 11 + i]]).toEqual([0, 0]);
  const frozen = make(problem as never, point as never, { executor: referenceExecutor, parameters: 'used' });
  const block = await denseMatrix(frozen);
  expect(frozen.size).toBe(9);
  for (let i = 0; i < 9; i++) for (let j = 0; j < 9; j++) expect(block[i * 9 + j]).toBeCloseTo(dense[(i + 2) * 11 + j + 2], 13);
});
