import { expect, test } from 'vitest';
import '../runtime/node.ts';
import { cosineSchedule, sgd } from '../optim/index.ts';
import { evaluate } from '../problem/index.ts';
import { hyperparameterGrid, train } from './index.ts';
import { evenStepsPerCall } from './steps-per-call.ts';
import { clusters } from './training.test-helper.ts';

const plain = clusters(64);
const problem = { ...plain, test: plain.train };
const scheduleOf = (steps: number) => cosineSchedule({ rate: 1, steps, warmup: 1, end: 0.1 });
const options = { rates: [0.01, 0.1, 1e38], batchSizes: [8, 16], samples: 96, scheduleOf, optimizer: sgd(), seed: 2 };

test('every cell is a run of `train` on as many samples, and a run that diverges is infinite', async () => {
  const said: number[] = [];
  const { losses, steps } = await hyperparameterGrid(problem, { ...options, onProgress: (fraction) => { said.push(fraction); } });
  expect(steps).toEqual([12, 6]);
  for (const [r, rate] of [0.01, 0.1].entries()) {
    for (const [b, batchSize] of options.batchSizes.entries()) {
      const unit = scheduleOf(steps[b]);
      const run = await train(problem, { optimizer: sgd(), batchSize, steps: steps[b], seed: 2, schedule: (step) => rate * unit(step) });
      expect(losses[r][b]).toBeCloseTo((await evaluate(problem, run, problem.test)).loss.value, 5);
    }
  }
  expect(losses[2]).toEqual([Infinity, Infinity]);
  expect(said[0]).toBe(0);
  expect(said.at(-1)).toBe(1);
  expect(said.toSorted((a, b) => a - b)).toEqual(said);
});

test('refuses a batch size that does not divide the samples, and a problem without a test split', async () => {
  await expect(hyperparameterGrid(problem, { ...options, batchSizes: [7] })).rejects.toThrow(/samples \/ batchSize of batch size 7/);
  await expect(hyperparameterGrid({ ...plain, test: undefined } as never, options)).rejects.toThrow(/a test split/);
});

test('even steps per call', () => {
  expect([evenStepsPerCall(1000), evenStepsPerCall(7), evenStepsPerCall(256), evenStepsPerCall(101)]).toEqual([100, 7, 64, 1]);
});
