/** What estimators share: options, progress, random vectors, and what a run cost. @module */
import type { Cost } from '../problem/index.ts';
import { key as makeKey, normal, rademacher, split, type Key } from '../util/random/index.ts';
import { norm, scaleBy } from './basis.ts';
import type { LinearMap } from './operator.ts';

/** How far an estimate is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What is counted. */
  readonly unit: 'products' | 'eigenpairs' | 'groups';
}

/** Options of every estimator. */
export interface EstimatorOptions {
  /** The seed of the random vectors. Default `key(0)`: same key, same bits. */
  readonly key?: Key;
  /** Stops early: what has been measured is returned and marked `aborted`; the signal's reason is thrown when that is nothing. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Distribution of the entries of random vectors, of mean 0 and variance 1: signs (least variance of a trace) or normal. */
export type ProbeDistribution = 'rademacher' | 'normal';

export const keyOf = ({ key }: EstimatorOptions): Key => key ?? makeKey(0);

/** Counts seconds and products since it was made. */
export function meter(operator: LinearMap): () => Cost {
  const start = performance.now();
  const before = operator.products;
  return () => ({ products: operator.products - before, seconds: (performance.now() - start) / 1000 });
}

/** A uniformly distributed unit vector. */
export function randomUnit(key: Key, size: number): Float64Array {
  const vector = normal(key, size, { dtype: 'float64' });
  scaleBy(vector, 1 / norm(vector));
  return vector;
}

/** Random vector number `index` of a run: the same for every estimator with this key and name. */
export const probeVector = (options: EstimatorOptions, index: number, size: number, distribution: ProbeDistribution = 'rademacher', name = 'probe'): Float64Array =>
  (distribution === 'normal' ? normal : rademacher)(split(keyOf(options), name, index), size, { dtype: 'float64' });

/** How random vectors are multiplied. */
export interface ProbeRun {
  /** Most vectors. */
  readonly count: number;
  readonly distribution?: ProbeDistribution;
  /** Vectors multiplied at once; default: the block of the map. */
  readonly block?: number;
  /** Products with the transpose. Default false. */
  readonly transposed?: boolean;
  /** Changes a vector before it is multiplied. */
  readonly prepare?: (vector: Float64Array) => void;
  readonly onBlock?: () => void;
}

/**
 * Multiplies random vectors, block by block, and shows each with its image until `visit` returns false, the count is reached or
 * the signal comes (then at least one block has been shown). Returns how many were shown.
 */
export async function forEachProbe(map: LinearMap, options: EstimatorOptions, run: ProbeRun, visit: (vector: Float64Array, image: Float64Array) => boolean | void): Promise<number> {
  const { count, distribution, block = map.block, transposed = false, prepare, onBlock } = run;
  const size = transposed ? map.rows : map.columns;
  let done = 0;
  while (done < count && (done === 0 || options.signal?.aborted !== true)) {
    const vectors = Array.from({ length: Math.min(block, count - done) }, (_, i) => probeVector(options, done + i, size, distribution));
    if (prepare) vectors.forEach(prepare);
    const images = await (transposed ? map.multiplyTransposed(vectors) : map.multiply(vectors));
    for (let i = 0; i < vectors.length; i++) {
      done++;
      if (visit(vectors[i], images[i]) === false) return done;
    }
    onBlock?.();
  }
  return done;
}
