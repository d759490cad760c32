/** Attention over heads with masks, groups of heads and kept keys; rotary position embedding. @module */
import type { Tensor } from '../../../core/tensor.ts';
import {
  add, and, arange, broadcastTo, concat, convert, div, equal, less, lessEqual, matmul, max, mul, narrow, pad, reshape, slice, softmax, stack, sub, take, tanh,
  transpose, where,
} from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { positiveIndices } from './indexing.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

/** [batch, tokens, heads * width] -> [batch, heads, tokens, width] */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, tokens, width] = x.shape;
  if (!Number.isInteger(width / heads)) refuse(`the number of heads must divide the width ${width}`, String(heads));
  return transpose(reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, tokens, width] -> [batch, tokens, heads * width] */
export function joinHeads(x: Tensor): Tensor {
  const [batch, heads, tokens, width] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * width]);
}

/** What of the scores counts, and what is added to them. */
export interface Masks {
  /** bool, broadcast to the scores: true where a query may look. */
  readonly allowed?: Tensor | undefined;
  /** Broadcast to the scores. -infinity forbids. */
  readonly bias?: Tensor | undefined;
}

/** Softmax along the last axis; where nothing may be seen, zeros and not the NaN of zero by zero. */
export function maskedSoftmax(scores: Tensor, { allowed, bias }: Masks): Tensor {
  const biased = bias === undefined ? scores : add(scores, bias);
  if (allowed === undefined && bias === undefined) return softmax(scores);
  const masked = allowed === undefined ? biased : where(broadcastTo(allowed, biased.shape), biased, -Infinity);
  const isBlind = equal(max(masked, -1, { keepDims: true }), -Infinity);
  return where(isBlind, 0, softmax(where(isBlind, 0, masked)));
}

/** Keys or values of each of several groups of query heads: [batch, heads, ...] -> [batch, heads * times, ...], each `times` in a row. */
export function repeatHeads(x: Tensor, times: number): Tensor {
  if (times === 1) return x;
  const [batch, heads, tokens, width] = x.shape;
  return reshape(broadcastTo(reshape(x, [batch, heads, 1, tokens, width]), [batch, heads, times, tokens, width]), [batch, heads * times, tokens, width]);
}

/** Positions of queries among the keys, [queries, 1]; with an offset for each batch [batch, 1, queries, 1]. */
function positionsOf(queries: number, offset: number | Tensor): Tensor {
  const at = reshape(arange(queries), [queries, 1]);
  return typeof offset === 'number' ? add(at, offset) : add(at, reshape(offset, [offset.shape[0], 1, 1, 1]));
}

/** bool [queries, keys]: key j is at most `offset` after query i. */
export const causalMask = (queries: number, keys: number, offset: number): Tensor => lessEqual(arange(keys), positionsOf(queries, offset));

/** Masks of a node of ONNX's Attention: the given one, causality, a window, and the lengths of the kept keys (operator set 24). */
function masksOf(call: OperatorCall, queries: number, keys: number, past: number): Masks {
  const lengths = call.has(6) ? call.indices(6) : undefined;
  const conditions: Tensor[] = [];
  let bias: Tensor | undefined;
  if (call.has(3)) {
    const given = call.tensor(3);
    const missing = keys - given.shape[given.rank - 1];
    if (missing < 0) refuse(`the mask must have at most ${keys} keys`, call.input(3).toString());
    // Keys beyond a short mask are forbidden.
    const widened = (x: Tensor, value: number): Tensor => (missing === 0 ? x : pad(x, x.shape.map(() => 0), x.shape.map((_, i) => (i === x.rank - 1 ? missing : 0)), { value }));
    if (given.dtype === 'bool') conditions.push(equal(widened(convert(given, 'int32'), 0), 1));
    else bias = widened(given, -Infinity);
  }
  const positions = positionsOf(queries, lengths === undefined ? past : sub(lengths, queries));
  if (call.attributes.flag('is_causal', false)) conditions.push(lessEqual(arange(keys), positions));
  // From operator set 25 on: how many keys before and after its own position a query sees.
  const [before, after] = ['left_window_size', 'right_window_size'].map((name) => call.attributes.integer(name, -1));
  if (before >= 0) conditions.push(lessEqual(sub(positions, before), arange(keys)));
  if (after >= 0) conditions.push(lessEqual(arange(keys), add(positions, after)));
  if (lengths !== undefined) conditions.push(reshape(less(arange(keys), reshape(lengths, [lengths.shape[0], 1])), [lengths.shape[0], 1, 1, keys]));
  return { allowed: conditions.length === 0 ? undefined : conditions.reduce(and), bias };
}

/**
 * softmax(softcap(scale Q K^T) + mask) V (Vaswani et al. 2017) with groups of query heads that share keys (Ainslie et al. 2023). Inputs Q, K,
 * V as [batch, heads, tokens, width] or [batch, tokens, heads * width], mask, past keys and values, lengths; outputs Y, present keys and
 * values, and the scores: as they are (mode 0), after softcap (1), with the mask (2), or after the softmax (3).
 */
const attentionRule: OperatorRule = (call) => {
  const { attributes } = call;
  const isJoined = call.tensor(0).rank === 3;
  const heads = (at: number, name: string): Tensor => {
    const x = call.tensor(at);
    if (x.rank !== (isJoined ? 3 : 4)) refuse('Q, K and V must have 3 axes, or 4', call.inputs.slice(0, 3).map(String).join(', '));
    return isJoined ? splitHeads(x, attributes.integer(name)) : x;
  };
  const query = heads(0, 'q_num_heads');
  if (call.has(4) !== call.has(5) || (call.has(4) && call.has(6))) refuse('past keys and values go together, and without lengths', call.inputs.map((input) => String(input ?? 'none')).join(', '));
  const kept = (at: number, past: number): Tensor => (call.has(past) ? concat([call.tensor(past), heads(at, 'kv_num_heads')], 2) : heads(at, 'kv_num_heads'));
  const [key, value] = [kept(1, 4), kept(2, 5)];
  const times = query.shape[1] / key.shape[1];
  if (!Number.isInteger(times)) refuse('heads of keys must divide those of queries', `${key.shape[1]} and ${query.shape[1]}`);
  const scale = attributes.has('scale') ? attributes.float('scale') : 1 / Math.sqrt(query.shape[3]);
  const raw = matmul(mul(query, scale), transpose(repeatHeads(key, times), [0, 1, 3, 2]));
  const cap = attributes.float('softcap', 0);
  const capped = cap > 0 ? mul(tanh(div(raw, cap)), cap) : raw;
  const masks = masksOf(call, query.shape[2], key.shape[2], call.has(4) ? call.tensor(4).shape[2] : 0);
  const weights = maskedSoftmax(capped, masks);
  const output = matmul(weights, repeatHeads(value, times));
  const withMask = (): Tensor => {
    const biased = masks.bias === undefined ? capped : add(capped, masks.bias);
    return masks.allowed === undefined ? biased : where(broadcastTo(masks.allowed, biased.shape), biased, -Infinity);
  };
  const scores = [() => raw, () => capped, withMask, () => weights][attributes.integer('qk_matmul_output_mode', 0)];
  if (scores === undefined) refuse("attribute 'qk_matmul_output_mode' must be 0, 1, 2 or 3", String(attributes.integer('qk_matmul_output_mode')));
  return [call.result(isJoined ? joinHeads(output) : output), call.result(key), call.result(value), call.wants(3) ? call.result(scores()) : undefined];
};

/** Places of a rotary embedding's inputs, which differ between ONNX and ONNX Runtime. */
export interface RotaryPlaces {
  readonly cosines: number;
  readonly sines: number;
  readonly positions: number;
}

/** Rotates pairs of features by angles that grow with the position (Su et al. 2021): pairs of neighbours, or of the two halves. */
export function rotate(x: Tensor, cosines: Tensor, sines: Tensor, width: number, isInterleaved: boolean): Tensor {
  const last = x.shape[x.rank - 1];
  const [turning, rest] = [narrow(x, -1, 0, width), width < last ? [narrow(x, -1, width, last)] : []];
  const every = (from: number): Tensor => slice(turning, turning.shape.map((_, i) => (i === x.rank - 1 ? from : 0)), turning.shape, turning.shape.map((_, i) => (i === x.rank - 1 ? 2 : 1)));
  const [a, b] = isInterleaved ? [every(0), every(1)] : [narrow(turning, -1, 0, width / 2), narrow(turning, -1, width / 2, width)];
  const pair = [sub(mul(cosines, a), mul(sines, b)), add(mul(sines, a), mul(cosines, b))];
  const turned = isInterleaved ? reshape(stack(pair, -1), turning.shape) : concat(pair, -1);
  return concat([turned, ...rest], -1);
}

/** The rule of a rotary embedding whose tables are [positions, width / 2], or [batch, tokens, width / 2] without positions. */
export const rotaryEmbedding = ({ cosines, sines, positions }: RotaryPlaces): OperatorRule => (call) => {
  const { attributes } = call;
  const given = call.tensor(0);
  const count = attributes.integer('num_heads', 0);
  if (given.rank !== 4 && (given.rank !== 3 || count < 1)) refuse("the input must be [batch, heads, tokens, width], or [batch, tokens, heads * width] with attribute 'num_heads'", `${call.input(0).toString()} and ${count}`);
  const x = given.rank === 4 ? given : splitHeads(given, count);
  const width = attributes.integer('rotary_embedding_dim', 0) || x.shape[3];
  const table = (at: number): Tensor => {
    const own = call.tensor(at);
    const rows = call.has(positions) ? take(own, positiveIndices(call, positions, own.shape[0]), 0) : own;
    const [batch, tokens, half] = rows.shape;
    if (rows.rank !== 3 || tokens !== x.shape[2] || half !== width / 2) refuse(`tables of angles must be [batch, ${x.shape[2]}, ${width / 2}] at the positions`, `[${rows.shape.join(',')}]`);
    return reshape(rows, [batch, 1, tokens, half]);
  };
  const y = rotate(x, table(cosines), table(sines), width, attributes.flag('interleaved', false));
  return [call.result(given.rank === 4 ? y : joinHeads(y))];
};

export const attentionOperators: OperatorTable = {
  Attention: { rule: attentionRule, settings: [6], since: 23 },
  RotaryEmbedding: { rule: rotaryEmbedding({ cosines: 1, sines: 2, positions: 3 }), settings: [1, 2, 3], since: 23 },
};
