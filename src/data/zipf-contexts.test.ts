import { describe, expect, test } from 'vitest';
import { zipfContexts } from './zipf-contexts.ts';

describe('contexts with frequencies of Zipf', () => {
  test('frequencies and continuations by hand', () => {
    const { frequencies, targets } = zipfContexts({ tokens: 3, exponent: 1, unigramShare: 0.5 });
    const q = [6 / 11, 3 / 11, 2 / 11];
    q.forEach((x, i) => { expect(frequencies[i]).toBeCloseTo(x, 14); });
    for (let i = 0; i < 3; i++) for (let c = 0; c < 3; c++) expect(targets[3 * i + c]).toBeCloseTo(0.5 * q[c] + (i === c ? 0.5 : 0), 14);
  });

  test('equal frequencies, and continuations that are certain, at the ends of the options', () => {
    const { frequencies, targets } = zipfContexts({ tokens: 4, exponent: 0, unigramShare: 0 });
    expect([...frequencies]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect([...targets]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    expect(() => zipfContexts({ tokens: 0 })).toThrow(/tokens/);
    expect(() => zipfContexts({ tokens: 2, unigramShare: 2 })).toThrow(/unigramShare/);
  });
});
