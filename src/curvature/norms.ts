/** Frobenius norm of linear maps. @module */
import { estimated, jackknifed, type Cost, type Measurement } from '../problem/index.ts';
import { requireInteger } from '../util/require.ts';
import { dot } from './basis.ts';
import { forEachProbe, meter, type EstimatorOptions, type ProbeDistribution } from './estimator.ts';
import type { LinearMap } from './operator.ts';

/** Effort of a norm. */
export interface NormOptions extends EstimatorOptions {
  /** Random vectors. Default 32. */
  readonly probes?: number;
  /** Default `rademacher`. */
  readonly distribution?: ProbeDistribution;
}

/** The Frobenius norm and its square. */
export interface FrobeniusNorm extends Measurement {
  /** Sum of the squares of all entries: for a symmetric operator, of all eigenvalues. Unbiased. */
  readonly squared: Measurement;
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

/**
 * The Frobenius norm by random vectors: |A|_F^2 = tr A'A is the mean of |A z|^2 (from the shorter side: |A'z|^2 for maps with fewer
 * rows than columns, which then need `multiplyTransposed`). The norm is the root of that mean, its bias and standard error
 * by the jackknife. Cost: probes products.
 */
export async function frobeniusNorm(map: LinearMap, options: NormOptions = {}): Promise<FrobeniusNorm> {
  const probes = requireInteger('frobeniusNorm', 'probes', options.probes ?? 32, 1);
  const measure = meter(map);
  options.signal?.throwIfAborted();
  const samples: number[] = [];
  const report = (): void => options.onProgress?.({ done: measure().products, total: probes, unit: 'products' });
  await forEachProbe(map, options, { count: probes, distribution: options.distribution, transposed: map.columns > map.rows, onBlock: report }, (_, image) => { samples.push(dot(image, image)); });
  const norm = jackknifed(samples, (values) => Math.sqrt(values.reduce((sum, x) => sum + x, 0) / values.length));
  return { ...norm, squared: estimated(samples), stopped: samples.length < probes ? 'aborted' : 'converged', cost: measure() };
}
