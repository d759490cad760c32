import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { array } from '../core/ndarray.ts';
import { batchNorm, dense, dropout, sequential } from '../nn/index.ts';
import { mul } from '../ops/index.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import type { Problem } from '../problem/index.ts';
import { key } from '../util/random/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireDeterministic } from './determinism.ts';
import { hessian } from './hessian.ts';
import { diagonalOperator, linearOperator } from './operator.ts';

/** A product that comes out one part in a thousand larger at every call. */
const drifting = (): ReturnType<typeof linearOperator> => {
  let calls = 0;
  return linearOperator({ name: 'drifting', size: 3, apply: (vectors) => vectors.map((vector) => vector.map((x) => x * (1 + 1e-3 * calls++))) });
};

describe('requireDeterministic', () => {
  test('passes what is a matrix, and says how far apart products were', async () => {
    expect(await requireDeterministic(diagonalOperator(Float64Array.of(1, 2, 3)))).toBe(0);
    const problem = tinyClassification(20, [3, 4, 3], 'float32');
    const operator = hessian(problem, problem.model.init(key(0)), { chunk: 6 });
    expect(await requireDeterministic(operator)).toBeLessThan(1e-6);
    expect(operator.products).toBe(4);
    await operator.dispose();
  });

  test('refuses products that change, up to the tolerance', async () => {
    await expect(requireDeterministic(drifting())).rejects.toThrow(/'drifting' with one vector must agree[^]*order fixed/);
    expect(await requireDeterministic(drifting(), { tolerance: 0.01 })).toBeGreaterThan(1e-4);
  });

  test('refuses an operator whose products depend on what else is in the block', async () => {
    const mixing = linearOperator({ name: 'mixing', size: 2, block: 2, apply: (vectors) => vectors.map((vector) => vector.map((x) => x * vectors.length)) });
    await expect(requireDeterministic(mixing)).rejects.toThrow(/alone and in a block/);
  });

  test('names dropout and batch statistics of the model', async () => {
    const model = sequential(dense({ inputs: 2, outputs: 3 }), batchNorm(3), dropout(0.5), dense({ inputs: 3, outputs: 2 }));
    const { state } = model.init(key(0));
    await expect(requireDeterministic(drifting(), { model: { ...model, state, inputShape: [4, 2] } })).rejects.toThrow(/dropout[^]*batch statistics/);
    const plain = sequential(dense({ inputs: 2, outputs: 3 }));
    await expect(requireDeterministic(drifting(), { model: { ...plain, state: plain.init(key(0)).state, inputShape: [4, 2] } })).rejects.not.toThrow(/dropout|batch statistics/);
  });
});

describe('option check', () => {
  const problem = tinyClassification(12, [3, 4, 3], 'float32');

  test('lets a deterministic problem through, its bits unchanged', async () => {
    const point = problem.model.init(key(0));
    const [checked, plain] = [true, false].map((check) => hessian(problem, point, { check }));
    const vector = Float64Array.from({ length: checked.size }, (_, i) => Math.sin(i));
    expect(await checked.multiply([vector])).toEqual(await plain.multiply([vector]));
    await checked.dispose();
    await plain.dispose();
  });

  test('catches a model that draws its own random numbers when traced, and says where', async () => {
    let traces = 0;
    const { model } = problem;
    const restless: Problem<never> = { ...problem, model: { ...model, name: 'restless', apply: (params: never, inputs: never, context: never) => ({ outputs: mul(model.apply(params, inputs, context).outputs, 1 + 0.1 * traces++), state: {} }) } } as never;
    const operator = hessian(restless, restless.model.init(key(0)), { check: true });
    await expect(operator.multiply([Float64Array.from({ length: operator.size }, (_, i) => Math.sin(i))])).rejects.toThrow(/most of it at 'layers/);
  });

  test('catches data that change between products', async () => {
    const moving = { ...problem, train: { ...problem.train, inputs: array(problem.train.inputs.data, problem.train.inputs.shape) } };
    const values = moving.train.inputs.data;
    const operator = hessian(moving, moving.model.init(key(0)), { check: true, memoryBudget: 0 });
    const running = operator.multiply([new Float64Array(operator.size).fill(1)]);
    // At every turn of the event loop, so that it happens between the two products however fast they are.
    let isMoving = true;
    const move = (): void => {
      values.forEach((x, i) => { values[i] = x * 1.5; });
      if (isMoving) setImmediate(move);
    };
    setImmediate(move);
    await expect(running).rejects.toThrow(ArgumentError).finally(() => { isMoving = false; });
  });
});
