import { expect, test } from 'vitest';
import { at, circleProblem } from './double-well.test-helper.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { curveConnectivity } from './curve-connectivity.ts';

// (|w + x|^2 - 1)^2 with examples x of deviation 0.05: the noise tells the curve on which side to go around the hill.
const problem = circleProblem(2, 64, 0.05);
const ends = [at(1, 0), at(-1, 0)] as const;
const options = { batchSize: 8, learningRate: 0.02, executor: referenceExecutor };

test('opposite minima of a circle are connected by a curve, not by the segment', async () => {
  const { value, barrier, straight, linearBarrier, curveLoss: [first, last] } = await curveConnectivity(problem, ...ends, { ...options, steps: 1600 });
  // The hill between them has height 1; the best parabola stays close to the circle.
  expect(linearBarrier).toBeGreaterThan(0.9);
  expect(straight).toBeLessThan(-0.9);
  expect(Math.abs(value)).toBeLessThan(0.2);
  expect(barrier).toBeLessThan(0.2);
  expect(last).toBeLessThan(first);
});

test('a curve that is hardly trained shows the barrier of the segment', async () => {
  const { value, straight } = await curveConnectivity(problem, ...ends, { ...options, steps: 8, learningRate: 1e-6 });
  expect(value).toBeCloseTo(straight, 3);
});

test('ends that are worse than what lies between them give a positive value', async () => {
  // Losses at |w| = 1.5 and on the way inwards to 0: the best point on the segment has loss 0.
  const { value } = await curveConnectivity(problem, at(1.5, 0), at(0.5, 0), { ...options, steps: 80 });
  expect(value).toBeGreaterThan(1);
});

test('refuses what it cannot do', async () => {
  await expect(curveConnectivity(problem, ...ends, { ...options, batchSize: 65 })).rejects.toThrow(/batchSize must be an integer from 1 to 64/);
});
