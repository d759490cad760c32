import { describe, expect, test } from 'vitest';
import { bools, expectAgreement, floats, importedOutputs, type OperatorCase } from './agreement.test-helper.ts';

const one = (inputs: OperatorCase['inputs'], attributes: OperatorCase['attributes'] = {}, rest: Partial<OperatorCase> = {}): OperatorCase => ({ operator: 'Attention', inputs, attributes, opset: 23, tolerance: 1e-5, ...rest });
const [query, key, value] = [floats([2, 4, 3, 8]), floats([2, 4, 5, 8], 2), floats([2, 4, 5, 6], 3)];
const some = (shape: readonly number[]): ReturnType<typeof bools> => bools(Array.from(floats(shape).data, (x, i) => (x > 0 || i % 5 === 0 ? 1 : 0)), shape);
const joined = [floats([2, 3, 32]), floats([2, 5, 16], 2), floats([2, 5, 12], 3)];
const angles = [floats([10, 4], 2), floats([10, 4], 3)];
const rotary = (inputs: OperatorCase['inputs'], attributes: OperatorCase['attributes'] = {}): OperatorCase => one(inputs, attributes, { operator: 'RotaryEmbedding' });
const runtime = (operator: string, inputs: OperatorCase['inputs'], attributes: OperatorCase['attributes'] = {}, rest: Partial<OperatorCase> = {}): OperatorCase => one(inputs, attributes, { operator, domain: 'com.microsoft', opset: 21, ...rest });
const sequence = floats([2, 3, 8]);

const cases: Readonly<Record<string, OperatorCase>> = {
  'Attention': one([query, key, value]),
  'Attention with a scale': one([query, key, value], { scale: { float: 0.1 } }),
  'Attention, causal': one([query, key, value], { is_causal: 1 }),
  'Attention with a mask of truth values': one([query, key, value, some([3, 5])]),
  'Attention with a mask for each head': one([query, key, value, some([2, 4, 3, 5])], {}),
  'Attention with a bias': one([query, key, value, floats([2, 1, 3, 5])], {}),
  'Attention with a bias, causal, capped': one([query, key, value, floats([3, 5])], { is_causal: 1, softcap: { float: 2 } }),
  'Attention of joined heads that share keys': one(joined, { q_num_heads: 4, kv_num_heads: 2 }),
  'Attention of heads that share keys': one([query, floats([2, 2, 5, 8], 2), floats([2, 2, 5, 6], 3)]),
  'Attention with past keys': one([query, key, value, undefined, floats([2, 4, 2, 8], 5), floats([2, 4, 2, 6], 6)], {}, { outputs: ['float32', 'float32', 'float32'] }),
  'Attention with past keys, causal': one([query, floats([2, 4, 3, 8], 2), floats([2, 4, 3, 6], 3), undefined, floats([2, 4, 2, 8], 5), floats([2, 4, 2, 6], 6)], { is_causal: 1 }, { outputs: ['float32', 'float32', 'float32'] }),
  'RotaryEmbedding': rotary([query, ...angles, { int64: [0, 1, 2, 3, 5, 9], shape: [2, 3] }]),
  'RotaryEmbedding, interleaved, joined heads': rotary([floats([2, 3, 16]), ...angles, { int64: [0, 1, 2, 3, 5, 9], shape: [2, 3] }], { num_heads: 2, interleaved: 1 }),
  'RotaryEmbedding in part, without positions': rotary([query, floats([2, 3, 2], 2), floats([2, 3, 2], 3)], { rotary_embedding_dim: 4 }),
  'Gelu of the runtime': runtime('Gelu', [sequence]),
  'BiasGelu': runtime('BiasGelu', [sequence, floats([8], 2)]),
  'FastGelu': runtime('FastGelu', [sequence, floats([8], 2)]),
  'FastGelu without bias': runtime('FastGelu', [sequence]),
  'QuickGelu': runtime('QuickGelu', [sequence], { alpha: { float: 1.5 } }),
  'FusedMatMul': runtime('FusedMatMul', [floats([2, 3, 4]), floats([2, 5, 4])], { transB: 1, alpha: { float: 0.5 } }),
  'FusedMatMul with the batch inside': runtime('FusedMatMul', [floats([3, 2, 4]), floats([4, 2, 5])], { transBatchA: 1, transBatchB: 1 }),
  'FusedMatMul with the batch inside, transposed': runtime('FusedMatMul', [floats([4, 2, 3]), floats([2, 4, 5])], { transBatchA: 1, transA: 1 }),
  'FusedGemm': runtime('FusedGemm', [floats([4, 3]), floats([4, 5]), floats([5])], { transA: 1, activation: 'Relu', beta: { float: 0.5 } }),
  'SkipLayerNormalization': runtime('SkipLayerNormalization', [sequence, floats([2, 3, 8], 2), floats([8], 3), floats([8], 4), floats([8], 5)], { epsilon: { float: 0.01 } }),
  'SkipLayerNormalization without biases': runtime('SkipLayerNormalization', [sequence, floats([2, 3, 8], 2), floats([8], 3)]),
  'SkipSimplifiedLayerNormalization': runtime('SkipSimplifiedLayerNormalization', [sequence, floats([2, 3, 8], 2), floats([8], 3), floats([8], 4)]),
  'LayerNormalization of the runtime, in an old operator set': one([sequence, floats([8], 3), floats([8], 4)], {}, { operator: 'LayerNormalization', opset: 13 }),
  'SimplifiedLayerNormalization': one([sequence, floats([8], 3)], { epsilon: { float: 0.01 } }, { operator: 'SimplifiedLayerNormalization', opset: 13 }),
  'Attention of the runtime': runtime('Attention', [sequence, floats([8, 24], 2), floats([24], 3)], { num_heads: 2 }),
  'Attention of the runtime, causal': runtime('Attention', [sequence, floats([8, 24], 2), floats([24], 3)], { num_heads: 2, unidirectional: 1 }),
  'MultiHeadAttention': runtime('MultiHeadAttention', [sequence, floats([2, 5, 8], 2), floats([2, 5, 12], 3), floats([28], 4)], { num_heads: 2 }),
  'MultiHeadAttention with a bias on the scores': runtime('MultiHeadAttention', [sequence, floats([2, 5, 8], 2), floats([2, 5, 12], 3), undefined, undefined, floats([1, 2, 3, 5])], { num_heads: 2, scale: { float: 0.2 } }),
  'RotaryEmbedding of the runtime': runtime('RotaryEmbedding', [floats([2, 3, 16]), { int64: [0, 1, 2, 3, 5, 9], shape: [2, 3] }, ...angles], { num_heads: 2 }),
};

describe('attention and operators of the runtime agree with ONNX Runtime, computed and folded', () => {
  test.each(Object.entries(cases))('%s', (_, one) => expectAgreement(one));
});

test('a query that may look at nothing receives zeros, with finite derivatives', async () => {
  const blind = bools([1, 1, 0, 0, 0, 0, 1, 0, 1], [3, 3]);
  const [y] = await importedOutputs(one([floats([1, 1, 3, 2]), floats([1, 1, 3, 2]), floats([1, 1, 3, 2]), blind]));
  expect(Array.from(y.data.slice(2, 4))).toEqual([0, 0]);
  expect(y.data.every((x) => Number.isFinite(x))).toBe(true);
});

// ONNX Runtime has no kernel of operator set 25.
test('a query sees the keys of its window', async () => {
  const [, , , weights] = await importedOutputs(one([query, key, value], { left_window_size: 1, right_window_size: 0, qk_matmul_output_mode: 3 }, { outputs: ['float32', 'float32', 'float32', 'float32'], opset: 25 }));
  weights.data.forEach((x, i) => {
    const [row, column] = [Math.floor(i / 5) % 3, i % 5];
    expect(x > 0).toBe(column === row || column === row - 1);
  });
});

test('the scores in each of their forms', async () => {
  const scores = async (mode: number): Promise<number[]> => Array.from((await importedOutputs(one([query, key, value, some([3, 5])], { qk_matmul_output_mode: mode, softcap: { float: 1 } }, { outputs: ['float32', 'float32', 'float32', 'float32'] })))[3].data);
  const [raw, capped, masked, weights] = await Promise.all([0, 1, 2, 3].map(scores));
  raw.forEach((x, i) => expect(capped[i]).toBeCloseTo(Math.tanh(x), 5));
  masked.forEach((x, i) => expect(x === -Infinity || x === capped[i]).toBe(true));
  weights.forEach((x, i) => expect(x === 0).toBe(masked[i] === -Infinity));
});

test('what is not read is refused by name', async () => {
  await expect(importedOutputs(one([query, floats([2, 3, 5, 8]), value]))).rejects.toThrow('heads of keys must divide those of queries');
  await expect(importedOutputs(runtime('Attention', [sequence, floats([8, 24]), floats([24]), { int64: [3, 2] }], { num_heads: 2 }))).rejects.toThrow("Attention is read without 'mask_index'");
});
