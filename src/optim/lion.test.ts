import { describe, expect, test } from 'vitest';
import { rounded, trace } from './half-square.test-helper.ts';
import { lion } from './lion.ts';

describe('lion', () => {
  // Rate 0.6: from 1 to 0.4, m = 0.5. Next 0.5 * 0.5 + 0.5 * 0.4 > 0: to -0.2, m = 0.25 + 0.2 = 0.45. Next 0.225 - 0.1 > 0 in spite of g < 0: to -0.8.
  test('steps by hand', async () => { expect((await trace(lion({ beta1: 0.5, beta2: 0.5 }), [1], { steps: 3, rate: 0.6 })).map(rounded)).toEqual([[0.4], [-0.2], [-0.8]]); });
  test('moves every parameter by the rate, and none whose gradient is zero', async () => { expect((await trace(lion(), [3, -0.01, 0], { steps: 1 })).map(rounded)).toEqual([[2.9, 0.09, 0]]); });
  test('weight decay is decoupled', async () => { expect(rounded((await trace(lion({ weightDecay: 0.5 }), [1]))[0])).toEqual([0.85]); });
  test('refuses a decay of one', () => { expect(() => lion({ beta2: 1 })).toThrow(/beta2/); });
});
