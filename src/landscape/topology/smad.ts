/** Saddle-minimum average distance: how rough a landscape is. @module */
import type { Measurement } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { requireNumber } from '../../util/require.ts';
import type { Basins } from './basins.ts';
import type { MergeTree } from './merge-tree.ts';

/** A minimum with the saddle next to it in the tree. */
export interface SaddleMinimumPair {
  readonly minimum: number;
  readonly saddle: number;
  /** Height of the saddle above the minimum. */
  readonly gap: number;
  /** Position of the minimum's branch. */
  readonly branch: number;
}

/** The edges of a sublevel tree between a minimum and a saddle. The deepest minimum has one too. */
export function saddleMinimumPairs(tree: MergeTree): SaddleMinimumPair[] {
  if (tree.direction !== 'sublevel') throw new ArgumentError({ operation: 'saddleMinimumPairs', required: 'tree must be a sublevel tree', received: 'a superlevel tree', remedy: "mergeTree(values, graph, { direction: 'sublevel' })" });
  return tree.nodes.flatMap(({ kind, parent, vertex, value }, branch) => {
    if (kind !== 'leaf' || parent < 0 || tree.nodes[parent].kind !== 'saddle') return [];
    return [{ minimum: vertex, saddle: tree.nodes[parent].vertex, gap: Math.abs(tree.nodes[parent].value - value), branch }];
  });
}

/** How the distances are averaged. */
export interface SmadOptions {
  /** Divides by the difference of the largest and the smallest value. Default false. */
  readonly normalize?: boolean;
  /** Basins of the same tree: each gap is weighted by its minimum's share of all samples. The weights are not normalised. */
  readonly weights?: Basins;
  /** Bound of the error of each sample. Default: rounding to float64. */
  readonly sampleError?: number;
}

/** SMAD and what it is made of. */
export interface Smad extends Measurement {
  readonly pairs: readonly SaddleMinimumPair[];
  /** Branches whose persistence is at most twice the error of a sample: they may be noise, and others hidden by it. */
  readonly uncertain: number;
}

/**
 * The saddle-minimum average distance as Landscaper computes it: over all edges of the sublevel merge tree between a saddle and a
 * minimum, the mean of |f(saddle) - f(minimum)|; weighted, (1 / pairs) sum of gap times basin share (not divided by the sum of
 * shares). 0 without saddles, NaN without pairs. The error, 2 sampleError for each gap, holds while no pair appears or goes:
 * `uncertain` counts those near that.
 *
 * @throws ArgumentError for a superlevel tree, or when the weights are those of another tree.
 */
export function smad(tree: MergeTree, options: SmadOptions = {}): Smad {
  const { normalize = false, weights, sampleError } = options;
  const [low, high] = tree.range;
  const noise = sampleError === undefined ? 2 ** -53 * Math.max(Math.abs(low), Math.abs(high)) : requireNumber('smad', 'sampleError', sampleError, 0);
  const pairs = saddleMinimumPairs(tree);
  if (weights !== undefined && weights.sizes.length !== tree.branches.length) throw new ArgumentError({ operation: 'smad', required: `weights must have ${tree.branches.length} basins`, received: String(weights.sizes.length), remedy: 'compute them with the same tree' });
  const total = weights?.sizes.reduce((sum, size) => sum + size, 0) ?? 1;
  const share = ({ branch }: SaddleMinimumPair): number => (weights === undefined ? 1 : weights.sizes[branch] / total);
  const unit = normalize ? high - low : 1;
  const mean = (of: (pair: SaddleMinimumPair) => number): number => pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const value = tree.nodes.every(({ kind }) => kind !== 'saddle') ? 0 : mean((pair) => (pair.gap / unit) * share(pair));
  // The range moves by as much as a gap does.
  const error = value === 0 ? 0 : mean((pair) => ((2 * noise) / unit) * share(pair)) + (normalize ? (2 * noise * value) / unit : 0);
  const uncertain = tree.branches.filter(({ persistence }) => persistence <= 2 * noise).length;
  return { value, error, kind: sampleError === undefined ? 'rounding' : 'bound', pairs, uncertain };
}
