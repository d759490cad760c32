import { describe, expect, test } from 'vitest';
import { neighbourProbe } from './neighbour-probe.ts';

const at = (degrees: readonly number[], labels: readonly number[], lengths: readonly number[] = []) => ({
  features: Float64Array.from(degrees.flatMap((angle, i) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)].map((x) => (lengths[i] ?? 1) * x))),
  examples: degrees.length, size: 2, labels: Int32Array.from(labels),
});
/** Directions of three classes; lengths do not matter. */
const train = at([0, 10, 20, 90, 100, 200, 210], [0, 0, 0, 1, 1, 2, 2], [1, 9, 0.1, 4, 1, 2, 3]);

describe('the nearest neighbours by angle', () => {
  test('votes by hand', () => {
    // Of 80 degrees: 90, 100, 20 give 1, 1, 0. Of 48: 20, 10, 90. Of 300: 0, 210, 10: one more vote for 0. Of 205: 200, 210, 100.
    expect(neighbourProbe(train, at([80, 48, 300, 205], [1, 0, 0, 2]), { neighbours: 3 }).value).toBe(1);
    const { value, samples, interval } = neighbourProbe(train, at([80, 48, 300, 205], [1, 0, 1, 0]), { neighbours: 3 });
    expect([value, samples]).toEqual([0.5, 4]);
    expect(interval[0]).toBeLessThan(0.5);
  });

  test('as many votes: the nearest wins; one neighbour is the nearest', () => {
    // Of 56: 90 at 34, 20 at 36 degrees.
    expect(neighbourProbe(train, at([56], [1]), { neighbours: 2 }).value).toBe(1);
    expect(neighbourProbe(train, at([54], [0]), { neighbours: 1 }).value).toBe(1);
  });

  test('what cannot be asked is refused', () => {
    expect(() => neighbourProbe(train, at([0], [0]), { neighbours: 8 })).toThrow(/neighbours.*7.*got 8/s);
    expect(() => neighbourProbe({ ...train, labels: undefined } as never, train)).toThrow(/labels/);
    expect(() => neighbourProbe(train, { ...at([0], [0]), features: Float64Array.of(NaN, 0) })).toThrow(/finite/);
  });
});
