import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { evaluateGradient, ParameterSpace } from '../problem/index.ts';
import { tinyClassification, tinyRegression } from '../problem/tiny-problems.test-helper.ts';
import { key, normal, split } from '../util/random/index.ts';
import { directionalDerivatives } from './directional-derivatives.ts';
import { hessian } from './hessian.ts';

const inner = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

describe.each([tinyClassification(9), tinyRegression(9)])('derivatives along directions of $name', (problem) => {
  const point = problem.model.init(key(0));

  test('are the gradient and the Hessian between directions, in chunks and at other points too', async () => {
    const prepared = directionalDerivatives(problem, point, { executor: referenceExecutor, chunk: 4 });
    const { space } = prepared;
    const directions = [0, 1, 2].map((i) => normal(split(key(3), i), space.size, { dtype: 'float64' }));
    const other = { params: space.unflatten(space.flatten().map((x) => 0.7 * x)) as typeof point.params, state: {} };
    for (const at of [point, other]) {
      const measured = await prepared.at(at, directions);
      const { loss, gradient } = await evaluateGradient(problem, at, problem.train, { executor: referenceExecutor });
      const operator = hessian(problem, at, { executor: referenceExecutor });
      const images = await operator.multiply(directions);
      measured.forEach((one, i) => {
        expect(one.loss).toBeCloseTo(loss, 12);
        expect(one.slope).toBeCloseTo(inner(gradient, directions[i]), 11);
        expect(one.curvature).toBeCloseTo(inner(images[i], directions[i]), 10);
      });
      await operator.dispose();
    }
    await prepared.dispose();
  });

  test('may be those of some parameters only', async () => {
    const parameters = 'layers.1';
    const prepared = directionalDerivatives(problem, point, { executor: referenceExecutor, parameters });
    const direction = normal(key(4), new ParameterSpace(point.params, parameters).size, { dtype: 'float64' });
    const operator = hessian(problem, point, { executor: referenceExecutor, parameters });
    const [{ curvature }] = await prepared.at(point, [direction]);
    expect(curvature).toBeCloseTo(inner((await operator.multiply([direction]))[0], direction), 10);
    await operator.dispose();
    await prepared.dispose();
  });
});

test('directions are checked', async () => {
  const problem = tinyRegression(5);
  const prepared = directionalDerivatives(problem, problem.model.init(key(0)), { executor: referenceExecutor });
  await expect(prepared.at(problem.model.init(key(0)), [])).rejects.toThrow(/directions must hold at least one/);
  await expect(prepared.at(problem.model.init(key(0)), [new Float64Array(3)])).rejects.toThrow(/direction 0 must have 26 entries, got 3/);
});
