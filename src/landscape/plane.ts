/** Lines and planes of the loss. @module */
import type { Split } from '../data/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { sampleLandscape, symmetricRange, type LandscapeSample, type SampleOptions } from './sample.ts';

export interface PlaneOptions extends SampleOptions {
  /** Half the width of the square in units of the directions. Default 1. */
  readonly radius?: number;
  /** Points along each axis; odd, so that the middle is the given point. Default 41. */
  readonly points?: number;
}

/** A sampled plane; `samples[row][column]` lies at `(x[column], y[row])`. */
export interface LossPlane {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly samples: readonly (readonly LandscapeSample[])[];
}

/** Samples the loss over `point + x directions[0] + y directions[1]`. */
export async function lossPlane<P, State>(problem: Problem<P, State>, point: Point<P, State>, directions: readonly [Host<P>, Host<P>], data: Split, options: PlaneOptions = {}): Promise<LossPlane> {
  const axis = symmetricRange(options.radius ?? 1, options.points ?? 41);
  const grid = axis.flatMap((y) => axis.map((x) => [x, y]));
  const flat = await sampleLandscape(problem, point, directions, grid, data, options);
  return { x: axis, y: axis, samples: axis.map((_, row) => flat.slice(row * axis.length, (row + 1) * axis.length)) };
}

/** A sampled line; `samples[i]` lies at `position[i]`. */
export interface LossLine {
  readonly position: readonly number[];
  readonly samples: readonly LandscapeSample[];
}

/** Samples the loss over `point + t direction`. */
export async function lossLine<P, State>(problem: Problem<P, State>, point: Point<P, State>, direction: Host<P>, data: Split, options: PlaneOptions = {}): Promise<LossLine> {
  const position = symmetricRange(options.radius ?? 1, options.points ?? 41);
  return { position, samples: await sampleLandscape(problem, point, [direction], position.map((t) => [t]), data, options) };
}
