import { describe, expect, test } from 'vitest';
import type { NDArray } from '../core/ndarray.ts';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { exp, mul, sum } from '../ops/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile } from '../transforms/index.ts';
import { mapTree } from '../tree/index.ts';
import { draw, inputsFor, samples } from './models.test-helper.ts';
import { outputsOf } from './network.ts';
import { taylorExpansion, taylorModel } from './index.ts';

describe('taylorExpansion', () => {
  test('of exp is the partial sum of its series', async () => {
    for (const order of [0, 1, 2, 3, 4]) {
      const f = compile((point: Tensor, params: Tensor) => taylorExpansion((p: Tensor) => sum(exp(p)), point, order)(params), { executor: referenceExecutor });
      const value = await f(array([0.3], [1], 'float64'), array([1], [1], 'float64'));
      let series = 0;
      for (let k = 0, term = Math.exp(0.3); k <= order; k++, term *= 0.7 / k) series += term;
      expect(value.item()).toBeCloseTo(series, 12);
    }
  });

  test('of a polynomial is the polynomial, from its degree on', async () => {
    const cube = (p: Tensor): Tensor => sum(mul(mul(p, p), p));
    const f = compile((point: Tensor, params: Tensor) => taylorExpansion(cube, point, 3)(params), { executor: referenceExecutor });
    expect((await f(array([1, -2], [2], 'float64'), array([0.5, 3], [2], 'float64'))).item()).toBeCloseTo(0.125 + 27, 11);
  });
});

describe('taylorModel', () => {
  test.each([1, 2, 3])('to order %i errs by the power above it', async (order) => {
    const sample = samples[0];
    const expanded = taylorModel(sample.network.model as never, sample.point.params as never, order);
    const inputs = inputsFor(sample, 2);
    const evaluate = (model: unknown) => compile((params: unknown, x: Tensor) => outputsOf({ name: 'm', model: model as never }, params, {}, x), { executor: referenceExecutor });
    const [original, polynomial] = [evaluate(sample.network.model), evaluate(expanded)];
    const error = async (length: number): Promise<number> => {
      const moved = mapTree((leaf: NDArray) => array(leaf.data.map((value, i) => value + length * draw(`direction ${leaf.shape.join()}`, leaf.shape).data[i]) as never, leaf.shape, 'float64'), sample.point.params);
      const [a, b] = [(await original(moved as never, inputs as never)).data, (await polynomial(moved as never, inputs as never)).data];
      return Math.hypot(...a.map((value, i) => value - b[i]));
    };
    expect(await error(0)).toBeLessThan(1e-14);
    expect(Math.log2((await error(0.02)) / (await error(0.01)))).toBeGreaterThan(order + 0.7);
  });
});
