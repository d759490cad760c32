import { describe, expect, test } from 'vitest';
import { key, normal, split } from '../util/random/index.ts';
import { uvDescent, uvReducedMap } from './uv-model.ts';

const draw = (n: number, seed = 0): { u: Float64Array; v: Float64Array } => ({
  u: normal(split(key(seed), 'u'), n, { dtype: 'float64' }), v: normal(split(key(seed), 'v'), n, { dtype: 'float64' }),
});

describe('uvDescent', () => {
  test('one step is a step along finite differences of the loss', () => {
    const { u, v } = draw(5);
    const loss = (w: Float64Array): number => (w.subarray(0, 5).reduce((sum, x, i) => sum + x * w[5 + i], 0) / Math.sqrt(5)) ** 2 / 2;
    const w = Float64Array.of(...u, ...v);
    const gradient = w.map((_, i) => {
      const at = (h: number): number => loss(w.map((x, j) => (i === j ? x + h : x)));
      return (at(1e-5) - at(-1e-5)) / 2e-5;
    });
    const { outputs, kernels } = uvDescent({ u, v, rate: 0.3, steps: 1 });
    expect(outputs[1] ** 2 / 2).toBeCloseTo(loss(w.map((x, i) => x - 0.3 * gradient[i])), 8);
    // |grad L|^2 = f^2 |grad f|^2
    expect(kernels[0]).toBeCloseTo(gradient.reduce((sum, g) => sum + g * g, 0) / outputs[0] ** 2, 8);
  });

  test('of one unit, from balanced layers, is the descent of w^4 / 2', () => {
    // u = v = w: w' = w - eta w^3.
    const { outputs } = uvDescent({ u: Float64Array.of(0.7), v: Float64Array.of(0.7), rate: 0.5, steps: 10 });
    let w = 0.7;
    for (const f of outputs) {
      expect(f).toBeCloseTo(w * w, 14);
      w -= 0.5 * w ** 3;
    }
  });

  test('leaves its arguments alone, ends where it leaves the bound, and refuses what does not fit', () => {
    const { u, v } = draw(16);
    const before = u.slice();
    const { outputs, kernels } = uvDescent({ u, v, rate: 4, steps: 1000 });
    expect(u).toEqual(before);
    expect(kernels).toHaveLength(outputs.length);
    expect(outputs.length).toBeLessThan(1000);
    expect(Math.abs(outputs[outputs.length - 1])).toBeGreaterThanOrEqual(1.5e6);
    expect(outputs.subarray(0, -1).every((f) => Math.abs(f) < 1.5e6)).toBe(true);
    expect(() => uvDescent({ u, v: v.subarray(1), rate: 1, steps: 1 })).toThrow(/same length/);
    expect(() => uvDescent({ u, v, rate: 0, steps: 1 })).toThrow(/rate/);
  });
});

describe('uvReducedMap', () => {
  test('is the descent itself, through the catapult', () => {
    const { u, v } = draw(64, 3);
    const start = uvDescent({ u, v, rate: 1, steps: 0 });
    for (const scale of [0.5, 1.7, 2.5, 3]) {
      const rate = scale / start.kernels[0];
      const whole = uvDescent({ u, v, rate, steps: 200 });
      const map = uvReducedMap({ output: start.outputs[0], kernel: start.kernels[0], width: 64, rate, steps: 200 });
      whole.outputs.forEach((f, t) => expect(Math.abs(map.outputs[t] - f)).toBeLessThan(1e-9 * Math.max(1, Math.abs(f))));
      whole.kernels.forEach((k, t) => expect(Math.abs(map.kernels[t] - k)).toBeLessThan(1e-9 * k));
    }
  });

  test('of infinite width is the linearised model: a geometric series and a kernel that stays', () => {
    const { outputs, kernels } = uvReducedMap({ output: 2, kernel: 2.5, width: Infinity, rate: 1, steps: 12 });
    outputs.forEach((f, t) => expect(f).toBeCloseTo(2 * (-1.5) ** t, 8));
    expect(kernels.every((k) => k === 2.5)).toBe(true);
  });

  test('converges below eta lambda = 2 after a catapult and diverges from above 4', () => {
    const course = (scale: number): ReturnType<typeof uvReducedMap> => uvReducedMap({ output: 1, kernel: 2, width: 256, rate: scale / 2, steps: 4000 });
    const caught = course(3);
    expect(Math.max(...caught.outputs.map(Math.abs))).toBeGreaterThan(5);
    expect(caught.kernels[4000] * 1.5).toBeLessThan(2);
    expect(Math.abs(caught.outputs[4000])).toBeLessThan(1e-12);
    expect(course(4.1).outputs.length).toBeLessThan(200);
    expect(() => uvReducedMap({ output: 1, kernel: 2, width: 1.5, rate: 1, steps: 1 })).toThrow(/width/);
    expect(() => uvReducedMap({ output: NaN, kernel: 2, width: 4, rate: 1, steps: 1 })).toThrow(/output/);
  });
});
