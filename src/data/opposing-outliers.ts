/** Outliers in two groups that share a large feature and pull its weight in opposite directions. @module */
import { NDArray } from '../core/ndarray.ts';
import { normal, split } from '../util/random/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { makeSplit, type Dataset } from './dataset.ts';
import { drawSplits, SYNTHETIC_LICENCE, type SyntheticOptions } from './synthetic.ts';

export interface OpposingOutliersOptions extends SyntheticOptions {
  /** Number of signal inputs; the outlier input comes after them. 10 by default. */
  readonly dimension?: number;
  /** Share of the examples that are outliers, half of them of either sign; 0.04 by default. */
  readonly share?: number;
  /** A: the outlier input of the groups is +A and -A, that of all others 0. 16 by default; at 0 the feature is not there. */
  readonly amplitude?: number;
  /** Added to the targets of both groups; 2 by default. */
  readonly bump?: number;
  /** Norm of the vector that the signal is read by; 4 by default. */
  readonly signalNorm?: number;
}

/** The data with the places of the groups in the train split. */
export interface OpposingOutliersDataset extends Dataset {
  readonly groups: {
    /** Outlier input +A. */
    readonly plus: Int32Array;
    /** Outlier input -A. */
    readonly minus: Int32Array;
    /** No outlier input, no bump. */
    readonly rest: Int32Array;
  };
}

/**
 * Inputs f32[n, dimension + 1], targets f32[n, 1]: x standard normal but for its last entry o, y = beta . x + bump [o != 0], beta uniform on the
 * sphere of radius `signalNorm`. The first floor(share n) / 2 examples have o = A, as many after them o = -A, all others o = 0. Both groups
 * want the same bump, so the best weight on o is near zero, while each group by itself pulls it away with a gradient in proportion
 * to A. A model of the opposing signals of Rosenfeld and Risteski 2023. The draws do not depend on the amplitude.
 * @throws ArgumentError
 */
export function opposingOutliers(options: OpposingOutliersOptions = {}): OpposingOutliersDataset {
  const { dimension = 10, share = 0.04, amplitude = 16, bump = 2, signalNorm = 4, samples: total = 1000 } = options;
  requireInteger('opposingOutliers', 'dimension', dimension, 1);
  requireNumber('opposingOutliers', 'share', share, 0, 1);
  requireNumber('opposingOutliers', 'amplitude', amplitude, 0);
  requireNumber('opposingOutliers', 'bump', bump);
  requireNumber('opposingOutliers', 'signalNorm', signalNorm, 0);
  const width = dimension + 1;
  const groupSize = (samples: number): number => Math.floor(Math.floor(share * samples) / 2);
  const { train, test } = drawSplits('opposingOutliers', options, (key, samples, law) => {
    const raw = normal(law, dimension, { dtype: 'float64' });
    const length = Math.hypot(...raw);
    const drawn = normal(split(key, 'inputs'), [samples, dimension], { dtype: 'float64' });
    const inputs = new Float32Array(samples * width);
    const targets = new Float32Array(samples);
    const count = groupSize(samples);
    for (let i = 0; i < samples; i++) {
      const row = drawn.subarray(i * dimension, (i + 1) * dimension);
      inputs.set(row, i * width);
      inputs[i * width + dimension] = i < count ? amplitude : i < 2 * count ? -amplitude : 0;
      targets[i] = row.reduce((sum, x, j) => sum + x * raw[j] * (signalNorm / length), 0) + (i < 2 * count ? bump : 0);
    }
    return makeSplit(new NDArray(inputs, [samples, width], 'float32'), new NDArray(targets, [samples, 1], 'float32'));
  });
  const count = groupSize(total);
  const range = (from: number, to: number): Int32Array => Int32Array.from({ length: to - from }, (_, i) => from + i);
  return {
    name: 'opposing-outliers', kind: 'regression', train, test, groups: { plus: range(0, count), minus: range(count, 2 * count), rest: range(2 * count, total) },
    inputShape: [width], licence: SYNTHETIC_LICENCE, source: `a linear signal of norm ${signalNorm}, outliers of ±${amplitude} with a bump of ${bump}; after Rosenfeld and Risteski 2023`,
  };
}
