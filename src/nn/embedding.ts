/** Tables of vectors looked up by integer. @module */
import { DtypeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { take } from '../ops/index.ts';
import { normal, split } from '../util/random/index.ts';
import type { Layer } from './model.ts';

export interface EmbeddingOptions {
  /** Number of distinct tokens: rows of the table. */
  readonly tokens: number;
  /** Length of a vector. */
  readonly width: number;
  /** Standard deviation of the initial vectors' normal elements. Default 1, as in PyTorch. */
  readonly deviation?: number;
}

/** @throws DtypeError when tokens are not int32. */
export function requireTokens(operation: string, x: Tensor): void {
  if (x.dtype !== 'int32') throw new DtypeError({ operation, required: 'inputs must be int32 tokens', received: x.toString() });
}

/** int32 tokens [...] to vectors [..., width]; `weight` [tokens, width]. Tokens must be in range. */
export function embedding({ tokens, width, deviation = 1 }: EmbeddingOptions): Layer<{ weight: Tensor }> {
  requireInteger('embedding', 'tokens', tokens, 1);
  requireInteger('embedding', 'width', width, 1);
  requireNumber('embedding', 'deviation', deviation, 0);
  return {
    name: `embedding ${tokens}-${width}`,
    init: (key) => ({ params: { weight: new NDArray(normal(split(key, 'weight'), [tokens, width], { deviation }), [tokens, width], 'float32') }, state: {} }),
    apply({ weight }, x, { state }) {
      requireTokens('embedding', x);
      return { outputs: take(weight, x), state };
    },
    outputShape: (inputShape) => [...inputShape, width],
  };
}
