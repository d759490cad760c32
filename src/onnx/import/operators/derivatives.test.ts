/** Derivatives of operators that are loops, adjoints or interpolations, against finite differences in float64. */
import { describe, expect, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { sum } from '../../../ops/index.ts';
import { checkGrads, evaluateReference } from '../../../testing/index.ts';
import { grad } from '../../../transforms/index.ts';
import { floats, numbers } from './agreement.test-helper.ts';
import { applied } from './gradient.test-helper.ts';
import { operatorOf } from './registry.ts';

/** Small float64 numbers. */
const doubles = (shape: readonly number[], seed = 1): NDArray => new NDArray(Float64Array.from(numbers(floats(shape).size, seed), (x) => x / 2), [...shape], 'float64');

const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const;
const cases: Readonly<Record<string, { operator: string; args: readonly NDArray[]; attributes?: Parameters<typeof applied>[2]; opset?: number }>> = {
  ...Object.fromEntries((['RNN', 'GRU', 'LSTM'] as const).map((operator) => [`${operator} both ways`, {
    operator, attributes: { hidden_size: 2, direction: 'bidirectional' },
    args: [doubles([3, 2, 2]), doubles([2, 2 * GATES[operator], 2], 2), doubles([2, 2 * GATES[operator], 2], 3), doubles([2, 4 * GATES[operator]], 4)],
  }])),
  'GRU whose reset follows the product': { operator: 'GRU', attributes: { hidden_size: 2, linear_before_reset: 1 }, args: [doubles([3, 2, 2]), doubles([1, 6, 2], 2), doubles([1, 6, 2], 3), doubles([1, 12], 4)] },
  'ConvTranspose': { operator: 'ConvTranspose', attributes: { strides: [2, 1], pads: [1, 0, 0, 1], group: 2, output_padding: [1, 0] }, args: [doubles([1, 4, 3, 2]), doubles([4, 1, 3, 2], 2), doubles([2], 3)] },
  'Attention of heads that share keys, causal': { operator: 'Attention', attributes: { is_causal: 1, softcap: { float: 2 } }, opset: 23, args: [doubles([1, 4, 3, 2]), doubles([1, 2, 3, 2], 2), doubles([1, 2, 3, 2], 3)] },
  'GridSample': { operator: 'GridSample', opset: 20, args: [doubles([1, 2, 3, 4]), doubles([1, 2, 3, 2], 2)] },
  'GridSample cubic, reflection': { operator: 'GridSample', opset: 20, attributes: { mode: 'cubic', padding_mode: 'reflection' }, args: [doubles([1, 1, 3, 4]), doubles([1, 2, 3, 2], 2)] },
  'AffineGrid': { operator: 'AffineGrid', opset: 20, args: [doubles([1, 2, 3])] },
  'GroupNormalization': { operator: 'GroupNormalization', attributes: { num_groups: 2 }, args: [doubles([2, 4, 3]), doubles([4], 2), doubles([4], 3)] },
  'LRN': { operator: 'LRN', attributes: { size: 3, alpha: { float: 0.5 } }, args: [doubles([2, 4, 3])] },
  'LpPool': { operator: 'LpPool', attributes: { kernel_shape: [2], p: 3 }, args: [doubles([2, 2, 4])] },
};

describe('derivatives against finite differences', () => {
  test.each(Object.entries(cases))('%s', (_, { operator, args, attributes, opset }) => {
    checkGrads((...tensors: Tensor[]) => applied(operator, operator === 'AffineGrid' ? [...tensors, [1, 1, 2, 3]] : tensors, attributes, opset), [...args], { order: 1 });
  });
});

test('an LSTM has second derivatives', () => {
  checkGrads((x: Tensor, w: Tensor, r: Tensor) => applied('LSTM', [x, w, r], { hidden_size: 1 }), [doubles([2, 1, 1]), doubles([1, 4, 1], 2), doubles([1, 4, 1], 3)]);
});

test('norms of zero have derivative zero', () => {
  const zeros = new NDArray(new Float64Array(4), [1, 1, 4], 'float64');
  const gradient = evaluateReference(grad((x: Tensor) => sum(applied('LpPool', [x], { kernel_shape: [2] }))), zeros) as NDArray;
  expect(Array.from(gradient.data)).toEqual([0, 0, 0, 0]);
});

test('operators say how they are differentiated', () => {
  expect(['QuantizeLinear', 'DynamicQuantizeLinear', 'QLinearConv'].map((name) => operatorOf('', name)?.gradient)).toEqual(Array(3).fill('straight-through'));
  expect(['MatMulInteger', 'ConvInteger'].map((name) => operatorOf('', name)?.gradient)).toEqual(['zero', 'zero']);
  expect(operatorOf('', 'LSTM')?.weights).toEqual([1, 2, 3, 7]);
  expect(operatorOf('com.microsoft', 'FusedMatMul')?.gradient).toBeUndefined();
});
