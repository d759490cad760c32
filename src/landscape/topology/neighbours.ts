/** Which samples of a landscape are neighbours: grids of any dimension, and point clouds with a given or a Gabriel graph. @module */
import { requireInteger, requireNumber } from '../../util/require.ts';
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import type { LossPlane } from '../plane.ts';

/** An undirected graph over the samples 0 ... size - 1. */
export interface NeighbourGraph {
  readonly size: number;
  /** What the neighbours are, in words. */
  readonly description: string;
  /** Calls `visit` with each neighbour and its distance, in a fixed order. */
  each(vertex: number, visit: (neighbour: number, distance: number) => void): void;
}

/**
 * Neighbours on a grid. `full`: all cells that share a corner (8 in two dimensions, 3^n - 1 in n); `axis`: cells that share a
 * face (4, 2n); `simplicial`: the edges of the Freudenthal triangulation (6, 2 (2^n - 1)), of which the landscape is the
 * piecewise linear interpolation.
 */
export type Connectivity = 'full' | 'axis' | 'simplicial';

/** Options of `gridGraph`. */
export interface GridOptions {
  /** Default `full`: with `axis` every sample along a narrow diagonal valley is a minimum of its own. */
  readonly connectivity?: Connectivity;
  /** Distance between neighbouring samples along each axis; default 1 for all. Steepest descent divides by it. */
  readonly spacing?: readonly number[];
}

/** Steps to neighbours that `connectivity` has. */
function stepsOf(dimensions: number, connectivity: Connectivity): number[][] {
  const steps = Array.from({ length: 3 ** dimensions }, (_, code) => Array.from({ length: dimensions }, (__, axis) => (Math.floor(code / 3 ** axis) % 3) - 1));
  const moved = steps.filter((step) => step.some((x) => x !== 0));
  if (connectivity === 'full') return moved;
  if (connectivity === 'axis') return moved.filter((step) => step.filter((x) => x !== 0).length === 1);
  return moved.filter((step) => step.every((x) => x >= 0) || step.every((x) => x <= 0));
}

/**
 * The graph of a grid of samples in row-major order (the last axis runs fastest). On a regular grid `full` is the Gabriel graph
 * whose balls may touch other points, `axis` the one whose balls may not: the diagonals of a cell are exact ties.
 * @throws ArgumentError when an extent is no positive integer or the connectivity is unknown; ShapeError when spacing does not fit.
 */
export function gridGraph(shape: readonly number[], options: GridOptions = {}): NeighbourGraph {
  const { connectivity = 'full', spacing = shape.map(() => 1) } = options;
  if (shape.length === 0) throw new ShapeError({ operation: 'gridGraph', required: 'shape must have at least one axis', received: '[]' });
  shape.forEach((extent, axis) => requireInteger('gridGraph', `shape[${axis}]`, extent, 1));
  if (!['full', 'axis', 'simplicial'].includes(connectivity)) throw new ArgumentError({ operation: 'gridGraph', required: "connectivity must be 'full', 'axis' or 'simplicial'", received: `'${String(connectivity)}'` });
  if (spacing.length !== shape.length) throw new ShapeError({ operation: 'gridGraph', required: `spacing must have ${shape.length} entries`, received: String(spacing.length) });
  spacing.forEach((step, axis) => requireNumber('gridGraph', `spacing[${axis}]`, step, Number.MIN_VALUE));
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
  const steps = stepsOf(shape.length, connectivity).map((step) => ({
    step, offset: step.reduce((sum, x, axis) => sum + x * strides[axis], 0), distance: Math.hypot(...step.map((x, axis) => x * spacing[axis])),
  }));
  return {
    size: strides[0] * shape[0], description: `grid ${shape.join(' x ')}, ${steps.length} neighbours`,
    each(vertex, visit) {
      for (const { step, offset, distance } of steps) {
        let inside = true;
        for (let axis = 0; axis < shape.length && inside; axis++) {
          const at = (Math.floor(vertex / strides[axis]) % shape[axis]) + step[axis];
          inside = at >= 0 && at < shape[axis];
        }
        if (inside) visit(vertex + offset, distance);
      }
    },
  };
}

/**
 * The graph of a point cloud from its edges [i, j]; distances are those of `points` where given, else 1.
 * @throws ArgumentError when an edge names no vertex or joins a vertex with itself.
 */
export function edgeGraph(size: number, edges: readonly (readonly [number, number])[], points?: readonly ArrayLike<number>[]): NeighbourGraph {
  requireInteger('edgeGraph', 'size', size, 1);
  if (points !== undefined && points.length !== size) throw new ShapeError({ operation: 'edgeGraph', required: `points must hold ${size} points`, received: String(points.length) });
  const lists = Array.from({ length: size }, () => new Set<number>());
  for (const [i, j] of edges) {
    requireInteger('edgeGraph', 'the ends of an edge', i, 0, size - 1);
    requireInteger('edgeGraph', 'the ends of an edge', j, 0, size - 1);
    if (i === j) throw new ArgumentError({ operation: 'edgeGraph', required: 'an edge must join two vertices', received: `[${i}, ${j}]` });
    lists[i].add(j);
    lists[j].add(i);
  }
  const sorted = lists.map((list) => [...list].sort((a, b) => a - b));
  const distance = (i: number, j: number): number => (points === undefined ? 1 : Math.sqrt(squaredDistance(points[i], points[j])));
  return {
    size, description: `${size} points, ${sorted.reduce((sum, list) => sum + list.length, 0) / 2} edges`,
    each(vertex, visit) { for (const other of sorted[vertex]) visit(other, distance(vertex, other)); },
  };
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

/** What to do where a third point lies exactly on the sphere. */
export interface GabrielOptions {
  /** `keep` the edge (open balls; on a grid: all corners of a cell are neighbours) or `drop` it. Default `keep`. */
  readonly ties?: 'keep' | 'drop';
}

/**
 * The Gabriel graph (Gabriel, Sokal 1969; the empty region graph with beta 1): two points are neighbours when the ball whose
 * diameter they span holds no other. `points` [n][dimensions]. Cost: n^3 comparisons at most, far fewer in practice.
 */
export function gabrielGraph(points: readonly ArrayLike<number>[], { ties = 'keep' }: GabrielOptions = {}): NeighbourGraph {
  const edges: [number, number][] = [];
  points.forEach((point, i) => {
    if (point.length !== points[0].length) throw new ShapeError({ operation: 'gabrielGraph', required: `point ${i} must have ${points[0].length} coordinates`, received: String(point.length) });
    for (let j = 0; j < i; j++) if (emptyBall(points, i, j, ties === 'keep')) edges.push([j, i]);
  });
  return edgeGraph(points.length, edges, points);
}

/** By the angle at the third point: (a - c)'(b - c) is negative inside the ball, zero on its sphere. */
function emptyBall(points: readonly ArrayLike<number>[], i: number, j: number, open: boolean): boolean {
  return points.every((c, k) => {
    if (k === i || k === j) return true;
    let product = 0;
    for (let axis = 0; axis < c.length; axis++) product += (points[i][axis] - c[axis]) * (points[j][axis] - c[axis]);
    return open ? product >= 0 : product > 0;
  });
}

/** The losses of a sampled plane, row-major, with the graph of its grid. */
export function planeGrid({ x, y, samples }: LossPlane, connectivity: Connectivity = 'full'): { readonly values: Float64Array; readonly graph: NeighbourGraph; readonly shape: readonly [number, number] } {
  const step = (axis: readonly number[]): number => (axis.length > 1 ? Math.abs(axis[axis.length - 1] - axis[0]) / (axis.length - 1) : 1);
  return {
    values: Float64Array.from(samples.flatMap((row) => row.map(({ loss }) => loss))),
    graph: gridGraph([y.length, x.length], { connectivity, spacing: [step(y), step(x)] }), shape: [y.length, x.length],
  };
}
