/** Axes through given points: lines and planes through minima. @module */
import { ArgumentError } from '../util/errors.ts';
import { addScaled, dot, norm } from '../curvature/basis.ts';
import { ParameterSpace, type Point } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { flatten, leaves, mapTree, requireSameStructure } from '../tree/index.ts';
import { NDArray } from '../core/ndarray.ts';
import { makeAxis, vectorAxis, vectorOf, type Axis } from './axes.ts';

/** A plane or line laid through points. */
export interface AxesThroughPoints<P, State> {
  /** Where all coordinates are zero: the first point. */
  readonly origin: Point<P, State>;
  readonly axes: readonly Axis<P, State>[];
  /** The coordinates of each given point, [points][axes]. */
  readonly coordinates: readonly (readonly number[])[];
}

/** The line from one point to another: 0 is the first, 1 the second, and batch statistics go along in the mode `moved`. */
export function axisBetween<P, State>(from: Point<P, State>, to: Point<P, State>): AxesThroughPoints<P, State> {
  requireSame('axisBetween', [from, to]);
  const direction = difference(to.params, from.params);
  requireDistance('axisBetween', norm(vectorOf(direction)), 'the second point at the first');
  const axis = makeAxis<P, State>(direction as Host<P>, { kind: 'between points', unit: '1 = from the first point to the second' }, stateDifference(to, from));
  return { origin: from, axes: [axis], coordinates: [[0], [1]] };
}

/**
 * The plane through three points (Garipov et al. 2018, arXiv 1802.10026, appendix A.3): u = w2 - w1, v = w3 - w1 less its part along
 * u, both of unit length, so that the plane is drawn to scale. The origin is w1. Batch statistics, where the points have them, are those of the three points there.
 * @throws ArgumentError when the points lie on a line.
 */
export function planeThrough<P, State>(points: readonly [Point<P, State>, Point<P, State>, Point<P, State>]): AxesThroughPoints<P, State> {
  requireSame('planeThrough', points);
  const [first, second, third] = points;
  const u = vectorOf(difference(second.params, first.params));
  const v = vectorOf(difference(third.params, first.params));
  const reach = norm(v);
  const width = norm(u);
  requireDistance('planeThrough', width, 'the second point at the first');
  const along = dot(u, v) / width;
  addScaled(v, -along / width, u);
  const height = norm(v);
  requireDistance('planeThrough', height > 1e-7 * reach ? height : 0, 'three points on a line');
  const origin = (to: string): { kind: string; unit: string; details: { towards: string } } => ({ kind: 'plane through points', unit: '1 = Euclidean distance 1', details: { towards: to } });
  const x = vectorAxis<P>(first.params, u.map((value) => value / width), origin('second point'));
  const y = vectorAxis<P>(first.params, v.map((value) => value / height), origin('third point'));
  const stateX = combined([[1 / width, second.state], [-1 / width, first.state]]);
  const stateY = combined([[1 / height, third.state], [(along / width - 1) / height, first.state], [-along / width / height, second.state]]);
  const withState = (axis: Axis<P>, state: unknown): Axis<P, State> => makeAxis<P, State>(axis.direction, origin(axis.provenance.details!.towards as string), state as Host<State> | undefined);
  return { origin: first, axes: [withState(x, stateX), withState(y, stateY)], coordinates: [[0, 0], [width, 0], [along, height]] };
}

function requireSame<P, State>(operation: string, points: readonly Point<P, State>[]): void {
  const { structure, leaves: shapes } = flatten<NDArray>(points[0].params);
  points.forEach(({ params }, i) => {
    const other = flatten<NDArray>(params);
    requireSameStructure(operation, structure, other.structure);
    const odd = other.leaves.findIndex((leaf, j) => String(leaf) !== String(shapes[j]));
    if (odd >= 0) throw new ArgumentError({ operation, required: `point ${i} must hold ${shapes[odd]} at '${structure.paths[odd]}'`, received: String(other.leaves[odd]) });
  });
}

function requireDistance(operation: string, distance: number, otherwise: string): void {
  if (!(distance > 0 && distance < Infinity)) throw new ArgumentError({ operation, required: 'points must be finite and span the axes', received: otherwise });
}

const difference = (a: unknown, b: unknown): unknown => mapTree((x: NDArray, y: NDArray) => new NDArray(x.data.map((value, i) => value - y.data[i]), x.shape, x.dtype), a, b);
const stateDifference = <P, State>(to: Point<P, State>, from: Point<P, State>): Host<State> | undefined => combined([[1, to.state], [-1, from.state]]) as Host<State> | undefined;

/** A linear combination of trees of batch statistics; undefined where a model keeps none. */
function combined(terms: readonly (readonly [number, unknown])[]): unknown {
  if (leaves(terms[0][1]).length === 0) return undefined;
  const sum = new Float64Array(vectorOf(terms[0][1]).length);
  for (const [factor, tree] of terms) addScaled(sum, factor, vectorOf(tree));
  return new ParameterSpace(terms[0][1]).unflatten(sum);
}
