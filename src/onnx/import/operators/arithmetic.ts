/** Arithmetic, mathematical functions, comparisons and logic, element by element; shapes broadcast as NumPy's. @module */
import type { Tensor } from '../../../core/tensor.ts';
import {
  abs, acos, add, and, asin, atan, ceil, cos, cosh, div, equal, erf, exp, floor, greater, greaterEqual, less, lessEqual, log, log1p, maximum, minimum, mod,
  mul, neg, not, notEqual, or, pow, round, sign, sin, sinh, sqrt, square, sub, tan, tanh, where, convert,
} from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import { bytesOfType, isFloatType, toStorage, hostType, type OnnxType } from '../element-types.ts';
import type { OperatorCall, OperatorDefinition, OperatorRule, OperatorTable } from '../operator.ts';
import { Value } from '../value.ts';
import { bitwise, cast, floorRemainder, quotient, wrapTo } from './numbers.ts';

type Binary = (x: Tensor, y: Tensor, type: OnnxType) => Tensor;

/** A function of two arguments of one type; narrow integers wrap around. */
const binary = (f: Binary): OperatorRule => (call) => {
  const { type } = call.input(0);
  return [call.result(wrapTo(f(call.tensor(0), call.tensor(1), type), type))];
};
/** A function of any number of arguments of one type. */
const variadic = (f: Binary, finish: (total: Tensor, count: number, type: OnnxType) => Tensor = (total) => total): OperatorRule => (call) => {
  const { type } = call.input(0);
  const total = call.inputs.map((_, at) => call.tensor(at)).reduce((x, y) => f(x, y, type));
  return [call.result(finish(total, call.inputs.length, type))];
};
const unary = (f: (x: Tensor) => Tensor): OperatorDefinition => ({ rule: (call) => [call.result(f(call.tensor(0)))] });
const steps = (f: (x: Tensor) => Tensor): OperatorDefinition => ({ ...unary(f), gradient: 'zero' });
const comparison = (f: (x: Tensor, y: Tensor) => Tensor): OperatorDefinition => ({
  rule: (call) => [call.result(f(call.tensor(0), call.tensor(1)), 'bool')], gradient: 'zero',
});
/** Comparisons of order, which bool has too: false before true. */
const order = (f: (x: Tensor, y: Tensor) => Tensor): OperatorDefinition => comparison((x, y) => (x.dtype === 'bool' ? f(convert(x, 'int32'), convert(y, 'int32')) : f(x, y)));

/** Inverse hyperbolic functions by logarithms. asinh is odd, and its formula loses digits below zero; the side is no sign, which would take the derivative at zero away. */
const asinh = (x: Tensor): Tensor => {
  const side = convert(sub(1, mul(2, convert(less(x, 0), 'int32'))), x.dtype);
  const size = mul(side, x);
  return mul(side, log1p(add(size, div(square(size), add(1, sqrt(add(square(size), 1)))))));
};
const acosh = (x: Tensor): Tensor => log(add(x, sqrt(mul(sub(x, 1), add(x, 1)))));
const atanh = (x: Tensor): Tensor => mul(0.5, sub(log1p(x), log1p(neg(x))));

/** The exponent may have another type than the base, whose type the result has. */
const power: OperatorRule = (call) => {
  const [base, exponent] = [call.input(0), call.input(1)];
  const x = call.tensor(0);
  const y = call.tensor(1);
  if (isFloatType(base.type)) return [call.result(pow(x, convert(y, x.dtype)))];
  return [call.result(cast(pow(convert(x, 'float64'), convert(y, 'float64')), isFloatType(exponent.type) ? exponent.type : 'double', base.type, call))];
};

const remainder: OperatorRule = (call) => {
  const isC = call.attributes.flag('fmod', false);
  if (!isC && call.input(0).isFloat) throw new ArgumentError({ operation: 'import', required: 'Mod of floating-point numbers needs fmod = 1', received: '0' });
  return [call.result(isC ? mod(call.tensor(0), call.tensor(1)) : floorRemainder(call.tensor(0), call.tensor(1)))];
};

/** Limits [low, high]: attributes before operator set 11, optional inputs after. The derivative is zero at the limits, as PyTorch's of ReLU6. */
const clip: OperatorRule = (call) => {
  const limit = (name: string, at: number): Tensor | number | undefined => {
    if (call.version < 11) return call.attributes.has(name) ? call.attributes.float(name) : undefined;
    return call.has(at) ? call.tensor(at) : undefined;
  };
  let y = call.tensor(0);
  const [low, high] = [limit('min', 1), limit('max', 2)];
  if (low !== undefined) y = where(lessEqual(y, low), low, y);
  if (high !== undefined) y = where(greaterEqual(y, high), high, y);
  return [call.result(y)];
};

const castTo = (call: OperatorCall, to: OnnxType): (Value | undefined)[] => {
  const value = call.input(0);
  return [value.type === to ? value : call.result(cast(call.tensor(0), value.type, to, call), to)];
};

const infinite: OperatorRule = (call) => {
  const x = call.tensor(0);
  const signs = [...(call.attributes.flag('detect_positive', true) ? [Infinity] : []), ...(call.attributes.flag('detect_negative', true) ? [-Infinity] : [])];
  const found = signs.map((limit) => equal(x, limit));
  return [call.result(found.length === 0 ? notEqual(x, x) : found.reduce(or), 'bool')];
};

/** Operators on bits, of values known beforehand. */
const bits = (combine: (...words: bigint[]) => bigint): OperatorDefinition => ({
  rule: (call) => {
    const { type } = call.input(0);
    const width = 8 * bytesOfType(type);
    const { shape, words } = bitwise(call, (...inputs) => (type.startsWith('uint') ? BigInt.asUintN : BigInt.asIntN)(width, combine(...inputs)));
    return [Value.ofKnown(type, shape, toStorage(words, hostType(type, 'float32')))];
  },
  gradient: 'zero',
});

const shift: OperatorRule = (call) => {
  const isLeft = call.attributes.text('direction') === 'LEFT';
  return bits((x, n) => (isLeft ? x << n : x >> n)).rule(call);
};

export const arithmeticOperators: OperatorTable = {
  Add: { rule: binary(add) },
  Sub: { rule: binary(sub) },
  Mul: { rule: binary(mul) },
  Div: { rule: binary(quotient) },
  Pow: { rule: power },
  Mod: { rule: remainder },
  Max: { rule: variadic(maximum) },
  Min: { rule: variadic(minimum) },
  Sum: { rule: variadic(add) },
  Mean: { rule: variadic(add, (total, count) => div(total, count)) },
  Neg: unary(neg),
  Abs: unary(abs),
  Reciprocal: unary((x) => div(1, x)),
  Sqrt: unary(sqrt),
  Exp: unary(exp),
  Log: unary(log),
  Sin: unary(sin),
  Cos: unary(cos),
  Tan: unary(tan),
  Asin: unary(asin),
  Acos: unary(acos),
  Atan: unary(atan),
  Sinh: unary(sinh),
  Cosh: unary(cosh),
  Tanh: unary(tanh),
  Asinh: unary(asinh),
  Acosh: unary(acosh),
  Atanh: unary(atanh),
  Erf: unary(erf),
  Sign: steps(sign),
  Floor: steps(floor),
  Ceil: steps(ceil),
  Round: steps(round),
  Clip: { rule: clip, settings: [1, 2] },
  Cast: { rule: (call) => castTo(call, call.attributes.elementType('to')) },
  CastLike: { rule: (call) => castTo(call, call.input(1).type), settings: [1] },
  Identity: { rule: (call) => [call.input(0)] },
  Equal: comparison(equal),
  Less: order(less),
  LessOrEqual: order(lessEqual),
  Greater: order(greater),
  GreaterOrEqual: order(greaterEqual),
  And: comparison(and),
  Or: comparison(or),
  Xor: comparison(notEqual),
  Not: { rule: (call) => [call.result(not(call.tensor(0)))], gradient: 'zero' },
  Where: { rule: (call) => [call.result(where(call.tensor(0), call.tensor(1), call.tensor(2)), call.input(1).type)] },
  IsNaN: { rule: (call) => [call.result(notEqual(call.tensor(0), call.tensor(0)), 'bool')], gradient: 'zero' },
  IsInf: { rule: infinite, gradient: 'zero' },
  BitwiseAnd: bits((x, y) => x & y),
  BitwiseOr: bits((x, y) => x | y),
  BitwiseXor: bits((x, y) => x ^ y),
  BitwiseNot: bits((x) => ~x),
  BitShift: { rule: shift, gradient: 'zero' },
};
