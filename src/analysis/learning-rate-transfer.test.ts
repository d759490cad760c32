import { describe, expect, test } from 'vitest';
import { learningRateTransfer } from './learning-rate-transfer.ts';

const rates = [1, 2, 4, 8, 16, 32];
/** A parabola in log2 of the rate. */
const sweep = (size: number, centre: number) => ({ size, rates, losses: rates.map((rate) => 0.1 + (Math.log2(rate) - centre) ** 2) });

describe('learningRateTransfer', () => {
  test('the same best rate at every size: no drift, and nothing lost', () => {
    const { best, driftOctaves, isNonDecreasing } = learningRateTransfer([sweep(512, 3), sweep(32, 3)]);
    expect(best.map(({ size }) => size)).toEqual([32, 512]);
    expect(driftOctaves).toBe(0);
    expect(isNonDecreasing).toBe(true);
    expect(best.map(({ loss, transferred }) => transferred - loss)).toEqual([0, 0]);
  });

  test('a best rate that moves: octaves, and the parabola at the distance', () => {
    const { best, driftOctaves } = learningRateTransfer([sweep(32, 1), sweep(128, 2), sweep(512, 3)]);
    expect(driftOctaves).toBe(2);
    expect(best.map(({ rate, transferred, isAtEnd }) => [rate, transferred, isAtEnd])).toEqual([[2, 0.1, false], [4, 1.1, false], [8, 4.1, false]]);
    expect(learningRateTransfer([sweep(32, 3), sweep(128, 2)]).isNonDecreasing).toBe(false);
  });

  test('what diverged is worst, and the end of a grid is told', () => {
    const { best } = learningRateTransfer([{ size: 1, rates: [1, 2], losses: [NaN, 0.5] }, { size: 2, rates: [1, 2, 4], losses: [0.2, Infinity, 0.1] }]);
    expect(best).toEqual([{ size: 1, rate: 2, loss: 0.5, isAtEnd: true, transferred: 0.5 }, { size: 2, rate: 4, loss: 0.1, isAtEnd: true, transferred: Infinity }]);
  });

  test('refuses what cannot be compared', () => {
    expect(() => learningRateTransfer([])).toThrow(/none/);
    expect(() => learningRateTransfer([{ size: 1, rates: [1], losses: [] }])).toThrow(/loss for each/);
    expect(() => learningRateTransfer([{ size: 1, rates: [0], losses: [1] }])).toThrow(/positive/);
    expect(() => learningRateTransfer([{ size: 1, rates: [1], losses: [NaN] }])).toThrow(/finite/);
    expect(() => learningRateTransfer([sweep(1, 3), { size: 2, rates: [1], losses: [1] }])).toThrow(/include 8/);
  });
});
