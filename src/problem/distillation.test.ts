import { describe, expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, normal } from '../util/random/index.ts';
import { distillation } from './distillation.ts';
import { evaluate, evaluateGradient } from './evaluate.ts';
import type { Point } from './problem.ts';
import { tinyClassification, type Layer, type Layers } from './tiny-problems.test-helper.ts';

const problem = tinyClassification(9, [3, 4, 3]);
const teacher = problem.model.init(key(0)) as Point<Layers>;
const executor = referenceExecutor;

/** The network by hand: logits of one example. */
function logits(x: ArrayLike<number>): number[] {
  return (teacher.params.layers as unknown as { [K in keyof Layer]: NDArray }[]).reduce<number[]>((h, { weight, bias }, i, { length }) =>
    Array.from({ length: weight.shape[1] }, (_, j) => {
      const z = h.reduce((sum, value, k) => sum + value * weight.data[k * weight.shape[1] + j], bias.data[j]);
      return i + 1 < length ? Math.tanh(z) : z;
    }), Array.from(x));
}
const soft = (z: readonly number[], temperature: number): number[] => {
  const powers = z.map((value) => Math.exp(value / temperature));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / total);
};

describe('imitating a teacher', () => {
  test('targets and loss by hand, chunk by chunk', async () => {
    const distilled = await distillation(problem, teacher, { teacherTemperature: 0.5, studentTemperature: 2, chunk: 4, executor });
    expect(distilled.train.targets.shape).toEqual([9, 3]);
    let total = 0;
    for (let i = 0; i < 9; i++) {
      const z = logits(problem.train.inputs.data.subarray(3 * i, 3 * i + 3));
      const targets = soft(z, 0.5);
      targets.forEach((p, c) => { expect(distilled.train.targets.data[3 * i + c]).toBeCloseTo(p, 6); });
      total -= soft(z, 2).reduce((sum, p, c) => sum + targets[c] * Math.log(p), 0) / 9;
    }
    expect((await evaluate(distilled, teacher, distilled.train, { executor })).loss.value).toBeCloseTo(total, 6);
  });

  test('with equal temperatures the teacher is a fixed point, with a sharpened teacher it is not', async () => {
    const slope = async (teacherTemperature: number): Promise<number> => {
      const distilled = await distillation(problem, teacher, { teacherTemperature, executor });
      return Math.hypot(...(await evaluateGradient(distilled, teacher, distilled.train, { executor })).gradient);
    };
    expect(await slope(1)).toBeLessThan(1e-7);
    expect(await slope(0.1)).toBeGreaterThan(1e-2);
  });

  test('other inputs, and wrong temperatures', async () => {
    const inputs = new NDArray(normal(key(4), [5, 3]), [5, 3], 'float32');
    const distilled = await distillation(problem, teacher, { inputs, executor });
    expect(distilled.train.inputs).toBe(inputs);
    soft(logits(inputs.data.subarray(0, 3)), 1).forEach((p, c) => { expect(distilled.train.targets.data[c]).toBeCloseTo(p, 6); });
    await expect(distillation(problem, teacher, { teacherTemperature: 0, executor })).rejects.toThrow(/teacherTemperature/);
  });
});
