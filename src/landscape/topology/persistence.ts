/** Persistence diagrams of merge trees, and the bottleneck distance between diagrams. @module */
import { ArgumentError } from '../../util/errors.ts';
import { bounded, rounded, type Measurement } from '../../problem/index.ts';
import { requireNumber } from '../../util/require.ts';
import type { MergeTree } from './merge-tree.ts';

/** A point of a persistence diagram: a component appears at `birth` and is taken in at `death` (infinite: never). */
export interface PersistencePoint {
  readonly birth: number;
  readonly death: number;
}

/** A bar of a barcode. */
export interface Bar extends PersistencePoint {
  readonly persistence: number;
  /** Where the bar is drawn to: the death, or the end of the landscape for an essential component. */
  readonly end: number;
  readonly essential: boolean;
  /** Vertex of the extremum. */
  readonly extremum: number;
}

/** The 0-dimensional persistence diagram, by falling persistence; essential components (one for each part) have an infinite death. */
export const persistenceDiagram = (tree: MergeTree): PersistencePoint[] => tree.branches.map(({ birth, death }) => ({ birth, death }));

/** The diagram as bars, by falling persistence: what `barcode` draws. */
export const barcodeData = (tree: MergeTree): Bar[] => tree.branches.map(({ birth, death, persistence, extremum, last }) => {
  const essential = last !== undefined;
  return { birth, death, persistence, extremum, essential, end: essential ? last.value : death };
});

/**
 * Persistences by rising value as Landscaper lists them: of minima and maxima where both trees are given, an essential
 * component with the height of its part. Their first and last give its persistence range.
 */
export function persistenceValues(...trees: readonly MergeTree[]): Float64Array {
  return Float64Array.from(trees.flatMap((tree) => barcodeData(tree).map(({ birth, end }) => Math.abs(end - birth)))).sort();
}

/** Landscaper's diagram of persistences: the points (0, p), whatever the births were. */
export const landscaperDiagram = (persistences: ArrayLike<number>): PersistencePoint[] => Array.from(persistences, (death) => ({ birth: 0, death }));

/** Options of `bottleneckDistance`. */
export interface BottleneckOptions {
  /**
   * Bound of the error of every sample of either landscape. By the stability theorem (Cohen-Steiner, Edelsbrunner, Harer 2007)
   * it bounds the movement of each diagram. Default: the rounding of the values given.
   */
  readonly sampleError?: number;
}

/**
 * The bottleneck distance: the least over matchings of the largest max-norm distance of matched points, where any point may be
 * matched with the diagonal at half its persistence (Cohen-Steiner, Edelsbrunner, Harer 2007). Exact: a search over the
 * distances that occur, with maximum matchings (Hopcroft, Karp 1973). Essential points match only each other; different
 * numbers of them are infinitely far. Cost: about n^2.5 log n for n points. Error: twice the error of the samples.
 *
 * @throws ArgumentError when a birth is not finite or a death is NaN.
 */
export function bottleneckDistance(first: readonly PersistencePoint[], second: readonly PersistencePoint[], options: BottleneckOptions = {}): Measurement {
  for (const point of [...first, ...second]) {
    if (!Number.isFinite(point.birth) || Number.isNaN(point.death)) throw new ArgumentError({ operation: 'bottleneckDistance', required: 'births must be finite and deaths numbers', received: `(${point.birth}, ${point.death})` });
  }
  const finite = (points: readonly PersistencePoint[]): PersistencePoint[] => points.filter(({ birth, death }) => Number.isFinite(death) && death !== birth);
  const value = Math.max(essentialDistance(first, second, Infinity), essentialDistance(first, second, -Infinity), finiteDistance(finite(first), finite(second)));
  if (options.sampleError !== undefined) return bounded(value, 2 * requireNumber('bottleneckDistance', 'sampleError', options.sampleError, 0));
  const largest = [...first, ...second].reduce((most, { birth, death }) => Math.max(most, Math.abs(birth), Number.isFinite(death) ? Math.abs(death) : 0), 0);
  return rounded(value, 2 ** -52 * largest);
}

/** Essential points of one kind in the order of their births: on a line, the sorted matching is the best. */
function essentialDistance(first: readonly PersistencePoint[], second: readonly PersistencePoint[], death: number): number {
  const births = (points: readonly PersistencePoint[]): number[] => points.filter((point) => point.death === death).map(({ birth }) => birth).sort((x, y) => x - y);
  const [a, b] = [births(first), births(second)];
  return a.length === b.length ? a.reduce((most, birth, i) => Math.max(most, Math.abs(birth - b[i])), 0) : Infinity;
}

const apart = (a: PersistencePoint, b: PersistencePoint): number => Math.max(Math.abs(a.birth - b.birth), Math.abs(a.death - b.death));
const toDiagonal = ({ birth, death }: PersistencePoint): number => Math.abs(death - birth) / 2;

function finiteDistance(a: readonly PersistencePoint[], b: readonly PersistencePoint[]): number {
  const candidates = [0, ...a.map(toDiagonal), ...b.map(toDiagonal), ...a.flatMap((p) => b.map((q) => apart(p, q)))].sort((x, y) => x - y);
  let low = 0;
  let high = candidates.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (matches(a, b, candidates[middle])) high = middle;
    else low = middle + 1;
  }
  return candidates[low];
}

/**
 * Whether all points can be matched within `distance`. The points of `b` far from the diagonal must be matched with points of
 * `a`, and the other way round; a matching that covers both sets exists when one covers each (Mendelsohn, Dulmage 1958).
 */
function matches(a: readonly PersistencePoint[], b: readonly PersistencePoint[], distance: number): boolean {
  const far = (points: readonly PersistencePoint[]): PersistencePoint[] => points.filter((point) => toDiagonal(point) > distance);
  return coversAll(far(a), b, distance) && coversAll(far(b), a, distance);
}

function coversAll(from: readonly PersistencePoint[], to: readonly PersistencePoint[], distance: number): boolean {
  const edges = from.map((p) => to.flatMap((q, j) => (apart(p, q) <= distance ? [j] : [])));
  return edges.every((list) => list.length > 0) && maximumMatching(edges, to.length) === from.length;
}

/** Size of a maximum matching of a bipartite graph (Hopcroft, Karp 1973). */
function maximumMatching(edges: readonly (readonly number[])[], right: number): number {
  const partnerOf = new Int32Array(right).fill(-1);
  const matched = new Int32Array(edges.length).fill(-1);
  const depth = new Int32Array(edges.length);
  let size = 0;
  const extend = (left: number): boolean => {
    for (const j of edges[left]) {
      const next = partnerOf[j];
      if (next >= 0 && (depth[next] !== depth[left] + 1 || !extend(next))) continue;
      partnerOf[j] = left;
      matched[left] = j;
      return true;
    }
    depth[left] = -1;
    return false;
  };
  for (;;) {
    const queue: number[] = [];
    matched.forEach((partner, left) => { depth[left] = partner < 0 ? 0 : -1; if (partner < 0) queue.push(left); });
    let open = false;
    for (let at = 0; at < queue.length; at++) {
      for (const j of edges[queue[at]]) {
        const next = partnerOf[j];
        if (next < 0) open = true;
        else if (depth[next] < 0) { depth[next] = depth[queue[at]] + 1; queue.push(next); }
      }
    }
    if (!open) return size;
    for (let left = 0; left < edges.length; left++) if (matched[left] < 0 && extend(left)) size++;
  }
}
