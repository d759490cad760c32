/** What batch normalisation does while parameters move: four named modes. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { subset, type Split } from '../data/index.ts';
import { usualBatch, type Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';

/**
 * - `eval`: the running statistics of the centre, everywhere. What most published planes show; away from the centre the statistics
 *   belong to another network.
 * - `batch`: the statistics of the batch at hand, as in training. The loss then depends on the batch size.
 * - `recalibrated`: running statistics computed anew at each cell by a pass over data, as for averaged weights (Izmailov et al. 2018)
 *   and points of curves (Garipov et al. 2018).
 * - `moved`: the statistics move along each axis as the parameters do (`dir_type=states` of Li et al.'s code), for lines and planes
 *   through points that have statistics of their own.
 */
export type BatchNormMode = 'eval' | 'batch' | 'recalibrated' | 'moved';

/** A mode of batch normalisation with what it needs. */
export interface BatchNormSettings {
  readonly mode: BatchNormMode;
  /** Examples a batch, for `batch` and `recalibrated`. Default: the largest number up to 256 that leaves no last batch of one. */
  readonly batch?: number;
  /** What statistics are recomputed over, for `recalibrated`. Default: the problem's training split. */
  readonly data?: Split;
  /** The first so many examples of it. Default all. */
  readonly samples?: number;
}

/** What a record says about batch normalisation. */
export interface BatchNormRecord {
  /** `absent`: the model keeps no batch statistics, so that all modes are one. */
  readonly mode: BatchNormMode | 'absent';
  readonly batch?: number;
  /** Examples that statistics are recomputed over. */
  readonly examples?: number;
}

/** Settings made complete for a problem and the split that cells are evaluated on. */
export interface ResolvedBatchNorm {
  readonly record: BatchNormRecord;
  /** For `recalibrated`. */
  readonly data?: Split;
}

/** @throws ArgumentError for an unknown mode, for `moved` without an axis that moves statistics, and where train mode would draw dropout masks. */
export function resolveBatchNorm<P, State>(problem: Problem<P, State>, state: Host<State>, data: Split, settings: BatchNormMode | BatchNormSettings, movesState: boolean): ResolvedBatchNorm {
  const { mode, batch, data: source = problem.train, samples } = typeof settings === 'string' ? { mode: settings } as BatchNormSettings : settings;
  if (!['eval', 'batch', 'recalibrated', 'moved'].includes(mode)) throw new ArgumentError({ operation: 'batchNorm', required: 'mode must be eval, batch, recalibrated or moved', received: `'${String(mode)}'` });
  if (leaves(state).length === 0) return { record: { mode: 'absent' } };
  if (mode === 'eval') return { record: { mode } };
  if (mode === 'moved') {
    if (!movesState) throw new ArgumentError({ operation: 'batchNorm', required: "mode 'moved' needs an axis that moves the batch statistics", received: 'none', remedy: 'axes of axisBetween or planeThrough' });
    return { record: { mode } };
  }
  const used = mode === 'recalibrated' ? subset(source, samples ?? source.size) : data;
  const noise = problem.model.noise?.([2, ...used.inputs.shape.slice(1)]) ?? [];
  if (noise.length > 0) throw new ArgumentError({ operation: 'batchNorm', required: `mode '${mode}' runs the model in train mode, which must draw no random numbers`, received: 'a model with dropout', remedy: "mode 'eval'" });
  const size = requireInteger('batchNorm', 'batch', batch ?? usualBatch(used.size), 1, used.size);
  return { record: { mode, batch: size, ...(mode === 'recalibrated' && { examples: used.size }) }, ...(mode === 'recalibrated' && { data: used }) };
}
