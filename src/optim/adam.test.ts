import { describe, expect, test } from 'vitest';
import { adam } from './adam.ts';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';

describe('adam', () => {
  // m = v = 0.5, both corrected by 0.5: w = 0.9; g = 0.9: m = 0.25 + 0.45, v = 0.25 + 0.405, both corrected by 0.75
  const second = 0.9 - 0.1 * (0.7 / 0.75) / Math.sqrt(0.655 / 0.75);
  test('two steps by hand', async () => {
    expect((await trace(adam({ beta1: 0.5, beta2: 0.5, epsilon: 0 }), [1])).map(rounded)).toEqual([[0.9], [second]].map(rounded));
  });
  // The first step is g / (|g| + epsilon): 2 / (2 + 0.5)
  test('epsilon is added to the corrected root', async () => { expect(rounded((await trace(adam({ epsilon: 0.5 }), [2]))[0])).toEqual([1.92]); });
  // g = 2 + 0.5 * 2: the first step knows only its sign.
  test('weight decay is coupled', async () => { expect(rounded((await trace(adam({ epsilon: 1, weightDecay: 0.5 }), [2]))[0])).toEqual([1.925]); });
  // (1 - 0.25) (sqrt(0.655 / 0.75) + 0.1), with epsilon 0.1 not in the first step: its w is 1 - 0.1 / 1.1
  test('the preconditioner has the correction of the mean as a factor', async () => {
    const w = 1 - 0.1 / 1.1;
    expect(rounded(await preconditionerAfter(adam({ beta1: 0.5, beta2: 0.5, epsilon: 0.1 }), [1]))).toEqual(rounded([0.75 * (Math.sqrt((0.25 + w * w / 2) / 0.75) + 0.1)]));
  });
  test('a decay of zero averages nothing', async () => { expect(rounded((await trace(adam({ beta1: 0, beta2: 0, epsilon: 0 }), [1, -3], { steps: 3 }))[2])).toEqual([0.7, -2.7]); });
  test.each([[{ beta1: 1 }, /beta1/], [{ beta2: 1.5 }, /beta2/], [{ epsilon: -1 }, /epsilon/], [{ weightDecay: -1 }, /weightDecay/]])('refuses %o', (options, message) => { expect(() => adam(options)).toThrow(message); });
});
