import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { sum } from '../ops/index.ts';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';
import { lars } from './lars.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';

describe('lars', () => {
  // g = p, so the ratio is the coefficient: w = 0.9 p; v = 0.5 (0.5 + 0.9) ... with coefficient 0.5 and rate 0.2: v1 = p / 2, w = 0.9 p, v2 = p / 4 + 0.45 p
  test('two steps by hand', async () => {
    expect((await trace(lars({ coefficient: 0.5, momentum: 0.5 }), [3, 4], { rate: 0.2 })).map(rounded)).toEqual([[2.7, 3.6], [2.7 - 0.42, 3.6 - 0.56]].map(rounded));
  });
  // ratio 0.5 * 5 / (5 + 0.25 * 5 + 1.25), direction 1.25 p
  test('weight decay and epsilon in the ratio: one step by hand', async () => {
    const scale = 1 - 0.1 * (1 / 3) * 1.25;
    expect(rounded((await trace(lars({ coefficient: 0.5, weightDecay: 0.25, epsilon: 1.25 }), [3, 4]))[0])).toEqual(rounded([3 * scale, 4 * scale]));
  });
  test('a layer of zeros has the ratio one', async () => {
    const { params } = await runOptimizer<{ w: Tensor }>(lars(), ({ w }) => sum(w), { w: array([0, 0], [2], 'float64') }, { steps: 1, rate: 0.1 });
    expect(rounded([...params.w.data])).toEqual([-0.1, -0.1]);
  });
  test('the preconditioner is the inverse ratio', async () => { expect(rounded(await preconditionerAfter(lars({ coefficient: 0.5 }), [3, 4], { steps: 1 }))).toEqual([2, 2]); });
});
