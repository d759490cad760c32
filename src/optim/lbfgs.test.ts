import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, at, constant, exp, matmul, mul, square, sub, sum, vdot } from '../ops/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { lbfgs } from './lbfgs.ts';
import { testGoldens } from './optimizer-goldens.test-helper.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';

describe('goldens', () => {
  testGoldens([
    { row: 'lbfgs fixed rate', rate: 0.3, make: () => lbfgs({ history: 4, lineSearch: 'none', firstNorm: 'two' }) },
    { row: 'torch lbfgs', rate: 0.3, make: () => lbfgs({ history: 4, lineSearch: 'none' }) },
    // The first search interpolates between values that differ in few of float32's digits: measured 5e-5 after two steps, 6e-6 after ten, in float64 2e-14.
    { row: 'torch lbfgs strong wolfe', rate: 1, make: () => lbfgs({ history: 4, evaluations: 24 }), float32: 2e-4 },
  ]);
});

const rosenbrock = ({ x }: { x: Tensor }): Tensor => add(square(sub(1, at(x, 0))), mul(100, square(sub(at(x, 1), square(at(x, 0))))));
const start = { x: array([-1.2, 1], [2], 'float64') };

describe('Rosenbrock', () => {
  test('reaches the minimum, at last superlinearly', async () => {
    const { path, losses } = await runOptimizer(lbfgs(), rosenbrock, start, { steps: 40, rate: 1 });
    const distance = path.map(({ x }) => Math.hypot(x.data[0] - 1, x.data[1] - 1));
    const reached = distance.findIndex((d) => d < 1e-8);
    expect(reached).toBeGreaterThan(10);
    expect(distance[reached] / distance[reached - 1]).toBeLessThan(0.02);
    losses.slice(1).forEach((loss, i) => { expect(loss).toBeLessThanOrEqual(losses[i]); });
    // The quasi-Newton step itself is taken at the end.
    expect(losses.at(-1)).toBeLessThan(1e-20);
  });

  test('in float32 on ONNX Runtime', async () => {
    const { losses } = await runOptimizer(lbfgs(), rosenbrock, { x: array([-1.2, 1], [2], 'float32') }, { steps: 50, rate: 1, dtype: 'float32', executor: nodeExecutor({ threads: 1 }) });
    expect(losses.at(-1)).toBeLessThan(1e-7);
  });
});

test('a quadratic of n dimensions with enough history is at its minimum after about n steps of exact searches', async () => {
  const a = array([4, 1, 0, 1, 3, 0.5, 0, 0.5, 2], [3, 3], 'float64');
  const quadratic = ({ x }: { x: Tensor }): Tensor => sub(mul(0.5, vdot(x, matmul(constant(a), x))), sum(x));
  const { losses } = await runOptimizer(lbfgs({ curvature: 1e-6, decrease: 1e-8 }), quadratic, { x: array([5, -3, 2], [3], 'float64') }, { steps: 6, rate: 1 });
  const optimum = losses[5];
  expect(losses[4] - optimum).toBeLessThan(1e-9);
  expect(losses[2] - optimum).toBeGreaterThan(1e-6);
});

describe('the search', () => {
  test('steps satisfy the strong Wolfe conditions', async () => {
    const steps = 12;
    const { path } = await runOptimizer(lbfgs({ curvature: 0.1 }), rosenbrock, start, { steps, rate: 1 });
    const points = [start, ...path].map(({ x }) => [...x.data]);
    const value = ([x, y]: number[]): number => (1 - x) ** 2 + 100 * (y - x * x) ** 2;
    const gradient = ([x, y]: number[]): number[] => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)];
    for (let i = 0; i < steps; i++) {
      const move = points[i + 1].map((x, k) => x - points[i][k]);
      const along = (point: number[]): number => gradient(point).reduce((total, g, k) => total + g * move[k], 0);
      expect(value(points[i + 1])).toBeLessThanOrEqual(value(points[i]) + 1e-4 * along(points[i]));
      expect(Math.abs(along(points[i + 1]))).toBeLessThanOrEqual(-0.1 * along(points[i]));
    }
  });

  test('values that are not finite are too high', async () => {
    // exp overflows in float32 beyond 88: the first trial, at 1000, must be taken back.
    const steep = ({ x }: { x: Tensor }): Tensor => sub(sum(exp(x)), mul(2, sum(x)));
    const { path, losses } = await runOptimizer(lbfgs(), steep, { x: array([0], [1], 'float32') }, { steps: 12, rate: 1000, dtype: 'float32', executor: nodeExecutor({ threads: 1 }) });
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(path.at(-1)!.x.item()).toBeCloseTo(Math.log(2), 3);
  });

  test('at a minimum it stays', async () => {
    const { path } = await runOptimizer(lbfgs(), ({ x }: { x: Tensor }) => sum(square(x)), { x: array([0, 0], [2], 'float64') }, { steps: 3, rate: 1 });
    expect([...path[2].x.data]).toEqual([0, 0]);
  });
});

test('refuses impossible options', () => {
  expect(() => lbfgs({ history: 0 })).toThrow('history');
  expect(() => lbfgs({ curvature: 1e-5 })).toThrow('curvature');
});
