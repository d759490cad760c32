import { expect, test } from 'vitest';
import { mlp } from '../nn/index.ts';
import { ParameterSpace, type Point } from '../problem/index.ts';
import { key } from '../util/random/index.ts';
import { variancePreservingMix } from './variance-preserving-mix.ts';

test('the ends are the points themselves; between them norms and cosines are those of independent draws', () => {
  const model = mlp({ sizes: [200, 100, 10], bias: false });
  const [a, b] = [model.init(key(0)), model.init(key(1))] as unknown as Point<unknown>[];
  const space = new ParameterSpace(a.params);
  const flat = (point: Point<unknown>): Float64Array => space.flatten(point.params);
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, value, i) => sum + value * y[i], 0);
  expect(flat(variancePreservingMix(a, b, 0))).toEqual(flat(a));
  expect(flat(variancePreservingMix(a, b, 1))).toEqual(flat(b));
  for (const alpha of [0.2, 0.5]) {
    const mixed = flat(variancePreservingMix(a, b, alpha));
    // 21,000 coordinates: the norms agree within 1 / sqrt(42,000), the inner product of the draws is as small.
    expect(Math.abs(Math.sqrt(dot(mixed, mixed) / dot(flat(a), flat(a))) - 1)).toBeLessThan(0.03);
    expect(dot(mixed, flat(a)) / dot(flat(a), flat(a))).toBeCloseTo((1 - alpha) / Math.hypot(alpha, 1 - alpha), 1);
  }
  expect(() => variancePreservingMix(a, b, 1.5)).toThrow(/alpha/);
});
