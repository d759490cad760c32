/** Permutations and choices of indices. @module */
import { ArgumentError } from '../errors.ts';
import { requireInteger } from '../require.ts';
import { boundedInteger, randint, uniform, unitInterval } from './draws.ts';
import { DRAW, split } from './key.ts';
import type { Key } from './key.ts';
import { philox } from './philox.ts';

/** A uniformly random order of 0 ... n-1: the shuffle of Fisher and Yates with unbiased bounded integers. @throws ArgumentError */
export function permutation(key: Key, n: number): Int32Array {
  return shuffledPrefix(key, requireInteger('permutation', 'n', n, 0, 2147483647), n);
}

/** The first k entries of the permutation of 0 ... n-1 that belongs to the key. */
function shuffledPrefix(key: Key, n: number, k: number): Int32Array {
  const items = Int32Array.from({ length: n }, (_, i) => i);
  const words = new Uint32Array(4);
  for (let i = 0; i < Math.min(k, n - 1); i++) {
    const j = i + boundedInteger(key, i, n - i, DRAW.shuffle, words);
    const item = items[j];
    items[j] = items[i];
    items[i] = item;
  }
  return k === n ? items : items.slice(0, k);
}

export interface ChoiceOptions {
  /** Relative, non-negative weights of the n indices; uniform by default. */
  readonly weights?: ArrayLike<number>;
  /** Whether an index may be drawn again; false by default. */
  readonly replacement?: boolean;
}

/**
 * Draws k of the indices 0 ... n-1. Without replacement and uniform it is the prefix of `permutation(key, n)`; with weights,
 * indices are taken one after another in proportion to the weights that are left, by sorting exponential clocks E_i / w_i
 * (Efraimidis and Spirakis 2006); with replacement, by inversion of the cumulative weights.
 * @throws ArgumentError when weights are negative, not finite, not n, all zero, or fewer than k are positive without replacement.
 */
export function choice(key: Key, n: number, k: number, options: ChoiceOptions = {}): Int32Array {
  const { weights, replacement = false } = options;
  requireInteger('choice', 'n', n, replacement && k > 0 ? 1 : 0, 2147483647);
  requireInteger('choice', 'k', k, 0, replacement ? 2147483647 : n);
  if (weights === undefined) return replacement ? (k === 0 ? new Int32Array() : randint(key, k, { high: n })) : shuffledPrefix(key, n, k);
  requireWeights(weights, n, replacement ? Math.min(k, 1) : k);
  return replacement ? invertCumulative(key, weights, k) : earliestClocks(key, weights, k);
}

function requireWeights(weights: ArrayLike<number>, n: number, positiveNeeded: number): void {
  if (weights.length !== n) {
    throw new ArgumentError({ operation: 'choice', required: `weights must have n = ${n} entries`, received: String(weights.length) });
  }
  let positive = 0;
  for (let i = 0; i < n; i++) {
    if (!(weights[i] >= 0 && weights[i] < Infinity)) {
      throw new ArgumentError({
        operation: 'choice', required: 'weights must be finite and at least 0', received: `weights[${i}] = ${weights[i]}`,
      });
    }
    if (weights[i] > 0) positive++;
  }
  if (positive < positiveNeeded) {
    throw new ArgumentError({
      operation: 'choice', required: `at least ${positiveNeeded} weights must be positive`, received: String(positive),
    });
  }
}

function earliestClocks(key: Key, weights: ArrayLike<number>, k: number): Int32Array {
  const clocks = new Float64Array(weights.length);
  const words = new Uint32Array(4);
  for (let i = 0; i < clocks.length; i++) {
    philox(key.low, key.high, i, 0, DRAW.exponential, 0, words);
    clocks[i] = weights[i] > 0 ? -Math.log(1 - unitInterval(words[0], words[1])) / weights[i] : Infinity;
  }
  return Int32Array.from(clocks.keys()).sort((a, b) => clocks[a] - clocks[b] || a - b).slice(0, k);
}

function invertCumulative(key: Key, weights: ArrayLike<number>, k: number): Int32Array {
  const cumulative = new Float64Array(weights.length);
  let total = 0;
  for (let i = 0; i < weights.length; i++) cumulative[i] = total += weights[i];
  return Int32Array.from(uniform(split(key, 'choice'), k, { dtype: 'float64' }), (u) => {
    let low = 0;
    let high = weights.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle] > u * total) high = middle;
      else low = middle + 1;
    }
    // u * total can round to the total: the trailing zero weights must still never be drawn.
    while (weights[low] === 0) low--;
    return low;
  });
}
