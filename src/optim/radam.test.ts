import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile } from '../transforms/index.ts';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';
import { averageLength, radam } from './radam.ts';

describe('radam', () => {
  // Lengths with beta2 = 0.9: 1, then about 2: below 5, so the direction is the corrected mean: 1, and (0.25 + 0.45) / 0.75.
  test('two steps by hand before the threshold', async () => {
    expect((await trace(radam({ beta1: 0.5, beta2: 0.9 }), [1])).map(rounded)).toEqual([[0.9], [0.9 - 0.1 * 0.7 / 0.75]].map(rounded));
  });
  // The mean of one gradient: m^ = g, v^ = g^2; at the sixth step with beta1 = 0 the length is above 5.
  test('a step beyond the threshold by hand', async () => {
    const options = { beta1: 0, beta2: 0.999, epsilon: 0 };
    const path = (await trace(radam(options), [1], { steps: 6 })).flat();
    const limit = 2 / (1 - 0.999) - 1;
    const length = limit - 2 * 6 * 0.999 ** 6 / (1 - 0.999 ** 6);
    const factor = Math.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length));
    const gradients = [1, ...path.slice(0, 5)];
    const v = gradients.reduce((last, g) => 0.999 * last + 0.001 * g * g, 0) / (1 - 0.999 ** 6);
    expect(length).toBeGreaterThan(5);
    for (const [i, g] of gradients.slice(0, 5).entries()) expect(path[i]).toBeCloseTo(0.9 * g, 13);
    expect(path[5]).toBeCloseTo(gradients[5] - 0.1 * factor * gradients[5] / Math.sqrt(v), 10);
  });
  test('the preconditioner before the threshold is the correction of the mean', async () => { expect(rounded(await preconditionerAfter(radam({ beta1: 0.5 }), [1, 2]))).toEqual([0.75, 0.75]); });
  test('refuses a threshold where the ratio has no root', () => { expect(() => radam({ threshold: 3 })).toThrow(/threshold/); });
});

// A sum without differences: 2 sum((t+1-i) beta^(t-i)) / sum(beta^(t-i)) - 1.
function exactLength(beta: number, t: number): number {
  let [weights, weighted] = [0, 0];
  for (let i = 1; i <= t; i++) [weights, weighted] = [weights + beta ** (t - i), weighted + (t + 1 - i) * beta ** (t - i)];
  return 2 * weighted / weights - 1;
}

describe('the length of an average', () => {
  const steps = [1, 4, 5, 6, 20, 100, 1000, 20_000];
  const lengths = async (beta: number, dtype: 'float32' | 'float64', asTensor: boolean): Promise<number[]> => {
    const program = compile((t: Tensor, b: Tensor) => averageLength(asTensor ? b : beta, t), { executor: dtype === 'float64' ? referenceExecutor : nodeExecutor({ threads: 1 }), dtype });
    const values = await Promise.all(steps.map((t) => program(array([t], [], dtype), array([beta], [], dtype))));
    return values.map((value) => value.item());
  };
  test.each([0.5, 0.9, 0.999, 0.9999])('beta %f', async (beta) => {
    for (const [i, length] of (await lengths(beta, 'float64', false)).entries()) expect(length / exactLength(beta, steps[i])).toBeCloseTo(1, 9);
    for (const [i, length] of (await lengths(beta, 'float64', true)).entries()) expect(length / exactLength(beta, steps[i])).toBeCloseTo(1, 9);
    // 2 / (1 - beta) - 1 less 2 t beta^t / (1 - beta^t) would be wrong in the third digit of the small ones.
    for (const [i, length] of (await lengths(beta, 'float32', false)).entries()) expect(Math.abs(length / exactLength(beta, steps[i]) - 1)).toBeLessThan(1e-5);
  });
});
