import { describe, expect, test } from 'vitest';
import { adabelief } from './adabelief.ts';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';

describe('adabelief', () => {
  // m = 0.5, s = 0.5 * 0.25 = 0.125, corrected 1 and 0.25: w = 1 - 0.1 / 0.5 = 0.8; m = 0.25 + 0.4 = 0.65, s = 0.0625 + 0.5 * 0.15^2 = 0.07375
  test('two steps by hand', async () => {
    const second = 0.8 - 0.1 * (0.65 / 0.75) / Math.sqrt(0.07375 / 0.75);
    expect((await trace(adabelief({ beta1: 0.5, beta2: 0.5, epsilon: 0 }), [1])).map(rounded)).toEqual([[0.8], [second]].map(rounded));
  });
  // s = 0.125 + 0.055 = 0.18, corrected 0.36: (0.6 + 0.055) * 0.5
  test('epsilon is in the mean of squares and in the divisor', async () => {
    expect(rounded(await preconditionerAfter(adabelief({ beta1: 0.5, beta2: 0.5, epsilon: 0.055 }), [1], { steps: 1 }))).toEqual([0.3275]);
  });
  test('weight decay is decoupled', async () => { expect(rounded((await trace(adabelief({ beta1: 0.5, beta2: 0.5, epsilon: 0, weightDecay: 0.5 }), [1]))[0])).toEqual([0.75]); });
});
