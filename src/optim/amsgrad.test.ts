import { describe, expect, test } from 'vitest';
import { amsgrad } from './amsgrad.ts';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';

describe('amsgrad', () => {
  const options = { beta1: 0.5, beta2: 0.5, epsilon: 0 };
  // v = 0.5, then with g = 0.1 v = 0.25 + 0.005 = 0.255: the largest stays 0.5. Rate 0.9 makes w = 0.1; m = 0.25 + 0.05.
  test('two steps by hand, corrected after the largest is taken', async () => {
    expect((await trace(amsgrad(options), [1], { rate: 0.9 })).map(rounded)).toEqual([[0.1], [0.1 - 0.9 * (0.3 / 0.75) / Math.sqrt(0.5 / 0.75)]].map(rounded));
  });
  // The corrected ones are 1 and 0.34.
  test('corrected before', async () => {
    expect(rounded((await trace(amsgrad({ ...options, correction: 'before' }), [1], { rate: 0.9 }))[1])).toEqual(rounded([0.1 - 0.9 * 0.3 / 0.75]));
  });
  // w = 1 - 0.1 * 0.5 / sqrt(0.5); then v is the larger one: 0.25 + w^2 / 2.
  test('not corrected', async () => {
    const w = 1 - 0.05 / Math.sqrt(0.5);
    const second = w - 0.1 * (0.25 + w / 2) / Math.sqrt(Math.max(0.5, 0.25 + w * w / 2));
    expect((await trace(amsgrad({ ...options, correction: 'none' }), [1])).map(rounded)).toEqual([[w], [second]].map(rounded));
  });
  test('the preconditioner is made of the largest', async () => {
    expect(rounded(await preconditionerAfter(amsgrad({ ...options, epsilon: 0.1 }), [0.1], { steps: 1, rate: 0.9 }))).toEqual(rounded([0.5 * 0.2]));
    expect(rounded(await preconditionerAfter(amsgrad({ ...options, correction: 'none' }), [1], { steps: 1 }))).toEqual(rounded([Math.sqrt(0.5)]));
  });
  test('refuses another correction', () => { expect(() => amsgrad({ correction: 'later' as never })).toThrow(/correction/); });
});
