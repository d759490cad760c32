/** Alignment by the loss at the midpoint: a straight-through estimator (Ainsworth et al. 2022, section 3.3, algorithm 3). @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { batches, epochOrder, takeRows } from '../../data/index.ts';
import { drawNoise } from '../../nn/index.ts';
import { mean } from '../../ops/index.ts';
import { evaluator, examplesOf, ParameterSpace, type Examples, type Point, type Problem } from '../../problem/index.ts';
import type { Executor } from '../../core/backend.ts';
import { compile, valueAndGrad, type Host } from '../../transforms/index.ts';
import { key, split } from '../../util/random/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { combinePoints } from './path-points.ts';
import type { Permutations, PermutationSpec } from './permutation-spec.ts';
import { matchWeights, type Alignment } from './weight-matching.ts';

/** Options of `matchStraightThrough`; a run is a pure function of them. */
export interface StraightThroughOptions {
  /** Passes over the training set. Default 5. */
  readonly epochs?: number;
  /** Examples a step. Default 128, or all where there are fewer. */
  readonly batchSize?: number;
  /** Default 0.01, with momentum 0.9. */
  readonly learningRate?: number;
  readonly momentum?: number;
  /** Of batches, dropout and the order of groups. Default 0. */
  readonly seed?: number;
  readonly executor?: Executor;
  /** Stops before the next step; the best so far is returned. */
  readonly signal?: AbortSignal;
  /** Steps done, and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Result of `matchStraightThrough`. */
export interface StraightThroughMatching<P, State> extends Alignment<Point<P, State>> {
  /** Mean training loss at the midpoint: of weight matching first, then after each epoch; the result is of the smallest. */
  readonly midpointLosses: readonly number[];
}

/**
 * Looks for the permutation of `point` whose midpoint with `reference` has the smallest training loss. A third network w, started at
 * `reference`, is projected in every step to the permuted `point` nearest to it (weight matching, continued from the last
 * projection); the gradient of the batch loss at the midpoint passes through the projection to w unchanged. The result is the best
 * midpoint over the training split seen at the start (weight matching itself) or after an epoch, so never worse than weight matching there.
 */
export async function matchStraightThrough<P, State>(problem: Problem<P, State>, spec: PermutationSpec, reference: Point<P, State>, point: Point<P, State>, options: StraightThroughOptions = {}): Promise<StraightThroughMatching<P, State>> {
  const { epochs = 5, learningRate = 0.01, momentum = 0.9, seed = 0, executor, signal, onProgress } = options;
  const { size } = problem.train;
  const batchSize = options.batchSize ?? Math.min(128, size);
  requireInteger('matchStraightThrough', 'epochs', epochs, 1);
  requireInteger('matchStraightThrough', 'batchSize', batchSize, 1);
  requireNumber('matchStraightThrough', 'learningRate', learningRate, 0);
  requireNumber('matchStraightThrough', 'momentum', momentum, 0, 1);
  if (batchSize > size) throw new ArgumentError({ operation: 'matchStraightThrough', required: `batchSize must be at most the ${size} training examples`, received: String(batchSize) });
  const space = new ParameterSpace(reference.params);
  const root = key(seed);
  const gradientAt = midpointGradient(problem, space, executor);
  const full = evaluator(problem, problem.train, { dtype: space.dtype, executor });
  const midpointLosses: number[] = [];
  let best: Alignment<Point<P, State>> = matchWeights(spec, reference, point, { seed });
  let current = best;
  const judge = async (): Promise<void> => {
    const { loss } = await full.evaluate(combinePoints([reference, current.point], [0.5, 0.5]));
    midpointLosses.push(loss.value);
    if (loss.value <= Math.min(...midpointLosses)) best = current;
  };
  try {
    await judge();
    const weights = space.flatten(reference.params);
    const velocity = new Float64Array(space.size);
    const total = epochs * Math.floor(size / batchSize);
    let step = 0;
    let start: Permutations = best.permutations;
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const indices of batches(epochOrder(split(root, 'order'), size, epoch), { batchSize })) {
        if (signal?.aborted === true) break;
        const target = { params: space.unflatten(weights) as Host<P>, state: reference.state };
        current = matchWeights(spec, target, point, { seed: step, start });
        start = current.permutations;
        const batch = examplesOf(takeRows(problem.train, indices), space.dtype);
        const noise = drawNoise(problem.model as never, batch.inputs.shape, split(root, 'step', step));
        const gradient = await gradientAt.run(combinePoints([reference, current.point], [0.5, 0.5]), batch, noise);
        // The midpoint moves half as far as w.
        for (let i = 0; i < weights.length; i++) {
          velocity[i] = momentum * velocity[i] + gradient[i] / 2;
          weights[i] -= learningRate * velocity[i];
        }
        onProgress?.(++step, total);
      }
      if (signal?.aborted === true) break;
      await judge();
    }
    return { point: best.point, permutations: best.permutations, midpointLosses };
  } finally {
    await Promise.all([gradientAt.dispose(), full.dispose()]);
  }
}

/** Gradient of a batch's mean loss, normalising by the batch as in training. */
function midpointGradient<P, State>(problem: Problem<P, State>, space: ParameterSpace, executor: Executor | undefined) {
  const gradient = (params: P, state: State, { inputs, targets }: Examples, noise: Tensor[]): Tensor[] => {
    const loss = (chosen: Tensor[]): Tensor =>
      mean(problem.loss(problem.model.apply(space.replace(params, chosen) as P, inputs, { mode: 'train', state, noise }).outputs, targets));
    return valueAndGrad(loss)(space.pick<Tensor>(params))[1];
  };
  const program = compile(gradient as never, { executor, name: `midpoint of ${problem.name}` });
  const run = program as unknown as (params: unknown, state: unknown, batch: unknown, noise: unknown) => Promise<NDArray[]>;
  return {
    run: async (point: Point<P, State>, batch: Examples<NDArray>, noise: NDArray[]): Promise<Float64Array> => space.join(await run(point.params, point.state, batch, noise)),
    dispose: () => program.dispose(),
  };
}
