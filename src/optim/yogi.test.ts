import { describe, expect, test } from 'vitest';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';
import { yogi } from './yogi.ts';

describe('yogi', () => {
  // v = 0 + 0.5 * 1, w = 0.9 as Adam; g = 0.9, v - g^2 < 0: v = 0.5 + 0.5 * 0.81 = 0.905, m = 0.7, both corrected by 0.75
  test('two steps by hand', async () => {
    expect((await trace(yogi({ beta1: 0.5, beta2: 0.5, epsilon: 0, initialAccumulator: 0 }), [1])).map(rounded)).toEqual([[0.9], [0.9 - 0.1 * (0.7 / 0.75) / Math.sqrt(0.905 / 0.75)]].map(rounded));
  });
  // v falls by half of g^2 where it is the larger: 4 - 0.5, corrected 7: 0.5 (sqrt(7) + 0.25)
  test('squares fall by what the gradient measures', async () => {
    expect(rounded(await preconditionerAfter(yogi({ beta1: 0.5, beta2: 0.5, epsilon: 0.25, initialAccumulator: 4 }), [1], { steps: 1 }))).toEqual(rounded([0.5 * (Math.sqrt(7) + 0.25)]));
  });
  test('refuses a negative accumulator', () => { expect(() => yogi({ initialAccumulator: -1 })).toThrow(/initialAccumulator/); });
});
