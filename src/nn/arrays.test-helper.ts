/** Host arrays for tests. */
import { array, isFloat, NDArray, toDtype } from '../core/ndarray.ts';
import { mapTree } from '../tree/tree.ts';
import { key, normal, randint, split } from '../util/random/index.ts';

/** Normal draws in float64. */
export const normals = (shape: readonly number[], name: string, deviation = 1): NDArray => new NDArray(normal(split(key(7), name), shape, { dtype: 'float64', deviation }), shape, 'float64');
/** Integers below `high`. */
export const integers = (shape: readonly number[], name: string, high: number): NDArray => new NDArray(randint(split(key(7), name), shape, { high }), shape, 'int32');
/** The tree with its floating-point leaves in float64. */
export const inDouble = <T>(tree: T): T => mapTree((leaf: NDArray) => (isFloat(leaf.dtype) ? toDtype(leaf, 'float64') : leaf), tree) as T;
/** A float64 array. */
export const f64 = (values: Parameters<typeof array>[0], shape?: readonly number[]): NDArray => array(values, shape, 'float64');
/** An int32 array. */
export const i32 = (values: Parameters<typeof array>[0], shape?: readonly number[]): NDArray => array(values, shape, 'int32');
/** The tree with random values instead of its own, in float64; variances stay positive. */
export function shaken<T>(tree: T, deviation = 0.2): T {
  let next = 0;
  return mapTree((leaf: NDArray) => {
    const noise = normals(leaf.shape, `leaf ${next++}`, deviation).data;
    return new NDArray(Float64Array.from(leaf.data, (value, i) => value + Math.max(noise[i], -0.9)), leaf.shape, 'float64');
  }, tree) as T;
}
