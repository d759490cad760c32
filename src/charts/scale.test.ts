import { expect, test } from 'vitest';
import { envelope } from './envelope.ts';
import { finiteExtent, logTicks, pad, widen } from './scale.ts';

test('extents skip what is not finite', () => {
  expect(finiteExtent([NaN, 3, Infinity], Float32Array.of(-2))).toEqual([-2, 3]);
  expect(finiteExtent([NaN])).toBeUndefined();
});

test('domains have width', () => {
  expect(widen([4, 4])).toEqual([2, 6]);
  expect(widen([0, 0])).toEqual([-1, 1]);
  expect(pad([0, 100], false)).toEqual([-4, 104]);
  const [low, high] = pad([1, 100], true);
  expect(low * high).toBeCloseTo(100);
  expect(low).toBeLessThan(1);
});

test('ticks of logarithmic axes lie inside and are few', () => {
  expect(logTicks(1, 100)).toEqual([1, 2, 5, 10, 20, 50, 100]);
  expect(logTicks(1e-8, 10)).toEqual([1e-8, 1e-6, 1e-4, 1e-2, 1]);
  // Less than two of 1, 2, 5: even steps.
  expect(logTicks(0.6, 0.8)).toEqual([0.6, 0.65, 0.7, 0.75, 0.8]);
  expect(logTicks(0.58, 0.66)).toEqual([0.58, 0.6, 0.62, 0.64, 0.66]);
  for (const [low, high] of [[0.3, 4], [1e-12, 1e12], [7, 8000]]) {
    const ticks = logTicks(low, high);
    expect(ticks.length).toBeLessThanOrEqual(8);
    expect(ticks.every((tick) => tick >= low && tick <= high)).toBe(true);
  }
});

test('an envelope keeps mean and range of each stretch', () => {
  expect(envelope([1, 2, 3, 4, 5], [1, 3, 2, 8, 5], 3)).toEqual([
    { step: 2, mean: 2, low: 1, high: 3 }, { step: 4, mean: 5, low: 2, high: 8 }, { step: 5, mean: 5, low: 5, high: 5 },
  ]);
  expect(envelope([1, 2], [1, NaN], 1)).toEqual([{ step: 2, mean: NaN, low: NaN, high: NaN }]);
});
