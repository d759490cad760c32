/** Gaussian clusters: a classification problem whose difficulty is one number. @module */
import { NDArray } from '../core/ndarray.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { normal, split } from '../util/random/index.ts';
import { makeSplit } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { redrawnLabels } from './pooled-images.ts';
import { drawSplits, SYNTHETIC_LICENCE } from './synthetic.ts';
import type { SyntheticOptions } from './synthetic.ts';

export interface GaussianClustersOptions extends SyntheticOptions {
  /** Number of clusters, one a class; 3 by default. */
  readonly classes?: number;
  /** 2 by default. */
  readonly dimension?: number;
  /** Standard deviation of the centres in each coordinate, in units of that of the clusters; 4 by default. */
  readonly separation?: number;
  /** Distance of every centre from the origin, in the same units; in the place of `separation`: directions are uniform then. */
  readonly radius?: number;
  /** Share of each split's labels that are drawn anew, uniformly over all classes; 0 by default. */
  readonly labelNoise?: number;
}

/**
 * Classes as isotropic normal clouds of unit variance around normal centres: inputs f32[n, dimension], targets i32[n];
 * example i has the label i mod classes, so classes are balanced, but for labels that `labelNoise` draws anew.
 * @throws ArgumentError when an option is out of range, or both `separation` and `radius` are given.
 */
export function gaussianClusters(options: GaussianClustersOptions = {}): Dataset {
  const { classes = 3, dimension = 2, separation = 4, radius, labelNoise = 0 } = options;
  requireInteger('gaussianClusters', 'classes', classes, 1);
  requireInteger('gaussianClusters', 'dimension', dimension, 1);
  requireNumber('gaussianClusters', 'separation', separation, 0);
  if (radius !== undefined) requireNumber('gaussianClusters', 'radius', radius, 0);
  if (radius !== undefined && options.separation !== undefined) {
    throw new ArgumentError({ operation: 'gaussianClusters', required: 'one of separation and radius may be given', received: 'both' });
  }
  const { train, test } = drawSplits('gaussianClusters', options, (key, samples, law) => {
    const drawn = normal(law, [classes, dimension], { deviation: radius === undefined ? separation : 1, dtype: 'float64' });
    const centres = radius === undefined ? drawn : onSphere(drawn, dimension, radius);
    const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);
    const noise = normal(split(key, 'inputs'), [samples, dimension], { dtype: 'float64' });
    const inputs = Float32Array.from(noise, (x, at) => x + centres[labels[Math.floor(at / dimension)] * dimension + (at % dimension)]);
    const clean = makeSplit(new NDArray(inputs, [samples, dimension], 'float32'), new NDArray(labels, [samples], 'int32'));
    return labelNoise === 0 ? clean : redrawnLabels(clean, labelNoise, classes, split(key, 'noise'));
  });
  return {
    name: 'gaussian-clusters', kind: 'classification', train, test, classes: Array.from({ length: classes }, (_, c) => `cluster ${c}`),
    inputShape: [dimension], licence: SYNTHETIC_LICENCE, source: `${classes} normal clusters with centres ${radius === undefined ? `of deviation ${separation}` : `at distance ${radius} from the origin`}`,
  };
}

/** Rows rescaled to one norm. */
function onSphere(rows: Float64Array, width: number, radius: number): Float64Array {
  return rows.map((x, at) => {
    const start = at - (at % width);
    return (radius * x) / Math.hypot(...rows.subarray(start, start + width));
  });
}
