/** How the level sets of a sampled landscape appear, join, split and vanish: the contour tree. @module */
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import { findRoot, levelOrder } from './merge-tree.ts';
import { edgeGraph, type NeighbourGraph } from './neighbours.ts';

/**
 * What happens to the contours as the level rises through a node. `minimum`: nothing below; `maximum`: nothing above; `join`:
 * several from below become one; `split`: one becomes several; `join-split`: several become several; `single`: a part of one
 * sample. A minimum may have several arcs above and a maximum several below, as every inner one of a line has.
 */
export type ContourKind = 'minimum' | 'maximum' | 'join' | 'split' | 'join-split' | 'single';

/** A critical sample of the contour tree. */
export interface ContourNode {
  /** Index of the sample. */
  readonly vertex: number;
  readonly value: number;
  readonly kind: ContourKind;
  /** Arcs to lower nodes. */
  readonly below: number;
  /** Arcs to higher nodes. */
  readonly above: number;
}

/** A contour that lives from one node to the next, without joining or splitting. */
export interface ContourArc {
  /** Position of its lower node. */
  readonly lower: number;
  /** Position of its higher node. */
  readonly upper: number;
  /** Regular samples on it, its nodes not counted. */
  readonly samples: number;
}

/** Contour tree of a landscape; one tree for each connected part. */
export interface ContourTree {
  /** By rising level: by value, equal ones by index. */
  readonly nodes: readonly ContourNode[];
  /** By the level of the lower node, then of the upper one. As many as nodes - parts. */
  readonly arcs: readonly ContourArc[];
  /** How many nodes are of each kind. */
  readonly counts: Readonly<Record<ContourKind, number>>;
  /** Finite samples: the nodes and the regular ones. */
  readonly size: number;
  /** Samples on arcs. */
  readonly regular: number;
  /** Samples left out because they are not finite. */
  readonly masked: number;
  /** Connected parts of what is left: more than one only where masked samples or the graph cut the landscape. */
  readonly parts: number;
  /**
   * Whether the join tree and the split tree of this tree are those of the graph, as computed from it. False: level sets have
   * loops, and the arcs are not to be read as contours. True is needed for that, but not enough: see `contourTree`.
   */
  readonly consistent: boolean;
}

/** A merge tree with every vertex as a node. Arrays over the vertices of the graph. */
interface AugmentedTree {
  /** Where the component goes on: -1 at the last vertex of a part and at masked ones. */
  readonly parent: Int32Array;
  readonly children: Int32Array;
  /** Exclusive or of the children: the child itself where there is but one. */
  readonly mixed: Int32Array;
}

/**
 * The contour tree of a function on a graph (Carr, Snoeyink, Axen 2003): the join tree (of {f <= level}) and the split tree (of
 * {f >= level}), both with all vertices, combined by taking off leaf after leaf. Equal values are ordered by index in both, so
 * nothing is altered; a plateau may therefore hold nodes, and arcs of no height between them, that `mergeTree` leaves out.
 * Samples that are not finite are left out with their edges, and counted. Cost: that of sorting and of two sweeps.
 *
 * The nodes and arcs are those of the level sets of the piecewise linear function where the graph is the edges of a simplicial
 * mesh of a domain without holes: lines, and grids with `simplicial` connectivity. With `full` connectivity they are those of a
 * complex in which each cell is one simplex (opposite corners of a cell are linked below and above its saddle alike); no
 * function on the plane need have them. With `axis` connectivity, on a point cloud and round holes that masked samples leave,
 * the landscape may have no contour tree, since a change of contours can close a loop: then what taking off leaves gives is
 * returned, with `consistent` false. A ring is consistent, but has two contours where the tree shows one.
 *
 * @throws ShapeError when values do not fit the graph; ArgumentError when none is finite, and when there is no leaf to take off
 * though samples are left (rare, and never on lines and on simplicial and `full` grids without masked samples).
 */
export function contourTree(values: ArrayLike<number>, graph: NeighbourGraph): ContourTree {
  if (values.length !== graph.size) throw new ShapeError({ operation: 'contourTree', required: `values must hold ${graph.size} samples`, received: String(values.length) });
  const order = levelOrder(values, 'sublevel');
  if (order.length === 0) throw new ArgumentError({ operation: 'contourTree', required: 'at least one sample must be finite', received: `${values.length} that are not` });
  const join = augmentedTree(order, graph);
  // The same order read backwards: that of a superlevel tree breaks ties the other way.
  const split = augmentedTree(order.slice().reverse(), graph);
  const parts = order.filter((vertex) => join.parent[vertex] < 0).length;
  const parents = [join.parent.slice(), split.parent.slice()];
  const edges = combine(join, split, order);
  if (edges.length !== order.length - parts) {
    throw new ArgumentError({
      operation: 'contourTree', required: 'graph must be one whose join tree and split tree can be those of one tree', received: `${graph.description}, with ${values.length - order.length} samples that are not finite`,
      remedy: "a grid with connectivity 'simplicial' or 'full' and finite samples; mergeTree of both directions is there on every graph",
    });
  }
  const own = edgeGraph(graph.size, edges);
  const consistent = [order, order.slice().reverse()].every((levels, i) => augmentedTree(levels, own).parent.every((parent, vertex) => parent === parents[i][vertex]));
  return { ...compress(values, order, edges), size: order.length, masked: values.length - order.length, parts, consistent };
}

/** Each vertex continues the components of earlier neighbours: it is the parent of the newest vertex of each. */
function augmentedTree(order: Int32Array, graph: NeighbourGraph): AugmentedTree {
  const above = new Int32Array(graph.size).fill(-1);
  const newest = new Int32Array(graph.size);
  const parent = new Int32Array(graph.size).fill(-1);
  const children = new Int32Array(graph.size);
  const mixed = new Int32Array(graph.size);
  for (const vertex of order) {
    above[vertex] = vertex;
    newest[vertex] = vertex;
    graph.each(vertex, (neighbour) => {
      if (above[neighbour] < 0) return;
      const root = findRoot(above, neighbour);
      const own = findRoot(above, vertex);
      if (root === own) return;
      parent[newest[root]] = vertex;
      children[vertex]++;
      mixed[vertex] ^= newest[root];
      // The older component keeps its root.
      above[own] = root;
      newest[root] = vertex;
    });
  }
  return { parent, children, mixed };
}

/** The edges [lower, higher] of the contour tree over all vertices. Uses up both trees. */
function combine(join: AugmentedTree, split: AugmentedTree, order: Int32Array): (readonly [number, number])[] {
  const degree = (vertex: number): number => join.children[vertex] + split.children[vertex];
  const leaves = Array.from(order).filter((vertex) => degree(vertex) === 1);
  const edges: (readonly [number, number])[] = [];
  for (let leaf = leaves.pop(); leaf !== undefined; leaf = leaves.pop()) {
    // The last two of a part are each the other's leaf.
    if (degree(leaf) !== 1) continue;
    const upper = split.children[leaf] === 0;
    const other = (upper ? split : join).parent[leaf];
    edges.push(upper ? [other, leaf] : [leaf, other]);
    takeOut(join, leaf);
    takeOut(split, leaf);
    if (degree(other) === 1) leaves.push(other);
  }
  return edges;
}

/** Takes out a vertex with one child at most, which its parent takes over. */
function takeOut({ parent, children, mixed }: AugmentedTree, vertex: number): void {
  const heir = children[vertex] === 1 ? mixed[vertex] : -1;
  const next = parent[vertex];
  if (heir >= 0) parent[heir] = next;
  if (next >= 0) {
    mixed[next] ^= vertex;
    if (heir >= 0) mixed[next] ^= heir;
    else children[next]--;
  }
  parent[vertex] = -1;
  children[vertex] = 0;
}

function kindOf(below: number, above: number): ContourKind | 'regular' {
  if (below === 0) return above === 0 ? 'single' : 'minimum';
  if (above === 0) return 'maximum';
  if (below === 1) return above === 1 ? 'regular' : 'split';
  return above === 1 ? 'join' : 'join-split';
}

/** Takes regular vertices, with one edge below and one above, into arcs. */
function compress(values: ArrayLike<number>, order: Int32Array, edges: readonly (readonly [number, number])[]): Pick<ContourTree, 'nodes' | 'arcs' | 'counts' | 'regular'> {
  const below = new Int32Array(values.length);
  const higher: number[][] = Array.from({ length: values.length }, () => []);
  for (const [low, high] of edges) {
    below[high]++;
    higher[low].push(high);
  }
  const counts = { minimum: 0, maximum: 0, join: 0, split: 0, 'join-split': 0, single: 0 };
  const nodes: ContourNode[] = [];
  const position = new Map<number, number>();
  for (const vertex of order) {
    const kind = kindOf(below[vertex], higher[vertex].length);
    if (kind === 'regular') continue;
    counts[kind]++;
    position.set(vertex, nodes.length);
    nodes.push({ vertex, value: values[vertex], kind, below: below[vertex], above: higher[vertex].length });
  }
  const arcs: ContourArc[] = [];
  nodes.forEach(({ vertex }, lower) => {
    const found = higher[vertex].map((first): ContourArc => {
      let at = first;
      let samples = 0;
      for (; !position.has(at); samples++) at = higher[at][0];
      return { lower, upper: position.get(at)!, samples };
    });
    arcs.push(...found.sort((a, b) => a.upper - b.upper));
  });
  return { nodes, arcs, counts, regular: order.length - nodes.length };
}
