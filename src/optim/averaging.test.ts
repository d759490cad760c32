import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { constant, mul, square, sum } from '../ops/index.ts';
import { adam } from './adam.ts';
import { withExponentialAverage, withStochasticWeightAverage } from './averaging.ts';
import { lookahead } from './lookahead.ts';
import { testGoldens } from './optimizer-goldens.test-helper.ts';
import { runOptimizer, type OptimizerRun } from './optimizer-run.test-helper.ts';
import type { Optimizer } from './optimizer.ts';
import { scheduleFreeAdamw, scheduleFreeSgd } from './schedule-free.ts';
import { sgd } from './sgd.ts';

type Params = { w: Tensor };
const bowl = ({ w }: Params): Tensor => mul(0.5, sum(mul(constant(array([1, 3, 9], [3], 'float64')), square(w))));
const start = { w: array([1, -2, 0.5], [3], 'float64') };
const run = (optimizer: Optimizer, steps: number, rate = 0.1): Promise<OptimizerRun<Params>> => runOptimizer<Params>(optimizer, bowl, start, { steps, rate });
const iterates = (result: OptimizerRun<Params>): number[][] => result.path.map(({ w }) => [...w.data]);
const close = (received: ArrayLike<number>, expected: readonly number[]): void => { expected.forEach((value, i) => { expect(Math.abs(received[i] - value)).toBeLessThan(1e-12); }); };
const weighted = (points: number[][], weights: number[]): number[] => points[0].map((_, i) => points.reduce((total, point, k) => total + weights[k] * point[i], 0) / weights.reduce((a, b) => a + b, 0));

describe('the exponential average', () => {
  test('is the weighted mean of the iterates, whose steps stay as they are', async () => {
    const averaged = await run(withExponentialAverage(sgd({ momentum: 0.5 }), { decay: 0.8 }), 7);
    const plain = await run(sgd({ momentum: 0.5 }), 7);
    expect(iterates(averaged)).toEqual(iterates(plain));
    close(averaged.answer.w.data, weighted(iterates(plain), plain.path.map((_, k) => 0.8 ** (6 - k))));
  });
  test('without the correction counts the start as if it had gone on forever', async () => {
    const averaged = await run(withExponentialAverage(sgd(), { decay: 0.8, biasCorrection: false }), 3);
    close(averaged.answer.w.data, weighted([[...start.w.data], ...iterates(averaged)], [0.8 ** 3, 0.2 * 0.64, 0.2 * 0.8, 0.2]));
  });
  test('before the first step is the start', async () => { expect([...(await run(withExponentialAverage(sgd()), 0)).answer.w.data]).toEqual([...start.w.data]); });
  test('refuses a decay of one', () => { expect(() => withExponentialAverage(sgd(), { decay: 1 })).toThrow(/decay/); });
});

describe('stochastic weight averaging', () => {
  test('is the mean of every so many iterates from the start on; until then the last one', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 12 }), async (first, every, steps) => {
      const result = await run(withStochasticWeightAverage(sgd(), { start: first, every }), steps);
      const taken = iterates(result).filter((_, k) => k + 1 >= first && (k + 1 - first) % every === 0);
      close(result.answer.w.data, taken.length === 0 ? iterates(result).at(-1)! : weighted(taken, taken.map(() => 1)));
    }), { numRuns: 12 });
  });
  test('refuses a start of zero', () => { expect(() => withStochasticWeightAverage(sgd(), { start: 0 })).toThrow(/start/); });
});

describe('lookahead', () => {
  testGoldens([
    { row: 'lookahead sgd', answer: 'lookahead sgd answer', make: () => lookahead(sgd({ momentum: 0.9 }), { every: 3, share: 0.5 }) as Optimizer, rate: 0.03 },
    { row: 'lookahead adam', answer: 'lookahead adam answer', make: () => lookahead(adam(), { every: 3, share: 0.5 }) as Optimizer, rate: 0.05 },
  ]);
  test('whose slow weights go all the way is the optimizer itself', async () => {
    expect(iterates(await run(lookahead(adam(), { every: 2, share: 1 }), 5))).toEqual(iterates(await run(adam(), 5)));
  });
  test.each([[{ every: 0 }, /every/], [{ share: 2 }, /share/]])('refuses %o', (options, message) => { expect(() => lookahead(sgd(), options)).toThrow(message); });
});

describe('schedule-free', () => {
  testGoldens([
    { row: 'schedule-free sgd', answer: 'schedule-free sgd answer', make: () => scheduleFreeSgd({ weightDecay: 0.1 }) as Optimizer, rate: 0.05 },
    { row: 'schedule-free adamw', answer: 'schedule-free adamw answer', make: () => scheduleFreeAdamw({ weightDecay: 0.1 }) as Optimizer, rate: 0.05 },
  ]);
  // beta = 1: gradients at x, z <- z - rate g(x), x the mean of z weighted by the square of the largest rate so far.
  test('the average by hand, with a rate that goes up and down', async () => {
    const rates = [0.1, 0.3, 0.2];
    const { answer } = await runOptimizer<Params>(scheduleFreeSgd({ beta: 1 }), ({ w }) => mul(0.5, sum(square(w))), { w: array([1], [1], 'float64') }, { steps: 3, rate: (step) => rates[step] });
    let [x, z, total] = [1, 1, 0];
    [0.1, 0.3, 0.3].forEach((largest, k) => {
      z -= rates[k] * x;
      total += largest ** 2;
      x += (largest ** 2 / total) * (z - x);
    });
    expect(answer.w.data[0]).toBeCloseTo(x, 14);
  });
  test('stands still at rate zero', async () => { close((await run(scheduleFreeSgd(), 2, 0)).answer.w.data, [...start.w.data]); });
  test('refuses a beta of zero', () => { expect(() => scheduleFreeSgd({ beta: 0 })).toThrow(/beta must be above 0/); });
});
