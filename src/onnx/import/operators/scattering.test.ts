import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/tensor.ts';
import { NDArray } from '../../../core/ndarray.ts';
import { constant } from '../../../ops/index.ts';
import { checkGrads } from '../../../testing/index.ts';
import { expectAgreement, floats, importedOutputs, ints, type OperatorCase } from './agreement.test-helper.ts';
import { applied } from './gradient.test-helper.ts';

const x = floats([3, 4, 2]);
const wide = (int64: readonly number[], shape: readonly number[]) => ({ int64, shape });
const none = { known: [] };
const cases: readonly OperatorCase[] = [
  { operator: 'Gather', inputs: [x, wide([-1, 0, 2, -4], [2, 2])], attributes: { axis: 1 } },
  { operator: 'Gather', inputs: [x, wide([-1, 0, 2], [3])], attributes: { axis: 0 }, opset: 7, ...none },
  { operator: 'Gather', inputs: [x, wide([1], [])], attributes: { axis: -1 } },
  { operator: 'GatherElements', inputs: [x, wide([0, -1, 2, 1], [1, 2, 2])], attributes: { axis: 0 }, ...none },
  { operator: 'GatherElements', inputs: [x, wide(Array.from({ length: 12 }, (_, i) => (i % 5) - 1 - (i % 2)), [3, 2, 2])], attributes: { axis: 1 } },
  { operator: 'GatherElements', inputs: [x, wide([0, 1, 1, 0], [2, 1, 2])], attributes: { axis: -1 }, opset: 11 },
  { operator: 'GatherND', inputs: [x, wide([0, 1, 2, -1, -3, 0], [3, 2])] },
  { operator: 'GatherND', inputs: [x, wide([0, 1, 1, 2, 3, 0], [2, 3])], opset: 11, ...none },
  { operator: 'GatherND', inputs: [x, wide([0, 3, -1], [3, 1])], attributes: { batch_dims: 1 }, opset: 12 },
  { operator: 'GatherND', inputs: [x, wide(Array.from({ length: 12 }, (_, i) => -(i % 3 === 0 ? 1 : 2)), [3, 4, 1])], attributes: { batch_dims: 2 }, ...none },
  { operator: 'Scatter', inputs: [x, wide([1, -1, 0, 2], [1, 2, 2]), floats([1, 2, 2], 3)], attributes: { axis: 1 }, opset: 9, outputs: ['float32'] },
  { operator: 'ScatterElements', inputs: [x, wide([1, -1, 0, 2], [1, 2, 2]), floats([1, 2, 2], 3)], attributes: { axis: 0 }, opset: 11 },
  { operator: 'ScatterElements', inputs: [x, wide([1, -1, 0, 2], [1, 2, 2]), floats([1, 2, 2], 3)], attributes: { axis: 1 }, ...none },
  ...['none', 'add', 'mul', 'max', 'min'].map((reduction) => ({ operator: 'ScatterElements', inputs: [floats([2, 5, 2]), wide([1, 1, 0, 1, 1, -1, 3, 1, -3, 2], [1, 5, 2]), floats([1, 5, 2], 3)], attributes: { axis: 1, reduction }, opset: 18 })),
  { operator: 'ScatterND', inputs: [x, wide([0, -1, 2, 1], [2, 2]), floats([2, 2], 3)], opset: 11 },
  { operator: 'ScatterND', inputs: [x, wide([0, -1], [2, 1]), floats([2, 4, 2], 3)], ...none },
  { operator: 'ScatterND', inputs: [x, wide([0, 2, 0], [3, 1]), floats([3, 4, 2], 3)], attributes: { reduction: 'add' }, opset: 16, ...none },
  ...['add', 'mul', 'max', 'min'].map((reduction) => ({ operator: 'ScatterND', inputs: [x, wide([0, 1, -3, 1, 2, 3, 0, 1], [4, 2]), floats([4, 2], 3)], attributes: { reduction }, opset: 18 })),
  { operator: 'ScatterND', inputs: [ints([1, 2, 3, 4]), wide([2, 0], [2, 1]), ints([7, 8])], attributes: { reduction: 'add' } },
];

describe('indexing agrees with ONNX Runtime', () => {
  test.each(cases)('$operator $attributes, operator set $opset', async (each) => { await expectAgreement(each); });
});

describe('derivatives', () => {
  const values = (count: number, shape: readonly number[], seed: number): NDArray => new NDArray(Float64Array.from({ length: count }, (_, i) => Math.sin(seed + 3.7 * i)), [...shape], 'float64');
  const places = new NDArray(Int32Array.of(2, 0, 2, 1), [4, 1], 'int32');

  test('gather by points and by elements', () => {
    checkGrads((x: Tensor) => applied('GatherND', [x, constant(places)]), [values(6, [3, 2], 1)]);
    checkGrads((x: Tensor) => applied('GatherElements', [x, constant(places)], { axis: 0 }), [values(15, [5, 3], 2)]);
  });

  test.each(['add', 'mul', 'max', 'min', 'none'])('ScatterElements with reduction %s of repeated places', (reduction) => {
    checkGrads((x: Tensor, updates: Tensor) => applied('ScatterElements', [x, [2, 0, 2, 1], updates], { reduction }), [values(5, [5], 1), values(4, [4], 2)]);
  });
});

describe('refusals', () => {
  const rejects = (test: OperatorCase, message: string): Promise<void> => expect(importedOutputs(test)).rejects.toThrow(message);
  test('name what does not fit', async () => {
    await rejects({ operator: 'ScatterND', inputs: [x, wide([0], [1, 1]), floats([1, 4, 2])], attributes: { reduction: 'mul' }, known: [] }, "indices must be known for reduction 'mul'");
    await rejects({ operator: 'ScatterND', inputs: [x, wide([0], [1, 1]), floats([1, 4, 2])], attributes: { reduction: 'mean' } }, 'must be none, add, mul, max or min');
    await rejects({ operator: 'ScatterND', inputs: [x, wide([0], [1, 1]), floats([4, 2])] }, 'updates must be [1,4,2]');
    await rejects({ operator: 'GatherND', inputs: [x, wide([0, 4], [1, 2])] }, 'indices must lie in the extents [3,4]');
    await rejects({ operator: 'GatherElements', inputs: [x, wide([0, 0, 0, 0, 0], [1, 5, 1])] }, 'none but axis 0 longer');
    await rejects({ operator: 'GatherND', inputs: [x, wide([0], [1, 1])], attributes: { batch_dims: 1 } }, 'batch_dims must count leading axes');
  });
});
