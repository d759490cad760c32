import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key } from '../util/random/index.ts';
import { evaluate } from '../problem/index.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import { randomPlane } from './directions.ts';
import { lossLine, lossPlane } from './plane.ts';
import { along, bowl, pointAt } from './quadratic.test-helper.ts';

const options = { executor: referenceExecutor };

describe('a plane', () => {
  test('x runs along the first direction and the columns, y along the second and the rows', async () => {
    const { x, y, samples } = await lossPlane(bowl, pointAt(0, 0), [along(1, 0), along(0, 1)], bowl.train, { ...options, radius: 2, points: 5 });
    expect(x).toEqual([-2, -1, 0, 1, 2]);
    expect(y).toEqual(x);
    expect(samples.map((row) => row.map(({ loss }) => loss))).toEqual(y.map((b) => x.map((a) => a * a + 10 * b * b)));
  });

  test('is centred at the given point, in units of the directions', async () => {
    const { x, y, samples } = await lossPlane(bowl, pointAt(3, -1), [along(0, 2), along(1, 1)], bowl.train, { ...options, points: 3 });
    y.forEach((b, row) => x.forEach((a, column) => expect(samples[row][column].loss).toBeCloseTo((3 + b) ** 2 + 10 * (-1 + 2 * a + b) ** 2, 12)));
  });

  test.each(['float32', 'float64'] as const)('has the loss itself in the middle, in %s', async (dtype) => {
    const problem = tinyClassification(40, [6, 8, 3], dtype);
    const point = problem.model.init(key(0));
    const executor = dtype === 'float64' ? options : {};
    const chunk = 16;
    const { samples } = await lossPlane(problem, point, randomPlane(point.params, 1), problem.train, { ...executor, points: 3, chunk });
    const { loss, accuracy } = await evaluate(problem, point, problem.train, { ...executor, chunk });
    const middle = samples[1][1];
    const tolerance = dtype === 'float64' ? 1e-12 : 1e-6;
    expect(Math.abs(middle.loss - loss.value)).toBeLessThanOrEqual(tolerance * loss.value);
    expect(Math.abs(middle.standardError - loss.error)).toBeLessThanOrEqual(10 * tolerance * loss.error);
    expect(middle.accuracy).toBe(accuracy!.value);
  });

  test('is a square of 41 by 41 unless asked otherwise', async () => {
    const { x, y, samples } = await lossPlane(bowl, pointAt(0, 0), [along(1, 0), along(0, 1)], bowl.train, options);
    expect([x.length, y.length, samples.length, samples[0].length]).toEqual([41, 41, 41, 41]);
    expect([x[0], x[20], x[40]]).toEqual([-1, 0, 1]);
  });
});

describe('a line', () => {
  test('of a quadratic is its parabola', async () => {
    const { position, samples } = await lossLine(bowl, pointAt(1, 0.5), along(0.6, 0.8), bowl.train, { ...options, radius: 3, points: 13 });
    // f(p + t d) = f(p) + t grad.d + t^2 (0.36 + 6.4)
    position.forEach((t, i) => expect(samples[i].loss).toBeCloseTo(3.5 + t * (2 * 0.6 + 10 * 0.8) + t * t * 6.76, 12));
  });

  test('carries the standard error of its examples', async () => {
    // Losses 2 and 20 t^2 at (1, t): mean 1 + 10 t^2, deviation |1 - 10 t^2| sqrt(2), over sqrt(2) examples.
    const { position, samples } = await lossLine(bowl, pointAt(1, 0), along(0, 1), bowl.train, { ...options, points: 5 });
    position.forEach((t, i) => expect(samples[i].standardError).toBeCloseTo(Math.abs(1 - 10 * t * t), 12));
    expect(samples.every(({ accuracy }) => Number.isNaN(accuracy))).toBe(true);
  });
});
