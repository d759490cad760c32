/** What estimators share: options, progress, and what a run cost. @module */
import type { Cost } from '../problem/index.ts';
import { key as makeKey, normal, type Key } from '../util/random/index.ts';
import { norm, scaleBy } from './basis.ts';
import type { LinearOperator } from './operator.ts';

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

export const keyOf = ({ key }: EstimatorOptions): Key => key ?? makeKey(0);

/** Counts seconds and products since it was made. */
export function meter(operator: LinearOperator): () => Cost {
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
