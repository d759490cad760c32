import { expect, test } from 'vitest';
import { at, circleProblem } from '../landscape/connectivity/double-well.test-helper.ts';
import { evaluator } from '../problem/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { averagingGain } from './weight-average.ts';

// The loss is (|w|^2 - 1)^2.
const problem = circleProblem(2, 3);
const losses = evaluator(problem, problem.train, { executor: referenceExecutor, dtype: 'float64' });

test('between opposite minima of a circle the average sits on top of the barrier', async () => {
  const { loss, barrier } = await averagingGain(losses, at(1, 0), at(-1, 0));
  expect(loss).toBeCloseTo(1, 12);
  expect(barrier).toBeCloseTo(1, 12);
});

test('on both sides of a valley the average lies in it, and there is no barrier', async () => {
  const { loss, accuracy, barrier } = await averagingGain(losses, at(0.6, 0), at(1.4, 0), { points: 5 });
  expect(loss).toBeCloseTo(-((0.36 - 1) ** 2 + (1.96 - 1) ** 2) / 2, 12);
  expect(barrier).toBe(0);
  expect(accuracy).toBeNaN();
});

test('a barrier beside the middle is seen', async () => {
  // On the circle at both ends; at t = 1/2 |w|^2 = 1/2, at the other grid points 1 - 2 t (1 - t).
  const { loss, barrier } = await averagingGain(losses, at(1, 0), at(0, 1), { points: 3 });
  expect(loss).toBeCloseTo(0.25, 12);
  expect(barrier).toBeCloseTo(0.25, 12);
  await expect(averagingGain(losses, at(1, 0), at(0, 1), { points: 4 })).rejects.toThrow(/\(points - 1\) \/ 2/);
});
