import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, constant, mul, sum } from '../ops/index.ts';
import { adaptiveGradientClipping, clipByGlobalNorm, clipByNorm, clipByValue } from './clipping.ts';
import { testGoldens } from './optimizer-goldens.test-helper.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import type { UpdateRule } from './optimizer.ts';
import { sgd } from './sgd.ts';
import { withGradientRule } from './wrapping.ts';

type Params = { a: Tensor; b: Tensor };
// Gradients: a: (3, 0; 0, 0), b: (0, 4).
const slope = { a: array([3, 0, 0, 0], [2, 2], 'float64'), b: array([0, 4], [2], 'float64') };
const linear = ({ a, b }: Params): Tensor => add(sum(mul(constant(slope.a), a)), sum(mul(constant(slope.b), b)));
const start = { a: array([0.1, 1, 0, 1], [2, 2], 'float64'), b: array([0, 0], [2], 'float64') };

/** What a step of rate 1 subtracts. */
async function clipped(rule: UpdateRule<never>): Promise<{ a: number[]; b: number[]; reports: Record<string, number> }> {
  const { params, reports } = await runOptimizer<Params>(withGradientRule(sgd(), rule as UpdateRule), linear, start, { steps: 1, rate: 1 });
  const moved = (name: 'a' | 'b') => Array.from(params[name].data, (x, i) => Number((start[name].data[i] - x).toFixed(13)));
  return { a: moved('a'), b: moved('b'), reports: reports[0] };
}
const of = (rule: object): UpdateRule<never> => rule as UpdateRule<never>;

describe('clipping', () => {
  testGoldens([
    { row: 'clip global norm', make: () => withGradientRule(sgd(), clipByGlobalNorm(1) as UpdateRule) as never, rate: 0.1 },
    { row: 'clip value', make: () => withGradientRule(sgd(), clipByValue(0.3) as UpdateRule) as never, rate: 0.1 },
  ]);
  test('by the global norm, 5: shortens all, and reports it', async () => { expect(await clipped(of(clipByGlobalNorm(1)))).toEqual({ a: [0.6, 0, 0, 0], b: [0, 0.8], reports: { gradientNorm: 5 } }); });
  test('leaves what is short', async () => { expect(await clipped(of(clipByGlobalNorm(5.1)))).toMatchObject({ a: [3, 0, 0, 0], b: [0, 4] }); });
  test('by the norm of each tensor', async () => { expect(await clipped(of(clipByNorm(3.5)))).toMatchObject({ a: [3, 0, 0, 0], b: [0, 3.5] }); });
  test('by value', async () => { expect(await clipped(of(clipByValue(2)))).toMatchObject({ a: [2, 0, 0, 0], b: [0, 2] }); });
  // The first unit of a (a column) has weights (0.1, 0): 0.5 times its norm; b is zero, so epsilon counts.
  test('by the weights of a unit', async () => { expect(await clipped(of(adaptiveGradientClipping({ clipping: 0.5, epsilon: 0.02 })))).toMatchObject({ a: [0.05, 0, 0, 0], b: [0, 0.01] }); });
  test.each([[() => clipByGlobalNorm(0)], [() => clipByNorm(-1)], [() => clipByValue(0)]])('refuses a maximum that is not positive', (make) => { expect(make).toThrow(/maximum/); });
});
