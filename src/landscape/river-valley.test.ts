import { describe, expect, test } from 'vitest';
import { key } from '../util/random/index.ts';
import { descendValley, riverValley, stationaryHill } from './river-valley.ts';

describe('riverValley', () => {
  test('has the gradient of its loss', () => {
    const valley = riverValley({ curvature: 20, bend: 0.7, descent: 0.05 });
    const loss = (x: number, y: number): number => valley.hill(x, y) + valley.river(x);
    const h = 1e-6;
    for (const [x, y] of [[0, 0.3], [1.2, -0.4], [-2, 2]]) {
      const [dx, dy] = valley.gradient(x, y);
      expect(dx).toBeCloseTo((loss(x + h, y) - loss(x - h, y)) / (2 * h), 6);
      expect(dy).toBeCloseTo((loss(x, y + h) - loss(x, y - h)) / (2 * h), 6);
    }
    expect(valley.hill(1.2, 0.7 * Math.sin(1.2))).toBe(0);
  });
});

describe('descendValley', () => {
  const straight = riverValley({ curvature: 20, descent: 0.05 });
  const settings = { steps: 100, particles: 3, noise: 5, key: key(1), record: [0, 40, 100] };

  test('is the closed form: the river goes on by the sum of rates whatever the noise, the hill is stationary', () => {
    const rate = (step: number): number => 0.01 + 1e-4 * step;
    const [{ river }] = descendValley(straight, [rate], settings);
    const travelled = (steps: number): number => Array.from({ length: steps }, (_, step) => rate(step)).reduce((a, b) => a + b, 0);
    expect(river[1]).toBeCloseTo(-0.05 * 0.05 * travelled(40), 14);
    expect(river[2]).toBeCloseTo(-0.05 * 0.05 * travelled(100), 14);
    const [{ hill }] = descendValley(straight, [() => 0.08], { ...settings, particles: 20_000 });
    // The standard error of the mean of y^2 over n particles is sqrt(2 / n) of it: one per cent.
    expect(hill[2] / stationaryHill(20, 0.08, 5)).toBeGreaterThan(0.96);
    expect(hill[2] / stationaryHill(20, 0.08, 5)).toBeLessThan(1.04);
    expect(stationaryHill(20, 0.1, 5)).toBe(Infinity);
  });

  test('gives every schedule the same noise, and keeps positions', () => {
    const valley = riverValley({ curvature: 20, bend: 1, descent: 0.05 });
    const alone = descendValley(valley, [() => 0.02], { ...settings, kept: 2 })[0];
    const together = descendValley(valley, [() => 0.04, () => 0.02], { ...settings, kept: 2 })[1];
    expect(together).toEqual(alone);
    expect(alone.positions.map(({ x }) => x.length)).toEqual([2, 2, 2]);
    expect([...alone.positions[0].x, ...alone.positions[0].y]).toEqual([0, 0, 0, 0]);
    const [{ positions: [{ x: [x], y: [y] }], hill, river }] = descendValley(valley, [() => 0.02], { ...settings, particles: 1, record: [70], kept: 1 });
    expect([hill[0], river[0]]).toEqual([valley.hill(x, y), valley.river(x)]);
  });

  test('names what is wrong', () => {
    expect(() => descendValley(straight, [() => 0.2], { ...settings, steps: 5000, record: [5000] })).toThrow(/particles must stay finite/);
    expect(() => descendValley(straight, [], settings)).toThrow(/at least one schedule/);
    expect(() => descendValley(straight, [() => 0.1], { ...settings, record: [4, 4] })).toThrow(/record\[1\]/);
  });
});
