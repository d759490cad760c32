import { describe, expect, test } from 'vitest';
import { mixedEntropyBigram } from './mixed-entropy-bigram.ts';

describe('mixedEntropyBigram', () => {
  const tokens = 8;
  const data = mixedEntropyBigram({ tokens, successors: 3, samples: 40_000, seed: 2 });
  const row = (token: number): number[] => [...data.probabilities.subarray(token * tokens, (token + 1) * tokens)];

  test('has one successor after the first half of the tokens and several after the others', () => {
    expect(data.deterministic).toBe(4);
    for (let token = 0; token < tokens; token++) {
      expect(row(token).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14);
      expect(row(token).filter((p) => p > 0)).toHaveLength(token < 4 ? 1 : 3);
    }
  });

  test('draws by these probabilities', () => {
    const counts = new Float64Array(tokens * tokens);
    data.train.inputs.data.forEach((token, i) => { counts[token * tokens + data.train.targets.data[i]]++; });
    for (let token = 0; token < tokens; token++) {
      const n = counts.subarray(token * tokens, (token + 1) * tokens).reduce((a, b) => a + b, 0);
      expect(Math.abs(n - 5000)).toBeLessThan(5 * Math.sqrt(5000));
      row(token).forEach((p, next) => { expect(Math.abs(counts[token * tokens + next] - n * p)).toBeLessThanOrEqual(5 * Math.sqrt(n * p * (1 - p))); });
    }
  });

  test('has Dirichlet weights: with one of eight, mean 1/8 and variance (1/8)(7/8)/17', () => {
    const many = mixedEntropyBigram({ tokens: 800, successors: 8, samples: 1 });
    const weights = many.probabilities.subarray(400 * 800).filter((p) => p > 0);
    expect(weights).toHaveLength(3200);
    const variance = weights.reduce((sum, p) => sum + (p - 1 / 8) ** 2, 0) / weights.length;
    expect(variance / ((1 / 8) * (7 / 8) / 17)).toBeCloseTo(1, 1);
  });

  test('names what is wrong', () => {
    expect(() => mixedEntropyBigram({ tokens: 4, successors: 5 })).toThrow(/successors/);
  });
});
