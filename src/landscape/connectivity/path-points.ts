/** Points between points of parameter space: affine combinations on the host, in float64. @module */
import { allocate, isFloat, NDArray } from '../../core/ndarray.ts';
import type { Point } from '../../problem/index.ts';
import { flatten, requireSameStructure } from '../../tree/index.ts';
import { ShapeError } from '../../util/errors.ts';

/**
 * sum_i weights[i] trees[i], leaf by leaf, each element rounded once; with one weight of one, that tree itself, so that the
 * ends of a path are exactly what was given. Leaves that are not floating-point are the first tree's.
 */
export function combineTrees<T>(trees: readonly T[], weights: readonly number[]): T {
  const only = weights.findIndex((weight) => weight === 1);
  if (only >= 0 && weights.every((weight, i) => i === only || weight === 0)) return trees[only];
  const flat = trees.map((tree) => flatten<NDArray>(tree).leaves);
  const { leaves, structure } = flatten<NDArray>(trees[0]);
  return structure.rebuild(leaves.map((leaf, l) => {
    if (!isFloat(leaf.dtype)) return leaf;
    const data = allocate(leaf.dtype, leaf.size);
    for (let i = 0; i < data.length; i++) {
      let value = 0;
      for (let k = 0; k < weights.length; k++) value += weights[k] * flat[k][l].data[i];
      data[i] = value;
    }
    return new NDArray(data, leaf.shape, leaf.dtype);
  })) as T;
}

/** The combination of points: parameters and batch statistics alike. */
export const combinePoints = <At extends Point<unknown, unknown>>(points: readonly At[], weights: readonly number[]): Pick<At, 'params' | 'state'> =>
  ({ params: combineTrees(points.map(({ params }) => params), weights), state: combineTrees(points.map(({ state }) => state), weights) });

/** @throws TreeError | ShapeError unless both points have the same leaves. */
export function requireAlike(operation: string, first: Point<unknown, unknown>, second: Point<unknown, unknown>): void {
  const a = flatten<NDArray>(first.params);
  const b = flatten<NDArray>(second.params);
  requireSameStructure(operation, a.structure, b.structure);
  const odd = a.leaves.findIndex((leaf, i) => String(leaf) !== String(b.leaves[i]));
  if (odd >= 0) throw new ShapeError({ operation, required: `both points must hold ${a.leaves[odd]} at '${a.structure.paths[odd]}'`, received: String(b.leaves[odd]) });
}

/** Inner products of the differences to the first tree: all distances between affine combinations follow from them. [n, n] row-major. */
export function differenceGram(trees: readonly unknown[]): Float64Array {
  const flat = trees.map((tree) => flatten<NDArray>(tree).leaves);
  const n = trees.length;
  const gram = new Float64Array(n * n);
  flat[0].forEach(({ data: origin, dtype }, l) => {
    if (!isFloat(dtype)) return;
    const differences = flat.map((leaves) => Float64Array.from(leaves[l].data, (value, i) => value - origin[i]));
    for (let a = 0; a < n; a++) {
      for (let b = 0; b <= a; b++) {
        let sum = 0;
        for (let i = 0; i < origin.length; i++) sum += differences[a][i] * differences[b][i];
        gram[a * n + b] += sum;
        if (a !== b) gram[b * n + a] += sum;
      }
    }
  });
  return gram;
}

/** Euclidean distance between two points' parameters. */
export function parameterDistance(first: Point<unknown, unknown>, second: Point<unknown, unknown>): number {
  return Math.sqrt(differenceGram([first.params, second.params])[3]);
}
