/** Random symmetric matrices of the Gaussian orthogonal ensemble. @module */
import { normal, type Key } from '../util/random/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';

/**
 * A symmetric matrix [size, size] with independent entries on and above the diagonal: N(0, d^2) off it, N(0, 2 d^2) on it, d =
 * `deviation` (default 1). Its distribution does not change under rotations; as it grows its spectrum becomes the semicircle on
 * +-2 d sqrt(size) (Wigner 1958; Mehta, *Random Matrices*, chapter 2).
 *
 * @throws ArgumentError when size or deviation is out of range.
 */
export function gaussianOrthogonal(key: Key, size: number, { deviation = 1 }: { readonly deviation?: number } = {}): Float64Array {
  requireInteger('gaussianOrthogonal', 'size', size, 1);
  requireNumber('gaussianOrthogonal', 'deviation', deviation, 0);
  const drawn = normal(key, size * (size + 1) / 2, { dtype: 'float64', deviation });
  const matrix = new Float64Array(size * size);
  let next = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i] = drawn[next++];
    matrix[i * size + i] = Math.SQRT2 * drawn[next++];
  }
  return matrix;
}
