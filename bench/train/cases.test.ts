import { expect, test } from 'vitest';
import { NDArray } from '../../src/core/ndarray.ts';
import { referenceExecutor } from '../../src/runtime/reference.ts';
import { train } from '../../src/train/index.ts';
import { stepInputs } from '../../src/train/inputs.ts';
import { key, normal, randint } from '../../src/util/random/index.ts';
import { BATCH, cases, HYPER, OPTIMIZERS, optimizerOf, orderOf, problemOf, settingsOf, STEPS_PER_CALL } from './cases.ts';

const EXAMPLES = 2 * BATCH + 40;
const data = {
  x: new NDArray(normal(key(1), EXAMPLES * 784), [EXAMPLES, 784], 'float32'),
  labels: new NDArray(randint(key(2), EXAMPLES, { high: 10 }), [EXAMPLES], 'int32'),
};

test('the batches that are written are those that training draws, over several epochs', () => {
  const inputs = stepInputs(problemOf('mlp', data), { root: key(7), batchSize: BATCH, dtype: 'float32', drawsAt: () => ({}) });
  const drawn = Array.from({ length: 5 }, (_, step) => [...inputs.at(step, 0).indices!.data]);
  expect([...orderOf(7, EXAMPLES, 5)]).toEqual(drawn.flat());
});

test.each(OPTIMIZERS)('%s makes two steps with its hyper-parameters', async (name) => {
  const problem = problemOf('ensemble', data);
  const { rate } = HYPER[name];
  const { losses, end } = await train(problem, { optimizer: optimizerOf(name, settingsOf('ensemble', name, cases.ensemble.quick, 7)), schedule: rate, steps: 2, batchSize: BATCH, seed: 7, executor: referenceExecutor });
  expect(end.reason).toBe('finished');
  expect(losses).toHaveLength(2);
});

test('calls of several steps divide the steps of every case', () => {
  for (const { effort, quick } of Object.values(cases)) {
    for (const { warmup, steps, chunk } of [effort, quick]) expect([warmup % chunk, steps % chunk, warmup % STEPS_PER_CALL, steps % STEPS_PER_CALL]).toEqual([0, 0, 0, 0]);
  }
});
