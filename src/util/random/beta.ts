/** One draw of the gamma and of the beta distribution. @module */
import { requireNumber } from '../require.ts';
import { normal, uniform } from './draws.ts';
import { split, type Key } from './key.ts';

/**
 * The logarithm of a draw of the gamma distribution of shape `alpha` and scale 1, by Marsaglia and Tsang (2000): a cubed normal number,
 * accepted with a probability above 0.95. Shapes below one are made of the shape above and the root of a uniform number; the logarithm
 * does not underflow there.
 */
function logGamma(key: Key, alpha: number): number {
  const shape = alpha < 1 ? alpha + 1 : alpha;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let trial = 0; ; trial++) {
    const from = split(key, trial);
    const [x] = normal(from, 1, { dtype: 'float64' });
    const [u, boost] = uniform(from, 2, { dtype: 'float64' });
    const v = (1 + c * x) ** 3;
    if (v <= 0 || Math.log(1 - u) >= 0.5 * x * x + d - d * v + d * Math.log(v)) continue;
    return Math.log(d * v) + (alpha < 1 ? Math.log(1 - boost) / alpha : 0);
  }
}

/**
 * A draw of Beta(a, b) on [0, 1]: the share of one of two gamma draws in their sum.
 * @throws ArgumentError when a or b is not positive.
 */
export function beta(key: Key, a: number, b: number): number {
  requireNumber('beta', 'a', a, Number.MIN_VALUE);
  requireNumber('beta', 'b', b, Number.MIN_VALUE);
  return 1 / (1 + Math.exp(logGamma(split(key, 'b'), b) - logGamma(split(key, 'a'), a)));
}
