/** Next-token prediction as numbers alone: how often each context occurs, and what follows it. @module */
import { requireInteger, requireNumber } from '../util/require.ts';

export interface ZipfContextsOptions {
  /** Number of tokens V; there is one context a token. */
  readonly tokens: number;
  /** z of q_i ~ i^-z, i = 1..V; 0 makes all contexts equally frequent. 1 by default (Zipf 1949). */
  readonly exponent?: number;
  /** s: share of the unigram distribution in what follows a context; 0.3 by default. */
  readonly unigramShare?: number;
}

/** A law of contexts and their continuations. */
export interface ZipfContexts {
  /** q, how often each context occurs: [V], sum 1, descending. */
  readonly frequencies: Float64Array;
  /** P(c | context i) = (1 - s) [c = i] + s q_c: [V, V], rows sum to 1. */
  readonly targets: Float64Array;
}

/**
 * Contexts i with frequencies q_i ~ i^-z, each followed by a token of its own with probability 1 - s and by a draw from the unigram
 * distribution q otherwise. A full batch of it is sum_i q_i loss(z_i, targets_i). @throws ArgumentError
 */
export function zipfContexts({ tokens, exponent = 1, unigramShare = 0.3 }: ZipfContextsOptions): ZipfContexts {
  requireInteger('zipfContexts', 'tokens', tokens, 1);
  requireNumber('zipfContexts', 'exponent', exponent);
  requireNumber('zipfContexts', 'unigramShare', unigramShare, 0, 1);
  const powers = Float64Array.from({ length: tokens }, (_, i) => (i + 1) ** -exponent);
  const total = powers.reduce((a, b) => a + b, 0);
  const frequencies = powers.map((x) => x / total);
  const targets = Float64Array.from({ length: tokens ** 2 }, (_, at) => unigramShare * frequencies[at % tokens] + (Math.floor(at / tokens) === at % tokens ? 1 - unigramShare : 0));
  return { frequencies, targets };
}
