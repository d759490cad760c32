import { describe, expect, test } from 'vitest';
import { referenceExecutor } from '../../runtime/reference.ts';
import { array } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { resnet } from '../../nn/index.ts';
import { square, sum } from '../../ops/index.ts';
import { evaluate } from '../../problem/index.ts';
import { tinyClassification, crossEntropy } from '../../problem/tiny-problems.test-helper.ts';
import { key, normal, randint } from '../../util/random/index.ts';
import { at, circleProblem } from './double-well.test-helper.ts';
import { linearBarrier } from './barrier.ts';
import { combinePoints } from './path-points.ts';

const executor = referenceExecutor;

describe('linearBarrier', () => {
  test('finds a known barrier, where it is, and the sign of the deviation', async () => {
    // L(t) = ((1 - 2t)^2 - 1)^2 has its maximum 1 in the middle.
    const { train, distance } = await linearBarrier(circleProblem(1, 1), at(-1), at(1), { executor, points: 11 });
    expect(train!.barrier).toMatchObject({ value: 1, position: 0.5, kind: 'standard error' });
    expect(train!.maxDeviation).toMatchObject({ value: -1, t: 0.5 });
    expect(train!.maximum).toMatchObject({ value: 1, t: 0.5 });
    expect(train!.mean.value).toBeCloseTo(8 / 15, 2);
    expect(distance).toBe(2);
  });

  test('refines a maximum between grid points, and says by how much', async () => {
    // From -1 to 2: w = 3t - 1, L = (w^2 - 1)^2, chord 9t; the height w^4 - 2 w^2 + 1 - 3 (w + 1) is largest in [-1, 0.5] where 4 w^3 - 4 w = 3.
    const options = { executor, points: 5, refineTo: 1e-4 };
    const exact = (w: number): number => (w * w - 1) ** 2 - 3 * (w + 1);
    let best = -Infinity;
    for (let w = -1; w <= 2; w += 1e-5) best = Math.max(best, exact(w));
    const { barrier } = (await linearBarrier(circleProblem(1, 1), at(-1), at(2), options)).train!;
    expect(barrier.value).toBe(Math.max(0, barrier.value));
    expect(barrier.value).toBeCloseTo(Math.max(0, best), 6);
    const tall = (await linearBarrier(circleProblem(1, 1), at(-1.1), at(1), options)).train!.barrier;
    const coarse = (await linearBarrier(circleProblem(1, 1), at(-1.1), at(1), { ...options, refineTo: 0 })).train!.barrier;
    expect(tall.refinement).toBeGreaterThan(0);
    expect(tall.value - tall.refinement).toBe(coarse.value);
    expect(tall.bracket[1] - tall.bracket[0]).toBeLessThan(1e-4);
    expect(coarse.bracket[1] - coarse.bracket[0]).toBeCloseTo(0.5);
  });

  test('is zero, exactly, on a convex loss and between a point and itself', async () => {
    const convex = circleProblem(1, 20, 0.2);
    const quadratic = { ...convex, loss: convexLoss };
    const { train } = await linearBarrier(quadratic, at(-1), at(1), { executor });
    expect(train!.barrier.value).toBe(0);
    expect(train!.barrier.error).toBeLessThan(1e-15);
    expect(train!.maxDeviation.value).toBeGreaterThan(0);
    expect((await linearBarrier(convex, at(0.3), at(0.3), { executor, points: 5 })).train!.barrier.value).toBeLessThan(1e-15);
  });

  test('of zero has the error of the highest point between the ends', async () => {
    const quartic = { ...circleProblem(1, 20, 0.3), loss: (outputs: Tensor) => sum(square(square(outputs)), 1) };
    const { barrier, samples } = (await linearBarrier(quartic, at(-1), at(1), { executor, points: 5, refineTo: 0 })).train!;
    const between = samples.slice(1, -1).map(({ excess }) => excess);
    expect(Math.max(...between.map(({ value }) => value))).toBeLessThan(0);
    expect(barrier).toMatchObject({ value: 0, position: 0 });
    expect(barrier.error).toBe(between.reduce((most, excess) => (excess.value > most.value ? excess : most)).error);
    expect(barrier.error).toBeGreaterThan(0.01);
  });

  test('pairs examples: its standard error is that of the differences, and covers the expectation', async () => {
    const n = 400;
    const problem = circleProblem(1, n, 0.3);
    const { barrier, samples } = (await linearBarrier(problem, at(-1), at(1), { executor, points: 3, refineTo: 0 })).train!;
    const x = [...problem.train.inputs.data];
    const loss = (w: number, i: number): number => ((w + x[i]) ** 2 - 1) ** 2;
    const differences = x.map((_, i) => loss(0, i) - (loss(-1, i) + loss(1, i)) / 2);
    const mean = differences.reduce((a, b) => a + b, 0) / n;
    const spread = Math.sqrt(differences.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1) / n);
    expect(barrier.value).toBeCloseTo(mean, 6);
    expect(barrier.error).toBeCloseTo(spread, 6);
    // E[(x^2 - 1)^2] - E[((1 + x)^2 - 1)^2] = 1 - 6 s^2 for x ~ N(0, s^2), of which the fourth powers cancel.
    expect(Math.abs(barrier.value - (1 - 6 * 0.09))).toBeLessThan(4 * barrier.error);
    expect(barrier.error).not.toBeCloseTo(samples[1].loss.error, 3);
  });

  test('has the ends of `evaluate`, and accuracy barriers for labels', async () => {
    const base = tinyClassification(60);
    const problem = { ...base, test: tinyClassification(30).train };
    const [a, b] = [base.model.init(key(0)), base.model.init(key(1))];
    const flipped = combinePoints([a, b], [-2, 0.5]);
    const result = await linearBarrier(problem, a, flipped, { executor, points: 9, refineTo: 0 });
    const exact = await evaluate(problem, flipped, problem.test, { executor });
    expect(result.test!.samples.at(-1)!.loss.value).toBeCloseTo(exact.loss.value, 12);
    expect(result.test!.samples.at(-1)!.accuracy!.value).toBeCloseTo(exact.accuracy!.value, 12);
    const { samples, accuracyBarrier } = result.train!;
    const drops = samples.map(({ t, accuracy }) => (1 - t) * samples[0].accuracy!.value + t * samples.at(-1)!.accuracy!.value - accuracy!.value);
    expect(accuracyBarrier!.value).toBeCloseTo(Math.max(...drops), 12);
  });

  test('stops at a signal with what it has, and refuses what does not fit', async () => {
    const stop = new AbortController();
    const progress: number[] = [];
    const result = await linearBarrier(circleProblem(1, 3), at(-1), at(1), { executor, signal: stop.signal, onProgress: (done) => { progress.push(done); if (done === 4) stop.abort(); } });
    expect(result.complete).toBe(false);
    expect(result.train!.samples).toHaveLength(4);
    expect(progress).toEqual([1, 2, 3, 4]);
    await expect(linearBarrier(circleProblem(1, 3), at(-1), at(1, 2), { executor })).rejects.toThrow(/both points must hold f64\[1\]/);
    await expect(linearBarrier(circleProblem(1, 3), at(-1), at(1), { executor, splits: ['test'] })).rejects.toThrow(/the problem must have the splits/);
  });
});

describe('batch norm along a path', () => {
  const model = resnet({ inputShape: [1, 8, 8], depth: 8, width: 2, classes: 3, batchNorm: { runningVariance: 'biased' } });
  const images = array(normal(key(5), [12, 1, 8, 8]), [12, 1, 8, 8]);
  const labels = array(randint(key(6), 12, { high: 3 }), [12], 'int32');
  const problem = { name: 'images', model, loss: crossEntropy, train: { inputs: images, targets: labels, size: 12 } };
  const [a, b] = [model.init(key(1)), model.init(key(2))];
  const middle = async (batchNorm: 'moved' | { mode: 'recalibrated' | 'batch'; batch: number }) => (await linearBarrier(problem, a, b, { executor, points: 3, refineTo: 0, batchNorm })).train!;

  test('moved: the network with interpolated parameters and statistics', async () => {
    const { samples, batchNorm } = await middle('moved');
    const exact = await evaluate(problem, combinePoints([a, b], [0.5, 0.5]), problem.train, { executor });
    expect(samples[1].loss.value).toBeCloseTo(exact.loss.value, 6);
    expect(batchNorm).toEqual({ mode: 'moved' });
  });

  test('recalibrated over one batch is batch mode on that batch, and neither is the interpolated one', async () => {
    const recalibrated = await middle({ mode: 'recalibrated', batch: 12 });
    const batch = await middle({ mode: 'batch', batch: 12 });
    const moved = await middle('moved');
    expect(recalibrated.batchNorm).toEqual({ mode: 'recalibrated', batch: 12, examples: 12 });
    expect(recalibrated.samples[1].loss.value).toBeCloseTo(batch.samples[1].loss.value, 5);
    expect(Math.abs(moved.samples[1].loss.value - batch.samples[1].loss.value)).toBeGreaterThan(1e-3);
  });
});

/** (w + x)^2: convex in w. */
function convexLoss(outputs: Parameters<typeof crossEntropy>[0]): ReturnType<typeof crossEntropy> {
  return sum(square(outputs), 1);
}
