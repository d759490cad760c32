import { expect, test } from 'vitest';
import '../runtime/node.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key } from '../util/random/index.ts';
import { addScaled } from './basis.ts';
import { difference, exampleGradients, largest, outerSum, singlePrecision } from './dense-oracles.test-helper.ts';
import { gradientCovariance } from './gradient-covariance.ts';
import { denseMatrix } from './operator.ts';

const executor = referenceExecutor;
const problem = tinyClassification(9);
const point = problem.model.init(key(0));

test('covariance and second moment are those of the examples\' gradients', async () => {
  const gradients = await exampleGradients(problem);
  const mean = new Float64Array(gradients[0].length);
  gradients.forEach((g) => addScaled(mean, 1 / 9, g));
  const centred = gradients.map((g) => g.map((x, i) => x - mean[i]));
  const expected = outerSum(centred, () => 1 / 9);
  const second = outerSum(gradients, () => 1 / 9);
  expect(difference(expected, second)).toBeGreaterThan(1e-3);
  for (const options of [{}, { chunk: 4, block: 3 }]) {
    expect(difference(await denseMatrix(gradientCovariance(problem, point, { executor, ...options })), expected)).toBeLessThan(1e-13);
    expect(difference(await denseMatrix(gradientCovariance(problem, point, { executor, centred: false, ...options })), second)).toBeLessThan(1e-13);
  }
  const single = gradientCovariance(problem, { params: singlePrecision(point.params), state: {} }, { chunk: 4 });
  expect(difference(await denseMatrix(single), expected)).toBeLessThan(2e-6 * largest(expected));
  await single.dispose();
});

test('of one example it is zero', async () => {
  const dense = await denseMatrix(gradientCovariance(problem, point, { executor, samples: 1 }));
  expect(largest(dense)).toBeLessThan(1e-15);
});
