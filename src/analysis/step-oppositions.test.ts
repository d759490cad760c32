import { describe, expect, test } from 'vitest';
import { array, scalar } from '../core/ndarray.ts';
import '../runtime/node.ts';
import type { Tensor } from '../core/tensor.ts';
import { mul } from '../ops/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import { squaredError } from '../losses/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key } from '../util/random/index.ts';
import { stepOppositions } from './step-oppositions.ts';

interface Weight { readonly w: Tensor }

/** f(x) = w x with targets 1: examples 0 and 1 at x = 3, 2 and 3 at x = -3, the rest at x near 0. */
const problem: Problem<Weight> = {
  name: 'one weight', loss: squaredError,
  model: { name: 'w x', init: () => ({ params: { w: scalar(0, 'float64') }, state: {} }), apply: ({ w }, inputs) => ({ outputs: mul(w, inputs), state: {} }) },
  train: { inputs: array([3, 3.1, -3, -3.1, 0.1, -0.1, 0.2, -0.2], [8, 1]), targets: array([1, 1, 1, 1, 1, 1, 1, 1], [8, 1]), size: 8 },
};
const at = (w: number): Point<Weight> => ({ params: { w: scalar(w, 'float64') }, state: {} }) as unknown as Point<Weight>;
const options = { count: 2, key: key(1), executor: referenceExecutor };

describe('steps over a valley between opposed groups', () => {
  test('to and fro: the groups take turns', async () => {
    const [first, second, third] = await stepOppositions(problem, [-0.1, 0.1, -0.1, 0.1].map(at), options);
    expect([...first.up].sort()).toEqual([2, 3]);
    expect([...first.down].sort()).toEqual([0, 1]);
    expect(first.opposed).toBeCloseTo(-1, 12);
    expect([first.alternation, first.persistence]).toEqual([NaN, NaN]);
    for (const { alternation, persistence } of [second, third]) expect([alternation, persistence]).toEqual([1, 0]);
    expect(Math.abs(first.random)).toBeCloseTo(1, 12);
  });

  test('in one direction: the same examples rise again', async () => {
    const steps = await stepOppositions(problem, [-0.15, -0.1, -0.05, 0].map(at), options);
    for (const { alternation, persistence } of steps.slice(1)) expect([alternation, persistence]).toEqual([0, 1]);
  });

  test('too little of anything is refused', async () => {
    await expect(stepOppositions(problem, [at(0)], options)).rejects.toThrow(/points must be at least two/);
    await expect(stepOppositions(problem, [at(0), at(1)], { ...options, count: 5 })).rejects.toThrow(/must hold 10 examples/);
  });
});
