/** Random axes and the scales that other programs draw them to. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { norm } from '../curvature/basis.ts';
import type { Host } from '../transforms/index.ts';
import { makeAxis, scaledAxis, vectorOf, type Axis } from './axes.ts';
import { axisKey, gaussianDirection } from './directions.ts';
import { normalizeDirection, type Normalization, type NormalizationOptions } from './normalization.ts';

/** Which random axes. */
export interface RandomAxesOptions extends Partial<NormalizationOptions> {
  /** Default 0. The same seed gives the same axes, bit for bit. */
  readonly seed?: number;
  /** How many; the first ones do not depend on it. Default 2. */
  readonly count?: number;
}

const UNITS: Readonly<Record<Normalization, string>> = {
  filter: '1 = every filter moved by its own norm',
  layer: '1 = every tensor moved by its own norm',
  weight: '1 = every weight moved by itself times a standard normal number',
  model: '1 = the parameters moved by their own norm',
  dfilter: '1 = every filter moved by 1',
  dlayer: '1 = every tensor moved by 1',
  none: '1 = every weight moved by a standard normal number',
};

/**
 * Independent Gaussian axes, normalised against the parameters; `filter` unless told otherwise, which leaves biases and
 * normalisation parameters where they are (Li et al. 2018, arXiv 1712.09913).
 */
export function randomAxes<P>(params: Host<P>, { seed = 0, count = 2, normalization = 'filter', biases = 'zero', filterAxis }: RandomAxesOptions = {}): Axis<P>[] {
  requireInteger('randomAxes', 'count', count, 1);
  return Array.from({ length: count }, (_, i) => makeAxis<P>(
    normalizeDirection<P>(gaussianDirection<P>(params, axisKey(seed, i)), params, { normalization, biases, ...(filterAxis && { filterAxis }) }),
    { kind: 'random Gaussian', seed, normalization, biases, unit: UNITS[normalization], details: { stream: i, ...(filterAxis && { filterAxis: 'given' }) } },
  ));
}

/** Programs whose step conventions are known. */
export type ScaleConvention = 'loss-landscape' | 'loss-landscapes' | 'loss-landscape-analysis' | 'landscaper';

/** The grid of a program. */
export interface ScaleOptions {
  /** Grid points along the axis. Default: the program's (51, 40, 40, 41). */
  readonly steps?: number;
  /** What the program calls distance. Default: the program's (1, 1, 1, 0.01). */
  readonly distance?: number;
}

const DEFAULTS: Readonly<Record<ScaleConvention, Required<ScaleOptions>>> = {
  'loss-landscape': { steps: 51, distance: 1 },
  'loss-landscapes': { steps: 40, distance: 1 },
  'loss-landscape-analysis': { steps: 40, distance: 1 },
  landscaper: { steps: 41, distance: 0.01 },
};

/**
 * An axis scaled as a program does it, and the coordinates that its grid visits:
 * - `loss-landscape` (Li et al.): as drawn, from -distance to distance inclusive;
 * - `loss-landscapes` (De Bernardi): a step is ‖θ‖ distance / steps long; coordinates count steps from -steps / 2;
 * - `loss-landscape-analysis`: a step is the direction times distance / steps, counted likewise;
 * - `landscaper`: a step is ‖θ‖ distance / (steps / 2) long, counted from -floor(steps / 2). Its own labels are
 *   (steps / 2) / floor(steps / 2) times too large for odd `steps`; ours are steps.
 *
 * The grid is the one meant: the first two walk columns up and down by turns and record alternate columns one step apart, which is not repeated.
 * @throws ArgumentError for an unknown program or an axis of length zero.
 */
export function conventionalAxis<P, State>(axis: Axis<P, State>, params: Host<P>, convention: ScaleConvention, options: ScaleOptions = {}): { axis: Axis<P, State>; coordinates: number[] } {
  if (!(convention in DEFAULTS)) throw new ArgumentError({ operation: 'conventionalAxis', required: `convention must be one of ${Object.keys(DEFAULTS).join(', ')}`, received: `'${convention}'` });
  const { steps = DEFAULTS[convention].steps, distance = DEFAULTS[convention].distance } = options;
  requireInteger('conventionalAxis', 'steps', steps, 2);
  requireNumber('conventionalAxis', 'distance', distance, Number.MIN_VALUE);
  const drawn = axis.provenance.norm;
  if (!(drawn > 0)) throw new ArgumentError({ operation: 'conventionalAxis', required: 'the axis must have a length', received: String(drawn) });
  const relative = norm(vectorOf(params)) / drawn;
  const counted = (from: number): number[] => Array.from({ length: steps }, (_, i) => i - from);
  const stepped = (factor: number, from: number): { axis: Axis<P, State>; coordinates: number[] } =>
    ({ axis: scaledAxis(axis, factor, '1 = a step of the grid', { scale: convention, steps, distance }), coordinates: counted(from) });
  switch (convention) {
    case 'loss-landscapes': return stepped((relative * distance) / steps, steps / 2);
    case 'loss-landscape-analysis': return stepped(distance / steps, steps / 2);
    case 'landscaper': return stepped((relative * distance) / (steps / 2), Math.floor(steps / 2));
    default: return { axis: scaledAxis(axis, 1, axis.provenance.unit, { scale: convention }), coordinates: counted((steps - 1) / 2).map((x) => (2 * x * distance) / (steps - 1)) };
  }
}
