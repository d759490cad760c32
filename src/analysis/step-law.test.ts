import { expect, test } from 'vitest';
import { stepLaw } from './step-law.ts';

test('a billion parameters on a hundred billion tokens', () => {
  // 1.79 * 10^(-0.713 * 9 + 0.307 * 11) and 0.58 * 10^(0.571 * 11).
  const { learningRate, batchTokens } = stepLaw({ parameters: 1e9, tokens: 1e11 });
  expect(learningRate).toBeCloseTo(1.79 * 10 ** -3.04, 10);
  expect(learningRate).toBeCloseTo(1.63e-3, 5);
  expect(batchTokens / 1.11e6).toBeCloseTo(1, 2);
});

test('refuses sizes that are none', () => { expect(() => stepLaw({ parameters: 0, tokens: 1 })).toThrow(/parameters/); });
