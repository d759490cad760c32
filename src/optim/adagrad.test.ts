import { describe, expect, test } from 'vitest';
import { adagrad } from './adagrad.ts';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';

describe('adagrad', () => {
  // g = 1: s = 1, w = 0.9; g = 0.9: s = 1.81
  const second = 0.9 - 0.1 * 0.9 / Math.sqrt(1.81);
  test('two steps by hand', async () => {
    expect((await trace(adagrad({ epsilon: 0 }), [1])).map(rounded)).toEqual([[0.9], [second]].map(rounded));
  });
  // s starts at 3, so its first root is 2; epsilon 0.5: w = 1 - 0.1 / 2.5
  test('initial accumulator and epsilon', async () => {
    expect(rounded((await trace(adagrad({ initialAccumulator: 3, epsilon: 0.5 }), [1]))[0])).toEqual([0.96]);
  });
  test('the preconditioner is the divisor', async () => {
    expect(rounded(await preconditionerAfter(adagrad({ epsilon: 0.5 }), [1], { steps: 1 }))).toEqual([1.5]);
  });
  test('refuses a negative epsilon', () => { expect(() => adagrad({ epsilon: -1 })).toThrow(/epsilon/); });
});
