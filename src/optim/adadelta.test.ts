import { describe, expect, test } from 'vitest';
import { adadelta } from './adadelta.ts';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';

describe('adadelta', () => {
  // v = 0.5, d = sqrt(0.5) / sqrt(1) = s, w = 1 - s, u = 0.25; v = 0.25 + (1 - s)^2 / 2, d = sqrt(0.75) / sqrt(v + 0.5) (1 - s)
  test('two steps by hand', async () => {
    const first = 1 - Math.sqrt(0.5);
    const second = first - Math.sqrt(0.75) / Math.sqrt(0.75 + first ** 2 / 2) * first;
    expect((await trace(adadelta({ rho: 0.5, epsilon: 0.5 }), [1], { rate: 1 })).map(rounded)).toEqual([[first], [second]].map(rounded));
  });
  // v + 0.5 = 1 over u + 0.5 = 0.75
  test('the preconditioner has the lengths that the next step will use', async () => {
    expect(rounded(await preconditionerAfter(adadelta({ rho: 0.5, epsilon: 0.5 }), [1], { steps: 1, rate: 1 }))).toEqual(rounded([1 / Math.sqrt(0.75)]));
  });
  test('refuses a rho of one', () => { expect(() => adadelta({ rho: 1 })).toThrow(/rho/); });
});
