/** Operators of ONNX Runtime (`com.microsoft`) that its optimiser puts in place of several of ONNX's own. @module */
import type { Tensor } from '../../../core/tensor.ts';
import { add, gelu, matmul, mean, moveAxis, mul, narrow, normalizeAxis, relu, rsqrt, sigmoid, square, sub, tanh, transpose } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { causalMask, joinHeads, maskedSoftmax, repeatHeads, rotaryEmbedding, splitHeads, type Masks } from './attention.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };
const optional = (call: OperatorCall, x: Tensor, at: number): Tensor => (call.has(at) ? add(x, call.tensor(at)) : x);

/** gelu(x + bias), exactly or by tanh. */
const biasedGelu = (approximate: boolean): OperatorRule => (call) => [call.result(gelu(optional(call, call.tensor(0), 1), { approximate }))];

/** alpha times the product of matrices; `transBatch` moves the first axis to the place before the last two's inner one. */
const fusedProduct: OperatorRule = (call) => {
  const operand = (at: number, side: 'A' | 'B'): Tensor => {
    const x = call.tensor(at);
    const spread = call.attributes.flag(`transBatch${side}`, false) && x.rank > 2 ? moveAxis(x, 0, x.rank - 2) : x;
    return call.attributes.flag(`trans${side}`, false) && x.rank > 1 ? moveAxis(spread, -1, -2) : spread;
  };
  return [call.result(mul(matmul(operand(0, 'A'), operand(1, 'B')), call.attributes.float('alpha', 1)))];
};

const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = { Relu: relu, Sigmoid: sigmoid, Tanh: tanh };

/** activation(alpha A B + beta C) */
const fusedGemm: OperatorRule = (call) => {
  const { attributes } = call;
  const operand = (at: number, name: string): Tensor => (attributes.flag(name, false) ? transpose(call.tensor(at), [1, 0]) : call.tensor(at));
  const name = attributes.text('activation');
  const f = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : refuse(`attribute 'activation' must be among ${Object.keys(ACTIVATIONS).join(', ')}`, `'${name}'`);
  const product = mul(matmul(operand(0, 'transA'), operand(1, 'transB')), attributes.float('alpha', 1));
  return [call.result(f(call.has(2) ? add(product, mul(call.tensor(2), attributes.float('beta', 1))) : product))];
};

/** What normalises the sum of two inputs and a bias along the last axis. */
interface SkipNormalisation {
  readonly subtractsMean: boolean;
  /** Places of the second bias: that of the normalisation stands before it, where there is one. */
  readonly bias: number;
}

/** Layer normalisation of input + skip (+ bias); outputs the result, mean and inverse deviation where kept, and the sum. */
const skipNormalisation = ({ subtractsMean, bias }: SkipNormalisation): OperatorRule => (call) => {
  const total = optional(call, add(call.tensor(0), call.tensor(1)), bias);
  const centre = mean(total, -1, { keepDims: true });
  const centred = subtractsMean ? sub(total, centre) : total;
  const inverse = rsqrt(add(mean(square(centred), -1, { keepDims: true }), call.attributes.float('epsilon', 1e-5)));
  const scaled = mul(mul(centred, inverse), call.tensor(2));
  return [call.result(subtractsMean ? optional(call, scaled, 3) : scaled), call.result(centre), call.result(inverse), call.result(total)];
};

/** x / sqrt(mean of squares + epsilon) from `axis` on, times a scale. */
const simplifiedNormalisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  const from = normalizeAxis('import', x.rank, call.attributes.integer('axis', -1));
  const inverse = rsqrt(add(mean(square(x), x.shape.map((_, i) => i).slice(from), { keepDims: true }), call.attributes.float('epsilon', 1e-5)));
  return [call.result(mul(mul(x, inverse), call.tensor(1))), call.result(inverse)];
};

const quickGelu: OperatorRule = (call) => {
  const x = call.tensor(0);
  return [call.result(mul(x, sigmoid(mul(x, call.attributes.float('alpha', 1.702)))))];
};

/** Attention from heads of queries, keys and values [batch, heads, tokens, width]; joined again. */
function attend(call: OperatorCall, query: Tensor, key: Tensor, value: Tensor, biasAt: number): Tensor {
  const { attributes } = call;
  const scale = attributes.float('scale', 0) || 1 / Math.sqrt(query.shape[3]);
  const masks: Masks = {
    allowed: attributes.flag('unidirectional', false) ? causalMask(query.shape[2], key.shape[2], 0) : undefined,
    bias: call.has(biasAt) ? call.tensor(biasAt) : undefined,
  };
  const times = query.shape[1] / key.shape[1];
  const weights = maskedSoftmax(matmul(mul(query, scale), transpose(repeatHeads(key, times), [0, 1, 3, 2])), masks);
  return joinHeads(matmul(weights, repeatHeads(value, times)));
}

function refuseInputs(call: OperatorCall, names: Readonly<Record<number, string>>): void {
  Object.entries(names).forEach(([at, name]) => { if (call.has(Number(at))) refuse(`${call.operator} is read without '${name}'`, call.input(Number(at)).toString()); });
}

/** Self-attention with the projection of its input: weights [width, 3 * hidden]. Masks by index and kept keys are refused. */
const selfAttention: OperatorRule = (call) => {
  refuseInputs(call, { 3: 'mask_index', 4: 'past', 6: 'past_sequence_length' });
  const heads = call.attributes.integer('num_heads');
  if (call.attributes.flag('do_rotary', false)) refuse("attribute 'do_rotary' must be 0", '1');
  const projected = optional(call, matmul(call.tensor(0), call.tensor(1)), 2);
  const width = projected.shape[2];
  const sizes = call.attributes.integers('qkv_hidden_sizes', [width / 3, width / 3, width / 3]);
  const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((a, b) => a + b, 0));
  if (sizes.length !== 3 || ends[2] !== width) refuse(`attribute 'qkv_hidden_sizes' must have three entries that add up to ${width}`, `[${sizes.join(',')}]`);
  const [query, key, value] = sizes.map((size, i) => splitHeads(narrow(projected, 2, ends[i] - size, ends[i]), heads));
  return [call.result(attend(call, query, key, value, 5))];
};

/** Attention of queries, keys and values [batch, tokens, heads * width] that are projected already. */
const multiHeadAttention: OperatorRule = (call) => {
  refuseInputs(call, { 4: 'key_padding_mask', 6: 'past_key', 7: 'past_value' });
  if (!call.has(1) || !call.has(2) || [0, 1, 2].some((at) => call.input(at).rank !== 3)) refuse('query, key and value must be [batch, tokens, width] each', call.inputs.map((input) => String(input ?? 'none')).join(', '));
  const heads = call.attributes.integer('num_heads');
  let from = 0;
  const [query, key, value] = [0, 1, 2].map((at) => {
    const x = call.tensor(at);
    from += x.shape[2];
    return splitHeads(call.has(3) ? add(x, narrow(call.tensor(3), 0, from - x.shape[2], from)) : x, heads);
  });
  return [call.result(attend(call, query, key, value, 5))];
};

/** ONNX Runtime's own operators by name. */
export const runtimeOperators: OperatorTable = {
  Gelu: { rule: biasedGelu(false) },
  BiasGelu: { rule: biasedGelu(false) },
  FastGelu: { rule: biasedGelu(true) },
  QuickGelu: { rule: quickGelu },
  FusedMatMul: { rule: fusedProduct, weights: [0, 1] },
  FusedGemm: { rule: fusedGemm, weights: [0, 1, 2] },
  SkipLayerNormalization: { rule: skipNormalisation({ subtractsMean: true, bias: 4 }), weights: [2, 3, 4] },
  SkipSimplifiedLayerNormalization: { rule: skipNormalisation({ subtractsMean: false, bias: 3 }), weights: [2, 3] },
  Attention: { rule: selfAttention, weights: [1, 2] },
  MultiHeadAttention: { rule: multiHeadAttention, weights: [3] },
  RotaryEmbedding: { rule: rotaryEmbedding({ cosines: 2, sines: 3, positions: 1 }), settings: [1, 2, 3] },
};

/** Operators of ONNX Runtime that it writes under ONNX's own domain. */
export const unprefixedOperators: OperatorTable = {
  SimplifiedLayerNormalization: { rule: simplifiedNormalisation, weights: [1] },
};
