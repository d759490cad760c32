/** Basins of the extrema by steepest descent, and cells where a basin of a minimum and one of a maximum overlap. @module */
import { ShapeError } from '../../util/errors.ts';
import type { MergeTree } from './merge-tree.ts';
import type { NeighbourGraph } from './neighbours.ts';

/** Which samples flow to which extremum. */
export interface Basins {
  /** For each sample the position of its branch in the tree; -1 where masked. [size] */
  readonly labels: Int32Array;
  /** Samples of each branch's basin. */
  readonly sizes: Int32Array;
}

/**
 * Each sample's basin: it moves to the neighbour with the steepest descent (difference by distance; ascent for a superlevel
 * tree) until none is lower, the descending manifolds of discrete gradient flow, which Landscaper's library calls unstable
 * manifolds of the minima. Basins of branches that the tree leaves out belong to the branch that took them in. Ties go to the
 * lower value, then the smaller index.
 * @throws ShapeError when values, graph and tree do not belong together.
 */
export function basins(values: ArrayLike<number>, graph: NeighbourGraph, tree: MergeTree): Basins {
  const { order, absorbed, branches, direction } = tree;
  if (values.length !== graph.size || order.length + tree.masked !== graph.size) {
    throw new ShapeError({ operation: 'basins', required: `values and tree must have the ${graph.size} samples of the graph`, received: `${values.length} and ${order.length + tree.masked}` });
  }
  const sign = direction === 'sublevel' ? 1 : -1;
  const rank = new Int32Array(graph.size).fill(-1);
  order.forEach((vertex, at) => { rank[vertex] = at; });
  const position = new Map(branches.map(({ extremum }, i) => [extremum, i]));
  const labels = new Int32Array(graph.size).fill(-1);
  const sizes = new Int32Array(branches.length);
  for (const vertex of order) {
    let next = -1;
    let steepest = -1;
    graph.each(vertex, (neighbour, distance) => {
      if (rank[neighbour] < 0 || rank[neighbour] > rank[vertex]) return;
      const slope = (sign * (values[vertex] - values[neighbour])) / distance;
      if (slope < steepest || (slope === steepest && rank[neighbour] > rank[next])) return;
      steepest = slope;
      next = neighbour;
    });
    // In this order the neighbour has its label; a sample without a lower one is an extremum.
    labels[vertex] = next >= 0 ? labels[next] : position.get(absorbed.get(vertex) ?? vertex)!;
    sizes[labels[vertex]]++;
  }
  return { labels, sizes };
}

/** Cells of the Morse-Smale complex: pairs of a minimum and a maximum whose basins overlap, with the samples they share. */
export function morseSmaleCells(minima: Basins, maxima: Basins): { readonly minimum: number; readonly maximum: number; readonly size: number }[] {
  if (minima.labels.length !== maxima.labels.length) throw new ShapeError({ operation: 'morseSmaleCells', required: `maxima must label ${minima.labels.length} samples`, received: String(maxima.labels.length) });
  const counts = new Map<number, number>();
  const width = maxima.sizes.length;
  minima.labels.forEach((minimum, i) => {
    if (minimum < 0) return;
    const cell = minimum * width + maxima.labels[i];
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  });
  return [...counts].sort(([a], [b]) => a - b).map(([cell, size]) => ({ minimum: Math.floor(cell / width), maximum: cell % width, size }));
}
