import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, at, constant, matmul, mul, square, sub, sum, vdot } from '../ops/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { newtonCg } from './newton-cg.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';

const hessian = array([4, 1, 0, 1, 3, 0.5, 0, 0.5, 2], [3, 3], 'float64');
const quadratic = ({ x }: { x: Tensor }): Tensor => sub(mul(0.5, vdot(x, matmul(constant(hessian), x))), sum(x));
const rosenbrock = ({ x }: { x: Tensor }): Tensor => add(square(sub(1, at(x, 0))), mul(100, square(sub(at(x, 1), square(at(x, 0))))));
/** x^2 / 2 - y^2 / 2 + y^4 / 4: a saddle at zero, minima at y = 1 and y = -1. */
const saddle = ({ x: p }: { x: Tensor }): Tensor => add(mul(0.5, sub(square(at(p, 0)), square(at(p, 1)))), mul(0.25, square(square(at(p, 1)))));
const from = (...values: number[]): { x: ReturnType<typeof array> } => ({ x: array(values, [values.length], 'float64') });

describe('newtonCg', () => {
  test('a quadratic: one step inside a large region is at the optimum', async () => {
    const { path, state } = await runOptimizer(newtonCg({ radius: 100, forcing: 1e-12 }), quadratic, from(5, -3, 2), { steps: 1, rate: 1 });
    const residual = [0, 1, 2].map((i) => [0, 1, 2].reduce((total, j) => total + hessian.data[3 * i + j] * path[0].x.data[j], -1));
    residual.forEach((value) => { expect(Math.abs(value)).toBeLessThan(1e-10); });
    expect((state as { radius: { item: () => number } }).radius.item()).toBe(100);
  });

  test('a small region: the step ends on its boundary, and the region doubles', async () => {
    const { path, state } = await runOptimizer(newtonCg({ radius: 0.5 }), quadratic, from(5, -3, 2), { steps: 1, rate: 1 });
    expect(Math.hypot(path[0].x.data[0] - 5, path[0].x.data[1] + 3, path[0].x.data[2] - 2)).toBeCloseTo(0.5, 12);
    expect((state as { radius: { item: () => number } }).radius.item()).toBe(1);
  });

  test('near a saddle it goes along negative curvature, to a minimum', async () => {
    const { path } = await runOptimizer(newtonCg({ radius: 0.5 }), saddle, from(0.1, 1e-6), { steps: 12, rate: 1 });
    expect(path[11].x.data[0]).toBeCloseTo(0, 6);
    expect(Math.abs(path[11].x.data[1])).toBeCloseTo(1, 6);
  });

  test('Rosenbrock: superlinear at the end, the loss never rises', async () => {
    const { losses } = await runOptimizer(newtonCg(), rosenbrock, from(-1.2, 1), { steps: 40, rate: 1 });
    losses.slice(1).forEach((loss, i) => { expect(loss).toBeLessThanOrEqual(losses[i]); });
    expect(losses.at(-1)).toBeLessThan(1e-16);
    const reached = losses.findIndex((loss) => loss < 1e-14);
    expect(losses[reached] / losses[reached - 1]).toBeLessThan(1e-3);
  });

  test('a step that the loss does not bear out is not taken; the region shrinks', async () => {
    // The model at zero of this loss sees no curvature of the fourth power.
    const wall = ({ x }: { x: Tensor }): Tensor => add(sub(mul(0.005, sum(square(x))), sum(x)), sum(square(square(x))));
    const { path, state } = await runOptimizer(newtonCg({ radius: 50 }), wall, from(0), { steps: 1, rate: 1 });
    expect(path[0].x.item()).toBe(0);
    expect((state as { radius: { item: () => number } }).radius.item()).toBe(12.5);
  });

  test('in float32 on ONNX Runtime', async () => {
    const { losses } = await runOptimizer(newtonCg(), rosenbrock, { x: array([-1.2, 1], [2], 'float32') }, { steps: 40, rate: 1, dtype: 'float32', executor: nodeExecutor({ threads: 1 }) });
    expect(losses.at(-1)).toBeLessThan(1e-8);
  });
});
