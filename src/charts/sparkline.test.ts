import { expect, test } from 'vitest';
import { sparkline } from './sparkline.ts';

test('lowest to highest', () => expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█'));
test('descending typed array', () => expect(sparkline(Float64Array.of(2, 1, 0))).toBe('█▅▁'));
test('averages a long series', () => expect(sparkline(Array.from({ length: 100 }, (_, i) => i), 4)).toBe('▁▃▆█'));
test('constant, empty and not finite', () => {
  expect(sparkline([3, 3, 3])).toBe('▄▄▄');
  expect(sparkline([])).toBe('');
  expect(sparkline([NaN, NaN])).toBe('··');
  expect(sparkline([0, NaN, 1])).toBe('▁·█');
});
