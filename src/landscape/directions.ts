/** Directions in parameter space. @module */
import { key, normal, split, type Key } from '../util/random/index.ts';
import { allocate, NDArray, sizeOf, toDtype, type Shape } from '../core/ndarray.ts';
import type { Host } from '../transforms/index.ts';
import { flatten } from '../tree/index.ts';

/**
 * Random direction by filter normalisation (Li et al. 2018, arXiv 1712.09913, section 4): Gaussian, each filter scaled to the
 * norm of the same filter of the parameters; biases and normalisation parameters (rank at most one) are zero, as in the
 * paper's figures. A filter is what feeds one output: a column of a dense weight [in, out], a slice of a convolution kernel
 * [out, ...]. A pure function of the key.
 */
export function filterNormalizedDirection<P>(params: Host<P>, from: Key): Host<P> {
  const { leaves: values, structure } = flatten<NDArray>(params);
  return structure.rebuild(values.map((value, i) => {
    const { shape, size, dtype } = value;
    if (shape.length < 2) return new NDArray(allocate(dtype, size), shape, dtype);
    const random = normal(split(from, structure.paths[i]), size, { dtype: 'float64' });
    return toDtype(new NDArray(scaleFilters(random, value), shape, 'float64'), dtype);
  })) as Host<P>;
}

/** Scales each filter of `direction`, in place, to the norm of the same filter of `value`. */
function scaleFilters(direction: Float64Array, { data, shape }: NDArray): Float64Array {
  const { filters, filterOf } = filtersOf(shape);
  const wanted = new Float64Array(filters);
  const drawn = new Float64Array(filters);
  for (let i = 0; i < direction.length; i++) {
    wanted[filterOf(i)] += data[i] ** 2;
    drawn[filterOf(i)] += direction[i] ** 2;
  }
  // Normal numbers are never all zero but for underflow; then the filter stays zero.
  for (let i = 0; i < direction.length; i++) direction[i] *= drawn[filterOf(i)] > 0 ? Math.sqrt(wanted[filterOf(i)] / drawn[filterOf(i)]) : 0;
  return direction;
}

function filtersOf(shape: Shape): { filters: number; filterOf: (position: number) => number } {
  if (shape.length === 2) return { filters: shape[1], filterOf: (position) => position % shape[1] };
  const inner = sizeOf(shape.slice(1));
  return { filters: shape[0], filterOf: (position) => Math.floor(position / inner) };
}

/** Two independent filter-normalised directions from a seed. */
export function randomPlane<P>(params: Host<P>, seed: number): [Host<P>, Host<P>] {
  const root = split(key(seed), 'landscape');
  return [filterNormalizedDirection<P>(params, split(root, 'x')), filterNormalizedDirection<P>(params, split(root, 'y'))];
}
