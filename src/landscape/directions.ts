/** Directions in parameter space. @module */
import { key, normal, split, type Key } from '../util/random/index.ts';
import { NDArray, type Shape } from '../core/ndarray.ts';
import type { Host } from '../transforms/index.ts';
import { flatten, leaves, mapTree } from '../tree/index.ts';

/**
 * Random direction by filter normalisation (Li et al. 2018, arXiv 1712.09913, section 4): Gaussian, each filter scaled to the
 * norm of the same filter of the parameters; biases and normalisation parameters (rank at most one) are zero, as in the
 * paper's figures. A filter is what feeds one output: a column of a dense weight [in, out], a slice of a convolution kernel
 * [out, ...]. A pure function of the key.
 */
export function filterNormalizedDirection<P>(params: Host<P>, from: Key): Host<P> {
  const { leaves: values, structure } = flatten<NDArray>(params);
  return structure.rebuild(values.map((value, i) => {
    if (value.shape.length < 2) return new NDArray(new Float32Array(value.size), value.shape, 'float32');
    const random = normal(split(from, structure.paths[i]), value.size) as Float32Array;
    return new NDArray(scaleFilters(random, value), value.shape, 'float32');
  })) as Host<P>;
}

/** Scales each filter of `direction`, in place, to the norm of the same filter of `value`. */
function scaleFilters(direction: Float32Array, value: NDArray): Float32Array {
  const { filters, filterOf } = filtersOf(value.shape);
  const norms = new Float64Array(filters);
  const lengths = new Float64Array(filters);
  for (let i = 0; i < direction.length; i++) {
    norms[filterOf(i)] += value.data[i] ** 2;
    lengths[filterOf(i)] += direction[i] ** 2;
  }
  for (let i = 0; i < direction.length; i++) direction[i] *= Math.sqrt(norms[filterOf(i)] / (lengths[filterOf(i)] + 1e-20));
  return direction;
}

function filtersOf(shape: Shape): { filters: number; filterOf: (position: number) => number } {
  if (shape.length === 2) return { filters: shape[1], filterOf: (position) => position % shape[1] };
  const inner = shape.slice(1).reduce((a, b) => a * b, 1);
  return { filters: shape[0], filterOf: (position) => Math.floor(position / inner) };
}

/** Two independent filter-normalised directions from a seed. */
export function randomPlane<P>(params: Host<P>, seed: number): [Host<P>, Host<P>] {
  const root = split(key(seed), 'landscape');
  return [filterNormalizedDirection<P>(params, split(root, 'x')), filterNormalizedDirection<P>(params, split(root, 'y'))];
}

/** Euclidean inner product of two trees, in float64. */
export function innerProduct(a: unknown, b: unknown): number {
  const others = leaves<NDArray>(b);
  return leaves<NDArray>(a).reduce((sum, { data }, i) => {
    const other = others[i].data;
    let part = 0;
    for (let j = 0; j < data.length; j++) part += data[j] * other[j];
    return sum + part;
  }, 0);
}

/** `scale` times a tree. */
export const scaled = <P>(tree: Host<P>, scale: number): Host<P> => mapTree((leaf: NDArray) => new NDArray(Float32Array.from(leaf.data, (x) => x * scale), leaf.shape, 'float32'), tree) as Host<P>;
