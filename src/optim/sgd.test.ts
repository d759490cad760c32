import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mul, sum } from '../ops/index.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import { sgd, type SgdOptions } from './sgd.ts';

type Params = { w: Tensor };
const quadratic = (p: Params): Tensor => mul(0.5, sum(mul(p.w, p.w)));

/** Steps of an optimizer on w^2/2, whose gradient is w. */
async function run(options: SgdOptions, steps: number, rate: number): Promise<number[]> {
  const { path } = await runOptimizer(sgd(options), quadratic, { w: array([1], [1], 'float64') }, { steps, rate });
  return path.map(({ w }) => w.data[0]);
}

describe('sgd', () => {
  // g1 = 1: w = 0.9; g2 = 0.9: w = 0.81
  test('plain: two steps by hand', async () => expect(await run({}, 2, 0.1)).toEqual([0.9, 0.81]));
  // v1 = 1, w1 = 0.9; v2 = 0.5 + 0.9 = 1.4, w2 = 0.9 - 0.14
  test('momentum: two steps by hand', async () => {
    const [first, second] = await run({ momentum: 0.5 }, 2, 0.1);
    expect(first).toBeCloseTo(0.9, 15);
    expect(second).toBeCloseTo(0.76, 15);
  });
  // v1 = 1, d1 = 1.5, w1 = 0.85; v2 = 0.5 + 0.85 = 1.35, d2 = 0.85 + 0.675 = 1.525, w2 = 0.6975
  test('nesterov: two steps by hand', async () => {
    const [first, second] = await run({ momentum: 0.5, nesterov: true }, 2, 0.1);
    expect(first).toBeCloseTo(0.85, 15);
    expect(second).toBeCloseTo(0.6975, 15);
  });
  // g = w + 0.2 w: w1 = 1 - 0.12
  test('weight decay is added to the gradient', async () => expect((await run({ weightDecay: 0.2 }, 1, 0.1))[0]).toBeCloseTo(0.88, 15));
  test('converges on a quadratic at rate 1', async () => expect(Math.abs((await run({ momentum: 0.5 }, 80, 1)).at(-1)!)).toBeLessThan(1e-6));
  test('refuses a momentum above one', () => expect(() => sgd({ momentum: 2 })).toThrow(/momentum/));
});
