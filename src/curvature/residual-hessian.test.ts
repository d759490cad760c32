import { expect, test } from 'vitest';
import { tinyClassification, tinyRegression } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key } from '../util/random/index.ts';
import { difference, largest } from './dense-oracles.test-helper.ts';
import { ggn } from './ggn.ts';
import { hessian } from './hessian.ts';
import { denseMatrix } from './operator.ts';
import { residualHessian } from './residual-hessian.ts';

const executor = referenceExecutor;

test.each([tinyClassification(9), tinyRegression(9)])('Hessian = GGN + residual: $name', async (problem) => {
  const point = problem.model.init(key(0));
  const [h, g, r] = await Promise.all([hessian, ggn, residualHessian].map((make) => denseMatrix(make(problem, point, { executor, chunk: 4 }))));
  expect(largest(r)).toBeGreaterThan(0.01);
  expect(difference(h, g.map((x, i) => x + r[i]))).toBeLessThan(1e-13);
  // With respect to the last layer alone the outputs are linear.
  expect(largest(await denseMatrix(residualHessian(problem, point, { executor, parameters: 'layers.1' })))).toBeLessThan(1e-14);
});
