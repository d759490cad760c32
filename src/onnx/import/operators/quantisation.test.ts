import { describe, expect, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { mul, sum } from '../../../ops/index.ts';
import { evaluateReference } from '../../../testing/index.ts';
import { grad } from '../../../transforms/index.ts';
import type { ModelBuilder } from '../../model.ts';
import { floats, ints } from './agreement.test-helper.ts';
import { expectModelAgreement, modelFunction, type ModelCase } from './model-agreement.test-helper.ts';

const CODES = { uint8: 2, int8: 3, uint16: 4, int16: 5 } as const;
type Quantised = keyof typeof CODES;

const vector = (values: readonly number[], shape: readonly number[] = [values.length]): NDArray => new NDArray(Float32Array.from(values), [...shape], 'float32');
/** A value of a type that test inputs cannot have, by a cast. */
const cast = (builder: ModelBuilder, value: NDArray | string, type: Quantised): string => builder.value('Cast', [typeof value === 'string' ? value : builder.constant(value)], { to: CODES[type] });
/** Declares an output of a quantised type as int32. */
const shown = (builder: ModelBuilder, value: string): string => builder.output(builder.value('Cast', [value], { to: 6 }), 'int32');

const image = floats([2, 3, 4, 5]);
const wide = vector([-1e9, -3, -0.75, -0.25, 0, 0.25, 0.5, 0.75, 1.25, 3, 200, Infinity]);

interface Scales { x?: NDArray; scale: NDArray; zero?: NDArray; type?: Quantised; attributes?: Record<string, number> }

/** Quantised, and back again. */
const roundTrip = ({ x = image, scale, zero, type = 'uint8', attributes = {} }: Scales, opset = 21): ModelCase => ({
  inputs: [x], opset,
  build(builder, [input]) {
    const parameters = [builder.constant(scale), ...(zero === undefined ? [] : [cast(builder, zero, type)])];
    const integers = builder.value('QuantizeLinear', [input, ...parameters], attributes);
    return [shown(builder, integers), builder.output(builder.value('DequantizeLinear', [integers, ...parameters], attributes), 'float32')];
  },
});

/** An operator on quantised inputs made of integers by casts. */
const onIntegers = (operator: string, inputs: readonly { value: NDArray; type?: Quantised }[], attributes: Record<string, number | number[]> = {}, isQuantised = false): ModelCase => ({
  inputs: inputs.map(({ value }) => value), opset: 21,
  build(builder, names) {
    const y = builder.value(operator, names.map((name, i) => (inputs[i].type === undefined ? name : cast(builder, name, inputs[i].type))), attributes);
    return [isQuantised ? shown(builder, y) : builder.output(y, 'int32')];
  },
});
const whole = (shape: readonly number[], low: number, high: number, seed = 1): NDArray => ints(Array.from(floats(shape, seed).data, (x) => low + Math.floor((x + 2) / 4 * (high - low))), shape);
const bytes = (shape: readonly number[], seed = 1): { value: NDArray; type: 'uint8' } => ({ value: whole(shape, 0, 255, seed), type: 'uint8' });
// Where a processor has no instructions for such products, ONNX Runtime adds pairs of them in 16 bits, which larger factors overflow.
const signed = (shape: readonly number[], seed = 1): { value: NDArray; type: 'int8' } => ({ value: whole(shape, -63, 63, seed), type: 'int8' });
const zeroOf = (type: Quantised, ...values: number[]): { value: NDArray; type: Quantised } => ({ value: ints(values, values.length === 1 ? [] : [values.length]), type });
const scaleOf = (...values: number[]): { value: NDArray } => ({ value: vector(values, values.length === 1 ? [] : [values.length]) });

const cases: Readonly<Record<string, ModelCase>> = {
  'QuantizeLinear, limits and halves': roundTrip({ x: wide, scale: vector([0.5], []), zero: ints([3], []) }),
  'QuantizeLinear, operator set 10': roundTrip({ scale: vector([0.02], []), zero: ints([128], []) }, 10),
  'QuantizeLinear without zero point': roundTrip({ scale: vector([0.01], []) }),
  'QuantizeLinear to int8 for each channel': roundTrip({ scale: vector([0.01, 0.02, 0.03]), zero: ints([-5, 0, 7]), type: 'int8' }),
  'QuantizeLinear to int8 along the last axis, operator set 13': roundTrip({ scale: vector([0.01, 0.02, 0.03, 0.04, 0.05]), zero: ints([-5, 0, 7, 1, 2]), type: 'int8', attributes: { axis: -1 } }, 13),
  'QuantizeLinear to int16': roundTrip({ scale: vector([0.0001], []), zero: ints([-100], []), type: 'int16' }),
  'QuantizeLinear to uint16': roundTrip({ scale: vector([0.0001], []), zero: ints([30000], []), type: 'uint16' }),
  'QuantizeLinear in blocks': roundTrip({ x: floats([3, 5]), scale: vector([0.01, 0.02, 0.03, 0.01, 0.02, 0.03], [3, 2]), zero: ints([1, 2, 3, 4, 5, 6], [3, 2]), attributes: { axis: 1, block_size: 3 } }),
  'DynamicQuantizeLinear': {
    inputs: [image],
    build(builder, [x]) {
      const [y, scale, zero] = builder.node('DynamicQuantizeLinear', [x], {}, 3);
      return [shown(builder, y), builder.output(scale, 'float32'), shown(builder, zero)];
    },
  },
  'MatMulInteger': onIntegers('MatMulInteger', [bytes([2, 4, 6]), signed([6, 5], 2)]),
  'MatMulInteger with zero points': onIntegers('MatMulInteger', [bytes([4, 6]), bytes([6, 3], 2), zeroOf('uint8', 100), zeroOf('uint8', 1, 2, 3)]),
  'ConvInteger': onIntegers('ConvInteger', [bytes([1, 2, 5, 5]), bytes([3, 2, 3, 3], 2), zeroOf('uint8', 100)], { pads: [1, 1, 1, 1], strides: [2, 1] }),
  'MaxPool of integers': onIntegers('MaxPool', [bytes([1, 2, 4, 5])], { kernel_shape: [3, 2], pads: [1, 0, 1, 1] }, true),
  'QLinearMatMul': onIntegers('QLinearMatMul', [bytes([2, 4, 6]), scaleOf(0.02), zeroOf('uint8', 120), bytes([6, 5], 2), scaleOf(0.03), zeroOf('uint8', 110), scaleOf(0.1), zeroOf('uint8', 7)], {}, true),
  'QLinearConv': onIntegers('QLinearConv', [bytes([1, 2, 5, 5]), scaleOf(0.02), zeroOf('uint8', 120), signed([3, 2, 3, 3], 2), scaleOf(0.01, 0.02, 0.03), zeroOf('int8', 0, 0, 0), scaleOf(0.1), zeroOf('uint8', 7), { value: ints([100, -200, 50]) }], { pads: [1, 1, 1, 1] }, true),
};

describe('quantised operators agree with ONNX Runtime', () => {
  test.each(Object.entries(cases))('%s', (_, model) => expectModelAgreement(model));
});

test('the derivative of quantising passes within the range and is zero outside', () => {
  const model = roundTrip({ x: wide, scale: vector([0.5], []), zero: ints([3], []) });
  const f = modelFunction(model);
  const weights = vector(Array.from(wide.data, (_, i) => i + 1));
  const received = evaluateReference(grad((x: Tensor, w: Tensor) => sum(mul(f(x)[1], w))), wide, weights) as NDArray;
  expect(Array.from(received.data)).toEqual([0, 0, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0]);
});

test('sums of products of integers do not overflow', () => {
  const [left, right] = [ints([255, 255], [1, 2]), ints([127, 127], [2, 1])];
  const model = onIntegers('MatMulInteger', [{ value: left, type: 'uint8' }, { value: right, type: 'int8' }]);
  const [product] = evaluateReference((x: Tensor, y: Tensor) => modelFunction(model)(x, y), left, right) as NDArray[];
  expect(Array.from(product.data)).toEqual([64770]);
});

test('misfits are refused', () => {
  const refused = (scales: Scales): () => unknown => () => evaluateReference((x: Tensor) => modelFunction(roundTrip(scales))(x), scales.x ?? image);
  expect(refused({ scale: vector([1, 2]) })).toThrow('scales and zero points must have one entry, or 3 for axis 1');
  expect(refused({ scale: vector([1, 2], [1, 2]), attributes: { block_size: 2 }, x: floats([1, 5]) })).toThrow('scales of blocks of 2 must be [1,3]');
});
