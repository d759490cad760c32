/** Axes out of derivatives: ends of a spectrum, the gradient, an optimizer's moments. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import type { NDArray } from '../core/ndarray.ts';
import { norm } from '../curvature/basis.ts';
import type { Eigenpair, Eigenpairs } from '../curvature/index.ts';
import { ParameterSpace, type Gradient } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { flatten, requireSameStructure } from '../tree/index.ts';
import { makeAxis, vectorAxis, vectorOf, type Axis } from './axes.ts';
import { normalizeDirection, type NormalizationOptions } from './normalization.ts';

/** Which ends of a spectrum become axes: so many of the largest eigenvalues, then of the smallest, then of those of largest magnitude. */
export interface EigenAxesOptions {
  readonly largest?: number;
  readonly smallest?: number;
  readonly magnitude?: number;
  /** The parameters that the vectors are over (the operator's `space`), when not all. */
  readonly space?: ParameterSpace | undefined;
  /** Name of the matrix. Default `Hessian`. */
  readonly matrix?: string;
}

/**
 * Unit eigenvectors as axes, from a result of `topEigenpairs`; without counts, all pairs it holds. Half the eigenvalue times
 * the square of the coordinate is the loss's second-order rise. The sign of an eigenvector has no meaning: the entry of largest magnitude is made positive.
 * @throws ArgumentError when more pairs are asked for than there are.
 */
export function eigenvectorAxes<P>(params: Host<P>, pairs: Pick<Eigenpairs, 'largest' | 'smallest' | 'magnitude'>, options: EigenAxesOptions = {}): Axis<P>[] {
  const { space, matrix = 'Hessian' } = options;
  const ends = ['largest', 'smallest', 'magnitude'] as const;
  const all = ends.every((end) => options[end] === undefined);
  const axes = ends.flatMap((end) => {
    const count = requireInteger('eigenvectorAxes', end, options[end] ?? (all ? pairs[end].length : 0), 0, pairs[end].length);
    return pairs[end].slice(0, count).map((pair, rank) => eigenvectorAxis<P>(params, pair, `${matrix} eigenvector`, { end, rank: rank + 1 }, space));
  });
  if (axes.length === 0) throw new ArgumentError({ operation: 'eigenvectorAxes', required: 'at least one eigenpair', received: 'none' });
  return axes;
}

function eigenvectorAxis<P>(params: Host<P>, { value, error, residual, vector }: Eigenpair, kind: string, place: { end: string; rank: number }, space?: ParameterSpace): Axis<P> {
  return vectorAxis<P>(params, positiveAtPeak(vector), { kind, unit: '1 = Euclidean distance 1', details: { eigenvalue: value, error, residual, ...place } }, space);
}

/** A unit vector along `vector` or against it, so that its entry of largest magnitude is positive (the first of equals). */
export function positiveAtPeak(vector: Float64Array): Float64Array {
  let peak = 0;
  for (let i = 1; i < vector.length; i++) if (Math.abs(vector[i]) > Math.abs(vector[peak])) peak = i;
  const factor = (vector[peak] < 0 ? -1 : 1) / norm(vector);
  return vector.map((x) => x * factor);
}

/**
 * The gradient's direction, of unit length, from a result of `evaluateGradient`: uphill; the coordinate is a distance.
 * @throws ArgumentError when the gradient is zero.
 */
export function gradientAxis<P>(params: Host<P>, { gradient, space, loss }: Pick<Gradient, 'gradient' | 'space' | 'loss'>): Axis<P> {
  const length = norm(gradient);
  requireLength('gradientAxis', 'gradient', length);
  return vectorAxis<P>(params, gradient.map((x) => x / length), { kind: 'gradient', unit: '1 = Euclidean distance 1', details: { gradientNorm: length, loss } }, space);
}

/** Which moment, and how it is scaled. */
export interface MomentAxisOptions extends Partial<NormalizationOptions> {
  /** The tree of second moments, by whose square root plus `epsilon` the first are divided: Adam's own direction. */
  readonly second?: unknown;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** What the tree is. Default `first moment`, or `first moment / sqrt(second moment)`. */
  readonly name?: string;
}

/**
 * An axis out of an optimizer's state, a tree shaped like the parameters, such as Adam's first moment, divided by the root of the
 * second when that is given. Of unit length; with `normalization`, scaled like a random axis instead (biases kept unless told otherwise).
 * @throws TreeError when the state is not built like the parameters; ArgumentError when it is zero.
 */
export function momentAxis<P>(params: Host<P>, first: unknown, options: MomentAxisOptions = {}): Axis<P> {
  const { second, epsilon = 1e-8, name = second === undefined ? 'first moment' : 'first moment / sqrt(second moment)', normalization, biases = 'keep', filterAxis } = options;
  const { structure } = flatten<NDArray>(params);
  for (const tree of second === undefined ? [first] : [first, second]) requireSameStructure('momentAxis', structure, flatten<NDArray>(tree).structure);
  const vector = vectorOf(first);
  if (second !== undefined) {
    const squares = vectorOf(second);
    for (let i = 0; i < vector.length; i++) vector[i] /= Math.sqrt(squares[i]) + epsilon;
  }
  const length = norm(vector);
  requireLength('momentAxis', 'the moment', length);
  const origin = { kind: 'optimizer moment', unit: '1 = Euclidean distance 1', details: { moment: name } };
  const unit = vectorAxis<P>(params, vector.map((x) => x / length), origin);
  if (normalization === undefined) return unit;
  return makeAxis<P>(normalizeDirection<P>(unit.direction, params, { normalization, biases, ...(filterAxis && { filterAxis }) }), { ...origin, normalization, biases, unit: `1 = the direction, ${normalization} normalisation` });
}

function requireLength(operation: string, name: string, length: number): void {
  if (!(length > 0 && length < Infinity)) throw new ArgumentError({ operation, required: `${name} must be finite and not zero`, received: `norm ${length}` });
}
