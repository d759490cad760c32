import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { referenceExecutor } from '../../runtime/reference.ts';
import { constantSchedule } from '../../optim/index.ts';
import { curveLength, curveSpeed, curveWeightDerivatives, curveWeights, equalLengthPositions, type CurveKind } from './curve-geometry.ts';
import { curvePoint, findCurve, straightCurve } from './curve.ts';
import { curveBarrier } from './curve-report.ts';
import { linearBarrier } from './barrier.ts';
import { at, circleProblem } from './double-well.test-helper.ts';
import { differenceGram } from './path-points.ts';

const executor = referenceExecutor;
const kinds: CurveKind[] = ['bezier', 'polychain'];
const gramOf = (...points: number[][]): Float64Array => differenceGram(points.map((w) => at(...w).params));

describe('curve weights', () => {
  test.each(kinds)('%s: not negative, sum to one, exact at the ends; derivatives are differences', (kind) => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 7 }), fc.double({ min: 0.001, max: 0.999, noNaN: true }), (count, t) => {
      const weights = curveWeights(kind, count, t);
      expect(weights.every((weight) => weight >= 0)).toBe(true);
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(curveWeights(kind, count, 0)[0]).toBe(1);
      expect(curveWeights(kind, count, 1).at(-1)).toBe(1);
      if (kind === 'polychain' && Math.abs(t * (count - 1) - Math.round(t * (count - 1))) < 1e-3) return;
      const [low, high] = [curveWeights(kind, count, t - 1e-6), curveWeights(kind, count, t + 1e-6)];
      curveWeightDerivatives(kind, count, t).forEach((slope, k) => { expect(slope).toBeCloseTo((high[k] - low[k]) / 2e-6, 4); });
    }), { seed: 1 });
  });

  test('bezier: C(n, k) t^k (1 - t)^(n - k)', () => {
    const t = 0.3;
    curveWeights('bezier', 3, t).forEach((weight, k) => { expect(weight).toBeCloseTo([1, 2, 1][k] * t ** k * (1 - t) ** (2 - k), 14); });
  });
});

describe('lengths', () => {
  test('of a straight curve, an angle, and a parabola', () => {
    expect(curveLength('bezier', gramOf([1, 1], [2.5, 3], [4, 5]))).toBeCloseTo(5, 10);
    expect(curveLength('polychain', gramOf([0, 0], [3, 0], [3, 4]))).toBeCloseTo(7, 10);
    expect(curveLength('polychain', gramOf([0, 0], [3, 0], [3, 4]), 0.75)).toBeCloseTo(5, 10);
    // Control points (0,0), (1,1), (2,0): y = x (2 - x) / 2 on [0, 2], of length sqrt(2) + asinh(1).
    expect(curveLength('bezier', gramOf([0, 0], [1, 1], [2, 0]))).toBeCloseTo(Math.SQRT2 + Math.asinh(1), 9);
    expect(curveSpeed('bezier', gramOf([0, 0], [1, 1], [2, 0]), 0)).toBeCloseTo(2 * Math.SQRT2, 12);
  });

  test('positions at equal distances', () => {
    const gram = gramOf([0, 0], [3, 0], [3, 1]);
    expect(equalLengthPositions('polychain', gram, 5).map((t) => curveLength('polychain', gram, t))).toEqual([0, 1, 2, 3, 4].map((s) => expect.closeTo(s, 8) as number));
  });
});

describe('findCurve', () => {
  const problem = circleProblem(2, 8);
  const ends = [at(1, 0), at(-1, 0)] as const;
  // On the straight line the gradient points along it: the curve must be told a side, as by the noise of data.
  const tilted = circleProblem(2, 64, 0.05);

  test.each(kinds)('%s: goes around the barrier between two minima of a circle', async (kind) => {
    const line = (await linearBarrier(tilted, ...ends, { executor })).train!.barrier;
    const curve = await findCurve(tilted, ...ends, { kind, controlPoints: kind === 'bezier' ? 3 : 5, epochs: 200, batchSize: 8, learningRate: 0.02, executor });
    const { train, lengthRatio, distance } = await curveBarrier(tilted, curve, { executor });
    expect(curve.end).toBe('finished');
    expect(line.value).toBeGreaterThan(0.9);
    expect(train!.maximum.value).toBeLessThan(0.2);
    expect(distance).toBeCloseTo(2);
    expect(lengthRatio).toBeGreaterThan(1.3);
    expect(lengthRatio).toBeLessThan(1.7);
    expect(curvePoint(curve, 0).params).toBe(ends[0].params);
    expect(curvePoint(curve, 1).params).toBe(ends[1].params);
  });

  test('is a function of its seed, reports progress and stops at a signal', async () => {
    const options = { epochs: 3, batchSize: 4, executor, learningRate: constantSchedule(0.02) };
    const [one, two, other] = [await findCurve(tilted, ...ends, options), await findCurve(tilted, ...ends, options), await findCurve(tilted, ...ends, { ...options, seed: 1 })];
    expect(one.losses).toEqual(two.losses);
    expect(one.controlPoints).toEqual(two.controlPoints);
    expect(one.losses).not.toEqual(other.losses);
    expect(one.losses).toHaveLength(48);
    const stop = new AbortController();
    const stopped = await findCurve(tilted, ...ends, { ...options, signal: stop.signal, onProgress: (done) => { if (done === 5) stop.abort(); } });
    expect(stopped.end).toBe('interrupted');
    expect(stopped.losses).toEqual(one.losses.slice(0, 5));
  });

  test('keeps the last finite curve when it diverges', async () => {
    const curve = await findCurve(tilted, at(3, 1), at(-3, 2), { epochs: 50, batchSize: 4, learningRate: 50, executor });
    expect(curve.end).toBe('diverged');
    expect(curve.losses.every(Number.isFinite)).toBe(true);
  });

  test('a straight curve has the losses of the line, and means by length equal those by t', async () => {
    const line = (await linearBarrier(problem, ...ends, { executor, points: 30, refineTo: 0 })).train!;
    for (const kind of kinds) {
      const { train, lengthRatio } = await curveBarrier(problem, straightCurve(...ends, kind, 4), { executor, refineTo: 0 });
      expect(lengthRatio).toBeCloseTo(1, 10);
      expect(train!.samples.map(({ loss }) => loss.value)).toEqual(line.samples.map(({ loss }) => expect.closeTo(loss.value, 10) as number));
      expect(train!.meanOverLength.value).toBeCloseTo(train!.mean.value, 10);
    }
  });

  test('samples even in length when asked', async () => {
    const bent = { kind: 'polychain' as const, controlPoints: [at(1, 0), at(1, 3), at(0, 3)] };
    const { train } = await curveBarrier(problem, bent, { executor, points: 5, refineTo: 0, spacing: 'length' });
    expect(train!.samples.map(({ t }) => t)).toEqual([0, 1 / 6, 1 / 3, 0.5, 1].map((t) => expect.closeTo(t, 8) as number));
  });

  test('refuses a curve without inner points', async () => {
    await expect(findCurve(problem, ...ends, { controlPoints: 2, executor })).rejects.toThrow(/controlPoints must be an integer of at least 3/);
  });
});
