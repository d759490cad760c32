/** Quantisation and products of quantised arrays. @module */
import { sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import {
  add, broadcastTo, clip, conv, convert, div, equal, matmul, max, maximum, min, minimum, mul, narrow, normalizeAxis, reshape, round, stopGradient, sub, where,
} from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import { INTEGER_RANGE, isIntegerType, type OnnxType } from '../element-types.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { Value } from '../value.ts';
import { overChannels, windowOf } from './windows.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

/**
 * Quantised numbers as floating-point ones that pass derivatives as if nothing had been rounded (Bengio et al. 2013), by the integer tensors
 * that they belong to: whoever dequantises a tensor of this map continues with its floating-point form.
 */
const smooth = new WeakMap<Tensor, Tensor>();

/** The limits of a quantised type. @throws ArgumentError for types of more than 16 bits. */
function rangeOf(type: OnnxType): readonly [number, number] {
  const range = INTEGER_RANGE[type];
  return range === undefined || range[1] > 65535 ? refuse('a quantised type must be int8, uint8, int16 or uint16', type) : range;
}

/**
 * round(x / scale) + zero point, limited to the type's range, as a floating-point tensor. The derivative is that of the division within the
 * range and zero outside.
 */
function quantised(x: Tensor, scale: Tensor, zero: Tensor | undefined, type: OnnxType): Tensor { return rounded(div(x, scale), zero, type); }

/** Numbers rounded, moved by the zero point and limited to the type's range. */
function rounded(exact: Tensor, zero: Tensor | undefined, type: OnnxType): Tensor {
  const [low, high] = rangeOf(type);
  // Limits are integers, so that limiting before rounding changes nothing, and infinities do not meet in a difference.
  const limited = zero === undefined ? clip(exact, low, high) : minimum(maximum(exact, sub(low, zero)), sub(high, zero));
  const whole = add(limited, stopGradient(sub(round(limited), limited)));
  return zero === undefined ? whole : add(whole, zero);
}

/** Rounded numbers as a value of a quantised type that remembers where it came from. */
function quantisedValue(call: OperatorCall, numbers: Tensor, type: OnnxType): Value {
  const value = call.result(convert(numbers, call.dtypeOf(type)), type);
  smooth.set(value.tensor(call.run.float), numbers);
  return value;
}

/** Numbers of a quantised input as floating-point ones of the given kind. */
const realNumbers = (call: OperatorCall, at: number, dtype: Tensor['dtype']): Tensor => convert(smooth.get(call.tensor(at)) ?? call.tensor(at), dtype);

/**
 * A scale or zero point in the shape that broadcasts to `x`: one number, one for each slice along the axis, or one for each block of
 * `block_size` elements of it.
 */
function spread(call: OperatorCall, parameter: Tensor, shape: readonly number[]): Tensor {
  if (sizeOf(parameter.shape) === 1 && parameter.rank <= 1) return reshape(parameter, []);
  const axis = normalizeAxis('import', shape.length, call.attributes.integer('axis', 1));
  const block = call.attributes.integer('block_size', 0);
  if (parameter.rank === 1 && block === 0) {
    if (parameter.shape[0] !== shape[axis]) refuse(`scales and zero points must have one entry, or ${shape[axis]} for axis ${axis}`, `[${parameter.shape.join(',')}]`);
    return reshape(parameter, shape.map((n, i) => (i === axis ? n : 1)));
  }
  const blocks = shape.map((n, i) => (i === axis ? Math.ceil(n / block) : n));
  if (block < 1 || parameter.shape.join() !== blocks.join()) refuse(`scales of blocks of ${block} must be [${blocks.join(',')}]`, `[${parameter.shape.join(',')}]`);
  const apart = reshape(parameter, [...blocks.slice(0, axis + 1), 1, ...blocks.slice(axis + 1)]);
  const repeated = broadcastTo(apart, [...blocks.slice(0, axis + 1), block, ...blocks.slice(axis + 1)]);
  return narrow(reshape(repeated, blocks.map((n, i) => (i === axis ? n * block : n))), axis, 0, shape[axis]);
}

const quantise: OperatorRule = (call) => {
  const { float } = call.run;
  const x = convert(call.tensor(0), float);
  const named = call.attributes.has('output_dtype') && call.attributes.integer('output_dtype') !== 0 ? call.attributes.elementType('output_dtype') : undefined;
  const type = call.has(2) ? call.input(2).type : named ?? 'uint8';
  const zero = call.has(2) ? spread(call, convert(call.tensor(2), float), x.shape) : undefined;
  return [quantisedValue(call, quantised(x, spread(call, convert(call.tensor(1), float), x.shape), zero, type), type)];
};

const dequantise: OperatorRule = (call) => {
  const { float } = call.run;
  const shape = call.input(0).shape;
  if (!isIntegerType(call.input(0).type)) refuse('DequantizeLinear must have integers', call.input(0).toString());
  const scale = spread(call, convert(call.tensor(1), float), shape);
  const known = smooth.get(call.tensor(0));
  const type = call.input(1).type;
  if (known !== undefined) return [call.result(mul(call.has(2) ? sub(known, spread(call, convert(call.tensor(2), float), shape)) : known, scale), type)];
  // Integers are subtracted as integers: 32 bits do not fit a float32.
  const difference = call.has(2) ? sub(call.tensor(0), spread(call, call.tensor(2), shape)) : call.tensor(0);
  return [call.result(mul(convert(difference, float), scale), type)];
};

/** To uint8 with scale and zero point from the extremes of the input and zero. */
const dynamicQuantise: OperatorRule = (call) => {
  const x = call.tensor(0);
  const [low, high] = [minimum(min(x), 0), maximum(max(x), 0)];
  const range = sub(high, low);
  const scale = where(equal(range, 0), 1, div(range, 255));
  const zero = stopGradient(round(clip(div(sub(0, low), scale), 0, 255)));
  return [quantisedValue(call, quantised(x, scale, zero, 'uint8'), 'uint8'), call.result(scale), call.result(convert(zero, call.dtypeOf('uint8')), 'uint8')];
};

/** A quantised input less its zero point, in float64, which holds sums of products of 16-bit integers exactly; `place` shapes a vector. */
function centred(call: OperatorCall, at: number, zeroAt: number, place: (zero: Tensor) => Tensor): Tensor {
  const x = realNumbers(call, at, 'float64');
  return call.has(zeroAt) ? sub(x, place(convert(call.tensor(zeroAt), 'float64'))) : x;
}

/** Vectors of zero points and scales belong to rows of the left factor and columns of the right one. */
const perRow = (zero: Tensor): Tensor => (zero.rank === 1 && zero.shape[0] > 1 ? reshape(zero, [zero.shape[0], 1]) : zero.rank === 1 ? reshape(zero, []) : zero);
const perColumn = (zero: Tensor): Tensor => (zero.rank === 1 && zero.shape[0] === 1 ? reshape(zero, []) : zero);
const perChannel = (rank: number) => (zero: Tensor): Tensor => (sizeOf(zero.shape) === 1 ? reshape(zero, []) : reshape(zero, [zero.shape[0], ...Array.from({ length: rank - 1 }, () => 1)]));

const asInt32 = (call: OperatorCall, sums: Tensor): Value => call.result(convert(sums, 'int32'), 'int32');

const integerProduct: OperatorRule = (call) => [asInt32(call, matmul(centred(call, 0, 2, perRow), centred(call, 1, 3, perColumn)))];

/** A convolution of numbers less their zero points; padding stands for zero. */
function integerSums(call: OperatorCall, x: Tensor, kernel: Tensor): Tensor {
  const { strides, dilations, padding } = windowOf(call, kernel.shape.slice(2), x.shape.slice(2));
  return conv(x, kernel, { strides, padding, kernelDilation: dilations, groups: call.attributes.integer('group', 1) });
}

const integerConvolution: OperatorRule = (call) => [asInt32(call, integerSums(call, centred(call, 0, 2, (zero) => reshape(zero, [])), centred(call, 1, 3, perChannel(call.tensor(1).rank))))];

/** Sums of quantised numbers quantised again, with the scale of the result at `at` and its zero point behind. */
function requantised(call: OperatorCall, sums: Tensor, scales: Tensor, at: number): Value {
  const { float } = call.run;
  const { type } = call.input(at + 1);
  const scale = div(scales, reshape(convert(call.tensor(at), float), []));
  return quantisedValue(call, rounded(mul(convert(sums, float), scale), convert(reshape(call.tensor(at + 1), []), float), type), type);
}

const quantisedProduct: OperatorRule = (call) => {
  const { float } = call.run;
  const scales = mul(perRow(convert(call.tensor(1), float)), perColumn(convert(call.tensor(4), float)));
  return [requantised(call, matmul(centred(call, 0, 2, perRow), centred(call, 3, 5, perColumn)), scales, 6)];
};

const quantisedConvolution: OperatorRule = (call) => {
  const { float } = call.run;
  const { rank } = call.tensor(3);
  const sums = integerSums(call, centred(call, 0, 2, (zero) => reshape(zero, [])), centred(call, 3, 5, perChannel(rank)));
  const total = call.has(8) ? add(sums, overChannels(convert(call.tensor(8), 'float64'), rank)) : sums;
  const kernelScale = convert(call.tensor(4), float);
  const scales = mul(reshape(convert(call.tensor(1), float), []), sizeOf(kernelScale.shape) === 1 ? reshape(kernelScale, []) : overChannels(kernelScale, rank));
  return [requantised(call, total, scales, 6)];
};

export const quantisationOperators: OperatorTable = {
  QuantizeLinear: { rule: quantise, settings: [1, 2], gradient: 'straight-through', since: 10 },
  DequantizeLinear: { rule: dequantise, settings: [1, 2], since: 10 },
  DynamicQuantizeLinear: { rule: dynamicQuantise, gradient: 'straight-through', since: 11 },
  MatMulInteger: { rule: integerProduct, settings: [2, 3], gradient: 'zero', since: 10 },
  ConvInteger: { rule: integerConvolution, settings: [2, 3], gradient: 'zero', since: 10 },
  QLinearMatMul: { rule: quantisedProduct, settings: [1, 2, 4, 5, 6, 7], gradient: 'straight-through', since: 10 },
  QLinearConv: { rule: quantisedConvolution, settings: [1, 2, 4, 5, 6, 7, 8], gradient: 'straight-through', since: 10 },
};
