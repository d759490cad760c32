/** Modular addition as sequences of tokens. @module */
import { NDArray } from '../core/ndarray.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { key, permutation, split } from '../util/random/index.ts';
import { makeSplit } from './dataset.ts';
import type { Dataset, Split } from './dataset.ts';
import { SYNTHETIC_LICENCE } from './synthetic.ts';

export interface ModularArithmeticOptions {
  /** Seed of the division into train and test; 0 by default. */
  readonly seed?: number;
  /** p; 97 by default. */
  readonly modulus?: number;
  /** Share of all p^2 pairs that is trained on; 0.5 by default. */
  readonly trainFraction?: number;
  /** Ends each sequence with the token p ("="), so that its answer can be read at that position; true by default. */
  readonly equalsToken?: boolean;
}

/**
 * All p^2 sums a + b mod p, divided at random: inputs i32[n, 3] of the tokens a, b, = (or i32[n, 2] without =), targets i32[n].
 * Power, Burda, Edwards, Babuschkin, Misra, "Grokking", 2022. @throws ArgumentError
 */
export function modularArithmetic(options: ModularArithmeticOptions = {}): Dataset {
  const { seed = 0, modulus = 97, trainFraction = 0.5, equalsToken = true } = options;
  requireInteger('modularArithmetic', 'modulus', modulus, 1, 4096);
  requireNumber('modularArithmetic', 'trainFraction', trainFraction, 0, 1);
  const order = permutation(split(key(seed), 'modularArithmetic'), modulus * modulus);
  const length = equalsToken ? 3 : 2;
  const makePairs = (pairs: Int32Array): Split => {
    const tokens = new Int32Array(pairs.length * length);
    const sums = new Int32Array(pairs.length);
    pairs.forEach((pair, i) => {
      const a = Math.floor(pair / modulus);
      const b = pair % modulus;
      tokens.set(equalsToken ? [a, b, modulus] : [a, b], i * length);
      sums[i] = (a + b) % modulus;
    });
    return makeSplit(new NDArray(tokens, [pairs.length, length], 'int32'), new NDArray(sums, [pairs.length], 'int32'));
  };
  const trained = Math.round(trainFraction * order.length);
  return {
    name: 'modular-arithmetic', kind: 'sequence', train: makePairs(order.slice(0, trained)), test: makePairs(order.slice(trained)),
    classes: Array.from({ length: modulus }, (_, residue) => String(residue)), vocabulary: modulus + (equalsToken ? 1 : 0), inputShape: [length],
    licence: SYNTHETIC_LICENCE, source: `a + b mod ${modulus}; Power et al. 2022`,
  };
}
