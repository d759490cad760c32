/** Random directions in parameter space, as plain trees; `randomAxes` makes axes of them. @module */
import { key, normal, split, type Key } from '../util/random/index.ts';
import { NDArray } from '../core/ndarray.ts';
import type { Host } from '../transforms/index.ts';
import { flatten } from '../tree/index.ts';
import { normalizeDirection } from './normalization.ts';

/** Independent standard normal numbers in the shape of the parameters, float64; a parameter's draw depends on the key and its name alone. */
export function gaussianDirection<P>(params: Host<P>, from: Key): Host<P> {
  const { leaves: values, structure } = flatten<NDArray>(params);
  return structure.rebuild(values.map(({ shape, size }, i) => new NDArray(normal(split(from, structure.paths[i]), size, { dtype: 'float64' }), shape, 'float64'))) as Host<P>;
}

/**
 * Random direction by filter normalisation (Li et al. 2018, arXiv 1712.09913, section 4): Gaussian, each filter scaled to the
 * norm of the same filter of the parameters; biases and normalisation parameters (rank at most one) are zero, as in the
 * paper's figures. A filter is what feeds one output: a column of a dense weight [in, out], a slice of a convolution kernel
 * [out, ...]. A pure function of the key.
 */
export const filterNormalizedDirection = <P>(params: Host<P>, from: Key): Host<P> =>
  normalizeDirection<P>(gaussianDirection<P>(params, from), params, { normalization: 'filter' });

/** The keys of the random axes of a seed: those of a plane first. */
export const axisKey = (seed: number, axis: number): Key => split(key(seed), 'landscape', ['x', 'y'][axis] ?? `axis ${axis}`);

/** Two independent filter-normalised directions from a seed. */
export const randomPlane = <P>(params: Host<P>, seed: number): [Host<P>, Host<P>] =>
  [filterNormalizedDirection<P>(params, axisKey(seed, 0)), filterNormalizedDirection<P>(params, axisKey(seed, 1))];
