import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/tensor.ts';
import { NDArray } from '../../../core/ndarray.ts';
import { constant } from '../../../ops/index.ts';
import { checkGrads } from '../../../testing/index.ts';
import { bools, expectAgreement, floats, importedOutputs, ints, type CaseInput, type OperatorCase } from './agreement.test-helper.ts';
import { applied } from './gradient.test-helper.ts';

const x = floats([3, 4, 2]);
const list = (...int64: number[]): CaseInput => ({ int64 });
const scalar = (value: number): CaseInput => ({ int64: [value], shape: [] });
const pair = (off: number, on: number): NDArray => new NDArray(Float32Array.of(off, on), [2], 'float32');
const twice = ['float32', 'int64'] as const;
const coarse = new NDArray(Float32Array.of(2, 1, 3, 1, 3, 2, 2, 1, 3, 1, 1, 1), [3, 4], 'float32');

const cases: readonly OperatorCase[] = [
  { operator: 'TopK', inputs: [x, list(2)], outputs: twice },
  { operator: 'TopK', inputs: [x, list(3)], attributes: { axis: 1, largest: 0 }, outputs: twice, opset: 11 },
  { operator: 'TopK', inputs: [coarse, list(3)], attributes: { axis: 1 }, outputs: twice },
  { operator: 'TopK', inputs: [x, list(1)], attributes: { axis: 0 }, outputs: twice, opset: 10 },
  { operator: 'TopK', inputs: [x], attributes: { axis: -2, k: 2 }, outputs: twice, opset: 9 },
  { operator: 'TopK', inputs: [ints([3, 9, -2, 5]), list(2)], outputs: ['int32', 'int64'] },
  ...[0, 1].flatMap((exclusive) => [0, 1].map((reverse) => ({ operator: 'CumSum', inputs: [x, scalar(1)], attributes: { exclusive, reverse } }))),
  { operator: 'CumSum', inputs: [ints([1, 2, 3]), scalar(-1)], opset: 11 },
  ...['DCR', 'CRD'].map((mode) => ({ operator: 'DepthToSpace', inputs: [floats([2, 8, 2, 3])], attributes: { blocksize: 2, mode } })),
  { operator: 'DepthToSpace', inputs: [floats([1, 9, 2, 1])], attributes: { blocksize: 3 }, opset: 7 },
  { operator: 'SpaceToDepth', inputs: [floats([2, 2, 4, 6])], attributes: { blocksize: 2 }, opset: 7 },
  { operator: 'ReverseSequence', inputs: [x, list(2, 0, 3, 1)], known: [] },
  { operator: 'ReverseSequence', inputs: [x, list(4, 1, 2)], attributes: { batch_axis: 0, time_axis: 1 }, opset: 10 },
  { operator: 'OneHot', inputs: [list(0, -1, 2, 5), scalar(4), pair(-1, 3)], known: [1], outputs: ['float32'] },
  { operator: 'OneHot', inputs: [ints([0, 3, -4, 2], [2, 2]), ints([4]), pair(0, 1)], known: [1], attributes: { axis: 1 }, outputs: ['float32'], opset: 9 },
  { operator: 'OneHot', inputs: [list(0, 1), scalar(3), list(5, 9)], attributes: { axis: 0 }, known: [1, 2], outputs: ['int64'] },
  { operator: 'EyeLike', inputs: [coarse], attributes: { k: 1 } },
  { operator: 'EyeLike', inputs: [coarse], attributes: { k: -1, dtype: 6 }, outputs: ['int32'], opset: 9 },
  { operator: 'NonZero', inputs: [ints([0, 2, 0, 1, 1, 0], [2, 3])], known: [0], outputs: ['int64'] },
  { operator: 'NonZero', inputs: [bools([0, 1, 1, 0])], known: [0], outputs: ['int64'], opset: 9 },
  { operator: 'Compress', inputs: [x, bools([0, 1, 1, 0])], attributes: { axis: 1 }, known: [1] },
  { operator: 'Compress', inputs: [x, bools([0, 1, 0, 0, 1, 1, 0, 0])], known: [1], opset: 9 },
  { operator: 'Unique', inputs: [coarse], known: [0], outputs: ['float32', 'int64', 'int64', 'int64'] },
  { operator: 'Unique', inputs: [coarse], attributes: { sorted: 0 }, known: [0], outputs: ['float32', 'int64', 'int64', 'int64'], opset: 11 },
  { operator: 'Unique', inputs: [new NDArray(Float32Array.of(1, 0, 1, 2, 3, 4, 2, 3, 1, 0, 1, 2), [3, 4], 'float32')], attributes: { axis: 1 }, known: [0], outputs: ['float32', 'int64', 'int64', 'int64'] },
  { operator: 'Unique', inputs: [new NDArray(Float32Array.of(1, 0, 0, 1, 1, 0, 0, 0), [4, 2], 'float32')], attributes: { axis: 0 }, known: [0], outputs: ['float32', 'int64', 'int64', 'int64'] },
  ...[0, 1].map((last) => ({ operator: 'ArgMax', inputs: [coarse], attributes: { axis: 1, keepdims: 0, select_last_index: last }, outputs: ['int64'] as const, opset: 13 })),
  { operator: 'ArgMin', inputs: [coarse], attributes: { axis: -1, select_last_index: 1 }, outputs: ['int64'] },
  { operator: 'ArgMin', inputs: [coarse], outputs: ['int64'], opset: 7 },
  { operator: 'Trilu', inputs: [x, scalar(-1)], attributes: { upper: 0 } },
  { operator: 'Tile', inputs: [x, list(1, 2, 3)] },
  { operator: 'Expand', inputs: [floats([4, 1]), list(3, 1, 2)] },
];

describe('layouts and order agree with ONNX Runtime', () => {
  test.each(cases)('$operator $attributes, operator set $opset', async (each) => { await expectAgreement(each); });

  test('running products, newer than ONNX Runtime', async () => {
    const [y] = await importedOutputs({ operator: 'CumProd', inputs: [new NDArray(Float32Array.of(2, 3, 4), [3], 'float32'), scalar(0)], attributes: { exclusive: 1, reverse: 1 }, opset: 26 });
    expect(Array.from(y.data)).toEqual([12, 4, 1]);
  });
});

describe('derivatives', () => {
  const y = new NDArray(Float64Array.from({ length: 12 }, (_, i) => Math.cos(2 * i) + i / 10), [3, 4], 'float64');
  test('of chosen, summed and reversed elements', () => {
    checkGrads((x: Tensor) => applied('TopK', [x, [2]]), [y]);
    checkGrads((x: Tensor) => applied('CumSum', [x, [1]], { exclusive: 1, reverse: 1 }), [y]);
    checkGrads((x: Tensor) => applied('ReverseSequence', [x, [2, 0, 3, 1]]), [y]);
    checkGrads((values: Tensor) => applied('OneHot', [constant(new NDArray(Int32Array.of(1, 0), [2], 'int32')), [3], values]), [new NDArray(Float64Array.of(0.5, 2), [2], 'float64')]);
  });
});

test('refuses values that decide shapes, and what does not fit', async () => {
  const rejects = (each: OperatorCase, message: string): Promise<void> => expect(importedOutputs(each)).rejects.toThrow(message);
  await rejects({ operator: 'NonZero', inputs: [x], outputs: ['int64'] }, 'whose values decide the shape of its output, must not depend on inputs or parameters');
  await rejects({ operator: 'Unique', inputs: [x] }, 'must not depend on inputs or parameters');
  await rejects({ operator: 'TopK', inputs: [x, list(3)], outputs: twice }, 'k must lie in 0..2');
  await rejects({ operator: 'DepthToSpace', inputs: [floats([1, 3, 2, 2])], attributes: { blocksize: 2 } }, 'channels that the square of the block divides');
  await rejects({ operator: 'ReverseSequence', inputs: [x, list(9, 0, 0, 0)] }, 'lengths must lie in 0..3');
  await rejects({ operator: 'EyeLike', inputs: [x] }, 'the input must be a matrix');
});
