/** A step of a rule that preconditions is `rate P^-1 m`, P what it says its preconditioner is at the state after the step. */
import { describe, expect, test } from 'vitest';
import { NDArray, scalar } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { div, mul, sub } from '../ops/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, grad, type Host } from '../transforms/index.ts';
import { leaves, mapTree } from '../tree/index.ts';
import { made, entries } from './all-optimizers.test-helper.ts';
import { adafactor } from './adafactor.ts';
import type { Optimizer } from './optimizer.ts';
import { goldenLoss, goldenStart, type GoldenParams } from './optimizer-goldens.test-helper.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';

const rate = 0.01;
type Direction = (gradient: GoldenParams, state: Record<string, unknown>) => unknown;
const gradientItself: Direction = (gradient) => gradient;
const firstMoment: Direction = (_, state) => state.firstMoment;

const run = async (optimizer: Optimizer, steps: number) => {
  const { params, state } = await runOptimizer<GoldenParams>(optimizer, goldenLoss, goldenStart('float64'), { steps, rate });
  return { params, state };
};
const compiled = <T>(f: (...args: never[]) => unknown) => compile(f as never, { executor: referenceExecutor, dtype: 'float64' }) as unknown as (...args: unknown[]) => Promise<T>;

/** Largest error of the step that the preconditioner predicts, relative to the longest one. `state` finds the rule's own in the optimizer's. */
async function errorOfStep(optimizer: Optimizer, direction: Direction, stateOf: (state: unknown) => unknown, steps: number): Promise<number> {
  const [before, after] = [await run(optimizer, steps - 1), await run(optimizer, steps)];
  const predicted = await compiled<Host<GoldenParams>>((params: GoldenParams, state: unknown, step: Tensor) => {
    const preconditioner = optimizer.preconditioner!<GoldenParams>(state, step);
    const moved = direction(grad(goldenLoss)(params), stateOf(state) as Record<string, unknown>);
    return mapTree((p: Tensor, m: Tensor, w: Tensor) => sub(w, mul(rate, div(m, p))), preconditioner, moved, params);
  })(before.params, after.state, scalar(steps, 'float64'));
  const values = (tree: unknown): number[] => leaves<NDArray>(tree).flatMap(({ data }) => [...data as Float64Array]);
  const [expected, received, start] = [predicted, after.params, before.params].map(values);
  const longest = Math.max(...received.map((value, i) => Math.abs(value - start[i])));
  return Math.max(...expected.map((value, i) => Math.abs(value - received[i]))) / longest;
}

/** The state in a chain of the one rule that has any. */
const chained = (states: unknown): unknown => (states as readonly Record<string, unknown>[]).find((state) => Object.keys(state).length > 0);

describe('a step is rate P^-1 m', () => {
  const rules: Record<string, Direction> = {
    adabelief: firstMoment, adagrad: gradientItself, adam: firstMoment, adamw: firstMoment, amsgrad: firstMoment, radam: firstMoment, rmsprop: gradientItself, yogi: firstMoment, adafactor: gradientItself,
  };
  test.each(Object.entries(rules).flatMap(([name, direction]) => [1, 3, 8].map((steps) => [name, steps, direction] as const)))('%s after %i steps', async (name, steps, direction) => {
    const entry = entries.find(([other]) => other === name)![1];
    const optimizer = name === 'adafactor' ? adafactor({ factoredFrom: 2 }) : made(entry, name === 'adamw' ? { weightDecay: 0 } : {});
    expect(await errorOfStep(optimizer, direction, chained, steps)).toBeLessThan(1e-10);
  });
  test.each([1, 8])('lamb after %i steps', async (steps) => {
    expect(await errorOfStep(made(entries.find(([name]) => name === 'lamb')![1]), firstMoment, (state) => (state as { adam: unknown }).adam, steps)).toBeLessThan(1e-10);
  });
});

test('what has no diagonal preconditioner says so', () => {
  const without = entries.filter(([name]) => ['sgd', 'lion'].includes(name)).map(([, entry]) => made(entry));
  expect(without.map(({ name, preconditioner }) => [name, preconditioner])).toEqual([['lion', undefined], ['sgd', undefined]]);
});
