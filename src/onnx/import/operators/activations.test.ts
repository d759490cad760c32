import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/tensor.ts';
import { checkGrads } from '../../../testing/index.ts';
import { NDArray } from '../../../core/ndarray.ts';
import { expectAgreement, floats, importedOutputs, ints, type OperatorCase } from './agreement.test-helper.ts';
import { applied } from './gradient.test-helper.ts';
import { operatorOf } from './registry.ts';

const x = floats([3, 4, 2]);
const cases: readonly OperatorCase[] = [
  ...['Elu', 'Selu', 'Celu', 'LeakyRelu', 'ThresholdedRelu', 'HardSigmoid', 'HardSwish', 'Softsign', 'Mish', 'Softplus', 'Gelu', 'Shrink', 'Hardmax'].map((operator) => ({ operator, inputs: [x] })),
  { operator: 'Gelu', inputs: [x], attributes: { approximate: 'tanh' } },
  ...['Elu', 'Celu', 'LeakyRelu', 'ThresholdedRelu'].map((operator) => ({ operator, inputs: [x], attributes: { alpha: { float: 0.7 } } })),
  { operator: 'Selu', inputs: [x], attributes: { alpha: { float: 1.3 }, gamma: { float: 0.8 } }, opset: 7 },
  { operator: 'HardSigmoid', inputs: [x], attributes: { alpha: { float: 0.6 }, beta: { float: 0.3 } }, opset: 7 },
  { operator: 'Shrink', inputs: [x], attributes: { lambd: { float: 0.9 }, bias: { float: 0.4 } }, opset: 9 },
  { operator: 'Elu', inputs: [x], opset: 7 },
  { operator: 'Softsign', inputs: [x], opset: 7 },
  { operator: 'PRelu', inputs: [x, floats([4, 1], 2)] },
  { operator: 'PRelu', inputs: [x, floats([1], 2)], opset: 7 },
  { operator: 'PRelu', inputs: [x, floats([3, 4, 2], 2)], opset: 9 },
  { operator: 'Hardmax', inputs: [x], attributes: { axis: 0 } },
  { operator: 'Hardmax', inputs: [x], attributes: { axis: 1 } },
  { operator: 'Hardmax', inputs: [x], opset: 11 },
  { operator: 'Hardmax', inputs: [x], attributes: { axis: 2 }, opset: 7 },
];

describe('activations agree with ONNX Runtime', () => {
  test.each(cases)('$operator $attributes from operator set $opset', async (each) => { await expectAgreement(each); });

  test('Swish as its definition has it: ONNX Runtime may have no kernel', async () => {
    const [y] = await importedOutputs({ operator: 'Swish', inputs: [x], attributes: { alpha: { float: 1.5 } }, opset: 24 });
    Array.from(x.data).forEach((value, i) => expect(y.data[i]).toBeCloseTo(value / (1 + Math.exp(-1.5 * value)), 5));
  });

  test('Shrink of integers stays in integers', async () => {
    const [y] = await importedOutputs({ operator: 'Shrink', inputs: [ints([-3, -1, 0, 2, 5])], attributes: { lambd: { float: 1.5 }, bias: { float: 1 } } });
    expect(Array.from(y.data)).toEqual([-2, 0, 0, 1, 4]);
  });
});

describe('derivatives', () => {
  // Away from the places where pieces meet; Celu, Elu with alpha 1 and Softsign are smooth enough there too.
  const points = new NDArray(Float64Array.of(-1.7, -0.8, -0.31, 0.27, 0.66, 1.4), [6], 'float64');
  test.each(['Elu', 'Selu', 'Celu', 'LeakyRelu', 'HardSigmoid', 'HardSwish', 'Softsign', 'Mish', 'Swish'])('%s against finite differences', (operator) => {
    checkGrads((value: Tensor) => applied(operator, [value], {}, 24), [points]);
  });

  test('PRelu with respect to both arguments', () => {
    checkGrads((value: Tensor, slope: Tensor) => applied('PRelu', [value, slope]), [points, new NDArray(Float64Array.of(0.25), [1], 'float64')]);
  });

  test('Celu has its one-sided derivatives at zero', () => {
    checkGrads((value: Tensor) => applied('Celu', [value]), [new NDArray(Float64Array.of(0), [1], 'float64')], { order: 1, tolerance: 1e-2 });
  });

  test('Hardmax says that its derivative is zero', () => {
    expect(operatorOf('', 'Hardmax')?.gradient).toBe('zero');
    expect(operatorOf('', 'PRelu')?.weights).toEqual([1]);
  });
});

test('slopes do not enlarge the input', async () => {
  await expect(importedOutputs({ operator: 'PRelu', inputs: [floats([1, 2]), floats([3, 2])] })).rejects.toThrow('slopes must broadcast to [1,2]');
});
