/** Keeps the points that a run passes through. @module */
import type { Point } from '../../problem/index.ts';
import type { BesideProbe, Moment, PreparedProbe } from '../probe.ts';

/** A point of a run and the number of steps done there. */
export interface RecordedPoint<P, State> extends Point<P, State> {
  readonly step: number;
}

/** A probe that measures nothing and keeps points. */
export interface PointRecorder<P, State> extends BesideProbe {
  /** In the order of steps; of an ensemble, replica after replica at each step. */
  readonly points: readonly RecordedPoint<P, State>[];
}

/**
 * Records parameters and batch statistics before the first step, every so many steps, and at the end, for whatever is measured of them after the run.
 * A recorder belongs to one run: points of a second one are added behind those of the first. Memory: one point a record.
 */
export function pointRecorder<P, State>({ every }: { readonly every: number }): PointRecorder<P, State> {
  const points: RecordedPoint<P, State>[] = [];
  const keep = ({ step, params, state }: Moment<unknown, unknown>): void => { points.push({ step, params, state } as RecordedPoint<P, State>); };
  return {
    where: 'beside', name: 'point-recorder', every, points,
    prepare: (): PreparedProbe => ({
      measure: (moment) => {
        keep(moment);
        return Promise.resolve({});
      },
      dispose: () => Promise.resolve(),
    }),
  };
}
