/** What tests of ensembles share: a problem in float64, and comparisons with separate runs. */
import { expect } from 'vitest';
import { isFloat, toDtype, type NDArray } from '../core/ndarray.ts';
import type { AnyModel } from '../nn/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import { leavesWithPaths, mapTree } from '../tree/index.ts';
import type { ReplicaRun, TrainingRun } from './index.ts';

/** The problem with parameters in float64, so that all of it is computed in float64. */
export function inFloat64(problem: Problem<unknown, unknown>): Problem<unknown, unknown> {
  const wide = (array: NDArray): NDArray => (isFloat(array.dtype) ? toDtype(array, 'float64') : array);
  const init: AnyModel['init'] = (key) => mapTree(wide, problem.model.init(key) as never) as Point<never, never>;
  return { ...problem, model: { ...problem.model, init } as AnyModel };
}

type Content = Pick<TrainingRun<unknown, unknown>, 'params' | 'state' | 'memory' | 'answer' | 'losses' | 'table' | 'end'>;

const numbers = (tree: unknown): [string, number[]][] => (leavesWithPaths(tree) as [string, NDArray][]).map(([path, { data }]) => [path, [...data]]);

/** Largest difference of two runs' losses, parameters, states and answers, relative where numbers exceed one. */
export function difference(a: Content, b: Content): number {
  const all = ({ losses, params, state, memory, answer }: Content): [string, number[]][] => [['losses', [...losses]], ...numbers({ params, state, memory, answer: answer ?? {} })];
  const [left, right] = [all(a), all(b)];
  expect(left.map(([path, values]) => [path, values.length])).toEqual(right.map(([path, values]) => [path, values.length]));
  return Math.max(...left.flatMap(([, values], i) => values.map((x, j) => (x === right[i][1][j] ? 0 : Math.abs(x - right[i][1][j]) / Math.max(1, Math.abs(x))))));
}

/** Expects a replica to be the run: ends alike, measures the same columns at the same steps, and all numbers close. */
export function expectSame(replica: ReplicaRun<unknown, unknown>, alone: TrainingRun<unknown, unknown>, tolerance: number): void {
  expect(replica.end).toEqual(alone.end);
  expect(difference(replica, alone)).toBeLessThan(tolerance);
  expect([...replica.table.columns].sort()).toEqual([...alone.table.columns].sort());
  for (const name of alone.table.columns) {
    const [here, there] = [replica.table.entries(name), alone.table.entries(name)];
    expect(here.map(({ step, epoch }) => [step, epoch]), name).toEqual(there.map(({ step, epoch }) => [step, epoch]));
    there.forEach(({ measurement: { value, kind } }, i) => {
      const { measurement } = here[i];
      expect(measurement.kind).toBe(kind);
      if (Number.isNaN(value)) expect(measurement.value, name).toBeNaN();
      else expect(Math.abs(measurement.value - value), `${name} at step ${there[i].step}`).toBeLessThan(Math.max(1, Math.abs(value)) * tolerance);
    });
  }
}
