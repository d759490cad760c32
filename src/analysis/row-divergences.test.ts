import { expect, test } from 'vitest';
import { rowDivergences } from './row-divergences.ts';

test('rowDivergences is the Kullback-Leibler divergence of each row', () => {
  const p = [0.5, 0.25, 0.25, 1, 0, 0];
  const q = [0.2, 0.3, 0.5, 0.9, 0.05, 0.05];
  const [first, second] = rowDivergences(p, q.map((x, i) => Math.log(x) + (i < 3 ? 7 : -3000)), 3);
  expect(first).toBeCloseTo(0.5 * Math.log(0.5 / 0.2) + 0.25 * Math.log(0.25 / 0.3) + 0.25 * Math.log(0.25 / 0.5), 12);
  expect(second).toBeCloseTo(-Math.log(0.9), 10);
  expect(rowDivergences([0.3, 0.7], [Math.log(0.3), Math.log(0.7)], 2)[0]).toBeCloseTo(0, 15);
  expect(() => rowDivergences([1, 0], [0], 2)).toThrow(/rows of 2, got 2 probabilities and 1 logits/);
});
