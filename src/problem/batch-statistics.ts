/** Running statistics of batch normalisation computed anew: after averaging weights, at a point of a plane. @module */
import { filled, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { subset, type Split } from '../data/index.ts';
import { drawNoise } from '../nn/index.ts';
import { div, mul, onesLike, sub, zerosLike } from '../ops/index.ts';
import { jvp, type Host } from '../transforms/index.ts';
import { leaves, mapTree } from '../tree/index.ts';
import { key } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import { chunkedSum, type ChunkOptions } from './chunked.ts';
import { examplesOf } from './objective.ts';
import { ParameterSpace } from './parameter-space.ts';
import type { Point, Problem } from './problem.ts';

const MOST = 256;

/** The largest batch up to 256 whose last batch is not a single example. */
export function usualBatch(examples: number): number {
  for (let batch = Math.min(MOST, examples); batch > 1; batch--) if (examples % batch !== 1) return batch;
  return 1;
}

/**
 * The statistics of one batch as the model itself would learn them, times the number of examples: a term of their mean over batches.
 * The state after a batch is (1 - m) state + m fresh for some momentum m that the model does not tell; at zero state it is m fresh, and its
 * derivative with respect to the state is 1 - m.
 */
export function freshStatistics<P, State>(problem: Problem<P, State>, params: P, state: State, inputs: Tensor, noise: readonly Tensor[] = []): State {
  const after = (from: State): State => problem.model.apply(params, inputs, { mode: 'train', state: from, noise }).state;
  const zeros = mapTree(zerosLike, state) as State;
  const ones = mapTree(onesLike, state) as State;
  const [atZero, kept] = jvp(after, [zeros], [ones]);
  return mapTree((s: Tensor, k: Tensor) => mul(div(s, sub(1, k)), inputs.shape[0]), atZero, kept) as State;
}

/** A mean over examples of sums, in the type of the state. */
export const meanState = <State>(sums: Host<State>, like: Host<State>, examples: number): Host<State> =>
  mapTree((sum: NDArray, { shape, dtype }: NDArray) => {
    const out = filled(shape, 0, dtype);
    for (let i = 0; i < out.size; i++) out.data[i] = sum.data[i] / examples;
    return out;
  }, sums, like) as Host<State>;

export interface RecalibrationOptions extends Omit<ChunkOptions, 'chunk'> {
  /** What statistics are computed over. Default: the training split. */
  readonly data?: Split;
  /** The first so many examples of it. Default all. */
  readonly samples?: number;
  /** Examples a batch. Default: the largest number up to 256 that leaves no last batch of one. */
  readonly batch?: number;
  /** Of the dropout masks, for models that have any: statistics are those of train mode. Default 0. */
  readonly seed?: number;
}

/** Computes batch statistics at any parameters; keeps its compiled program. */
export interface Recalibrator<P, State> {
  stateAt(point: Point<P, State>): Promise<Host<State>>;
  dispose(): Promise<void>;
}

/** Prepares batch statistics as the mean over batches of each batch's own (Izmailov et al. 2018, section 3.2). */
export function recalibrator<P, State>(problem: Problem<P, State>, dtype: 'float32' | 'float64', { data: source = problem.train, samples, batch, seed = 0, ...chunking }: RecalibrationOptions = {}): Recalibrator<P, State> {
  const data = subset(source, samples ?? source.size);
  const chunk = requireInteger('recalibrator', 'batch', batch ?? usualBatch(data.size), 1, data.size);
  const { inputs } = examplesOf(data, dtype);
  const noise = drawNoise(problem.model, inputs.shape, key(seed));
  type Batch = { readonly inputs: Tensor; readonly noise: Tensor[] };
  const fresh = (_: Record<string, never>, given: Batch, params: P, state: State): State => freshStatistics(problem, params, state, given.inputs, given.noise);
  const total = chunkedSum(fresh, {}, { inputs, noise }, { ...chunking, chunk, bind: false, name: `batch statistics of ${problem.name}` });
  return {
    stateAt: async ({ params, state }) => (leaves(state).length === 0 ? state : meanState<State>((await total.evaluate(params as never, state as never)) as Host<State>, state, data.size)),
    dispose: () => total.dispose(),
  };
}

/**
 * The batch statistics that belong to a point's parameters: what an average of weights needs before it is evaluated. A model
 * without statistics keeps what it has.
 * @throws ArgumentError when `batch` or `samples` is out of range.
 */
export async function recalibrate<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: RecalibrationOptions = {}): Promise<Host<State>> {
  const prepared = recalibrator(problem, new ParameterSpace(point.params).dtype, options);
  try {
    return await prepared.stateAt(point);
  } finally {
    await prepared.dispose();
  }
}
