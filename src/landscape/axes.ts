/** Axes of lines, planes and boxes: a direction in parameter space that knows where it comes from. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { Sha256 } from '../util/sha256.ts';
import type { NDArray } from '../core/ndarray.ts';
import { addScaled, dot, norm, scaleBy } from '../curvature/basis.ts';
import { ParameterSpace } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { flatten, requireSameStructure } from '../tree/index.ts';
import type { BiasRule, Normalization } from './normalization.ts';

/** Where an axis comes from, as plain JSON. */
export interface AxisProvenance {
  /** `random Gaussian`, `Hessian eigenvector`, `gradient`, `optimizer moment`, `trajectory PCA`, ... */
  readonly kind: string;
  /** What a step of one along the axis is. */
  readonly unit: string;
  /** Euclidean length of the direction: how far in parameter space a step of one goes. */
  readonly norm: number;
  /** SHA-256 of the direction's names, types and bytes (`treeHash`): equal hashes, equal axes. */
  readonly hash: string;
  readonly seed?: number;
  readonly normalization?: Normalization;
  readonly biases?: BiasRule;
  /** What else the kind knows: an eigenvalue with its error, a share of variance, a convention's name. */
  readonly details?: Readonly<Record<string, number | string | boolean>>;
}

/** A direction in parameter space, shaped like the parameters, and where it comes from. An axis that moves no batch statistics fits everywhere. */
export interface Axis<P = unknown, State = never> {
  readonly direction: Host<P>;
  /** How batch statistics move along the axis; used in the mode `moved` only. */
  readonly state?: Host<State>;
  readonly provenance: AxisProvenance;
}

/** What a maker of axes says; length and hash are computed. */
export type AxisOrigin = Omit<AxisProvenance, 'norm' | 'hash'>;

/** Makes an axis of any direction; the origin defaults to a direction that was given. */
export function makeAxis<P, State = never>(direction: Host<P>, origin: AxisOrigin = { kind: 'given', unit: '1 = the given direction' }, state?: Host<State>): Axis<P, State> {
  const length = norm(vectorOf(direction));
  return { direction, ...(state !== undefined && { state }), provenance: { ...origin, norm: length, hash: treeHash(state === undefined ? direction : { direction, state }) } };
}

/** SHA-256 over a tree of arrays: for each leaf in order its path, its type and its bytes (little-endian on every platform that runs this). */
export function treeHash(tree: unknown): string {
  const hash = new Sha256();
  const { leaves, structure } = flatten<NDArray>(tree);
  leaves.forEach((leaf, i) => hash.update(`${structure.paths[i]}:${String(leaf)}\n`).update(new Uint8Array(leaf.data.buffer, leaf.data.byteOffset, leaf.data.byteLength)));
  return hash.hex();
}

/** All parameters of a tree as one float64 vector. */
export const vectorOf = (tree: unknown): Float64Array => new ParameterSpace(tree).flatten();

/** The axis of a flat vector: over all parameters, or over those of `space`, the others staying where they are. */
export function vectorAxis<P>(params: Host<P>, vector: Float64Array, origin: AxisOrigin, space: ParameterSpace = new ParameterSpace(params)): Axis<P> {
  if (vector.length !== space.size) throw new ShapeError({ operation: 'vectorAxis', required: `vector must have ${space.size} entries`, received: String(vector.length) });
  const full = new ParameterSpace(params);
  const whole = new Float64Array(full.size);
  const offsets = new Map(full.ranges.map(({ name, offset }) => [name, offset]));
  for (const { name, offset, size } of space.ranges) {
    const to = offsets.get(name);
    if (to === undefined) throw new ArgumentError({ operation: 'vectorAxis', required: "space must be over parameters of 'params'", received: `'${name}'` });
    whole.set(vector.subarray(offset, offset + size), to);
  }
  return makeAxis<P>(full.unflatten(whole) as Host<P>, origin);
}

/** Cosines of the angles between axes, [axes][axes]; NaN beside an axis of length zero. */
export function axisCosines(axes: readonly Pick<Axis, 'direction'>[]): number[][] {
  const vectors = axes.map(({ direction }) => vectorOf(direction));
  const norms = vectors.map(norm);
  return vectors.map((a, i) => vectors.map((b, j) => (i === j && norms[i] > 0 ? 1 : dot(a, b) / (norms[i] * norms[j]))));
}

/**
 * The same axes made orthogonal by Gram-Schmidt in their order (twice, so that it holds to rounding); each keeps its length.
 * Random axes are nearly orthogonal already (|cos| about 1 / sqrt(parameters)); ends of a spectrum are; points are not.
 * @throws ArgumentError when an axis lies in the span of those before it, or moves batch statistics.
 */
export function orthogonalAxes<P>(axes: readonly Axis<P>[]): Axis<P>[] {
  const basis: Float64Array[] = [];
  return axes.map((axis, i) => {
    requireSameStructure('orthogonalAxes', flatten(axes[0].direction).structure, flatten(axis.direction).structure);
    if (axis.state !== undefined) throw new ArgumentError({ operation: 'orthogonalAxes', required: 'axes that move no batch statistics', received: `axis ${i}, which does`, remedy: 'planeThrough, whose axes are orthogonal already' });
    const vector = vectorOf(axis.direction);
    const length = norm(vector);
    for (let pass = 0; pass < 2; pass++) for (const unit of basis) addScaled(vector, -dot(unit, vector), unit);
    const left = norm(vector);
    if (!(left > 1e-7 * length)) throw new ArgumentError({ operation: 'orthogonalAxes', required: 'axes must be linearly independent', received: `axis ${i} in the span of those before it` });
    scaleBy(vector, 1 / left);
    basis.push(vector);
    if (i === 0) return axis;
    const { norm: _, hash: __, ...origin } = axis.provenance;
    return vectorAxis<P>(axis.direction, vector.map((x) => x * length), { ...origin, details: { ...origin.details, orthogonalised: true } });
  });
}

/** The same axis, `factor` times as long. */
export function scaledAxis<P, State>({ direction, state, provenance }: Axis<P, State>, factor: number, unit: string, details: AxisProvenance['details'] = {}): Axis<P, State> {
  const { norm: _, hash: __, ...origin } = provenance;
  const times = <T>(tree: Host<T>): Host<T> => new ParameterSpace(tree).unflatten(vectorOf(tree).map((x) => x * factor)) as Host<T>;
  return makeAxis<P, State>(times<P>(direction), { ...origin, unit, details: { ...origin.details, ...details } }, state && times<State>(state));
}
