/** A language of pairs: half of the tokens say what follows, after the others several tokens may. @module */
import { NDArray } from '../core/ndarray.ts';
import { choice, randint, split, uniform } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import { makeSplit, type Dataset } from './dataset.ts';
import { drawSplits, lawKey, SYNTHETIC_LICENCE, type SyntheticOptions } from './synthetic.ts';

export interface MixedEntropyBigramOptions extends SyntheticOptions {
  /** Number of tokens V; 32 by default. */
  readonly tokens?: number;
  /** Tokens that may follow an uncertain one; 8 by default. */
  readonly successors?: number;
}

export interface MixedEntropyBigramDataset extends Dataset {
  /** P(next | token): [V, V] row-major, rows sum to 1. */
  readonly probabilities: Float64Array;
  /** The first so many tokens have one successor each; the others are uncertain. */
  readonly deterministic: number;
}

/**
 * Pairs of tokens: inputs i32[n, 1], uniform, and the token that follows, targets i32[n]. After each of the first half of the tokens one
 * certain token follows; after each other one of `successors` tokens, with probabilities from a Dirichlet distribution of parameter 2. Steep
 * and flat directions of the loss by the entropy of contexts: Wen, Li, Wang, Hall, Liang, Ma 2024. @throws ArgumentError
 */
export function mixedEntropyBigram(options: MixedEntropyBigramOptions = {}): MixedEntropyBigramDataset {
  const { tokens = 32, successors = 8, seed = 0 } = options;
  requireInteger('mixedEntropyBigram', 'tokens', tokens, 2, 4096);
  requireInteger('mixedEntropyBigram', 'successors', successors, 1, tokens);
  const law = lawKey('mixedEntropyBigram', seed);
  const deterministic = Math.floor(tokens / 2);
  const probabilities = new Float64Array(tokens * tokens);
  for (let token = 0; token < tokens; token++) {
    const followers = choice(split(law, 'followers', token), tokens, token < deterministic ? 1 : successors);
    // A draw of the gamma distribution of shape 2 is the sum of two exponential ones; shares of such draws are Dirichlet.
    const draws = uniform(split(law, 'weights', token), [followers.length, 2], { dtype: 'float64' });
    const weights = Array.from(followers, (_, i) => -Math.log((1 - draws[2 * i]) * (1 - draws[2 * i + 1])));
    const total = weights.reduce((a, b) => a + b, 0);
    followers.forEach((follower, i) => { probabilities[token * tokens + follower] = followers.length === 1 ? 1 : weights[i] / total; });
  }
  const { train, test } = drawSplits('mixedEntropyBigram', options, (key, samples) => {
    const inputs = randint(split(key, 'tokens'), samples, { high: tokens });
    const chances = uniform(split(key, 'followers'), samples, { dtype: 'float64' });
    const targets = Int32Array.from(inputs, (token, i) => followerAt(probabilities, token, tokens, chances[i]));
    return makeSplit(new NDArray(Int32Array.from(inputs), [samples, 1], 'int32'), new NDArray(targets, [samples], 'int32'));
  });
  return {
    name: 'mixed-entropy-bigram', kind: 'sequence', train, test, vocabulary: tokens, inputShape: [1], classes: Array.from({ length: tokens }, (_, i) => String(i)),
    probabilities, deterministic, licence: SYNTHETIC_LICENCE, source: `pairs of ${tokens} tokens, half of them with ${successors} successors; after Wen et al. 2024`,
  };
}

/** Where the cumulated probability of a row passes `chance`. */
function followerAt(probabilities: Float64Array, token: number, tokens: number, chance: number): number {
  let [at, last, sum] = [0, 0, 0];
  for (; at < tokens; at++) {
    const probability = probabilities[token * tokens + at];
    if (probability === 0) continue;
    sum += probability;
    last = at;
    if (chance < sum) break;
  }
  // Rounding may leave the sum of a row below one: the last that has a probability then.
  return last;
}
