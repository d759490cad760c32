import { describe, expect, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import { expectAgreement, floats, importedOutputs, type OperatorCase } from './agreement.test-helper.ts';

const image = floats([2, 3, 4, 5]);
/** Points within the image and some way outside. */
const grid = floats([2, 3, 6, 2], 2);
const sample = (attributes: OperatorCase['attributes'] = {}, inputs: OperatorCase['inputs'] = [image, grid], opset = 20): OperatorCase => ({ operator: 'GridSample', inputs, attributes, opset, tolerance: 1e-5 });
const affine = (shape: readonly number[], attributes: OperatorCase['attributes'] = {}): OperatorCase => ({
  operator: 'AffineGrid', inputs: [floats([2, shape.length - 2, shape.length - 1]), { int64: shape }], attributes, opset: 20, tolerance: 1e-5,
});

const cases: Readonly<Record<string, OperatorCase>> = {
  ...Object.fromEntries(['linear', 'nearest', 'cubic'].flatMap((mode) => ['zeros', 'border', 'reflection'].flatMap((padding) => [0, 1].map((aligned) =>
    [`GridSample ${mode}, ${padding}${aligned === 1 ? ', aligned' : ''}`, sample({ mode, padding_mode: padding, align_corners: aligned })] as const)))),
  'GridSample, operator set 16': sample({ mode: 'bilinear' }, undefined, 16),
  'GridSample bicubic, operator set 16': sample({ mode: 'bicubic', padding_mode: 'border' }, undefined, 16),
  'GridSample over three axes': sample({}, [floats([1, 2, 3, 4, 5]), floats([1, 2, 3, 2, 3], 2)]),
  'GridSample nearest over three axes': sample({ mode: 'nearest', padding_mode: 'reflection' }, [floats([1, 2, 3, 4, 5]), floats([1, 2, 3, 2, 3], 2)]),
  'AffineGrid': affine([2, 1, 4, 5]),
  'AffineGrid, aligned': affine([2, 1, 4, 5], { align_corners: 1 }),
  'AffineGrid of three axes': affine([2, 1, 2, 3, 4]),
};

describe('sampling agrees with ONNX Runtime, computed and folded', () => {
  test.each(Object.entries(cases))('%s', (_, one) => expectAgreement(one));
});

test('misfits are refused', async () => {
  await expect(importedOutputs(sample({ mode: 'quintic' }))).rejects.toThrow("attribute 'mode' must be nearest, linear or cubic");
  await expect(importedOutputs(sample({}, [image, new NDArray(new Float32Array(12), [1, 3, 2, 2], 'float32')]))).rejects.toThrow('the grid must be [2, ...points, 2]');
  await expect(importedOutputs(affine([2, 1, 4]))).rejects.toThrow('theta must be [batch, 2, 3]');
});
