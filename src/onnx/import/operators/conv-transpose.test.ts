import { describe, expect, test } from 'vitest';
import { expectAgreement, floats, importedOutputs, type OperatorCase } from './agreement.test-helper.ts';

const kernel = floats([4, 3, 3, 3]);
const image = floats([2, 4, 5, 4]);
const one = (attributes: OperatorCase['attributes'] = {}, inputs: OperatorCase['inputs'] = [image, kernel], rest: Partial<OperatorCase> = {}): OperatorCase => ({ operator: 'ConvTranspose', inputs, attributes, tolerance: 1e-5, ...rest });

const cases: Readonly<Record<string, OperatorCase>> = {
  'plain': one(),
  'operator set 7': one({ strides: [2, 2] }, undefined, { opset: 7 }),
  'with bias, strided, padded': one({ strides: [2, 3], pads: [1, 0, 0, 2] }, [image, kernel, floats([3])]),
  'with output padding': one({ strides: [3, 2], pads: [1, 1, 1, 1], output_padding: [2, 1] }),
  'dilated': one({ dilations: [2, 3], strides: [2, 1] }),
  'in groups': one({ group: 2, strides: [2, 2] }, [image, floats([4, 2, 2, 3])]),
  'for each channel by itself': one({ group: 4, strides: [2, 2], pads: [1, 1, 1, 1] }, [image, floats([4, 1, 4, 4])]),
  'of given output extents': one({ strides: [2, 2], output_shape: [10, 8] }),
  'of given output extents, an odd cut': one({ strides: [3, 2], output_shape: [12, 6] }),
  'of given output extents, more cut in front': one({ strides: [3, 2], output_shape: [12, 6], auto_pad: 'SAME_LOWER' }),
  'of given output extents, more cut behind': one({ strides: [3, 2], output_shape: [12, 6], auto_pad: 'SAME_UPPER' }),
  'of longer output extents': one({ strides: [2, 2], output_shape: [12, 9] }),
  'SAME_UPPER': one({ strides: [2, 2], auto_pad: 'SAME_UPPER' }),
  'SAME_LOWER': one({ strides: [2, 2], auto_pad: 'SAME_LOWER' }),
  'VALID': one({ strides: [2, 1], auto_pad: 'VALID' }),
  'cut by more than the window': one({ strides: [2, 2], pads: [3, 3, 3, 4] }),
  'over one axis': one({ strides: [3] }, [floats([2, 3, 6]), floats([3, 2, 4])]),
  'over three axes': one({ strides: [2, 1, 2], pads: [0, 1, 0, 1, 0, 1] }, [floats([1, 2, 3, 4, 2]), floats([2, 2, 2, 3, 3])]),
};

describe('ConvTranspose agrees with ONNX Runtime, computed and folded', () => {
  test.each(Object.entries(cases))('%s', (_, one) => expectAgreement(one));
});

const columns = (places: number, image: readonly number[], window: readonly number[], attributes: OperatorCase['attributes'] = {}): OperatorCase =>
  ({ operator: 'Col2Im', inputs: [floats([2, 3 * window.reduce((a, b) => a * b, 1), places]), { int64: image }, { int64: window }], attributes, tolerance: 1e-5 });
test.each(Object.entries({
  'overlapping': columns(12, [5, 4], [2, 2]),
  'strided, not up to the end': columns(9, [8, 6], [3, 2], { strides: [2, 2] }),
  'dilated and padded': columns(12, [5, 6], [2, 3], { dilations: [2, 1], pads: [1, 0, 0, 2], strides: [2, 1] }),
}))('Col2Im agrees with ONNX Runtime: %s', (_, each) => expectAgreement(each));

test('misfits are refused', async () => {
  await expect(importedOutputs(one({ output_shape: [10] }))).rejects.toThrow("attribute 'output_shape' must have 2 extents");
  await expect(importedOutputs(one({ output_padding: [1] }))).rejects.toThrow("attribute 'output_padding' must have 2 entries");
  await expect(importedOutputs(one({}, [image, floats([3, 2, 2, 2])]))).rejects.toThrow('the kernel must be [4, out / group, ...window]');
});
