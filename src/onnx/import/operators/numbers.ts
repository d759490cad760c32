/** Arithmetic as ONNX defines it for integers, and casts: what several operators share. @module */
import { isFloat, sizeOf, type Shape } from '../../../core/ndarray.ts';
import { forEachIndex, stridesOf } from '../../../core/strides.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { add, and, broadcastShapes, ceil, convert, div, equal, floor, less, mod, not, notEqual, where } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import { INTEGER_RANGE, isFloatType, isIntegerType, type OnnxType } from '../element-types.ts';
import type { OperatorCall } from '../operator.ts';

/** The integer part. */
export const truncate = (x: Tensor): Tensor => where(less(x, 0), ceil(x), floor(x));

/** Keeps the low bits, as integers of 8 and 16 bits do; other types are as wide as what they are computed in. */
export function wrapTo(x: Tensor, type: OnnxType): Tensor {
  if (type !== 'int8' && type !== 'int16' && type !== 'uint8' && type !== 'uint16') return x;
  const [low, high] = INTEGER_RANGE[type]!;
  const count = high - low + 1;
  const rest = mod(low === 0 ? x : add(x, -low), count);
  return add(where(less(rest, 0), add(rest, count), rest), low);
}

/** x / y: of integers rounded toward zero, through float64, which holds the quotient of 32-bit integers exactly. */
export function quotient(x: Tensor, y: Tensor, type: OnnxType): Tensor {
  if (!isIntegerType(type)) return div(x, y);
  return convert(truncate(div(convert(x, 'float64'), convert(y, 'float64'))), x.dtype);
}

/** Remainder with the sign of the divisor, as Python's. */
export function floorRemainder(x: Tensor, y: Tensor): Tensor {
  const rest = mod(x, y);
  const isOff = and(notEqual(rest, 0), not(equal(convert(less(rest, 0), 'int32'), convert(less(y, 0), 'int32'))));
  return where(isOff, add(rest, y), rest);
}

/**
 * x of type `from` as `to`: fractions are cut off, integers keep their low bits. Floating-point types are all the run's own, so that casts
 * between them change nothing.
 */
export function cast(x: Tensor, from: OnnxType, to: OnnxType, call: OperatorCall): Tensor {
  const dtype = call.dtypeOf(to);
  if (!isIntegerType(to)) return convert(x, dtype);
  if (isFloat(x.dtype) && isFloat(dtype)) return isFloatType(from) ? truncate(convert(x, dtype)) : convert(x, dtype);
  return wrapTo(convert(x, dtype), to);
}

/** Integers above it are rounded where they are read, so that their bits are not those of the file. */
const exact = (x: number): bigint => {
  if (Math.abs(x) > Number.MAX_SAFE_INTEGER) throw new ArgumentError({ operation: 'import', required: 'integers whose bits are computed must stay below 2^53', received: String(x) });
  return BigInt(x);
};

/** The result of an operator on bits, of which the engine has none; shapes broadcast. @throws ArgumentError unless all inputs are known and below 2^53. */
export function bitwise(call: OperatorCall, combine: (...words: bigint[]) => bigint): { shape: Shape; words: Float64Array } {
  const operands = call.inputs.map((_, at) => call.input(at));
  const known = operands.map((value, at) => value.elements(`input ${at} of ${call.operator}, whose bits are computed beforehand,`));
  const shape = operands.map((value) => value.shape).reduce((a, b) => broadcastShapes('import', a, b));
  // Axes that an operand lacks or repeats move no further in it.
  const steps = operands.map((value) => {
    const strides = stridesOf(value.shape);
    return shape.map((_, axis) => { const own = axis - shape.length + value.rank; return own < 0 || value.shape[own] === 1 ? 0 : strides[own]; });
  });
  const words = new Float64Array(sizeOf(shape));
  forEachIndex(shape, (index, position) => {
    words[position] = Number(combine(...known.map((list, i) => exact(list[steps[i].reduce((at, step, axis) => at + step * index[axis], 0)]))));
    exact(words[position]);
  });
  return { shape, words };
}

/**
 * Lists that are made while tracing, of places, weights or windows: a small file must not ask for gigabytes of them.
 * @throws ArgumentError naming what has too many.
 */
export function requireListable(count: number, what: string, limit = 2 ** 24): void {
  if (!(count <= limit)) throw new ArgumentError({ operation: 'import', required: `${what} must be at most ${limit}`, received: String(count) });
}
