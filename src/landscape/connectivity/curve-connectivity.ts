/** Mode connectivity as one number: how the best curve between two networks compares with its ends (Garipov et al. 2018; Yang et al. 2021). @module */
import type { Executor } from '../../core/backend.ts';
import { linearSchedule } from '../../optim/index.ts';
import type { Point, Problem } from '../../problem/index.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { linearBarrier } from './barrier.ts';
import { curveBarrier } from './curve-report.ts';
import { findCurve } from './curve.ts';

/** How the curve is trained and looked at. */
export interface CurveConnectivityOptions {
  /** Least steps that the curve is trained for; rounded up to whole epochs. Default 2000. */
  readonly steps?: number;
  /** Examples a step. Default 128, or all where there are fewer. */
  readonly batchSize?: number;
  /** Learning rate of the first step (SGD with momentum 0.9); falls to zero on a straight line. Default 0.1. */
  readonly learningRate?: number;
  /** Points of the even grid on the curve and on the segment. Default 11. */
  readonly points?: number;
  /** Default 0. */
  readonly seed?: number;
  readonly executor?: Executor;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What `curveConnectivity` measures, on the training split. */
export interface CurveConnectivity {
  /**
   * (L(0) + L(1)) / 2 - L(t*) on the curve, t* where the two differ most: negative for a barrier, positive where the curve is better than its
   * ends, about zero for modes that are connected. NaN where the curve diverged, as `barrier`.
   */
  readonly value: number;
  /** max_t [L(t) - ((1 - t) L(0) + t L(1))] on the curve: unlike `value` it is not moved by ends of different height. */
  readonly barrier: number;
  /** The same two on the straight segment. */
  readonly straight: number;
  readonly linearBarrier: number;
  /** Mean batch loss of the curve's training, over the first and the last tenth of the steps: whether it had come to rest. */
  readonly curveLoss: readonly [first: number, last: number];
}

/**
 * Trains a quadratic Bezier curve between two networks and compares the loss on it with that at its ends; on the segment between them
 * besides. A curve that is not trained to rest shows a barrier that is not there: look at `curveLoss`.
 *
 * @throws ArgumentError when an option is out of range; TreeError | ShapeError when the networks differ in structure.
 */
export async function curveConnectivity<P, State>(problem: Problem<P, State>, from: Point<P, State>, to: Point<P, State>, options: CurveConnectivityOptions = {}): Promise<CurveConnectivity> {
  const { points = 11, seed = 0, executor, signal, onProgress } = options;
  const batchSize = requireInteger('curveConnectivity', 'batchSize', options.batchSize ?? Math.min(128, problem.train.size), 1, problem.train.size);
  const epochs = Math.ceil(requireInteger('curveConnectivity', 'steps', options.steps ?? 2000, 1) / Math.floor(problem.train.size / batchSize));
  const rate = requireNumber('curveConnectivity', 'learningRate', options.learningRate ?? 0.1, 0);
  const learningRate = linearSchedule({ rate, steps: epochs * Math.floor(problem.train.size / batchSize) });
  const curve = await findCurve(problem, from, to, { epochs, batchSize, learningRate, seed, executor, signal, onProgress });
  const along = { points, refineTo: 0, splits: ['train'], executor, signal } as const;
  const [bent, straight] = [(await curveBarrier(problem, curve, along)).train!, (await linearBarrier(problem, from, to, along)).train!];
  const tenth = Math.max(1, Math.floor(curve.losses.length / 10));
  const mean = (losses: readonly number[]): number => losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  return {
    ...(curve.end === 'diverged' ? { value: NaN, barrier: NaN } : { value: bent.maxDeviation.value, barrier: bent.barrier.value }), straight: straight.maxDeviation.value, linearBarrier: straight.barrier.value,
    curveLoss: [mean(curve.losses.slice(0, tenth)), mean(curve.losses.slice(-tenth))],
  };
}
