/** What each step is given from the host: the batch, the rate, and random numbers. All pure functions of the seed and the step. @module */
import { NDArray, scalar, type TypedArray, allocate } from '../core/ndarray.ts';
import { batches, epochOrder } from '../data/index.ts';
import { drawNoise } from '../nn/index.ts';
import type { Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { flatten, leaves } from '../tree/index.ts';
import { split, type Key } from '../util/random/index.ts';
import { drawMix, type MixupOptions } from './mixup.ts';
import type { StepDraws } from './quantities.ts';
import type { StepInput } from './step.ts';

export interface InputSettings<P> {
  /** Of the run. */
  readonly root: Key;
  readonly batchSize: number | 'full';
  readonly dtype: 'float32' | 'float64';
  readonly mixup?: MixupOptions;
  /** What the optimizer draws at a step. */
  readonly drawsAt: (step: number) => StepDraws<Host<P>, NDArray>;
}

/** On the host, the inputs of a step. */
export type HostInput<P> = StepInput<Host<P>, NDArray>;

/** The inputs of a run's steps. */
export interface StepInputs<P> {
  at(step: number, learningRate: number): HostInput<P>;
}

/** Batches are drawn without replacement in each epoch, and an incomplete last one is left out. */
export function stepInputs<P, State>(problem: Problem<P, State>, { root, batchSize, dtype, mixup, drawsAt }: InputSettings<P>): StepInputs<P> {
  const { size, inputs } = problem.train;
  const examples = batchSize === 'full' ? size : batchSize;
  const stepsPerEpoch = Math.floor(size / examples);
  const keys = { order: split(root, 'order'), step: split(root, 'step'), mix: split(root, 'mixup') };
  const batchShape = [examples, ...inputs.shape.slice(1)];
  // Requests are found by a dry run of the model: once, where there are none.
  const isNoisy = (problem.model.noise?.(batchShape) ?? []).length > 0;
  let order: { readonly epoch: number; readonly batches: readonly Int32Array[] } | undefined;
  const indicesAt = (step: number): Int32Array => {
    const epoch = Math.floor(step / stepsPerEpoch);
    if (order?.epoch !== epoch) order = { epoch, batches: batches(epochOrder(keys.order, size, epoch), { batchSize: examples, remainder: 'drop' }) };
    return order.batches[step - epoch * stepsPerEpoch];
  };
  return {
    at: (step, learningRate) => ({
      ...(batchSize !== 'full' && { indices: new NDArray(indicesAt(step), [examples], 'int32') }),
      step: scalar(step, dtype), learningRate: scalar(learningRate, dtype),
      noise: isNoisy ? drawNoise(problem.model, batchShape, split(keys.step, step)) : [],
      draws: drawsAt(step),
      ...(mixup && { mix: drawMix(split(keys.mix, step), mixup, examples, dtype) }),
    }),
  };
}

/** Trees of one structure as one tree of arrays with a new first axis. */
export function stacked<T>(trees: readonly T[]): T {
  const { structure } = flatten<NDArray>(trees[0]);
  const columns = trees.map((tree) => leaves<NDArray>(tree));
  return structure.rebuild(columns[0].map((like, i) => {
    const data = allocate(like.dtype, like.size * trees.length);
    columns.forEach((column, k) => { data.set(column[i].data, k * like.size); });
    return new NDArray(data, [trees.length, ...like.shape], like.dtype);
  })) as T;
}

/** The k-th of arrays stacked along the first axis: views. */
export function sliceOf<T>(tree: T, k: number): T {
  const { leaves: arrays, structure } = flatten<NDArray>(tree);
  return structure.rebuild(arrays.map(({ data, shape, dtype }) => {
    const size = data.length / shape[0];
    return new NDArray(data.subarray(k * size, (k + 1) * size) as TypedArray, shape.slice(1), dtype);
  })) as T;
}
