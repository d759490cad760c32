/** Alignment of two networks by their weights (Ainsworth et al. 2022, arXiv 2209.04836, section 3.2). @module */
import type { NDArray } from '../../core/ndarray.ts';
import { dot } from '../../linalg/vector.ts';
import type { Point } from '../../problem/index.ts';
import { key, permutation, split } from '../../util/random/index.ts';
import { requireInteger } from '../../util/require.ts';
import { bestAssignment } from './assignment.ts';
import { applyPermutations, identityPermutations, leavesOf, permutedExcept, type Permutations, type PermutationSpec, type PermutedAxis } from './permutation-spec.ts';

/** A second network brought to the units of a first. */
export interface Alignment<At> {
  readonly point: At;
  /** What `applyPermutations` did to the second network. */
  readonly permutations: Permutations;
}

/** Options of `matchWeights`. */
export interface WeightMatchingOptions {
  /** Of the order in which groups are visited. Default 0. */
  readonly seed?: number;
  /** Where to start; default: the identity. */
  readonly start?: Permutations;
  /** Sweeps over all groups at most. Default 100; it stops when a sweep changes nothing. */
  readonly maxSweeps?: number;
  readonly signal?: AbortSignal;
  /** Sweeps done, and the most there can be. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Result of `matchWeights`. */
export interface WeightMatching<At> extends Alignment<At> {
  /** Inner product of both parameter vectors, restricted to permuted leaves: before, and after each sweep; never falls. */
  readonly similarity: readonly number[];
  /** Whether the last sweep changed nothing: a local optimum with respect to each group by itself. */
  readonly converged: boolean;
}

/**
 * Permutes the hidden units of `point` so that its parameters come as near to `reference` in the Euclidean norm as
 * coordinate descent finds: groups in random order, each solved exactly by linear assignment with the others held, until a
 * sweep changes nothing. The optimum over all groups together is NP-hard; this is a local one. O(sum of size^2 * weights a unit).
 */
export function matchWeights<At extends Point<unknown, unknown>>(spec: PermutationSpec, reference: Point<unknown, unknown>, point: At, options: WeightMatchingOptions = {}): WeightMatching<Pick<At, 'params' | 'state'>> {
  const { seed = 0, signal, onProgress } = options;
  const maxSweeps = requireInteger('matchWeights', 'maxSweeps', options.maxSweeps ?? 100, 1);
  const permutations = (options.start ?? identityPermutations(spec)).map((units) => units.slice());
  const first = parametersOf(reference);
  const second = parametersOf(point);
  const similarity = [innerProduct(spec, first, second, permutations)];
  const neighbours = groupsSharingLeaves(spec);
  // A group needs solving again only when one that shares a leaf with it has moved.
  const stale = new Set(spec.groups.keys());
  let converged = false;
  for (let sweep = 0; sweep < maxSweeps && !converged && signal?.aborted !== true; sweep++) {
    converged = true;
    for (const g of permutation(split(key(seed), 'matchWeights', sweep), spec.groups.length)) {
      if (!stale.delete(g) || !improveGroup(spec, g, first, second, permutations)) continue;
      neighbours[g].forEach((other) => stale.add(other));
      converged = false;
    }
    similarity.push(innerProduct(spec, first, second, permutations));
    onProgress?.(sweep + 1, maxSweeps);
  }
  return { point: applyPermutations(spec, point, permutations), permutations, similarity, converged };
}

type Leaves = ReadonlyMap<string, NDArray>;
const parametersOf = (point: Point<unknown, unknown>): Leaves => new Map(leavesOf({ params: point.params, state: {} }).map(({ path, value }) => [path, value]));

/** For each group the others that lie along a leaf of its own; the group itself where it lies along two axes of one leaf. */
function groupsSharingLeaves({ groups }: PermutationSpec): number[][] {
  const leavesOfGroup = groups.map(({ axes }) => new Set(axes.map(({ leaf }) => leaf)));
  return groups.map(({ axes }, g) => [...groups.keys()].filter((other) => (other === g ? hasRepeatedLeaf(axes) : axes.some(({ leaf }) => leavesOfGroup[other].has(leaf)))));
}

/** Solves one group in place; false when nothing was gained. */
function improveGroup(spec: PermutationSpec, g: number, first: Leaves, second: Leaves, permutations: Int32Array[]): boolean {
  const { size } = spec.groups[g];
  const gains = groupGains(spec, g, first, second, permutations);
  const best = bestAssignment(gains, size);
  const total = (units: Int32Array): number => units.reduce((sum, from, to) => sum + gains[to * size + from], 0);
  const scale = gains.reduce((most, gain) => Math.max(most, Math.abs(gain)), 0) * size;
  if (!(total(best) > total(permutations[g]) + 1e-12 * scale)) return false;
  const before = permutations[g];
  // Where a group lies along two axes of one leaf the gains are those of one at a time: only a real gain is kept.
  const isQuadratic = hasRepeatedLeaf(spec.groups[g].axes);
  const held = isQuadratic ? innerProduct(spec, first, second, permutations) : 0;
  permutations[g] = best;
  if (isQuadratic && !(innerProduct(spec, first, second, permutations) > held)) {
    permutations[g] = before;
    return false;
  }
  return true;
}

const hasRepeatedLeaf = (axes: readonly PermutedAxis[]): boolean => new Set(axes.map(({ leaf }) => leaf)).size < axes.length;

/** gains[u, v]: the inner product of what belongs to unit u of the first and unit v of the second network. */
function groupGains(spec: PermutationSpec, g: number, first: Leaves, second: Leaves, permutations: Permutations): Float64Array {
  const { size, axes } = spec.groups[g];
  const gains = new Float64Array(size * size);
  for (const entry of axes) {
    const a = first.get(entry.leaf);
    const b = second.get(entry.leaf);
    if (a === undefined || b === undefined) continue;
    const left = unitRows(a, entry);
    const right = unitRows(permutedExcept(spec, permutations, entry.leaf, b, entry), entry);
    const width = left.length / size;
    addRowProducts(gains, left, right, size, width);
  }
  return gains;
}

/** gains += left right' of two matrices [size, width]; two rows by four at a time, so that numbers read are used again. */
function addRowProducts(gains: Float64Array, left: Float64Array, right: Float64Array, size: number, width: number): void {
  const whole = size - (size % 4);
  for (let u = 0; u < whole; u += 2) {
    for (let v = 0; v < whole; v += 4) {
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      let p = u * width;
      let q = v * width;
      for (const end = p + width; p < end; p++, q++) {
        const x = left[p];
        const y = left[p + width];
        const r0 = right[q];
        const r1 = right[q + width];
        const r2 = right[q + 2 * width];
        const r3 = right[q + 3 * width];
        a0 += x * r0; a1 += x * r1; a2 += x * r2; a3 += x * r3;
        b0 += y * r0; b1 += y * r1; b2 += y * r2; b3 += y * r3;
      }
      const at = u * size + v;
      gains[at] += a0; gains[at + 1] += a1; gains[at + 2] += a2; gains[at + 3] += a3;
      gains[at + size] += b0; gains[at + size + 1] += b1; gains[at + size + 2] += b2; gains[at + size + 3] += b3;
    }
  }
  for (let u = 0; u < size; u++) {
    for (let v = u < whole ? whole : 0; v < size; v++) gains[u * size + v] += dot(left, u * width, right, v * width, width);
  }
}

/** What belongs to each unit along one axis, a row a unit. */
function unitRows({ data, shape }: NDArray, { axis, positions, copies }: PermutedAxis): Float64Array {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const rows = new Float64Array(positions.length * outer * inner);
  let at = 0;
  for (let unit = 0; unit < positions.length / copies; unit++) {
    for (let k = 0; k < copies; k++) {
      for (let o = 0; o < outer; o++) {
        const from = (o * shape[axis] + positions[unit * copies + k]) * inner;
        rows.set(data.subarray(from, from + inner), at);
        at += inner;
      }
    }
  }
  return rows;
}

/** Inner product of the first network's permuted leaves with those of the permuted second. */
function innerProduct(spec: PermutationSpec, first: Leaves, second: Leaves, permutations: Permutations): number {
  const touched = new Set(spec.groups.flatMap(({ axes }) => axes.map(({ leaf }) => leaf)));
  const unflat = { params: Object.fromEntries([...second].filter(([path]) => touched.has(path)).map(([path, value]) => [path.replace(/^params\./, ''), value])), state: {} };
  const moved = applyPermutations(spec, unflat, permutations).params as Record<string, NDArray>;
  let sum = 0;
  for (const [path, { data }] of Object.entries(moved)) {
    const a = first.get(`params.${path}`)!.data;
    for (let i = 0; i < data.length; i++) sum += a[i] * data[i];
  }
  return sum;
}
