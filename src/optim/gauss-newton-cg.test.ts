import { describe, expect, test } from 'vitest';
import type { NDArray } from '../core/ndarray.ts';
import { denseMatrix, ggn } from '../curvature/index.ts';
import { solve } from '../linalg/index.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { evaluateGradient, ParameterSpace, type Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key } from '../util/random/index.ts';
import { gaussNewtonCg } from './gauss-newton-cg.ts';
import { runOnProblem } from './model-run.test-helper.ts';

const executor = referenceExecutor;
const linear: Problem<Layers> = { ...tinyRegression(30, [3, 2]), loss: meanSquaredError };
const regression: Problem<Layers> = { ...tinyRegression(20), loss: meanSquaredError };
const classification: Problem<Layers> = { ...tinyClassification(20), loss: crossEntropy };
const dampingOf = ({ state }: { state: unknown }): number => (state as { damping: NDArray }).damping.item();

/** (G + damping I)^-1 g at the start. */
async function exactDirection(problem: Problem<Layers>, damping: number): Promise<Float64Array> {
  const point = problem.model.init(key(0));
  const matrix = await denseMatrix(ggn(problem, point, { executor }));
  const n = Math.sqrt(matrix.length);
  for (let i = 0; i < n; i++) matrix[i * n + i] += damping;
  return solve(matrix, n, (await evaluateGradient(problem, point, problem.train, { executor })).gradient);
}

describe('gaussNewtonCg', () => {
  test('linear least squares: one step is at the optimum, with a ratio of one, so the damping shrinks', async () => {
    const run = await runOnProblem(gaussNewtonCg({ damping: 1e-10, progress: 0, tolerance: 1e-12 }), linear, { steps: 1, rate: 1 });
    const before = new ParameterSpace(linear.model.init(key(0)).params).flatten();
    const direction = await exactDirection(linear, 0);
    new ParameterSpace(run.path[0]).flatten().forEach((value, i) => { expect(value).toBeCloseTo(before[i] - direction[i], 8); });
    expect(run.reports[0].ratio).toBeCloseTo(1, 6);
    expect(run.reports[0].iterations).toBeLessThanOrEqual(8);
    expect(dampingOf(run)).toBeCloseTo(1e-10 / 1.5, 20);
  });

  test.each([regression, classification])('a step is the damped solution ($name)', async (problem) => {
    const run = await runOnProblem(gaussNewtonCg({ damping: 0.5, progress: 0, tolerance: 1e-10 }), problem, { steps: 1, rate: 1 });
    const before = new ParameterSpace(problem.model.init(key(0)).params).flatten();
    const direction = await exactDirection(problem, 0.5);
    new ParameterSpace(run.path[0]).flatten().forEach((value, i) => { expect(value).toBeCloseTo(before[i] - direction[i], 7); });
  });

  test('the solver stops when its model gains little', async () => {
    const thorough = await runOnProblem(gaussNewtonCg({ damping: 1e-4, progress: 0, tolerance: 1e-12 }), regression, { steps: 1, rate: 1 });
    const brief = await runOnProblem(gaussNewtonCg({ damping: 1e-4, progress: 0.02, tolerance: 0 }), regression, { steps: 1, rate: 1 });
    expect(brief.reports[0].iterations).toBeGreaterThan(10);
    expect(brief.reports[0].iterations).toBeLessThan(thorough.reports[0].iterations);
  });

  test('a loss that does not fall: the step is not taken, the damping grows', async () => {
    // Three times the step overshoots the least-squares optimum to four times the distance.
    const run = await runOnProblem(gaussNewtonCg({ damping: 1e-10, tolerance: 1e-12 }), linear, { steps: 1, rate: 3 });
    const start = new ParameterSpace(linear.model.init(key(0)).params).flatten();
    expect([...new ParameterSpace(run.path[0]).flatten()]).toEqual([...start]);
    expect(dampingOf(run)).toBeCloseTo(1.5e-10, 20);
  });

  test('trains in float32 on ONNX Runtime; the loss never rises', async () => {
    const problem: Problem<Layers> = { ...tinyClassification(40, [3, 8, 3], 'float32'), loss: crossEntropy };
    const { losses } = await runOnProblem(gaussNewtonCg(), problem, { steps: 30, rate: 1, executor: nodeExecutor({ threads: 1 }) });
    losses.slice(1).forEach((loss, i) => { expect(loss).toBeLessThanOrEqual(losses[i]); });
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]);
  });
});
