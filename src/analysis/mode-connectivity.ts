/** How several trained points of one problem hang together: barriers, distances and similarity for each pair. @module */
import type { Split } from '../data/index.ts';
import { linearBarrier, matchActivations, matchStraightThrough, matchWeights, permutationSymmetries, representations, type BarrierOptions, type PermutationSpec, type SplitBarrier } from '../landscape/index.ts';
import type { Measurement, Point, Problem } from '../problem/index.ts';
import type { Executor } from '../core/backend.ts';
import { takeRows } from '../data/index.ts';
import { choice, key, split } from '../util/random/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { linearAlignment } from './similarity.ts';
import { weightSimilarity } from './similarity-weights.ts';

export interface ModeConnectivityOptions extends Omit<BarrierOptions, 'onProgress'> {
  /** How the second of each pair is aligned to the first. Default `weights`; `none` leaves that half of the report out. */
  readonly alignment?: 'weights' | 'activations' | 'straight-through' | 'none';
  /** The symmetries; default: those found in the traced model. */
  readonly spec?: PermutationSpec;
  /** Training examples that representations are compared on, drawn by the seed; 0 for no comparison. Default 256. */
  readonly similarityExamples?: number;
  /** Default 0. */
  readonly seed?: number;
  readonly executor?: Executor;
  /** Pairs done, and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Barriers and distance of one pair. */
export interface PairConnection {
  readonly distance: Measurement;
  readonly cosine: Measurement;
  readonly train?: Pick<SplitBarrier, 'barrier' | 'accuracyBarrier' | 'maxDeviation' | 'samples'>;
  readonly test?: Pick<SplitBarrier, 'barrier' | 'accuracyBarrier' | 'maxDeviation' | 'samples'>;
}

/** One pair of points. */
export interface PairReport {
  readonly first: number;
  readonly second: number;
  readonly asFound: PairConnection;
  /** With the second point's hidden units permuted to the first's; absent with alignment `none`. */
  readonly aligned?: PairConnection;
  /** Linear CKA of what each layer reads, and of the outputs; unbiased estimator. It does not depend on the order of units. */
  readonly similarity: readonly { readonly name: string; readonly value: Measurement }[];
}

/** What `modeConnectivity` measures: plain numbers, ready for JSON. */
export interface ModeConnectivityReport {
  readonly format: 'thalweg mode connectivity 1';
  readonly problem: string;
  readonly points: number;
  readonly alignment: 'weights' | 'activations' | 'straight-through' | 'none';
  /** Groups of interchangeable units that were found, with their sizes. */
  readonly groups: readonly { readonly name: string; readonly size: number }[];
  readonly pairs: readonly PairReport[];
  /** Training barriers, [points][points], zero on the diagonal and symmetric; `aligned` follows the pairs i < j, j aligned to i. */
  readonly barriers: { readonly asFound: readonly (readonly number[])[]; readonly aligned?: readonly (readonly number[])[] };
  /** False when a signal stopped it: missing pairs are NaN in the matrices, which JSON writes as null. */
  readonly complete: boolean;
}

/**
 * Measures every pair of points: the linear barrier as found and after permuting the second's hidden units, distance, angle, and CKA
 * of representations. N points make N (N - 1) / 2 pairs.
 *
 * @throws ArgumentError with fewer than two points; whatever `linearBarrier` throws.
 */
export async function modeConnectivity<P, State>(problem: Problem<P, State>, points: readonly Point<P, State>[], options: ModeConnectivityOptions = {}): Promise<ModeConnectivityReport> {
  const { alignment = 'weights', seed = 0, similarityExamples = Math.min(256, problem.train.size), signal, onProgress } = options;
  if (points.length < 2) throw new ArgumentError({ operation: 'modeConnectivity', required: 'at least two points', received: String(points.length) });
  requireInteger('modeConnectivity', 'similarityExamples', similarityExamples, 0, problem.train.size);
  const spec = alignment === 'none' ? { groups: [] } : options.spec ?? permutationSymmetries(problem.model as never, points[0], problem.train.inputs);
  const sample = takeRows(problem.train, choice(split(key(seed), 'similarity'), problem.train.size, similarityExamples));
  const rows = similarityExamples === 0 ? [] : await inTurn(points, (point) => representations(problem, point, sample, { executor: options.executor }));
  const indices = points.flatMap((_, i) => points.slice(i + 1).map((__, k) => [i, i + 1 + k] as const));
  const pairs: PairReport[] = [];
  for (const [first, second] of indices) {
    if (signal?.aborted === true) break;
    const [a, b] = [points[first], points[second]];
    const moved = alignment === 'none' ? undefined : await align(problem, spec, a, b, alignment, options);
    pairs.push({
      first, second, asFound: await connection(problem, a, b, options), ...(moved && { aligned: await connection(problem, a, moved, options) }),
      similarity: (rows[first] ?? []).map((x, i) => ({ name: x.name, value: linearAlignment(x, rows[second][i]) })),
    });
    onProgress?.(pairs.length, indices.length);
  }
  const matrix = (of: (pair: PairReport) => PairConnection | undefined): number[][] => barrierMatrix(points.length, pairs, of);
  return {
    format: 'thalweg mode connectivity 1', problem: problem.name, points: points.length, alignment,
    groups: spec.groups.map(({ name, size }) => ({ name, size })), pairs, complete: pairs.length === indices.length && signal?.aborted !== true,
    barriers: { asFound: matrix(({ asFound }) => asFound), ...(alignment !== 'none' && { aligned: matrix(({ aligned }) => aligned) }) },
  };
}

async function inTurn<A, B>(items: readonly A[], f: (item: A) => Promise<B>): Promise<B[]> {
  const out: B[] = [];
  for (const item of items) out.push(await f(item));
  return out;
}

async function align<P, State>(problem: Problem<P, State>, spec: PermutationSpec, a: Point<P, State>, b: Point<P, State>, by: 'weights' | 'activations' | 'straight-through', { seed, executor, chunk, memoryBudget, signal }: ModeConnectivityOptions): Promise<Point<P, State>> {
  if (by === 'weights') return matchWeights(spec, a, b, { seed }).point;
  if (by === 'straight-through') return (await matchStraightThrough(problem, spec, a, b, { seed, executor, signal })).point;
  const data: Split = problem.train;
  return (await matchActivations(problem, a, b, data, { executor, chunk, memoryBudget })).point;
}

async function connection<P, State>(problem: Problem<P, State>, a: Point<P, State>, b: Point<P, State>, options: ModeConnectivityOptions): Promise<PairConnection> {
  const { points, refineTo, splits, batchNorm, executor, chunk, memoryBudget, signal } = options;
  const { train, test } = await linearBarrier(problem, a, b, { points, refineTo, splits, batchNorm, executor, chunk, memoryBudget, signal });
  const { distance, cosine } = weightSimilarity(a, b).all;
  return { distance, cosine, ...(train && { train: heights(train) }), ...(test && { test: heights(test) }) };
}

const heights = ({ barrier, accuracyBarrier, maxDeviation, samples }: SplitBarrier): NonNullable<PairConnection['train']> => ({ barrier, maxDeviation, samples, ...(accuracyBarrier && { accuracyBarrier }) });

function barrierMatrix(n: number, pairs: readonly PairReport[], of: (pair: PairReport) => PairConnection | undefined): number[][] {
  const matrix = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 0 : NaN)));
  for (const pair of pairs) {
    const at = of(pair);
    const value = (at?.train ?? at?.test)?.barrier.value ?? NaN;
    matrix[pair.first][pair.second] = value;
    matrix[pair.second][pair.first] = value;
  }
  return matrix;
}
