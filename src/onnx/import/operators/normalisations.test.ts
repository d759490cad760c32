import { describe, expect, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import { expectAgreement, floats, importedOutputs, type OperatorCase } from './agreement.test-helper.ts';

const image = floats([2, 6, 5, 4]);
const sequence = floats([2, 3, 4]);
const one = (operator: string, inputs: OperatorCase['inputs'], attributes: OperatorCase['attributes'] = {}, rest: Partial<OperatorCase> = {}): OperatorCase => ({ operator, inputs, attributes, tolerance: 1e-5, ...rest });
const pool = (attributes: OperatorCase['attributes'], rest: Partial<OperatorCase> = {}): OperatorCase => one('LpPool', [image], { kernel_shape: [3, 2], ...attributes }, rest);

const cases: Readonly<Record<string, OperatorCase>> = {
  'InstanceNormalization': one('InstanceNormalization', [image, floats([6]), floats([6], 2)], { epsilon: { float: 1e-2 } }),
  'InstanceNormalization, operator set 7': one('InstanceNormalization', [image, floats([6]), floats([6], 2)], {}, { opset: 7 }),
  'InstanceNormalization over one axis': one('InstanceNormalization', [sequence, floats([3]), floats([3], 2)]),
  'GroupNormalization': one('GroupNormalization', [image, floats([6]), floats([6], 2)], { num_groups: 3 }),
  'GroupNormalization, operator set 18': one('GroupNormalization', [image, floats([3]), floats([3], 2)], { num_groups: 3, epsilon: { float: 0.1 } }, { opset: 18 }),
  'RMSNormalization': one('RMSNormalization', [sequence, floats([4])], {}, { opset: 23 }),
  'RMSNormalization over two axes': one('RMSNormalization', [sequence, floats([3, 4])], { axis: 1, epsilon: { float: 0.1 } }, { opset: 23 }),
  'LpNormalization': one('LpNormalization', [sequence]),
  'LpNormalization by sums of sizes': one('LpNormalization', [sequence], { p: 1, axis: 1 }, { opset: 7 }),
  'LpNormalization of zeros': one('LpNormalization', [new NDArray(Float32Array.of(0, 0, 3, 4), [2, 2], 'float32')]),
  'LRN': one('LRN', [image], { size: 3, alpha: { float: 0.5 }, bias: { float: 2 } }),
  'LRN over five channels': one('LRN', [image], { size: 5, alpha: { float: 0.5 }, beta: { float: 0.5 } }, { opset: 7 }),
  'LayerNormalization with all outputs': one('LayerNormalization', [sequence, floats([4]), floats([4], 2)], {}, { outputs: ['float32', 'float32', 'float32'] }),
  'LpPool': pool({}),
  'LpPool by cubes, padded': pool({ p: 3, pads: [1, 0, 2, 1], strides: [2, 1] }),
  'LpPool by sizes, operator set 11': pool({ p: 1, auto_pad: 'SAME_UPPER' }, { opset: 11 }),
  'LpPool dilated, a last window that sticks out': pool({ dilations: [1, 2], strides: [2, 2], ceil_mode: 1 }),
  'GlobalLpPool': one('GlobalLpPool', [image]),
  'GlobalLpPool by cubes': one('GlobalLpPool', [image], { p: 3 }, { opset: 7 }),
  'MaxPool SAME_LOWER': one('MaxPool', [image], { kernel_shape: [2, 2], strides: [2, 3], auto_pad: 'SAME_LOWER' }),
  'MaxPool dilated with ceil_mode': one('MaxPool', [image], { kernel_shape: [2, 2], strides: [2, 2], dilations: [2, 1], ceil_mode: 1, pads: [1, 0, 1, 1] }),
  'MaxPool over one axis, operator set 8': one('MaxPool', [sequence], { kernel_shape: [3], pads: [1, 1] }, { opset: 8 }),
  'MaxPool over three axes': one('MaxPool', [floats([1, 2, 4, 5, 3])], { kernel_shape: [2, 3, 2] }),
  'AveragePool dilated, padding counted': one('AveragePool', [image], { kernel_shape: [2, 2], dilations: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  'AveragePool dilated, padding not counted': one('AveragePool', [image], { kernel_shape: [2, 2], dilations: [2, 2], pads: [1, 1, 1, 1] }),
  'AveragePool whose last window sticks out of padding': one('AveragePool', [image], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1, count_include_pad: 1 }),
  'AveragePool SAME_UPPER, operator set 7': one('AveragePool', [image], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }, { opset: 7 }),
};

describe('normalisations and pooling agree with ONNX Runtime, computed and folded', () => {
  test.each(Object.entries(cases))('%s', (_, one) => expectAgreement(one));
});

test('misfits are refused', async () => {
  await expect(importedOutputs(one('GroupNormalization', [image, floats([3]), floats([3])], { num_groups: 3 }))).rejects.toThrow('scale must have 6 entries');
  await expect(importedOutputs(pool({ p: 0 }))).rejects.toThrow("attribute 'p' must be at least 1");
  await expect(importedOutputs(one('RMSNormalization', [sequence, floats([4])]))).rejects.toThrow('from operator set 23 on');
});
