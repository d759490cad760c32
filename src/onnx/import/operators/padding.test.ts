import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/tensor.ts';
import { checkGrads } from '../../../testing/index.ts';
import { NDArray } from '../../../core/ndarray.ts';
import { bools, expectAgreement, floats, importedOutputs, ints, type CaseInput, type OperatorCase } from './agreement.test-helper.ts';
import { applied } from './gradient.test-helper.ts';

const x = floats([3, 4]);
const list = (...int64: number[]): CaseInput => ({ int64 });
const scalar = (value: number): NDArray => new NDArray(Float32Array.of(value), [], 'float32');
const cases: readonly OperatorCase[] = [
  { operator: 'Pad', inputs: [x], attributes: { pads: [1, 0, 2, 3] }, opset: 7 },
  { operator: 'Pad', inputs: [x], attributes: { pads: [0, -1, 2, 1], value: { float: 1.5 } }, opset: 10 },
  { operator: 'Pad', inputs: [x], attributes: { pads: [1, 2, 0, 1], mode: 'reflect' }, opset: 7 },
  { operator: 'Pad', inputs: [x], attributes: { pads: [1, 2, 0, 1], mode: 'edge' }, opset: 9 },
  { operator: 'Pad', inputs: [x, list(1, 0, 2, 3), scalar(-0.5)], opset: 11 },
  { operator: 'Pad', inputs: [x, list(-1, 2, 1, -3), scalar(-0.5)], opset: 13 },
  { operator: 'Pad', inputs: [x, list(1, 2), undefined, list(-1)] },
  { operator: 'Pad', inputs: [x, list(1, 0, 2, 1), scalar(4), list(1, 0)], opset: 18 },
  { operator: 'Pad', inputs: [x, list(2, 3, 1, 2)], attributes: { mode: 'reflect' } },
  { operator: 'Pad', inputs: [x, list(0, -1, 1, 2)], attributes: { mode: 'reflect' } },
  { operator: 'Pad', inputs: [x, list(5, 0, 0, 7)], attributes: { mode: 'edge' } },
  { operator: 'Pad', inputs: [x, list(-1, 0, 2, -2)], attributes: { mode: 'edge' } },
  { operator: 'Pad', inputs: [x, list(2, 3, 1, 4)], attributes: { mode: 'wrap' } },
  { operator: 'Pad', inputs: [x, list(1, 2), undefined, list(1)], attributes: { mode: 'wrap' }, opset: 19 },
  { operator: 'Pad', inputs: [ints([1, 2, 3]), list(1, 2), ints([7], [])] },
  { operator: 'Pad', inputs: [bools([1, 0, 1]), list(1, 1), bools([1], [])] },
  { operator: 'CenterCropPad', inputs: [floats([5, 4, 3]), list(2, 7, 3)], opset: 18 },
  { operator: 'CenterCropPad', inputs: [floats([5, 4, 3]), list(8, 1)], attributes: { axes: [-1, 0] } },
];

describe('padding agrees with ONNX Runtime', () => {
  test.each(cases)('$operator $attributes, operator set $opset', async (each) => { await expectAgreement(each); });

  test('reflection goes back and forth where the width exceeds the axis, as NumPy has it', async () => {
    const [y] = await importedOutputs({ operator: 'Pad', inputs: [ints([1, 2, 3]), list(4, 3)], attributes: { mode: 'reflect' } });
    expect(Array.from(y.data)).toEqual([1, 2, 3, 2, 1, 2, 3, 2, 1, 2]);
  });

  test.each(['constant', 'reflect', 'edge', 'wrap'])('the derivative in mode %s', (mode) => {
    checkGrads((y: Tensor) => applied('Pad', [y, [2, -1, 1, 2]], { mode }), [new NDArray(Float64Array.from({ length: 12 }, (_, i) => Math.cos(i)), [3, 4], 'float64')]);
  });

  test('refuses widths that do not fit', async () => {
    await expect(importedOutputs({ operator: 'Pad', inputs: [x, list(1, 2)] })).rejects.toThrow('two entries for each of 2 distinct axes');
    await expect(importedOutputs({ operator: 'Pad', inputs: [x, list(-2, 0, -2, 0)] })).rejects.toThrow('must not remove more elements than there are');
    await expect(importedOutputs({ operator: 'Pad', inputs: [x, list(0, 0, 0, 0)], attributes: { mode: 'mirror' } })).rejects.toThrow('constant, reflect, edge or wrap');
  });
});
