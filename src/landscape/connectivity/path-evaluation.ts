/** Losses of every example at points of a path, so that differences along the path are paired. @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Split } from '../../data/index.ts';
import { argmax, convert, equal } from '../../ops/index.ts';
import { chunkedSum, examplesOf, recalibrator, type ChunkOptions, type Examples, type Point, type Problem } from '../../problem/index.ts';
import { resolveBatchNorm, type BatchNormMode, type BatchNormRecord, type BatchNormSettings } from '../batch-norm.ts';

/**
 * What batch norm does between the ends of a path. `moved`: evaluation mode, with the statistics interpolated by the weights of
 * the parameters. `batch`: the statistics of each batch at hand. `recalibrated`: statistics measured anew at every point, over the training split.
 */
export type PathBatchNorm = Exclude<BatchNormMode, 'eval'>;

export interface PathEvaluationOptions extends ChunkOptions {
  /** Default `moved`; all the same for models without batch statistics. */
  readonly batchNorm?: PathBatchNorm | (BatchNormSettings & { readonly mode: PathBatchNorm });
}

/** Every example's loss at one point, in the split's order. */
export interface ExampleLosses {
  /** [examples] */
  readonly losses: Float64Array;
  /** [examples], 1 where the largest output is at the label; absent where targets are no labels. */
  readonly correct?: Float64Array;
}

/** Evaluates one split at any point; keeps its compiled programs. */
export interface PathEvaluator<P, State> {
  readonly batchNorm: BatchNormRecord;
  evaluate(point: Point<P, State>): Promise<ExampleLosses>;
  dispose(): Promise<void>;
}

interface Results<A = Tensor> { readonly losses: A; readonly correct?: A }

/** Prepares the losses of each example of a split in one of the modes of batch norm; `like` tells what state there is. */
export function pathEvaluator<P, State>(problem: Problem<P, State>, split: Split, like: Point<P, State>, dtype: 'float32' | 'float64', options: PathEvaluationOptions = {}): PathEvaluator<P, State> {
  const { batchNorm = 'moved', ...chunking } = options;
  const { record, data } = resolveBatchNorm(problem, like.state, split, batchNorm, true);
  const mode = record.mode === 'batch' ? 'train' : 'eval';
  const labelled = split.targets.dtype === 'int32' && split.targets.shape.length === 1;
  const each = (_: Record<string, never>, { inputs, targets }: Examples, params: P, state: State): Results => {
    const { outputs } = problem.model.apply(params, inputs, { mode, state });
    const classes = labelled && outputs.rank === 2 && outputs.shape[1] > 1;
    return { losses: problem.loss(outputs, targets), ...(classes && { correct: convert(equal(argmax(outputs, 1), targets), outputs.dtype) }) };
  };
  // Statistics of a batch depend on who is in it: the batches are then those of the settings, whatever the memory.
  const chunk = record.mode === 'batch' ? record.batch : chunking.chunk;
  const total = chunkedSum(each, {}, examplesOf(split, dtype), { ...chunking, chunk, bind: false, name: `losses of ${problem.name}` });
  const recalibration = data && recalibrator<P, State>(problem, dtype, { memoryBudget: chunking.memoryBudget, executor: chunking.executor, data, batch: record.batch });
  return {
    batchNorm: record,
    async evaluate(point) {
      const state = recalibration === undefined ? point.state : await recalibration.stateAt(point);
      const losses = new Float64Array(split.size);
      let correct: Float64Array | undefined;
      await total.each([point.params as never, state as never], (part, { start }) => {
        const { losses: some, correct: right } = part as Results<NDArray>;
        losses.set(some.data, start);
        if (right !== undefined) (correct ??= new Float64Array(split.size)).set(right.data, start);
      });
      return { losses, ...(correct && { correct }) };
    },
    dispose: async () => { await Promise.all([total.dispose(), recalibration?.dispose()]); },
  };
}
