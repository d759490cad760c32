/** A small decoder-only transformer. @module */
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';
import { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { add, at, narrow, take } from '../../ops/index.ts';
import { normal, split } from '../../util/random/index.ts';
import { activationOf, type ActivationName } from '../activations.ts';
import { multiHeadAttention, type AttentionParameters } from '../attention.ts';
import { assemble, named, sequential } from '../composite.ts';
import { dense, type DenseParameters, type WeightOnly } from '../dense.ts';
import { requireTokens } from '../embedding.ts';
import type { Layer } from '../model.ts';
import { layerNorm, type ScaleAndBias } from '../normalization.ts';
import type { WeightOptions } from '../weights.ts';

export interface TransformerOptions extends WeightOptions {
  /** Number of distinct tokens. */
  readonly vocabulary: number;
  /** Largest number of tokens of an input. */
  readonly context: number;
  /** Default 128. */
  readonly width?: number;
  /** Blocks. Default 2. */
  readonly depth?: number;
  /** Default 4. */
  readonly heads?: number;
  /** Width of the blocks' hidden layer. Default 4 width. */
  readonly hidden?: number;
  /** Logits at each position. Default the vocabulary. */
  readonly outputs?: number;
  /** Logits after every token, [batch, tokens, outputs], or after the last, [batch, outputs]. Default `every`. */
  readonly readout?: 'every' | 'last';
  /** Default gelu-tanh. */
  readonly activation?: ActivationName;
}

type BlockParameters = { norm1: ScaleAndBias; attention: AttentionParameters; norm2: ScaleAndBias; mlp: [DenseParameters, DenseParameters] };
/** `embed.token` [vocabulary, width], `embed.position` [context, width], `blocks.B...`, `norm`, `head.weight` [width, outputs]. */
export type TransformerParameters = {
  embed: { token: Tensor; position: Tensor };
  blocks: BlockParameters[];
  norm: ScaleAndBias;
  head: WeightOnly;
};

/** Token and position vectors, added. Initially normal with deviation 0.02 (GPT-2), or N(0, 1) in the NTK parametrisation. */
function embed(vocabulary: number, context: number, width: number, deviation: number): Layer<TransformerParameters['embed']> {
  const draw = (rows: number) => (key: Parameters<typeof normal>[0]): NDArray => new NDArray(normal(key, [rows, width], { deviation }), [rows, width], 'float32');
  const outputShape = (shape: readonly number[]): readonly number[] => {
    if (shape.length === 2 && shape[1] <= context && shape[1] > 0) return [...shape, width];
    throw new ShapeError({ operation: 'transformer', required: `inputs must be [batch, tokens] with 1 to ${context} tokens`, received: `[${shape.join(',')}]` });
  };
  return {
    name: 'embed',
    init: (key) => ({ params: { token: draw(vocabulary)(split(key, 'token')), position: draw(context)(split(key, 'position')) }, state: {} }),
    apply({ token, position }, x, { state }) {
      requireTokens('transformer', x);
      outputShape(x.shape);
      return { outputs: add(take(token, x), narrow(position, 0, 0, x.shape[1])), state };
    },
    outputShape,
  };
}

/**
 * int32 tokens [batch, tokens] to logits: learned positions, blocks of causal attention and a two-layer network, each
 * after a layer norm and added to what came in, a last norm and an output matrix of its own (Radford et al. 2019).
 */
export function transformer(options: TransformerOptions): Layer<TransformerParameters> {
  const { vocabulary, context, width = 128, depth = 2, heads = 4, hidden = 4 * width, outputs = vocabulary, readout = 'every', activation = 'gelu-tanh', ...weights } = options;
  for (const [name, value] of Object.entries({ vocabulary, context, width, depth, heads, hidden, outputs })) requireInteger('transformer', name, value, 1);
  if (readout !== 'every' && readout !== 'last') throw new ArgumentError({ operation: 'transformer', required: "readout must be 'every' or 'last'", received: `'${String(readout)}'` });
  const { apply } = activationOf('transformer', activation);
  const block = (): Layer<BlockParameters> => assemble('block', {
    norm1: layerNorm(width),
    attention: multiHeadAttention({ ...weights, width, heads, causal: true }),
    norm2: layerNorm(width),
    mlp: sequential(dense({ ...weights, inputs: width, outputs: hidden, activation }), apply, dense({ ...weights, inputs: hidden, outputs: width })),
  }, (call, x) => {
    const attended = add(x, call('attention', call('norm1', x)));
    return add(attended, call('mlp', call('norm2', attended)));
  });
  return named({
    embed: embed(vocabulary, context, width, weights.parametrization === 'ntk' ? 1 : 0.02),
    blocks: sequential(...Array.from({ length: depth }, block)),
    readout: readout === 'last' ? (x: Tensor) => at(x, -1, 1) : (x: Tensor) => x,
    norm: layerNorm(width),
    head: dense({ ...weights, inputs: width, outputs, bias: false }),
  }, `transformer width ${width} depth ${depth} heads ${heads}`);
}
