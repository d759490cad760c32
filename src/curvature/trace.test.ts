import { describe, expect, test } from 'vitest';
import { interval } from '../problem/index.ts';
import { key } from '../util/random/index.ts';
import { topEigenpairs } from './eigenpairs.ts';
import { bulkAndOutliers, inFloat32, rotated } from './known-spectrum.test-helper.ts';
import { diagonalOperator, linearOperator } from './operator.ts';
import { hutchinsonTrace, hutchPlusPlus } from './trace.ts';

const spectrum = bulkAndOutliers(60, [3, 2, 1.5, 1]);
const truth = spectrum.reduce((sum, x) => sum + x, 0);
const { operator, matrix } = rotated(spectrum);
const SEEDS = 200;
const covers = (measurement: Parameters<typeof interval>[0], value: number): boolean => {
  const [low, high] = interval(measurement);
  return low <= value && value <= high;
};

describe('the trace by random signs', () => {
  test('95 % intervals cover the truth for 90 to 99 % of 200 seeds, whole and by group', async () => {
    const groups = [{ name: 'a', start: 0, end: 20 }, { name: 'b', start: 20, end: 60 }];
    const parts = groups.map(({ start, end }) => matrix.reduce((sum, x, at) => sum + (at % 61 === 0 && at / 61 >= start && at / 61 < end ? x : 0), 0));
    const hits = { whole: 0, a: 0, b: 0 };
    for (let seed = 0; seed < SEEDS; seed++) {
      const trace = await hutchinsonTrace(operator, { probes: 10, key: key(seed), groups });
      if (covers(trace, truth)) hits.whole++;
      if (covers(trace.groups.a, parts[0])) hits.a++;
      if (covers(trace.groups.b, parts[1])) hits.b++;
      expect(trace.groups.a.value + trace.groups.b.value).toBeCloseTo(trace.value, 10);
    }
    for (const count of Object.values(hits)) {
      expect(count / SEEDS).toBeGreaterThanOrEqual(0.9);
      expect(count / SEEDS).toBeLessThanOrEqual(0.99);
    }
  });

  test('deflating the outliers takes their variance away; intervals still cover', async () => {
    const { largest } = await topEigenpairs(operator, { largest: 4 });
    const deflate = largest.map(({ vector }) => vector);
    let hits = 0;
    let narrower = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const plain = await hutchinsonTrace(operator, { probes: 10, key: key(seed) });
      const deflated = await hutchinsonTrace(operator, { probes: 10, key: key(seed), deflate });
      if (covers(deflated, truth)) hits++;
      if (deflated.error < plain.error) narrower++;
    }
    expect(hits / SEEDS).toBeGreaterThanOrEqual(0.9);
    expect(hits / SEEDS).toBeLessThanOrEqual(0.99);
    expect(narrower / SEEDS).toBeGreaterThan(0.95);
  });

  test('a diagonal matrix has no error at all', async () => {
    const trace = await hutchinsonTrace(diagonalOperator(Float64Array.of(1, 2, 3)), { probes: 5 });
    expect(trace).toMatchObject({ value: 6, error: 0, stopped: 'converged', cost: { products: 5 } });
  });

  test('same key, same bits; longer runs begin with the shorter ones', async () => {
    const run = (seed: number, probes = 12) => hutchinsonTrace(inFloat32(operator), { probes, key: key(seed) });
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect([a.value, a.error]).toEqual([b.value, b.error]);
    expect(a.value).not.toBe(c.value);
  });

  test('keeps the probes done when stopped', async () => {
    const controller = new AbortController();
    const single = linearOperator({ name: 'single', size: 60, apply: (v) => operator.multiply(v) });
    const trace = await hutchinsonTrace(single, { probes: 50, signal: controller.signal, onProgress: ({ done }) => { if (done === 7) controller.abort(); } });
    expect(trace).toMatchObject({ stopped: 'aborted', samples: 7 });
    expect(trace.error).toBeGreaterThan(0);
  });

  test('by PyHessian\'s rule stops where one more vector changes the mean by less than the tolerance', async () => {
    const { value, samples, stopped, cost } = await hutchinsonTrace(operator, { stopping: 'pyhessian', key: key(3) });
    // The rule, spelled out: mean before starts at 0; relative to |mean before| + 1e-6.
    const all = await hutchinsonTrace(operator, { probes: 100, key: key(3) });
    const means = [0];
    for (let count = 1; count <= 100; count++) means.push((await hutchinsonTrace(operator, { probes: count, key: key(3) })).value);
    const at = means.findIndex((mean, i) => i > 0 && Math.abs(mean - means[i - 1]) / (Math.abs(means[i - 1]) + 1e-6) < 1e-3);
    expect(at).toBeGreaterThan(1);
    expect([samples, stopped, cost.products]).toEqual([at, 'converged', at]);
    expect(value).toBeCloseTo(means[at], 12);
    expect(all.samples).toBe(100);
    expect(await hutchinsonTrace(operator, { stopping: 'pyhessian', probes: at - 1, key: key(3) })).toMatchObject({ stopped: 'budget', samples: at - 1 });
    // Every sample of a diagonal matrix is the trace: the second one ends it.
    expect(await hutchinsonTrace(diagonalOperator(Float64Array.of(1, 2, 3)), { stopping: 'pyhessian' })).toMatchObject({ value: 6, samples: 2 });
  });

  test('by its standard error stops as soon as it is small enough', async () => {
    const trace = await hutchinsonTrace(operator, { stopping: 'standard error', tolerance: 0.1 });
    expect(trace.error).toBeLessThanOrEqual(0.1 * trace.value);
    expect(trace).toMatchObject({ stopped: 'converged' });
    const before = await hutchinsonTrace(operator, { probes: trace.samples! - 1 });
    expect(before.error).toBeGreaterThan(0.1 * before.value);
    expect(await hutchinsonTrace(operator, { stopping: 'standard error', tolerance: 1e-9, probes: 20 })).toMatchObject({ stopped: 'budget', samples: 20 });
  });

  test('normal vectors give it with the larger variance 2 |A|_F^2', async () => {
    const values = [3, 4];
    const trace = await hutchinsonTrace(diagonalOperator(Float64Array.from(values)), { probes: 20_000, distribution: 'normal' });
    expect(Math.abs(trace.value - 7)).toBeLessThan(4 * trace.error);
    expect(trace.error * Math.sqrt(20_000)).toBeCloseTo(Math.sqrt(50), 0);
  });

  test('refuses groups of another operator', async () => {
    await expect(hutchinsonTrace(operator, { groups: [{ name: 'layers.9', start: 50, end: 90 }] })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: hutchinsonTrace: groups must lie within the operator's 60 coordinates, got 'layers.9' from 50 to 90.
        Try: take them from the space of this operator]
    `);
  });
});

describe('Hutch++', () => {
  test('is exact where the rank is below the sketch', async () => {
    const low = rotated([...new Array<number>(50).fill(0), 5, 3, -2]).operator;
    const trace = await hutchPlusPlus(low, { probes: 8 });
    expect(trace.value).toBeCloseTo(6, 8);
    expect(trace.error).toBeLessThan(1e-8);
    expect(trace.cost.products).toBe(8 + 3 + 8);
  });

  test('covers, with a smaller error than plain signs at the same products', async () => {
    const steep = Array.from({ length: 80 }, (_, i) => 10 / (i + 1) ** 2);
    const sum = steep.reduce((a, b) => a + b, 0);
    const { operator: falling } = rotated(steep);
    let hits = 0;
    let squares = 0;
    let plainSquares = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const trace = await hutchPlusPlus(falling, { probes: 10, key: key(seed) });
      if (covers(trace, sum)) hits++;
      squares += (trace.value - sum) ** 2;
      plainSquares += ((await hutchinsonTrace(falling, { probes: 30, key: key(seed) })).value - sum) ** 2;
    }
    expect(hits / SEEDS).toBeGreaterThanOrEqual(0.9);
    expect(hits / SEEDS).toBeLessThanOrEqual(0.99);
    expect(squares).toBeLessThan(0.1 * plainSquares);
  });
});
