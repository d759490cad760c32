import { describe, expect, test } from 'vitest';
import { formatDecade, formatMeasurement, formatNumber, formatSeconds, formatTick } from './format.ts';

describe('formatMeasurement', () => {
  test.each([
    [12.34, 0.05, '12.34 ± 0.05'], [12.3456, 0.0123, '12.346 ± 0.012'], [12.3456, 0.0354, '12.346 ± 0.035'],
    [12.3456, 0.0356, '12.35 ± 0.04'], [0.827, 0.0951, '0.83 ± 0.10'], [0.827, 0.0949, '0.83 ± 0.09'],
    [12345, 300, '12350 ± 300'], [12345, 700, '12300 ± 700'], [-2.31, 0.012, '−2.310 ± 0.012'],
    [1.234e-7, 5e-10, '(1.234 ± 0.005)×10⁻⁷'], [8.2e9, 4e7, '(8.20 ± 0.04)×10⁹'], [-4e-9, 1e-10, '(−4.00 ± 0.10)×10⁻⁹'],
    [0, 0.02, '0.000 ± 0.020'], [-0.0001, 3, '0.0 ± 3.0'], [1, 25, '1 ± 25'], [3, 0, '3 ± 0'], [999999.7, 1, '999999.7 ± 1.0'],
  ])('%d with error %d', (value, error, text) => expect(formatMeasurement(value, error)).toBe(text));

  test('says what it does not know', () => {
    expect(formatMeasurement(12.34567)).toBe('12.35');
    expect(formatMeasurement(12.34567, NaN)).toBe('12.35 ± ?');
    expect(formatMeasurement(12.34567, -1)).toBe('12.35 ± ?');
    expect(formatMeasurement(12.34567, Infinity)).toBe('12.35 ± ∞');
    expect(formatMeasurement(NaN, 1)).toBe('NaN');
    expect(formatMeasurement(-Infinity, 1)).toBe('−∞');
  });

  test('an error far below the last digit is written apart', () => expect(formatMeasurement(12.3456789012, 3e-12)).toBe('12.3456789 ± 3×10⁻¹²'));

  test('the printed pair differs from the true one by a fraction of the error', () => {
    for (let i = 0; i < 2000; i++) {
      const value = (Math.sin(i * 7.1) * 10 ** ((i % 13) - 5));
      const error = Math.abs(Math.cos(i * 3.3)) * 10 ** ((i % 5) - 4) * Math.abs(value) + 1e-12;
      const text = formatMeasurement(value, error).replaceAll('−', '-');
      const power = /×10(.*)$/.exec(text)?.[1] ?? '⁰';
      const exponent = Number([...power].map((c) => ('⁻⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(c) === 0 ? '-' : '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(c) - 1)).join(''));
      const [printed, printedError] = text.replace(/[()]|×10.*$/g, '').split(' ± ').map((part) => Number(`${part}e${exponent}`));
      expect(Math.abs(printed - value), text).toBeLessThanOrEqual(0.15 * error);
      expect(Math.abs(printedError - error), text).toBeLessThanOrEqual(0.15 * error);
    }
  });
});

test('numbers, ticks and durations', () => {
  expect([0, 101770, 0.5, 1 / 3, 1e-7, 2.5e8, -1e-5, NaN].map((v) => formatNumber(v)))
    .toEqual(['0', '101770', '0.5', '0.3333', '10⁻⁷', '2.5×10⁸', '−10⁻⁵', 'NaN']);
  expect([0, 0.30000000000000004, -1, 1e-4, 2e5, 1000].map(formatTick)).toEqual(['0', '0.3', '−1', '10⁻⁴', '2×10⁵', '1000']);
  expect([1, 0.01, 1000].map(formatDecade)).toEqual(['1', '10⁻²', '10³']);
  expect([0.0123, 0.34, 12.34, 99.99, 125, NaN].map(formatSeconds)).toEqual(['12.3 ms', '340 ms', '12.3 s', '1 min 40 s', '2 min 5 s', 'NaN s']);
});
