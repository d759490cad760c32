/** Self-attention with several heads. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import type { Tensor } from '../core/tensor.ts';
import { arange, attention, expandDims, greaterEqual, narrow, reshape, transpose } from '../ops/index.ts';
import { assemble } from './composite.ts';
import { dense, type DenseParameters } from './dense.ts';
import type { Layer } from './model.ts';
import type { WeightOptions } from './weights.ts';

/** Options of `multiHeadAttention`; keys and values of a head have length width / heads. */
export interface MultiHeadAttentionOptions extends WeightOptions {
  /** Length of a token's vector, divided evenly among the heads. */
  readonly width: number;
  readonly heads: number;
  /** A token looks only at itself and those before it. Default false. */
  readonly causal?: boolean;
}

/** `qkv` [width, 3 width]: queries, keys and values side by side, each divided into heads; `out` [width, width]. */
export type AttentionParameters = { qkv: DenseParameters; out: DenseParameters };

/** Which keys (columns) each query (row) may look at: those not after it. */
const causalMask = (tokens: number): Tensor => greaterEqual(expandDims(arange(tokens), 1), expandDims(arange(tokens), 0));

/** Self-attention of [batch, tokens, width] (Vaswani et al. 2017). @throws ArgumentError when heads do not divide width. */
export function multiHeadAttention({ width, heads, causal = false, ...weights }: MultiHeadAttentionOptions): Layer<AttentionParameters> {
  requireInteger('multiHeadAttention', 'heads', heads, 1);
  if (width % heads !== 0) throw new ArgumentError({ operation: 'multiHeadAttention', required: 'heads must divide width', received: `${heads} heads, width ${width}` });
  const layers = { qkv: dense({ ...weights, inputs: width, outputs: 3 * width }), out: dense({ ...weights, inputs: width, outputs: width }) };
  return assemble(`attention ${width}/${heads}`, layers, (call, x) => {
    if (x.rank !== 3) throw new ShapeError({ operation: 'multiHeadAttention', required: 'inputs must be [batch, tokens, width]', received: `[${x.shape.join(',')}]` });
    const [batch, tokens] = x.shape;
    const joined = call('qkv', x);
    const [query, key, value] = [0, 1, 2].map((part) =>
      transpose(reshape(narrow(joined, 2, part * width, (part + 1) * width), [batch, tokens, heads, width / heads]), [0, 2, 1, 3]));
    const mixed = attention(query, key, value, causal ? causalMask(tokens) : undefined);
    return call('out', reshape(transpose(mixed, [0, 2, 1, 3]), x.shape));
  });
}
