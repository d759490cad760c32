/** Curves of low loss between two points (Garipov et al. 2018, arXiv 1802.10026; Draxler et al. 2018). @module */
import { NDArray, scalar } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { batches, epochOrder, takeRows } from '../../data/index.ts';
import { drawNoise } from '../../nn/index.ts';
import { add, at, mean, mul } from '../../ops/index.ts';
import { sgd, updateContext, type Optimizer, type Schedule } from '../../optim/index.ts';
import { examplesOf, ParameterSpace, type Examples, type Point, type Problem } from '../../problem/index.ts';
import type { Executor } from '../../core/backend.ts';
import { compile, type Host } from '../../transforms/index.ts';
import { mapTree } from '../../tree/index.ts';
import { key, split, uniform } from '../../util/random/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';
import { curveWeights, type CurveKind } from './curve-geometry.ts';
import { combinePoints, requireAlike } from './path-points.ts';

/** A curve in parameter space: fixed ends, and control points between them. */
export interface Curve<P, State> {
  readonly kind: CurveKind;
  /** First and last are the ends. Batch statistics of inner ones are interpolated, not trained. */
  readonly controlPoints: readonly Point<P, State>[];
}

/** How `findCurve` trains; a run is a pure function of it. */
export interface CurveOptions {
  /** Default `bezier`. */
  readonly kind?: CurveKind;
  /** Control points, both ends included. Default 3. */
  readonly controlPoints?: number;
  /** Passes over the training set. Default 10. */
  readonly epochs?: number;
  /** Examples a step. Default 128, or all where there are fewer. */
  readonly batchSize?: number;
  /** Default 0.01. */
  readonly learningRate?: number | Schedule;
  /** Default SGD with momentum 0.9. */
  readonly optimizer?: Optimizer<unknown>;
  /** Of batches, positions on the curve and dropout. Default 0. */
  readonly seed?: number;
  readonly executor?: Executor;
  /** Stops before the next step; the curve found so far is returned. */
  readonly signal?: AbortSignal;
  /** Steps done, and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A trained curve. */
export interface FoundCurve<P, State> extends Curve<P, State> {
  /** Batch loss of each step, at its random position. */
  readonly losses: readonly number[];
  readonly end: 'finished' | 'interrupted' | 'diverged';
}

/** The point of a curve at t in [0, 1]; at 0 and 1 the ends themselves. */
export const curvePoint = <P, State>({ kind, controlPoints }: Curve<P, State>, t: number): Point<P, State> =>
  combinePoints(controlPoints, curveWeights(kind, controlPoints.length, t));

/** The straight line between two points, as a curve with evenly spaced control points. */
export function straightCurve<P, State>(from: Point<P, State>, to: Point<P, State>, kind: CurveKind = 'bezier', count = 3): Curve<P, State> {
  requireAlike('straightCurve', from, to);
  requireInteger('straightCurve', 'controlPoints', count, 2);
  return { kind, controlPoints: Array.from({ length: count }, (_, k) => combinePoints([from, to], [1 - k / (count - 1), k / (count - 1)])) };
}

/** One step as a traced function reads it; `inner` are the control points that move. */
interface Step<P, State> {
  readonly inner: P[];
  readonly ends: [P, P];
  readonly state: State;
  readonly memory: unknown;
  readonly batch: Examples;
  /** Of all control points, at this step's position. */
  readonly weights: Tensor;
  readonly step: Tensor;
  readonly learningRate: Tensor;
  readonly noise: Tensor[];
}

/**
 * Trains the inner control points of a curve on the mean loss over it: each step takes a batch and a position t uniform on
 * [0, 1] and descends the batch loss at the curve's point there (Garipov et al. 2018, section 3.2). It starts on the straight
 * line. The step is compiled whole. Batch norm normalises by the batch, as in training.
 *
 * @throws TreeError | ShapeError when the ends differ in structure; ArgumentError on impossible options.
 */
export async function findCurve<P, State>(problem: Problem<P, State>, from: Point<P, State>, to: Point<P, State>, options: CurveOptions = {}): Promise<FoundCurve<P, State>> {
  const { kind = 'bezier', controlPoints = 3, epochs = 10, learningRate = 0.01, seed = 0, signal, onProgress, executor } = options;
  const batchSize = options.batchSize ?? Math.min(128, problem.train.size);
  requireInteger('findCurve', 'controlPoints', controlPoints, 3);
  requireInteger('findCurve', 'epochs', epochs, 1);
  requireInteger('findCurve', 'batchSize', batchSize, 1);
  if (batchSize > problem.train.size) throw new ArgumentError({ operation: 'findCurve', required: `batchSize must be at most the ${problem.train.size} training examples`, received: String(batchSize) });
  const start = straightCurve(from, to, kind, controlPoints);
  const optimizer = (options.optimizer ?? sgd({ momentum: 0.9 })) as Optimizer<unknown>;
  const { dtype } = new ParameterSpace(from.params);
  const rateAt: Schedule = typeof learningRate === 'number' ? () => learningRate : learningRate;
  const root = key(seed);
  const initial = compile(((inner: P[]) => optimizer.init(inner)) as never, { executor, name: 'initial state of the optimizer' }) as unknown as (inner: Host<P>[]) => Promise<unknown>;
  const step = compile(stepOf(problem, optimizer, controlPoints) as never, { executor, name: `curve of ${problem.name}` });
  const run = step as unknown as (call: unknown) => Promise<{ inner: Host<P>[]; memory: unknown; loss: NDArray }>;
  let inner = start.controlPoints.slice(1, -1).map(({ params }) => params);
  const losses: number[] = [];
  const finish = (end: FoundCurve<P, State>['end']): FoundCurve<P, State> => ({
    kind, losses, end, controlPoints: start.controlPoints.map((point, k) => (k === 0 || k === controlPoints - 1 ? point : { params: inner[k - 1], state: point.state })),
  });
  try {
    let memory = await initial(inner);
    const total = epochs * Math.floor(problem.train.size / batchSize);
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const indices of batches(epochOrder(split(root, 'order'), problem.train.size, epoch), { batchSize })) {
        if (signal?.aborted === true) return finish('interrupted');
        const number = losses.length;
        const [t] = uniform(split(root, 'position', number), 1, { dtype: 'float64' });
        const batch = examplesOf(takeRows(problem.train, indices), dtype);
        const next = await run({
          inner, ends: [from.params, to.params], state: from.state, memory, batch,
          weights: weightsAt(kind, controlPoints, t, dtype), step: scalar(number, dtype), learningRate: scalar(rateAt(number, { losses }), dtype),
          noise: drawNoise(problem.model as never, batch.inputs.shape, split(root, 'step', number)),
        });
        const loss = next.loss.item();
        if (!Number.isFinite(loss)) return finish('diverged');
        ({ inner, memory } = next);
        losses.push(loss);
        onProgress?.(losses.length, total);
      }
    }
    return finish('finished');
  } finally {
    await step.dispose();
    await (initial as unknown as { dispose(): Promise<void> }).dispose();
  }
}

function weightsAt(kind: CurveKind, count: number, t: number, dtype: 'float32' | 'float64'): NDArray {
  const weights = curveWeights(kind, count, t);
  return new NDArray(dtype === 'float64' ? Float64Array.from(weights) : Float32Array.from(weights), [count], dtype);
}

function stepOf<P, State>(problem: Problem<P, State>, optimizer: Optimizer<unknown>, count: number) {
  return ({ inner, ends, state, memory, batch, weights, step, learningRate, noise }: Step<P, State>) => {
    const lossAt = (moving: P[]): Tensor => {
      const all = [ends[0], ...moving, ends[1]];
      const params = mapTree((...values: never[]) => (values as Tensor[]).map((value, k) => mul(at(weights, k), value)).reduce(add), all[0], ...all.slice(1, count)) as P;
      return mean(problem.loss(problem.model.apply(params, batch.inputs, { mode: 'train', state, noise }).outputs, batch.targets));
    };
    const context = updateContext<P[]>({ params: inner, step, learningRate, batchSize: batch.inputs.shape[0], lossAt });
    const next = optimizer.update<P[]>(context, memory);
    return { inner: next.params, memory: next.state, loss: context.loss() };
  };
}
