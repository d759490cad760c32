import { describe, expect, test } from 'vitest';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';
import { nadam } from './nadam.ts';

describe('nadam', () => {
  // mu = 0.5 always. m = 0.5, v^ = 1: d = 0.5 * 0.5 / (1 - 0.25) + 0.5 / (1 - 0.5) = 4/3; w = 1 - 0.4/3.
  // Then m = 0.25 + w/2, v = 0.25 + w^2/2: d = (0.5 m / (1 - 0.125) + 0.5 w / (1 - 0.25)) / sqrt(v / 0.75)
  test('constant momentum: two steps by hand', async () => {
    const w = 1 - 0.4 / 3;
    const second = w - 0.1 * (0.5 * (0.25 + w / 2) / 0.875 + 0.5 * w / 0.75) / Math.sqrt((0.25 + w * w / 2) / 0.75);
    expect((await trace(nadam({ beta1: 0.5, beta2: 0.5, epsilon: 0, momentumDecay: Infinity }), [1])).map(rounded)).toEqual([[w], [second]].map(rounded));
  });
  // mu_1 = 0.5 (1 - 0.96 / 2), mu_2 = 0.5 (1 - 0.96^2 / 2), mu_3 = 0.5 (1 - 0.96^3 / 2)
  test('warmed momentum: two steps by hand', async () => {
    const [one, two, three] = [1, 2, 3].map((t) => 0.5 * (1 - 0.96 ** t / 2));
    const w = 1 - 0.1 * (two * 0.5 / (1 - one * two) + (1 - one) / (1 - one));
    const second = w - 0.1 * (three * (0.25 + w / 2) / (1 - one * two * three) + (1 - two) * w / (1 - one * two)) / Math.sqrt((0.25 + w * w / 2) / 0.75);
    expect((await trace(nadam({ beta1: 0.5, beta2: 0.5, epsilon: 0, momentumDecay: 1 }), [1])).map(rounded)).toEqual([[w], [second]].map(rounded));
  });
  // (1 - 0.5) (sqrt(1) + 0.25)
  test('the preconditioner', async () => { expect(rounded(await preconditionerAfter(nadam({ beta1: 0.5, beta2: 0.5, epsilon: 0.25, momentumDecay: Infinity }), [1], { steps: 1 }))).toEqual([0.625]); });
  test('refuses a negative decay of momentum', () => { expect(() => nadam({ momentumDecay: -1 })).toThrow(/momentumDecay/); });
});
