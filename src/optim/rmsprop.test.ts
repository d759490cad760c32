import { describe, expect, test } from 'vitest';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';
import { rmsprop } from './rmsprop.ts';

describe('rmsprop', () => {
  // v = 0.25, w = 1 - 0.1 / 0.5 = 0.8; g = 0.8: v = 0.1875 + 0.16 = 0.3475
  test('two steps by hand', async () => {
    expect((await trace(rmsprop({ decay: 0.75, epsilon: 0 }), [1])).map(rounded)).toEqual([[0.8], [0.8 - 0.08 / Math.sqrt(0.3475)]].map(rounded));
  });
  // The second velocity is half of 2, and 0.8 / sqrt(0.3475).
  test('momentum: two steps by hand', async () => {
    expect(rounded((await trace(rmsprop({ decay: 0.75, epsilon: 0, momentum: 0.5 }), [1]))[1])).toEqual(rounded([0.8 - 0.1 * (1 + 0.8 / Math.sqrt(0.3475))]));
  });
  // m = 0.25, v = 0.25, v - m^2 = 0.1875; epsilon after the root or in it.
  test('centred: one step by hand', async () => {
    const centered = async (epsilonInside: boolean): Promise<number[]> => rounded((await trace(rmsprop({ decay: 0.75, centered: true, epsilon: 0.0625, epsilonInside }), [1]))[0]);
    expect(await centered(false)).toEqual(rounded([1 - 0.1 / (Math.sqrt(0.1875) + 0.0625)]));
    expect(await centered(true)).toEqual(rounded([1 - 0.1 / 0.5]));
  });
  // A mean over one gradient has no spread: with the decay at zero, v - m^2 is zero but for rounding.
  test('centred: rounding does not reach the root as a negative number', async () => {
    const path = await trace(rmsprop({ decay: 0, centered: true, epsilon: 1 }), [0.1, 0.7, 1.3], { steps: 5 });
    for (const value of path.flat()) expect(value).toBeGreaterThan(0);
  });
  test('the preconditioner is the divisor', async () => {
    expect(rounded(await preconditionerAfter(rmsprop({ decay: 0.75, epsilon: 0.5 }), [1], { steps: 1 }))).toEqual([1]);
  });
  test('refuses a decay of one', () => { expect(() => rmsprop({ decay: 1 })).toThrow(/decay/); });
});
