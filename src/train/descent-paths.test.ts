import { describe, expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, mul, square, sum } from '../ops/index.ts';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { descentPaths, type Descent } from './descent-paths.ts';

interface Params { readonly a: Tensor; readonly b: Tensor }
const vector = (...values: number[]): NDArray => new NDArray(Float64Array.from(values), [values.length], 'float64');

/** sum h a^2 / 2 + b^2 / 2: each coordinate shrinks by 1 - eta h a step. */
const objective = ({ a, b }: Params, { h }: { h: Tensor }): Tensor => mul(0.5, add(sum(mul(h, square(a))), sum(square(b))));
const descent = (a: number[], h: number[], learningRate: number): Descent<Params, { h: Tensor }> => ({ start: { a: vector(...a), b: vector(2) }, data: { h: vector(...h) }, learningRate });
const descents = [descent([1, -3], [1, 0.5], 0.1), descent([2, 5], [4, 0.1], 0.3)];

describe('descent of a quadratic', () => {
  test.each([1000, 3])('is the closed form, whatever the steps of a call: %i', async (stepsPerCall) => {
    const steps = [0, 1, 4, 10];
    const seen: number[] = [];
    const paths = await descentPaths(objective, descents, { steps, stepsPerCall, executor: referenceExecutor, onProgress: (done) => { seen.push(done); } });
    paths.forEach(({ params, losses }, k) => {
      const { start, data, learningRate } = descents[k];
      steps.forEach((t, i) => {
        const a = Array.from(start.a.data, (x, j) => x * (1 - learningRate * data.h.data[j]) ** t);
        const b = 2 * (1 - learningRate) ** t;
        a.forEach((x, j) => { expect(params[i].a.data[j]).toBeCloseTo(x, 12); });
        expect(params[i].b.data[0]).toBeCloseTo(b, 12);
        expect(losses[i]).toBeCloseTo(0.5 * (a.reduce((total, x, j) => total + data.h.data[j] * x * x, 0) + b * b), 12);
      });
    });
    expect(seen).toEqual(stepsPerCall === 3 ? [0, 1, 4, 7, 10] : [0, 1, 4, 10]);
  });

  test('a backend gives what the reference gives', async () => {
    const [native, reference] = await Promise.all([undefined, referenceExecutor].map((executor) => descentPaths(objective, descents, { steps: [7], ...(executor && { executor }) })));
    native.forEach(({ losses }, k) => { expect(losses[0]).toBeCloseTo(reference[k].losses[0], 12); });
  });

  test('wrong options are named', async () => {
    await expect(descentPaths(objective, [], { steps: [1] })).rejects.toThrow(/at least one/);
    await expect(descentPaths(objective, descents, { steps: [3, 3] })).rejects.toThrow(/steps\[1\].*at least 4.*got 3/s);
  });
});
