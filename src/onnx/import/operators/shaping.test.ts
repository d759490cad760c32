import { describe, expect, test } from 'vitest';
import { expectAgreement, floats, importedOutputs, ints, type OperatorCase } from './agreement.test-helper.ts';

const x = floats([2, 3, 4]);
const largest = Number.MAX_SAFE_INTEGER;

describe('shapes and pieces agree with ONNX Runtime, computed and folded', () => {
  const cases: Readonly<Record<string, OperatorCase>> = {
    'Reshape with -1 and 0': { operator: 'Reshape', inputs: [x, { int64: [0, -1] }] },
    'Reshape to nothing with allowzero': { operator: 'Reshape', inputs: [floats([0, 3]), { int64: [3, 0] }], attributes: { allowzero: 1 } },
    'Transpose without order': { operator: 'Transpose', inputs: [x] },
    'Transpose': { operator: 'Transpose', inputs: [x], attributes: { perm: [1, 0, 2] } },
    'Squeeze all': { operator: 'Squeeze', inputs: [floats([1, 3, 1])] },
    'Squeeze by attribute': { operator: 'Squeeze', inputs: [floats([1, 3, 1])], attributes: { axes: [-1] }, opset: 11 },
    'Unsqueeze': { operator: 'Unsqueeze', inputs: [x, { int64: [0, -1] }] },
    'Unsqueeze by attribute': { operator: 'Unsqueeze', inputs: [x], attributes: { axes: [1, 3] }, opset: 11 },
    'Flatten': { operator: 'Flatten', inputs: [x] },
    'Flatten from the end': { operator: 'Flatten', inputs: [x], attributes: { axis: -1 } },
    'Flatten all': { operator: 'Flatten', inputs: [x], attributes: { axis: 0 } },
    'Concat': { operator: 'Concat', inputs: [x, floats([2, 1, 4], 2)], attributes: { axis: -2 } },
    'Split in equal parts': { operator: 'Split', inputs: [x], attributes: { axis: 2, num_outputs: 2 }, outputs: ['float32', 'float32'] },
    'Split with a smaller last part': { operator: 'Split', inputs: [floats([7])], attributes: { num_outputs: 3 }, outputs: ['float32', 'float32', 'float32'] },
    'Split by lengths': { operator: 'Split', inputs: [x, { int64: [1, 2] }], attributes: { axis: 1 }, outputs: ['float32', 'float32'] },
    'Split by attribute': { operator: 'Split', inputs: [x], attributes: { axis: 1, split: [2, 1] }, outputs: ['float32', 'float32'], opset: 11 },
    'Slice': { operator: 'Slice', inputs: [x, { int64: [1, 0] }, { int64: [largest, -1] }, { int64: [1, 2] }, { int64: [1, 2] }] },
    'Slice backward': { operator: 'Slice', inputs: [x, { int64: [-1, 2] }, { int64: [-largest, 0] }, { int64: [2, 1] }, { int64: [-2, -1] }] },
    'Slice beyond the ends': { operator: 'Slice', inputs: [x, { int64: [-100] }, { int64: [100] }, { int64: [1] }, { int64: [5] }] },
    'Slice of nothing': { operator: 'Slice', inputs: [x, { int64: [3] }, { int64: [1] }, { int64: [2] }] },
    'Slice by attributes': { operator: 'Slice', inputs: [x], attributes: { starts: [0, 1], ends: [1, 3] }, opset: 9 },
    'Expand': { operator: 'Expand', inputs: [floats([3, 1]), { int64: [2, 1, 4] }] },
    'Expand less than there is': { operator: 'Expand', inputs: [floats([3, 2]), { int64: [1, 1] }] },
    'Tile': { operator: 'Tile', inputs: [floats([2, 3]), { int64: [2, 3] }] },
    'Shape': { operator: 'Shape', inputs: [x], outputs: ['int64'] },
    'Shape of a part': { operator: 'Shape', inputs: [x], attributes: { start: -2, end: 5 }, outputs: ['int64'] },
    'Size': { operator: 'Size', inputs: [x], outputs: ['int64'] },
    'ConstantOfShape': { operator: 'ConstantOfShape', inputs: [{ int64: [2, 3] }], outputs: ['float32'] },
    'ConstantOfShape of a value': { operator: 'ConstantOfShape', inputs: [{ int64: [2] }], attributes: { value: { tensor: ints([7]) } }, outputs: ['int32'] },
    'Range': { operator: 'Range', inputs: [{ int64: [10], shape: [] }, { int64: [1], shape: [] }, { int64: [-3], shape: [] }], outputs: ['int64'] },
    'Trilu': { operator: 'Trilu', inputs: [x, { int64: [1], shape: [] }] },
    'Trilu below': { operator: 'Trilu', inputs: [x], attributes: { upper: 0 } },
    'Gather': { operator: 'Gather', inputs: [x, { int64: [2, -1, 0, 0], shape: [2, 2] }], attributes: { axis: 1 } },
    'Gather one': { operator: 'Gather', inputs: [x, { int64: [-1], shape: [] }], attributes: { axis: 2 } },
    'Gather by computed indices': { operator: 'Gather', inputs: [x, ints([1, -1])], attributes: { axis: 1 } },
  };
  test.each(Object.entries(cases))('%s', (_, test) => expectAgreement(test));
});

describe('refusals name the node', () => {
  test.each([
    ['Reshape', { operator: 'Reshape', inputs: [x, { int64: [5, -1] }] }, /node 'Reshape_\d+' \(Reshape of float\[2,3,4\], int64\[2\]\).*must hold the 24 elements of \[2,3,4\], got \[5,-1\]/],
    ['Squeeze', { operator: 'Squeeze', inputs: [x, { int64: [0] }] }, /axes \[0\] must have extent 1/],
    ['Split', { operator: 'Split', inputs: [x, { int64: [1, 1] }], attributes: { axis: 1 }, outputs: ['float32', 'float32'] }, /must add up to its extent/],
    ['Gather', { operator: 'Gather', inputs: [x, { int64: [4] }], attributes: { axis: 1 } }, /indices must lie in -3\.\.2, got 4/],
    ['a shape that is computed', { operator: 'Reshape', inputs: [x, { int64: [24] }], known: [] }, /the shape must not depend on inputs or parameters/],
    ['a huge shape', { operator: 'ConstantOfShape', inputs: [{ int64: [2 ** 20, 2 ** 20] }], outputs: ['float32'] }, /fewer than 2\^31 elements/],
  ] as const)('%s', async (_, test, message) => {
    await expect(importedOutputs(test as OperatorCase)).rejects.toThrow(message);
  });
});
