import { describe, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import { expectAgreement, floats, ints, type OperatorCase } from './agreement.test-helper.ts';

const image = floats([2, 4, 7, 8]);
const positive = (shape: readonly number[]): NDArray => new NDArray(floats(shape).data.map((x) => Math.abs(x) + 0.2) as Float32Array, shape, 'float32');
const one = (operator: string, inputs: OperatorCase['inputs'], attributes: OperatorCase['attributes'] = {}, rest: Partial<OperatorCase> = {}): OperatorCase => ({ operator, inputs, attributes, tolerance: 2e-6, ...rest });

const cases: Readonly<Record<string, OperatorCase>> = {
  'MatMul': one('MatMul', [floats([2, 3, 4]), floats([4, 5])]),
  'MatMul of a vector': one('MatMul', [floats([4]), floats([2, 4, 3])]),
  'Gemm': one('Gemm', [floats([4, 3]), floats([5, 4]), floats([5], 2)], { transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
  'Einsum': one('Einsum', [floats([2, 3, 4]), floats([2, 4, 5])], { equation: 'bij, bjk -> bik' }),
  'Einsum with an ellipsis': one('Einsum', [floats([2, 3, 4]), floats([4, 5])], { equation: '...ij,jk->...ik' }),
  'Einsum without result': one('Einsum', [floats([3, 4]), floats([4, 5])], { equation: 'ij,jk' }),
  'Conv': one('Conv', [image, floats([6, 4, 3, 3]), floats([6])], { pads: [1, 1, 1, 1] }, { tolerance: 1e-5 }),
  'Conv in groups, strided, dilated': one('Conv', [image, floats([4, 2, 3, 2])], { group: 2, strides: [2, 1], dilations: [2, 1], pads: [2, 0, 1, 1] }, { tolerance: 1e-5 }),
  'Conv with the same extent, padded below': one('Conv', [image, floats([3, 4, 2, 2])], { auto_pad: 'SAME_LOWER', strides: [2, 2] }, { tolerance: 1e-5 }),
  'Conv over one axis': one('Conv', [floats([2, 3, 9]), floats([4, 3, 3])], { auto_pad: 'SAME_UPPER' }, { tolerance: 1e-5 }),
  'Conv over three axes': one('Conv', [floats([1, 2, 4, 5, 3]), floats([3, 2, 2, 2, 2])], {}, { tolerance: 1e-5 }),
  'MaxPool': one('MaxPool', [image], { kernel_shape: [2, 2], strides: [2, 2] }),
  'MaxPool with padding and a last window that sticks out': one('MaxPool', [image], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
  'MaxPool dilated': one('MaxPool', [image], { kernel_shape: [2, 3], dilations: [2, 2] }),
  'AveragePool': one('AveragePool', [image], { kernel_shape: [3, 3], strides: [2, 2] }),
  'AveragePool with padding': one('AveragePool', [image], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  'AveragePool with padding counted': one('AveragePool', [image], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  'AveragePool whose last window sticks out': one('AveragePool', [image], { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 }),
  'AveragePool with padding counted whose last window sticks out': one('AveragePool', [image], { kernel_shape: [3, 3], strides: [2, 3], pads: [1, 1, 1, 1], ceil_mode: 1, count_include_pad: 1 }),
  'AveragePool dilated': one('AveragePool', [image], { kernel_shape: [2, 3], dilations: [2, 2], pads: [1, 1, 1, 1] }),
  'GlobalAveragePool': one('GlobalAveragePool', [image]),
  'GlobalMaxPool': one('GlobalMaxPool', [image]),
  'BatchNormalization': one('BatchNormalization', [image, floats([4]), floats([4], 2), floats([4], 3), positive([4])], { epsilon: { float: 1e-3 } }),
  'LayerNormalization': one('LayerNormalization', [floats([2, 3, 4]), floats([4]), floats([4], 2)], { axis: -1 }, { tolerance: 1e-5 }),
  'LayerNormalization over two axes': one('LayerNormalization', [floats([2, 3, 4]), floats([3, 4])], { axis: 1 }, { tolerance: 1e-5 }),
  'Softmax': one('Softmax', [floats([2, 3, 4])], { axis: 1 }),
  'Softmax over all later axes, as before operator set 13': one('Softmax', [floats([2, 3, 4])], {}, { opset: 11 }),
  'LogSoftmax': one('LogSoftmax', [floats([2, 3, 4])]),
  'LogSoftmax over all later axes': one('LogSoftmax', [floats([2, 3, 4])], { axis: 2 }, { opset: 12 }),
  'Gelu': one('Gelu', [floats([5])]),
  'Gelu by tanh': one('Gelu', [floats([5])], { approximate: 'tanh' }),
  'ReduceSum by input': one('ReduceSum', [floats([2, 3, 4]), { int64: [0, -1] }], { keepdims: 0 }),
  'ReduceSum of nothing': one('ReduceSum', [floats([2, 3])], { noop_with_empty_axes: 1 }),
  'ReduceSum of all': one('ReduceSum', [floats([2, 3])]),
  'ReduceMean by attribute': one('ReduceMean', [floats([2, 3, 4])], { axes: [1, 2] }, { opset: 13 }),
  'ReduceMean of integers': one('ReduceMean', [ints([1, 2, 4, -5], [2, 2]), { int64: [1] }]),
  'ReduceMax': one('ReduceMax', [floats([2, 3, 4]), { int64: [1] }]),
  'ReduceMin': one('ReduceMin', [floats([2, 3, 4]), { int64: [-1] }], { keepdims: 0 }),
  'ReduceProd': one('ReduceProd', [floats([2, 3]), { int64: [1] }]),
  'ReduceL1': one('ReduceL1', [floats([2, 3]), { int64: [1] }]),
  'ReduceL2': one('ReduceL2', [floats([2, 3]), { int64: [1] }]),
  'ReduceSumSquare': one('ReduceSumSquare', [floats([2, 3]), { int64: [0] }]),
  'ReduceLogSum': one('ReduceLogSum', [positive([2, 3]), { int64: [0] }]),
  'ReduceLogSumExp': one('ReduceLogSumExp', [floats([2, 3]), { int64: [0] }]),
  'ArgMax': one('ArgMax', [floats([2, 3, 4])], { axis: 1 }, { outputs: ['int64'] }),
  'ArgMax of the last': one('ArgMax', [ints([1, 3, 3, 2])], { select_last_index: 1, keepdims: 0 }, { outputs: ['int64'] }),
  'ArgMin': one('ArgMin', [floats([2, 3, 4])], { axis: -1 }, { outputs: ['int64'] }),
  'Dropout': one('Dropout', [floats([2, 3])]),
};

describe('layers agree with ONNX Runtime, computed and folded', () => {
  test.each(Object.entries(cases))('%s', (_, one) => expectAgreement(one, { folds: one.operator !== 'Dropout' }));
});
