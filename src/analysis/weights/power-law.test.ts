import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { key, normal, split, uniform } from '../../util/random/index.ts';
import { fitTail } from './layer.ts';
import { fitPowerLaw, fitWithoutFingers, type PowerLawFit } from './power-law.ts';
import { bootstrapAlpha, powerLawPlausibility } from './resampling.ts';
import { goldenSets, paretoQuantiles } from './golden-spectra.test-helper.ts';

/** Draws of a power law with exponent alpha from 1 on. */
const pareto = (seed: number, n: number, alpha: number): Float64Array => uniform(split(key(seed), 'pareto'), n, { dtype: 'float64' }).map((u) => (1 - u) ** (-1 / (alpha - 1)));
/** The definition, word for word, without giving up any start. */
function slowly(values: readonly number[]): { alpha: number; xmin: number; distance: number } | undefined {
  const sorted = [...values].filter((x) => x > 1e-5).sort((a, b) => a - b);
  let best: { alpha: number; xmin: number; distance: number } | undefined;
  sorted.slice(0, -1).forEach((xmin, i) => {
    const tail = sorted.slice(i);
    const alpha = 1 + tail.length / tail.reduce((sum, x) => sum + Math.log1p((x - xmin) / xmin), 0);
    if (!Number.isFinite(alpha)) return;
    const distance = Math.max(...tail.map((x, k) => Math.abs(1 - Math.exp((1 - alpha) * Math.log1p((x - xmin) / xmin)) - k / tail.length)));
    if (best === undefined || distance < best.distance - 1e-13) best = { alpha, xmin, distance };
  });
  return best;
}

describe('fitPowerLaw', () => {
  test.each(goldenSets)('WeightWatcher\'s numbers of $name', ({ values, golden }) => {
    const fit = fitPowerLaw(values) as PowerLawFit;
    expect(fit.alpha.value).toBeCloseTo(golden.alpha, 7);
    expect(fit.alpha.error).toBeCloseTo(golden.sigma, 7);
    expect(fit.xmin).toBeCloseTo(golden.xmin, 7);
    expect(fit.distance).toBeCloseTo(golden.D, 7);
    expect([fit.start, fit.spikes]).toEqual([golden.start, 100]);
    expect(fit.xmax).toBe(Math.max(...values));
  });

  test('is the plain scan over every start', () => {
    // Gaps of at least a millionth: nearer values make exponents that rounding decides.
    const value = fc.integer({ min: 1, max: 1_000_000 }).map((x) => x / 1000);
    fc.assert(fc.property(fc.array(value, { minLength: 3, maxLength: 60 }), (values) => {
      const expected = slowly(values);
      const fit = fitPowerLaw(values);
      if (expected === undefined) return expect(fit).toBeUndefined();
      expect(fit!.distance).toBeCloseTo(expected.distance, 6);
      return undefined;
    }), { numRuns: 200 });
  });

  test('with both limits the distance is the Kolmogorov-Smirnov distance of the tail, and the smallest of all starts', () => {
    const values = Array.from(pareto(8, 60, 2.2)).map((x, i) => (i % 3 === 0 ? 0.3 * x : x));
    const sorted = values.toSorted((a, b) => a - b);
    const distances = sorted.slice(0, -1).map((xmin, i) => {
      const tail = sorted.slice(i);
      const alpha = 1 + tail.length / tail.reduce((sum, x) => sum + Math.log(x / xmin), 0);
      return Math.max(...tail.flatMap((x, k) => [k, k + 1].map((count) => Math.abs(1 - (x / xmin) ** (1 - alpha) - count / tail.length))));
    });
    const { distance, start } = fitPowerLaw(values, { limits: 'both' })!;
    expect(distance).toBeCloseTo(Math.min(...distances), 12);
    expect(distances[start]).toBeCloseTo(distance, 12);
    expect(distance).toBeGreaterThan(fitPowerLaw(values)!.distance);
  });

  test('does not depend on the unit', () => {
    const values = Array.from(pareto(3, 200, 2.7));
    const fit = fitPowerLaw(values)!;
    const scaled = fitPowerLaw(values.map((x) => x * 1024))!;
    expect(scaled.alpha.value).toBeCloseTo(fit.alpha.value, 10);
    expect(scaled.xmin).toBeCloseTo(1024 * fit.xmin, 8);
  });

  test('finds the exponent of draws within its error', () => {
    for (const alpha of [1.8, 2.5, 4]) {
      const { value, error } = fitPowerLaw(pareto(alpha * 10, 3000, alpha))!.alpha;
      expect(Math.abs(value - alpha)).toBeLessThan(4 * error);
    }
  });

  test('counts ties at xmin, and leaves out what is not above 1e-5', () => {
    const values = [0, 1e-6, ...paretoQuantiles(50, 2), ...Array.from({ length: 3 }, () => paretoQuantiles(50, 2)[0])];
    const fit = fitPowerLaw(values)!;
    expect(fit.count).toBe(53);
    expect(fit.spikes).toBe(values.filter((x) => x >= fit.xmin).length);
  });
});

describe('fingers', () => {
  const body = paretoQuantiles(300, 2);

  test('clip-xmax leaves out eigenvalues only where alpha falls by one', () => {
    expect(fitWithoutFingers(body, 'clip-xmax')).toEqual({ fit: fitPowerLaw(body), fingers: 0 });
  });

  test('clip-xmax on a spectrum where the top decides', () => {
    // 30 values of a heavy law and a cluster at the top that makes the best start the cluster's own.
    const values = [...paretoQuantiles(30, 1), ...Array.from({ length: 9 }, (_, i) => 1000 * (1 + 0.02 * (i / 9) ** 2))];
    const whole = fitPowerLaw(values)!;
    const { fit, fingers } = fitWithoutFingers(values, 'clip-xmax');
    // Two left out make no difference of one, three do.
    expect(fingers).toBe(3);
    const manual = [2, 3, 4, 5, 6, 7, 8, 9].map((k) => ({ k, alpha: fitPowerLaw(values.slice(0, -k))!.alpha.value })).find(({ alpha }) => whole.alpha.value - alpha >= 1);
    expect(fingers).toBe(manual?.k ?? 0);
    expect(fit!.alpha.value).toBe(manual?.alpha ?? whole.alpha.value);
  });

  test('xmin-peak keeps xmin near the peak of the histogram of logarithms', () => {
    const logs = normal(key(5), 400, { dtype: 'float64' }).map((x) => Math.exp(0.2 * x));
    const { fit } = fitWithoutFingers([...logs, ...paretoQuantiles(100, 2)], 'xmin-peak');
    expect(fit!.xmin).toBeGreaterThan(0.6);
    expect(fit!.xmin).toBeLessThan(2);
  });
});

describe('the status stands apart from the value', () => {
  test.each<[string, readonly number[], boolean]>([
    ['too few eigenvalues', paretoQuantiles(9, 2), false],
    ['too few eigenvalues', Array.from({ length: 50 }, () => 1e-6), false],
    ['no fit', Array.from({ length: 50 }, () => 2), false],
    ['fitted', paretoQuantiles(200, 2), true],
    ['not heavy-tailed', Array.from({ length: 200 }, (_, k) => 1 + (k + 0.5) / 200), true],
  ])('%s', (status, values, hasFit) => {
    const tail = fitTail(values);
    expect(tail.status).toBe(status);
    expect(tail.fit !== undefined).toBe(hasFit);
    expect(tail.alpha !== undefined).toBe(status === 'fitted');
  });

  test('a tail of fewer than ten eigenvalues has hit the edge', () => {
    const tail = fitTail([...Array.from({ length: 60 }, (_, i) => 1 + i), ...paretoQuantiles(6, 1).map((x) => 100 * x)]);
    expect(tail).toMatchObject({ status: 'hit the edge', fit: { start: 60, count: 66 } });
    expect(tail.alpha).toBeUndefined();
  });

  test('flags follow WeightWatcher', () => {
    expect(fitTail(paretoQuantiles(200, 0.7)).flag).toBe('over-trained');
    expect(fitTail(paretoQuantiles(200, 2)).flag).toBeUndefined();
    expect(fitTail(paretoQuantiles(200, 6)).flag).toBe('under-trained');
  });
});

describe('resampling', () => {
  test('the bootstrap interval covers the exponent in about 95 of 100 data sets, and a seed is a result', () => {
    let covered = 0;
    for (let seed = 0; seed < 40; seed++) {
      const values = pareto(seed, 120, 2.5);
      const fit = fitPowerLaw(values)!;
      const { interval } = bootstrapAlpha(values, fit, { key: key(seed), samples: 60 });
      if (interval[0] <= 2.5 && 2.5 <= interval[1]) covered++;
    }
    // Binomial(40, 0.95) is below 32 with probability 1e-4; the interval is wide, not narrow.
    expect(covered).toBeGreaterThanOrEqual(32);
    const values = pareto(1, 120, 2.5);
    const fit = fitPowerLaw(values)!;
    expect(bootstrapAlpha(values, fit, { key: key(1), samples: 20 })).toEqual(bootstrapAlpha(values, fit, { key: key(1), samples: 20 }));
    expect(bootstrapAlpha(values, fit, { key: key(2), samples: 20 })).not.toEqual(bootstrapAlpha(values, fit, { key: key(1), samples: 20 }));
  });

  test('the plausibility is high for a power law and low for an exponential', () => {
    const heavy = pareto(2, 300, 2.5);
    expect(powerLawPlausibility(heavy, fitPowerLaw(heavy)!, { key: key(0), samples: 60 }).value).toBeGreaterThan(0.1);
    const light = Float64Array.from({ length: 1500 }, (_, k) => 1 - Math.log(1 - (k + 0.5) / 1500));
    // Every start but the far end is ruled out, so the whole range is forced.
    const forced = { ...fitPowerLaw(light)!, start: 0, xmin: 1, distance: 0.08 };
    const { value, error } = powerLawPlausibility(light, forced, { key: key(0), samples: 40 });
    expect(value).toBeLessThan(0.1);
    expect(error).toBeGreaterThan(0);
  });
});
