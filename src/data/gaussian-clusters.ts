/** Gaussian clusters: a classification problem whose difficulty is one number. @module */
import { NDArray } from '../core/ndarray.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { normal, split } from '../util/random/index.ts';
import { makeSplit } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { drawSplits, SYNTHETIC_LICENCE } from './synthetic.ts';
import type { SyntheticOptions } from './synthetic.ts';

export interface GaussianClustersOptions extends SyntheticOptions {
  /** Number of clusters, one a class; 3 by default. */
  readonly classes?: number;
  /** 2 by default. */
  readonly dimension?: number;
  /** Standard deviation of the centres in each coordinate, in units of that of the clusters; 4 by default. */
  readonly separation?: number;
}

/**
 * Classes as isotropic normal clouds of unit variance around normal centres: inputs f32[n, dimension], targets i32[n];
 * example i has the label i mod classes, so classes are balanced. @throws ArgumentError
 */
export function gaussianClusters(options: GaussianClustersOptions = {}): Dataset {
  const { classes = 3, dimension = 2, separation = 4 } = options;
  requireInteger('gaussianClusters', 'classes', classes, 1);
  requireInteger('gaussianClusters', 'dimension', dimension, 1);
  requireNumber('gaussianClusters', 'separation', separation, 0);
  const { train, test } = drawSplits('gaussianClusters', options, (key, samples, law) => {
    const centres = normal(law, [classes, dimension], { deviation: separation, dtype: 'float64' });
    const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);
    const noise = normal(split(key, 'inputs'), [samples, dimension], { dtype: 'float64' });
    const inputs = Float32Array.from(noise, (x, at) => x + centres[labels[Math.floor(at / dimension)] * dimension + (at % dimension)]);
    return makeSplit(new NDArray(inputs, [samples, dimension], 'float32'), new NDArray(labels, [samples], 'int32'));
  });
  return {
    name: 'gaussian-clusters', kind: 'classification', train, test, classes: Array.from({ length: classes }, (_, c) => `cluster ${c}`),
    inputShape: [dimension], licence: SYNTHETIC_LICENCE, source: `${classes} normal clusters with centres of deviation ${separation}`,
  };
}
