/** The loss along a curve. @module */
import { leaves } from '../../tree/index.ts';
import { ParameterSpace, type Problem } from '../../problem/index.ts';
import { splitBarriers, type BarrierOptions, type SplitBarrier } from './barrier.ts';
import { curveLength, curveSpeed, equalLengthPositions } from './curve-geometry.ts';
import { curvePoint, type Curve } from './curve.ts';
import { differenceGram } from './path-points.ts';

export interface CurveReportOptions extends BarrierOptions {
  /** Whether the sampled points are even in t or in arc length. Default `t`. The grid has 30 points unless `points` says otherwise. */
  readonly spacing?: 'length' | 't';
}

/** What `curveBarrier` measures. Heights are relative to the chord in the samples' own parameter, which is t. */
export interface CurveReport {
  /** Length of the curve, and of the straight line between its ends. */
  readonly length: number;
  readonly distance: number;
  /** length / distance, at least 1; NaN for ends that coincide. */
  readonly lengthRatio: number;
  readonly train?: SplitBarrier;
  readonly test?: SplitBarrier;
  readonly complete: boolean;
}

/**
 * Loss and accuracy along a curve: maximum, barrier above the chord, means uniform in t and in arc length, length ratio. Batch
 * norm defaults to `recalibrated` for models with batch statistics, which have none of their own along a curve.
 */
export async function curveBarrier<P, State>(problem: Problem<P, State>, curve: Curve<P, State>, options: CurveReportOptions = {}): Promise<CurveReport> {
  const { kind, controlPoints } = curve;
  const gram = differenceGram(controlPoints.map(({ params }) => params));
  const last = controlPoints.length - 1;
  const distance = Math.sqrt(gram[last * (last + 1) + last]);
  const length = curveLength(kind, gram);
  const { points = 30, spacing = 't', ...rest } = options;
  const batchNorm = options.batchNorm ?? (leaves(controlPoints[0].state).length > 0 ? 'recalibrated' : 'moved');
  const positions = spacing === 'length' ? equalLengthPositions(kind, gram, points) : undefined;
  const { splits, complete } = await splitBarriers('curveBarrier', problem, (t) => curvePoint(curve, t), new ParameterSpace(controlPoints[0].params).dtype, { ...rest, points, batchNorm }, { speed: (t) => curveSpeed(kind, gram, t), positions });
  return { length, distance, lengthRatio: distance > 0 ? length / distance : NaN, complete, ...splits };
}
