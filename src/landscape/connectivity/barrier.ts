/** The loss barrier between two points. @module */
import { ArgumentError } from '../../util/errors.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import type { Split } from '../../data/index.ts';
import { ParameterSpace, type Point, type Problem } from '../../problem/index.ts';
import { pathEvaluator, type ExampleLosses, type PathEvaluationOptions } from './path-evaluation.ts';
import type { BatchNormRecord } from '../batch-norm.ts';
import { combinePoints, parameterDistance, requireAlike } from './path-points.ts';
import { pathMeasures, type PathMeasures } from './path-measures.ts';
import { refineMaximum, uniformGrid, type BarrierHeight } from './path-refinement.ts';

/** Options of `linearBarrier`: the grid, its refinement, the splits, the mode of batch norm. */
export interface BarrierOptions extends PathEvaluationOptions {
  /** Points of the even grid, both ends included. Default 25 (Ainsworth et al. 2022). */
  readonly points?: number;
  /** Narrow the highest grid cell by golden section until it is shorter than this; 0 for the grid alone. Default 0.005. */
  readonly refineTo?: number;
  /** Which splits. Default: train, and test where the problem has one. */
  readonly splits?: readonly ('train' | 'test')[];
  readonly signal?: AbortSignal;
  /** Points of the grid evaluated, and how many there are (over all splits). */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A path's losses on one split, and its barriers. */
export interface SplitBarrier extends PathMeasures {
  /** The mode of batch norm that the losses are of. */
  readonly batchNorm: BatchNormRecord;
  /** max_t [L(t) - ((1 - t) L(0) + t L(1))], at least 0, which it is at the ends. */
  readonly barrier: BarrierHeight;
  /** max_t [((1 - t) A(0) + t A(1)) - A(t)] of the accuracy over the even grid; absent without labels. */
  readonly accuracyBarrier?: BarrierHeight;
}

/** What `linearBarrier` measures. */
export interface LinearBarrier {
  /** Euclidean distance of the ends. */
  readonly distance: number;
  readonly train?: SplitBarrier;
  readonly test?: SplitBarrier;
  /** False when a signal stopped it: the path then ends early. */
  readonly complete: boolean;
}

/**
 * Loss and accuracy along the straight line from `from` to `to`, and how far the loss rises above the chord between its ends
 * (Frankle et al. 2020; Entezari et al. 2022). The error is the standard error of the difference over examples, paired: an
 * example's loss on the path against the same example's at the ends; of a barrier of 0, that of the highest point between. It does not cover what lies between sampled points.
 *
 * @throws TreeError | ShapeError when the points differ in structure; ArgumentError on impossible options.
 */
export async function linearBarrier<P, State>(problem: Problem<P, State>, from: Point<P, State>, to: Point<P, State>, options: BarrierOptions = {}): Promise<LinearBarrier> {
  requireAlike('linearBarrier', from, to);
  const at = (t: number): Point<P, State> => combinePoints([from, to], [1 - t, t]);
  const { splits, complete } = await splitBarriers('linearBarrier', problem, at, new ParameterSpace(from.params).dtype, options);
  return { distance: parameterDistance(from, to), complete, ...splits };
}

/** How a path that is not straight is traversed. */
export interface PathShape {
  /** |dw/dt|, for means over the length. Default: constant. */
  readonly speed?: (t: number) => number;
  /** The grid, ascending with both ends. Default: even. */
  readonly positions?: readonly number[];
}

/** Barriers of any path of points, for each split of the options. */
export async function splitBarriers<P, State>(
  operation: string, problem: Problem<P, State>, at: (t: number) => Point<P, State>, dtype: 'float32' | 'float64', options: BarrierOptions, shape: PathShape = {},
): Promise<{ splits: { train?: SplitBarrier; test?: SplitBarrier }; complete: boolean }> {
  const { points = 25, refineTo = 0.005, signal, onProgress, splits: wanted, ...evaluation } = options;
  requireInteger(operation, 'points', points, 3);
  requireNumber(operation, 'refineTo', refineTo, 0, 1);
  const names = wanted ?? (problem.test === undefined ? ['train'] as const : ['train', 'test'] as const);
  const splits: { train?: SplitBarrier; test?: SplitBarrier } = {};
  let complete = true;
  for (const [i, name] of names.entries()) {
    const progress = (done: number): void => onProgress?.(i * points + done, names.length * points);
    const result = await splitBarrier(problem, at, splitOf(operation, problem, name), dtype, { points, refineTo, signal, evaluation, progress, shape });
    splits[name] = result.measures;
    complete &&= result.complete;
  }
  return { splits, complete };
}

function splitOf(operation: string, problem: Pick<Problem<unknown, unknown>, 'name' | 'train' | 'test'>, name: 'train' | 'test'): Split {
  const split = problem[name];
  if (split === undefined) throw new ArgumentError({ operation, required: 'the problem must have the splits that are asked for', received: `'${name}', which '${problem.name}' has not` });
  return split;
}

interface SplitSettings {
  readonly points: number;
  readonly refineTo: number;
  readonly signal: AbortSignal | undefined;
  readonly evaluation: PathEvaluationOptions;
  readonly progress: (done: number) => void;
  readonly shape: PathShape;
}

async function splitBarrier<P, State>(problem: Problem<P, State>, at: (t: number) => Point<P, State>, split: Split, dtype: 'float32' | 'float64', settings: SplitSettings): Promise<{ measures: SplitBarrier; complete: boolean }> {
  const { points, refineTo, signal, evaluation, progress, shape } = settings;
  const evaluator = pathEvaluator(problem, split, at(0), dtype, evaluation);
  try {
    const evaluate = (t: number): Promise<ExampleLosses> => evaluator.evaluate(at(t));
    const ends = [await evaluate(0), await evaluate(1)] as const;
    const measures = pathMeasures(ends, shape.speed);
    const grid = shape.positions ?? uniformGrid(points);
    for (const [i, t] of grid.entries()) {
      if (i > 0 && signal?.aborted === true) break;
      measures.add(t, t === 0 ? ends[0] : t === 1 ? ends[1] : await evaluate(t));
      progress(i + 1);
    }
    const complete = measures.count === points;
    const losses = await refineMaximum(measures.lossHeights(), refineTo, signal, async (t) => measures.height(t, await evaluate(t)).loss);
    // An accuracy is a step function: there is nothing to narrow down between grid points.
    const accuracies = measures.accuracyHeights();
    const accuracy = accuracies && await refineMaximum(accuracies, 0, signal);
    return { measures: { batchNorm: evaluator.batchNorm, ...measures.finish(), barrier: losses, ...(accuracy && { accuracyBarrier: accuracy }) }, complete };
  } finally {
    await evaluator.dispose();
  }
}
