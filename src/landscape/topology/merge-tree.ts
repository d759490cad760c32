/** How the valleys of a sampled landscape join as the level rises: merge tree and persistence of components. @module */
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import { requireNumber } from '../../util/require.ts';
import type { NeighbourGraph } from './neighbours.ts';

/** `sublevel`: from the minima up; `superlevel`: from the maxima down. */
export type LevelDirection = 'sublevel' | 'superlevel';

/** A component of the level sets, from the extremum where it appears to the saddle where an older one takes it in. */
export interface Branch {
  /** Vertex of its minimum (sublevel) or maximum (superlevel). */
  readonly extremum: number;
  readonly birth: number;
  /** Vertex where it joins an older branch; -1 for the essential one of each connected part of the landscape. */
  readonly saddle: number;
  /** Level of that vertex; Infinity (superlevel: -Infinity) for an essential branch. */
  readonly death: number;
  /** |death - birth| */
  readonly persistence: number;
  /** Position of the branch it joins; -1 for an essential branch. */
  readonly parent: number;
  /** Vertices it holds when it dies, those of branches it took in included. */
  readonly size: number;
  /** For an essential branch: the last vertex of its part (the highest of a sublevel tree) and its value. */
  readonly last?: { readonly vertex: number; readonly value: number };
}

/** A node of the tree: where a component appears, where components join, or where the last one is complete. */
export interface MergeNode {
  readonly vertex: number;
  readonly value: number;
  readonly kind: 'leaf' | 'saddle' | 'root';
  /** Position of the next node on the way to the root; -1 at the root. */
  readonly parent: number;
}

/** Merge tree of a landscape. */
export interface MergeTree {
  readonly direction: LevelDirection;
  /** By falling persistence, the essential ones first; ties by vertex. */
  readonly branches: readonly Branch[];
  /** Leaves in the order of branches, then saddles, then roots. */
  readonly nodes: readonly MergeNode[];
  /** Finite samples. */
  readonly size: number;
  /** Samples left out because they are not finite. */
  readonly masked: number;
  /** Connected parts of what is left: more than one only where masked samples or the graph cut the landscape. */
  readonly parts: number;
  /** Branches of at most this persistence are left out. */
  readonly threshold: number;
  /** Extremum of each branch left out -> extremum of the branch that took it in and is kept. */
  readonly absorbed: ReadonlyMap<number, number>;
  /** Smallest and largest finite value. */
  readonly range: readonly [number, number];
  /** Finite vertices in the order of the levels: by value, equal ones by index. */
  readonly order: Int32Array;
}

/** Options of `mergeTree`. */
export interface MergeTreeOptions {
  /** Default `sublevel`. */
  readonly direction?: LevelDirection;
  /** Leaves out branches of at most this persistence. Default 0: plateaus have one extremum. */
  readonly threshold?: number;
}

/** A branch before sorting: positions refer to the order of births. */
type Draft = Omit<Branch, 'parent' | 'death' | 'birth' | 'persistence'> & { parent: number };

/** Finite vertices by rising level (falling for a superlevel tree), equal values by index: a total order without altering values. */
export function levelOrder(values: ArrayLike<number>, direction: LevelDirection): Int32Array {
  const sign = direction === 'sublevel' ? 1 : -1;
  const finite = Array.from(values, (value, i) => (Number.isFinite(value) ? i : -1)).filter((i) => i >= 0);
  return Int32Array.from(finite).sort((a, b) => sign * (values[a] - values[b]) || a - b);
}

/**
 * The merge tree of a function on a graph, by union-find over its sorted values (Carr, Snoeyink, Axen 2003, section 4), with the
 * elder rule: where components meet, the one with the lowest minimum lives on (Edelsbrunner, Letscher, Zomorodian 2002). Equal
 * values are ordered by index, so nothing is altered; pairs this makes have zero persistence and are left out. Samples that
 * are not finite are left out with their edges, and counted.
 *
 * @throws ShapeError when values do not fit the graph; ArgumentError when none is finite.
 */
export function mergeTree(values: ArrayLike<number>, graph: NeighbourGraph, options: MergeTreeOptions = {}): MergeTree {
  const { direction = 'sublevel', threshold = 0 } = options;
  if (values.length !== graph.size) throw new ShapeError({ operation: 'mergeTree', required: `values must hold ${graph.size} samples`, received: String(values.length) });
  requireNumber('mergeTree', 'threshold', threshold, 0);
  const order = levelOrder(values, direction);
  if (order.length === 0) throw new ArgumentError({ operation: 'mergeTree', required: 'at least one sample must be finite', received: `${values.length} that are not` });
  const drafts = sweep(order, graph);
  const essential = direction === 'sublevel' ? Infinity : -Infinity;
  const branches = drafts.map((draft): Branch => {
    const birth = values[draft.extremum];
    const death = draft.saddle < 0 ? essential : values[draft.saddle];
    return { ...draft, birth, death, persistence: Math.abs(death - birth), ...(draft.last && { last: { vertex: draft.last.vertex, value: values[draft.last.vertex] } }) };
  });
  const ends = [values[order[0]], values[order[order.length - 1]]];
  return assemble({
    direction, branches, size: order.length, masked: values.length - order.length, parts: branches.filter(({ saddle }) => saddle < 0).length,
    threshold, absorbed: new Map(), range: [Math.min(...ends), Math.max(...ends)], order,
  });
}

/** Root of `vertex` in the forest `above` (a root is above itself), the way to it shortened. */
export function findRoot(above: Int32Array, vertex: number): number {
  let root = vertex;
  while (above[root] !== root) root = above[root];
  for (let at = vertex; at !== root;) {
    const next = above[at];
    above[at] = root;
    at = next;
  }
  return root;
}

/** Components by union-find; each root carries the draft of its oldest branch. */
function sweep(order: Int32Array, graph: NeighbourGraph): Draft[] {
  const above = new Int32Array(graph.size).fill(-1);
  const branchAt = new Int32Array(graph.size);
  const sizeAt = new Int32Array(graph.size);
  const drafts: { -readonly [K in keyof Draft]: Draft[K] }[] = [];
  const meeting: number[] = [];
  for (const vertex of order) {
    meeting.length = 0;
    graph.each(vertex, (neighbour) => {
      if (above[neighbour] < 0) return;
      const root = findRoot(above, neighbour);
      if (!meeting.includes(root)) meeting.push(root);
    });
    if (meeting.length === 0) {
      above[vertex] = vertex;
      sizeAt[vertex] = 1;
      branchAt[vertex] = drafts.length;
      drafts.push({ extremum: vertex, saddle: -1, parent: -1, size: 0, last: { vertex, value: NaN } });
      continue;
    }
    // Branches are numbered in the order of their births, so the smallest number is the eldest.
    const elder = meeting.reduce((oldest, root) => (branchAt[root] < branchAt[oldest] ? root : oldest));
    for (const root of meeting) {
      if (root === elder) continue;
      drafts[branchAt[root]] = { extremum: drafts[branchAt[root]].extremum, saddle: vertex, parent: branchAt[elder], size: sizeAt[root] };
      above[root] = elder;
      sizeAt[elder] += sizeAt[root];
    }
    above[vertex] = elder;
    sizeAt[elder]++;
    drafts[branchAt[elder]].last = { vertex, value: NaN };
  }
  for (const draft of drafts) if (draft.saddle < 0) draft.size = sizeAt[findRoot(above, draft.extremum)];
  return drafts;
}

/** Sorts branches, leaves out those within the threshold, and makes the nodes. */
function assemble(tree: Omit<MergeTree, 'nodes'>): MergeTree {
  const { branches, threshold } = tree;
  const absorbed = new Map(tree.absorbed);
  const keeper = (branch: Branch): Branch => (branch.persistence > threshold ? branch : keeper(branches[branch.parent]));
  for (const branch of branches) if (branch.persistence <= threshold) absorbed.set(branch.extremum, keeper(branch).extremum);
  // What earlier simplification gave to a branch that goes now.
  for (const [from, to] of absorbed) absorbed.set(from, absorbed.get(to) ?? to);
  // A parent persists at least as long as its children, so no kept branch loses its parent.
  const kept = branches.filter(({ persistence }) => persistence > threshold).sort((a, b) => (a.persistence === b.persistence ? a.extremum - b.extremum : b.persistence - a.persistence));
  const position = new Map(kept.map((branch, i) => [branch.extremum, i]));
  const renamed = kept.map((branch) => ({ ...branch, parent: branch.parent < 0 ? -1 : position.get(branches[branch.parent].extremum)! }));
  return { ...tree, branches: renamed, absorbed, nodes: nodesOf(renamed, tree.order) };
}

function nodesOf(branches: readonly Branch[], order: Int32Array): MergeNode[] {
  const rank = new Map<number, number>();
  const saddles = new Set(branches.filter(({ saddle }) => saddle >= 0).map(({ saddle }) => saddle));
  order.forEach((vertex, at) => { if (saddles.has(vertex)) rank.set(vertex, at); });
  const joins = branches.map(() => new Set<number>());
  const valueAt = new Map<number, number>();
  for (const { saddle, parent, death } of branches) {
    if (saddle < 0) continue;
    valueAt.set(saddle, death);
    joins[parent].add(saddle);
  }
  const nodes: { vertex: number; value: number; kind: MergeNode['kind']; parent: number }[] = branches.map(({ extremum, birth }) => ({ vertex: extremum, value: birth, kind: 'leaf', parent: -1 }));
  const at = new Map<number, number>();
  for (const [vertex, value] of [...valueAt].sort(([a], [b]) => rank.get(a)! - rank.get(b)!)) {
    at.set(vertex, nodes.length);
    nodes.push({ vertex, value, kind: 'saddle', parent: -1 });
  }
  branches.forEach(({ saddle, last }, leaf) => {
    const chain = [leaf, ...[...joins[leaf]].sort((a, b) => rank.get(a)! - rank.get(b)!).map((vertex) => at.get(vertex)!)];
    for (let i = 0; i + 1 < chain.length; i++) nodes[chain[i]].parent = chain[i + 1];
    const end = nodes[chain[chain.length - 1]];
    if (saddle >= 0) { end.parent = at.get(saddle)!; return; }
    // The last vertex of a part may itself be the highest saddle, or a single sample.
    if (last === undefined || last.vertex === end.vertex) return;
    end.parent = nodes.length;
    nodes.push({ vertex: last.vertex, value: last.value, kind: 'root', parent: -1 });
  });
  return nodes;
}

/**
 * The tree without branches of at most `threshold` persistence: extrema shallower than that are noise of this height. What a
 * cancelled branch held belongs to the branch that took it in.
 */
export function simplify(tree: MergeTree, threshold: number): MergeTree {
  requireNumber('simplify', 'threshold', threshold, 0);
  return assemble({ ...tree, threshold: Math.max(threshold, tree.threshold) });
}
