import { describe, expect, test } from 'vitest';
import { adamw } from './adamw.ts';
import { rounded, trace } from './half-square.test-helper.ts';

// Adam's two steps (see adam.test.ts) of w = 1, and each shrinks w by 0.1 * 0.5: w = 1 - 0.1 - 0.05 = 0.85;
// g = 0.85: m = 0.25 + 0.425, v = 0.25 + 0.36125, corrected by 0.75
test('adamw: two steps by hand', async () => {
  const second = 0.85 - 0.1 * ((0.675 / 0.75) / Math.sqrt(0.61125 / 0.75) + 0.5 * 0.85);
  expect((await trace(adamw({ beta1: 0.5, beta2: 0.5, epsilon: 0, weightDecay: 0.5 }), [1])).map(rounded)).toEqual([[0.85], [second]].map(rounded));
});

describe('adamw', () => {
  test('its decay is 0.01 unless another is given', async () => { expect(rounded((await trace(adamw({ epsilon: 0 }), [1]))[0])).toEqual([0.899]); });
  test('refuses a negative decay', () => { expect(() => adamw({ weightDecay: -1 })).toThrow(/weightDecay/); });
});
