import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../errors.ts';
import { choice, key, permutation, split } from './index.ts';

/** Counts of the outcomes of `trials` keys. */
function tally(trials: number, outcome: (trial: number) => ArrayLike<number>): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < trials; i++) {
    const name = Array.from(outcome(i)).join(' ');
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

describe('permutation', () => {
  test('is a permutation for every n', () => {
    fc.assert(fc.property(fc.nat(500), fc.integer(), (n, seed) => {
      expect(permutation(key(seed), n).sort()).toEqual(Int32Array.from({ length: n }, (_, i) => i));
    }));
  });

  test('the 120 orders of 5 are equally likely: chi-square', () => {
    const trials = 24_000;
    const counts = tally(trials, (i) => permutation(split(key(1), i), 5));
    expect(counts.size).toBe(120);
    const expected = trials / 120;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 119 degrees of freedom: mean 119, standard deviation 15.4.
    expect(Math.abs(chiSquare - 119)).toBeLessThan(4.5 * 15.4);
  });

  test('every position of 1,000 moves: few fixed points', () => {
    expect(permutation(key(3), 1000).filter((item, i) => item === i).length).toBeLessThan(8);
  });
});

describe('choice', () => {
  test('without replacement is a prefix of the permutation', () => {
    expect(choice(key(6), 50, 20)).toEqual(permutation(key(6), 50).slice(0, 20));
    expect(choice(key(6), 5, 0).length).toBe(0);
  });

  test('weighted without replacement: first draws in proportion, second in proportion to what is left', () => {
    const weights = [1, 2, 5, 0];
    const trials = 20_000;
    const counts = tally(trials, (i) => choice(split(key(2), i), 4, 2, { weights }));
    for (const [first, second] of [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]) {
      const probability = (weights[first] / 8) * (weights[second] / (8 - weights[first]));
      const deviation = Math.sqrt(trials * probability * (1 - probability));
      expect(Math.abs((counts.get(`${first} ${second}`) ?? 0) - trials * probability)).toBeLessThan(4.5 * deviation);
    }
    expect([...counts.keys()].some((name) => name.includes('3'))).toBe(false);
  });

  test('with replacement, weighted and uniform', () => {
    const trials = 20_000;
    for (const weights of [undefined, [0, 1, 3, 0, 4, 0]]) {
      const total = weights === undefined ? 6 : 8;
      const draws = choice(key(3), 6, trials, { weights, replacement: true });
      for (let i = 0; i < 6; i++) {
        const probability = (weights?.[i] ?? 1) / total;
        const count = draws.filter((item) => item === i).length;
        expect(Math.abs(count - trials * probability)).toBeLessThanOrEqual(4.5 * Math.sqrt(trials * probability * (1 - probability)));
      }
    }
  });

  test('refuses what it cannot draw', () => {
    expect(() => choice(key(0), 3, 4)).toThrow(ArgumentError);
    expect(() => choice(key(0), 0, 1, { replacement: true })).toThrow(ArgumentError);
    expect(() => choice(key(0), 3, 1, { weights: [1, 2] })).toThrow(ArgumentError);
    expect(() => choice(key(0), 3, 2, { weights: [1, 0, 0] })).toThrow(ArgumentError);
    expect(() => choice(key(0), 3, 1, { weights: [0, 0, 0], replacement: true })).toThrow(ArgumentError);
    expect(() => choice(key(0), 3, 1, { weights: [1, -1, 2] })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: choice: weights must be finite and at least 0, got weights[1] = -1.]`);
    expect(choice(key(0), 0, 0).length).toBe(0);
  });
});
