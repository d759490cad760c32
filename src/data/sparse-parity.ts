/** Sparse parity: a label that depends on a few of many bits. @module */
import { NDArray } from '../core/ndarray.ts';
import { requireInteger } from '../util/require.ts';
import { choice, rademacher, split } from '../util/random/index.ts';
import { makeSplit } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { drawSplits, lawKey, SYNTHETIC_LICENCE } from './synthetic.ts';
import type { SyntheticOptions } from './synthetic.ts';

export interface SparseParityOptions extends SyntheticOptions {
  /** Number of bits; 40 by default. */
  readonly dimension?: number;
  /** Number of bits the label depends on; 3 by default. */
  readonly order?: number;
}

export interface SparseParityDataset extends Dataset {
  /** The bits the label depends on, ascending. */
  readonly support: readonly number[];
}

/**
 * Uniform inputs of -1 and +1, f32[n, dimension], and targets i32[n]: 1 where an odd number of the bits of a random subset
 * are -1. Barak, Edelman, Goel, Kakade, Malach, Zhang, "Hidden progress in deep learning", 2022. @throws ArgumentError
 */
export function sparseParity(options: SparseParityOptions = {}): SparseParityDataset {
  const { dimension = 40, order = 3, seed = 0 } = options;
  requireInteger('sparseParity', 'dimension', dimension, 1);
  requireInteger('sparseParity', 'order', order, 1, dimension);
  const support = [...choice(lawKey('sparseParity', seed), dimension, order).sort()];
  const { train, test } = drawSplits('sparseParity', options, (key, samples) => {
    const inputs = rademacher(split(key, 'inputs'), [samples, dimension]);
    const labels = Int32Array.from({ length: samples }, (_, i) => support.reduce((odd, bit) => odd ^ (inputs[i * dimension + bit] < 0 ? 1 : 0), 0));
    return makeSplit(new NDArray(inputs, [samples, dimension], 'float32'), new NDArray(labels, [samples], 'int32'));
  });
  return {
    name: 'sparse-parity', kind: 'classification', train, test, support, classes: ['even', 'odd'], inputShape: [dimension],
    licence: SYNTHETIC_LICENCE, source: `parity of ${order} of ${dimension} bits; Barak et al. 2022`,
  };
}
