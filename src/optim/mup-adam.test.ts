import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, square, sum } from '../ops/index.ts';
import { adam } from './adam.ts';
import { mupAdam } from './mup-adam.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';

type Params = { readonly input: Tensor; readonly bias: Tensor; readonly hidden: Tensor };
const wide = (values: readonly number[], shape: readonly number[]) => array(values, shape, 'float64');
/** Two inputs, three hidden units, one output. */
const start = { input: wide([1, -2, 3, 0.5, 1, 2], [2, 3]), bias: wide([1, 2, 3], [3]), hidden: wide([2, -1, 1], [3, 1]) };
const loss = ({ input, bias, hidden }: Params): Tensor => add(add(sum(square(input)), sum(square(bias))), sum(square(hidden)));
const settings = { steps: 3, rate: 0.1 };

describe('mupAdam', () => {
  test('moves matrices from hidden units by base / width of what Adam moves them, the others as Adam', async () => {
    const [mup, plain] = [await runOptimizer(mupAdam({ width: 3, baseWidth: 1, beta2: 0.9 }), loss, start, { ...settings, steps: 1 }), await runOptimizer(adam({ beta2: 0.9 }), loss, start, { ...settings, steps: 1 })];
    expect([...mup.params.input.data]).toEqual([...plain.params.input.data]);
    expect([...mup.params.bias.data]).toEqual([...plain.params.bias.data]);
    [...mup.params.hidden.data].forEach((value, i) => { expect(Number(value) - Number(start.hidden.data[i])).toBeCloseTo((Number(plain.params.hidden.data[i]) - Number(start.hidden.data[i])) / 3, 12); });
  });

  test('is Adam at the base width', async () => {
    expect((await runOptimizer(mupAdam({ width: 3, baseWidth: 3 }), loss, start, settings)).params).toEqual((await runOptimizer(adam(), loss, start, settings)).params);
  });

  test('refuses a network without hidden units of that width', async () => {
    await expect(runOptimizer(mupAdam({ width: 7, baseWidth: 1 }), loss, start, settings)).rejects.toThrow(/have 7 rows/);
    expect(() => mupAdam({ width: 0, baseWidth: 1 })).toThrow(/width/);
  });
});
