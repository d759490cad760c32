import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { takeRows } from '../data/index.ts';
import { evaluateGradient, type Point } from '../problem/index.ts';
import { tinyClassification, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key } from '../util/random/index.ts';
import { groupGradientMeter } from './group-gradients.ts';

const problem = tinyClassification(20, [3, 4, 3]);
const point = problem.model.init(key(0)) as Point<Layers>;
const groups = [[0, 3, 7], [1, 2, 4, 5, 19], [7], [0, 3, 7]];

describe('gradients of groups', () => {
  test('norms and cosines are those of the gradients of each group by itself', async () => {
    const meter = groupGradientMeter(problem, point, { executor: referenceExecutor });
    const { norms, cosines } = await meter.measure(point, groups);
    const dense = await Promise.all(groups.map(async (group) => (await evaluateGradient(problem, point, takeRows(problem.train, group), { executor: referenceExecutor })).gradient));
    const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
    dense.forEach((a, i) => {
      expect(norms[i]).toBeCloseTo(Math.sqrt(dot(a, a)), 12);
      dense.forEach((b, j) => { expect(cosines[i][j]).toBeCloseTo(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), 12); });
    });
    expect(cosines[0][3]).toBeCloseTo(1, 12);
    await meter.dispose();
  });

  test('wrong groups are named', async () => {
    const meter = groupGradientMeter(problem, point);
    await expect(meter.measure(point, [])).rejects.toThrow(/at least one group/);
    await expect(meter.measure(point, [[0], []])).rejects.toThrow(/groups\[1\]/);
    await expect(meter.measure(point, [[0, 20]])).rejects.toThrow(/groups\[0\]\[1\].*19.*got 20/s);
    await meter.dispose();
  });
});
