/** Hidden units that may be exchanged without changing the function, and the exchange itself. @module */
import { allocate, NDArray } from '../../core/ndarray.ts';
import { permutation, split, type Key } from '../../util/random/index.ts';
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import { flatten } from '../../tree/index.ts';
import type { Point } from '../../problem/index.ts';

/** One axis of one parameter (or batch statistic) along which units of a group lie. */
export interface PermutedAxis {
  /** Leaf path with its tree in front: `params.layers.0.weight`, `state.stem.norm.mean`. */
  readonly leaf: string;
  readonly axis: number;
  /** Position of copy k of unit u at `positions[u * copies + k]`; after a flattening one unit has several positions. */
  readonly positions: Int32Array;
  readonly copies: number;
}

/** Units that may be permuted among themselves, and every axis that must be permuted with them. */
export interface PermutationGroup {
  /** The first axis it permutes: `params.layers.0.weight axis 1`. */
  readonly name: string;
  /** Number of units. */
  readonly size: number;
  readonly axes: readonly PermutedAxis[];
}

/** All groups of a model: the symmetry group is the product of their symmetric groups. */
export interface PermutationSpec {
  readonly groups: readonly PermutationGroup[];
}

/** A permutation for each group: unit u of the result is unit `permutations[group][u]` of what is permuted. */
export type Permutations = readonly Int32Array[];

/** A group as one writes it by hand: axes by leaf path, whose extents are multiples of the number of units. */
export interface GroupDescription {
  readonly size: number;
  /** `[leaf path, axis]`; an extent of `copies * size` holds the copies of a unit next to each other. */
  readonly axes: readonly (readonly [leaf: string, axis: number])[];
}

/**
 * A spec written by hand, for models whose traced function hides a symmetry: `permutationSpec(point, { hidden: { size: 64, axes:
 * [['params.layers.0.weight', 1], ['params.layers.0.bias', 0], ['params.layers.1.weight', 0]] } })`.
 *
 * @throws ArgumentError when a leaf is not there; ShapeError when an extent is no multiple of the size.
 */
export function permutationSpec(point: Point<unknown, unknown>, groups: Readonly<Record<string, GroupDescription>>): PermutationSpec {
  const shapes = new Map(leavesOf(point).map(({ path, value }) => [path, value.shape]));
  const axisOf = (size: number, leaf: string, axis: number): PermutedAxis => {
    const shape = shapes.get(leaf);
    if (shape === undefined) throw new ArgumentError({ operation: 'permutationSpec', required: 'every leaf must be one of the point', received: `'${leaf}'`, remedy: `one of ${[...shapes.keys()].join(', ')}` });
    const extent = shape[axis];
    if (!(extent > 0) || extent % size !== 0) throw new ShapeError({ operation: 'permutationSpec', required: `axis ${axis} of '${leaf}' must be a multiple of the ${size} units`, received: `[${shape.join(',')}]` });
    return { leaf, axis, copies: extent / size, positions: Int32Array.from({ length: extent }, (_, i) => i) };
  };
  return { groups: Object.entries(groups).map(([name, { size, axes }]) => ({ name, size, axes: axes.map(([leaf, axis]) => axisOf(size, leaf, axis)) })) };
}

/** Leaves of both trees of a point, with the paths that specs name them by. */
export function leavesOf({ params, state }: Point<unknown, unknown>): { path: string; value: NDArray }[] {
  return ([['params', params], ['state', state]] as const).flatMap(([name, tree]) => {
    const { leaves, structure } = flatten<NDArray>(tree);
    return leaves.map((value, i) => ({ path: `${name}.${structure.paths[i]}`, value }));
  });
}

/** The permutations that move nothing. */
export const identityPermutations = ({ groups }: PermutationSpec): Int32Array[] => groups.map(({ size }) => Int32Array.from({ length: size }, (_, i) => i));
/** A uniformly random element of the symmetry group. A pure function of the key. */
export const randomPermutations = ({ groups }: PermutationSpec, key: Key): Int32Array[] => groups.map(({ size }, i) => permutation(split(key, 'group', i), size));

/** The permutations that undo the given ones. */
export const inversePermutations = (permutations: Permutations): Int32Array[] => permutations.map((units) => {
  const out = new Int32Array(units.length);
  units.forEach((from, to) => { out[from] = to; });
  return out;
});

/** `second` after `first`: permuting by the result is permuting by `first`, then by `second`. */
export const composePermutations = (first: Permutations, second: Permutations): Int32Array[] => second.map((units, i) => units.map((unit) => first[i][unit]));

/** Along an axis: from which old position each new position is taken; null when nothing moves. */
function sourcesOf(extent: number, moves: readonly { readonly entry: PermutedAxis; readonly units: Int32Array }[]): Int32Array | null {
  const sources = Int32Array.from({ length: extent }, (_, i) => i);
  let isMoved = false;
  for (const { entry: { positions, copies }, units } of moves) {
    units.forEach((from, to) => {
      if (from === to) return;
      isMoved = true;
      for (let k = 0; k < copies; k++) sources[positions[to * copies + k]] = positions[from * copies + k];
    });
  }
  return isMoved ? sources : null;
}

/** Takes positions along one axis of row-major data. */
function takeAlong<T extends NDArray['data'] | Float64Array>(data: T, shape: readonly number[], axis: number, sources: Int32Array, out: T): T {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const extent = shape[axis];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < sources.length; i++) {
      const from = (o * extent + sources[i]) * inner;
      out.set(data.subarray(from, from + inner), (o * sources.length + i) * inner);
    }
  }
  return out;
}

/** The axes of each leaf that permutations move; `except` leaves out one entry. */
function movesByLeaf({ groups }: PermutationSpec, permutations: Permutations, except?: PermutedAxis): Map<string, { entry: PermutedAxis; units: Int32Array }[]> {
  const moves = new Map<string, { entry: PermutedAxis; units: Int32Array }[]>();
  groups.forEach((group, g) => group.axes.forEach((entry) => {
    if (entry === except) return;
    const list = moves.get(entry.leaf) ?? [];
    list.push({ entry, units: permutations[g] });
    moves.set(entry.leaf, list);
  }));
  return moves;
}

/** One leaf permuted along its axes. */
function permuteLeaf(value: NDArray, moves: readonly { entry: PermutedAxis; units: Int32Array }[]): NDArray {
  return value.shape.reduce((at, extent, axis) => {
    const sources = sourcesOf(extent, moves.filter(({ entry }) => entry.axis === axis));
    return sources === null ? at : new NDArray(takeAlong(at.data, at.shape, axis, sources, allocate(at.dtype, at.size)), at.shape, at.dtype);
  }, value);
}

/** One leaf of a point permuted by all groups but the one entry: what weight matching compares. */
export const permutedExcept = (spec: PermutationSpec, permutations: Permutations, leaf: string, value: NDArray, except: PermutedAxis): NDArray =>
  permuteLeaf(value, movesByLeaf(spec, permutations, except).get(leaf) ?? []);

/**
 * The point with its hidden units permuted: another point of the same function. Every number is moved, none is changed.
 *
 * @throws ArgumentError when there is not one permutation of the right length for each group.
 */
export function applyPermutations<At extends Point<unknown, unknown>>(spec: PermutationSpec, { params, state }: At, permutations: Permutations): Pick<At, 'params' | 'state'> {
  requirePermutations(spec, permutations);
  const moves = movesByLeaf(spec, permutations);
  const moved = <T>(name: string, tree: T): T => {
    const { leaves, structure } = flatten<NDArray>(tree);
    return structure.rebuild(leaves.map((value, i) => permuteLeaf(value, moves.get(`${name}.${structure.paths[i]}`) ?? []))) as T;
  };
  return { params: moved('params', params), state: moved('state', state) };
}

function requirePermutations({ groups }: PermutationSpec, permutations: Permutations): void {
  const fits = permutations.length === groups.length && groups.every(({ size }, i) => permutations[i].length === size && new Set(permutations[i]).size === size && permutations[i].every((unit) => unit >= 0 && unit < size));
  if (!fits) throw new ArgumentError({ operation: 'applyPermutations', required: `one permutation for each of the groups of ${groups.map(({ size }) => size).join(', ')} units`, received: `lists of ${permutations.map(({ length }) => length).join(', ')}` });
}
