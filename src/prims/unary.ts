/** Elementwise functions of one argument. @module */
import { DtypeError } from '../util/errors.ts';
import { allocate, NDArray, type DType } from '../core/ndarray.ts';
import type { Lowering } from '../core/lowering.ts';
import { bind1, type Primitive, type Tensor } from '../core/tensor.ts';
import { add, div, mul, scaledBy, sub } from './binary.ts';
import { constantLike } from './constant.ts';
import { elementwiseBatch, looseNode, nonlinear, requireCount, zeroTangent } from './rules.ts';
import { erf as erfValue } from './special.ts';

type NoParams = Record<string, never>;
type EmitUnary = (lowering: Lowering, x: string, dtype: DType) => string;

interface UnaryRules {
  /** The ONNX operation, or an expression of several where there is none. */
  readonly op?: string;
  readonly emit?: EmitUnary;
  /** As `emit`, for types that `op` does not take. */
  readonly fallback?: EmitUnary;
  readonly value: (x: number) => number;
  /** dy/dx from the argument and the result; absent: piecewise constant. */
  readonly derivative?: (x: Tensor, y: Tensor) => Tensor;
  readonly dtypes?: readonly DType[];
  readonly domain?: readonly [number, number];
  readonly distinct?: boolean;
  readonly simplify?: (x: Tensor) => Tensor | null;
  /** Linear in its argument: tangents and cotangents pass through the operation itself. */
  readonly linear?: boolean;
}

const FLOATS: readonly DType[] = ['float32', 'float64'];
const NUMBERS: readonly DType[] = ['float32', 'float64', 'int32'];

function unary(name: string, rules: UnaryRules): Primitive<NoParams> {
  const dtypes = rules.dtypes ?? FLOATS;
  const primitive: Primitive<NoParams> = {
    name,
    shape(_, inputs) {
      requireCount(name, inputs, 1);
      const [x] = inputs;
      if (!dtypes.includes(x.dtype)) {
        throw new DtypeError({ operation: name, required: `the argument must be ${dtypes.join(' or ')}`, received: x.dtype, remedy: 'convert(x, dtype) first' });
      }
      return [{ shape: x.shape, dtype: x.dtype }];
    },
    jvp({ inputs: [x], tangents: [t], outputs: [y] }) {
      if (t === null || rules.derivative === undefined) return { tangents: [t !== null && rules.linear === true ? bind1(primitive, {}, t) : null] };
      return { tangents: [mul(t, rules.derivative(x, y))] };
    },
    transpose: rules.linear === true ? ({ cotangents: [ct] }) => [ct && bind1(primitive, {}, ct)] : nonlinear(name),
    batch: elementwiseBatch(() => primitive),
    simplify: (_, [x]) => {
      const simpler = rules.simplify?.(x) ?? null;
      return simpler && [simpler];
    },
    onnx(lowering, node) {
      const { dtype } = node.inputs[0];
      if (rules.op !== undefined && lowering.supports(rules.op, dtype)) return looseNode(lowering, node, rules.op);
      const emit = rules.emit ?? rules.fallback;
      if (emit === undefined) lowering.require(rules.op ?? name, dtype, name);
      const value = lowering.loose(node.inputs[0]);
      return [{ name: emit!(lowering, value.name, dtype), shape: value.shape }];
    },
    reference: ({ inputs: [x] }) => [mapElements(x, rules.value)],
    samples: () => [
      ...(dtypes.includes('float64') ? [{ params: {}, inputs: [{ shape: [3, 4], dtype: 'float64' as const, domain: rules.domain, distinct: rules.distinct }] }] : []),
      ...(dtypes.includes('int32') ? [{ params: {}, inputs: [{ shape: [5], dtype: 'int32' as const }] }] : []),
      ...(dtypes.includes('bool') ? [{ params: {}, inputs: [{ shape: [5], dtype: 'bool' as const }] }] : []),
    ],
  };
  if (rules.derivative === undefined && rules.linear !== true) return { ...primitive, jvp: zeroTangent };
  return primitive;
}

function mapElements(x: NDArray, f: (value: number) => number): NDArray {
  const data = allocate(x.dtype, x.size);
  for (let i = 0; i < data.length; i++) data[i] = f(x.data[i]);
  return new NDArray(data, x.shape, x.dtype);
}

/** Emits one node with one output. */
const emit1 = (l: Lowering, op: string, ...inputs: string[]): string => l.node(op, inputs)[0];
const number = (l: Lowering, value: number, dtype: DType): string => l.scalar(value, dtype);
const emitCosh: EmitUnary = (l, x, d) => emit1(l, 'Mul', number(l, 0.5, d), emit1(l, 'Add', emit1(l, 'Exp', x), emit1(l, 'Exp', emit1(l, 'Neg', x))));
const one = (like: Tensor): Tensor => constantLike(1, like);

export const negPrimitive = unary('neg', {
  op: 'Neg', value: (x) => -x, linear: true, dtypes: NUMBERS,
  simplify(x) {
    const scaled = scaledBy(x);
    if (scaled === null) return null;
    return scaled.factor === -1 ? scaled.rest : mul(constantLike(-scaled.factor, x), scaled.rest);
  },
});
export const absPrimitive = unary('abs', { op: 'Abs', value: Math.abs, derivative: (x) => sign(x), dtypes: NUMBERS, distinct: true });
export const signPrimitive = unary('sign', { op: 'Sign', value: Math.sign, dtypes: NUMBERS, distinct: true });
export const expPrimitive = unary('exp', { op: 'Exp', value: Math.exp, derivative: (_, y) => y });
export const logPrimitive = unary('log', { op: 'Log', value: Math.log, derivative: (x) => div(one(x), x), domain: [0.2, 3] });
export const sqrtPrimitive = unary('sqrt', { op: 'Sqrt', value: Math.sqrt, derivative: (x, y) => div(constantLike(0.5, x), y), domain: [0.2, 3] });
// d x^(-1/2) = -1/2 x^(-1/2) / x
export const rsqrtPrimitive = unary('rsqrt', {
  value: (x) => 1 / Math.sqrt(x), derivative: (x, y) => mul(constantLike(-0.5, x), div(y, x)), domain: [0.3, 3],
  emit: (l, x, dtype) => emit1(l, 'Div', number(l, 1, dtype), emit1(l, 'Sqrt', x)),
});
export const sinPrimitive = unary('sin', { op: 'Sin', value: Math.sin, derivative: (x) => cos(x) });
export const cosPrimitive = unary('cos', { op: 'Cos', value: Math.cos, derivative: (x) => neg(sin(x)), fallback: (l, x, d) => emit1(l, 'Sin', emit1(l, 'Add', x, number(l, Math.PI / 2, d))) });
export const tanPrimitive = unary('tan', {
  op: 'Tan', value: Math.tan, derivative: (x, y) => add(one(x), mul(y, y)), domain: [-1.2, 1.2],
  fallback: (l, x) => emit1(l, 'Div', emit1(l, 'Sin', x), emit1(l, 'Cos', x)),
});
export const asinPrimitive = unary('asin', { op: 'Asin', value: Math.asin, derivative: (x) => rsqrt(sub(one(x), mul(x, x))), domain: [-0.9, 0.9] });
export const acosPrimitive = unary('acos', { op: 'Acos', value: Math.acos, derivative: (x) => neg(rsqrt(sub(one(x), mul(x, x)))), domain: [-0.9, 0.9] });
export const atanPrimitive = unary('atan', { op: 'Atan', value: Math.atan, derivative: (x) => div(one(x), add(one(x), mul(x, x))) });
export const sinhPrimitive = unary('sinh', {
  op: 'Sinh', value: Math.sinh, derivative: (x) => cosh(x),
  // sinh(x) = tanh(x/2) (1 + cosh(x)): no cancellation at small x
  fallback: (l, x, d) => emit1(l, 'Mul', emit1(l, 'Tanh', emit1(l, 'Mul', x, number(l, 0.5, d))), emit1(l, 'Add', number(l, 1, d), emitCosh(l, x, d))),
});
export const coshPrimitive = unary('cosh', {
  op: 'Cosh', value: Math.cosh, derivative: (x) => sinh(x),
  fallback: emitCosh,
});
export const tanhPrimitive = unary('tanh', { op: 'Tanh', value: Math.tanh, derivative: (x, y) => sub(one(x), mul(y, y)) });
export const logisticPrimitive = unary('logistic', {
  value: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  derivative: (x, y) => mul(y, sub(one(x), y)),
  // 1 / (1 + exp(-x)). ONNX Runtime's Sigmoid has no relative accuracy in the left tail (zero below -17 in float32); this
  // has, for about one nanosecond more an element.
  emit: (l, x, d) => emit1(l, 'Div', number(l, 1, d), emit1(l, 'Add', number(l, 1, d), emit1(l, 'Exp', emit1(l, 'Neg', x)))),
});
// d erf(x) = 2/sqrt(pi) exp(-x^2)
export const erfPrimitive = unary('erf', { op: 'Erf', value: erfValue, derivative: (x) => mul(constantLike(2 / Math.sqrt(Math.PI), x), exp(neg(mul(x, x)))) });
// log(1+x) = x log(u)/(u-1) with u = fl(1+x): exact to rounding (Goldberg 1991, theorem 4)
export const log1pPrimitive = unary('log1p', {
  value: Math.log1p, derivative: (x) => div(one(x), add(one(x), x)), domain: [-0.7, 2],
  emit: (l, x, d) => {
    const u = emit1(l, 'Add', x, number(l, 1, d));
    const ratio = emit1(l, 'Div', emit1(l, 'Mul', x, emit1(l, 'Log', u)), emit1(l, 'Sub', u, number(l, 1, d)));
    const infinite = emit1(l, 'Equal', u, number(l, Infinity, d));
    return emit1(l, 'Where', emit1(l, 'Equal', u, number(l, 1, d)), x, emit1(l, 'Where', infinite, u, ratio));
  },
});
// expm1(x) = tanh(x/2) (exp(x) + 1)
export const expm1Primitive = unary('expm1', {
  value: Math.expm1, derivative: (x) => exp(x),
  emit: (l, x, d) => emit1(l, 'Mul', emit1(l, 'Tanh', emit1(l, 'Mul', x, number(l, 0.5, d))), emit1(l, 'Add', emit1(l, 'Exp', x), number(l, 1, d))),
});
export const floorPrimitive = unary('floor', { op: 'Floor', value: Math.floor, distinct: true });
export const ceilPrimitive = unary('ceil', { op: 'Ceil', value: Math.ceil, distinct: true });
/** Half to even, as IEEE 754 and ONNX. */
export const roundPrimitive = unary('round', { op: 'Round', value: roundHalfEven, distinct: true });
export const notPrimitive = unary('not', { op: 'Not', value: (x) => (x === 0 ? 1 : 0), dtypes: ['bool'] });
/** The value, with a derivative of zero: what is computed from it is a constant to every differentiation. */
export const stopGradientPrimitive: Primitive<NoParams> = {
  ...unary('stop_gradient', { op: 'Identity', value: (x) => x, dtypes: ['float32', 'float64', 'int32', 'bool'] }),
  batch: elementwiseBatch(() => stopGradientPrimitive),
  onnx: (lowering, node) => [lowering.loose(node.inputs[0])],
  cheap: true,
};
/** A copy under a new name: what a transformation differentiates with respect to. Removed before lowering. */
export const aliasPrimitive: Primitive<NoParams> = {
  ...unary('alias', { value: (x) => x, dtypes: ['float32', 'float64', 'int32', 'bool'] }),
  jvp: ({ tangents }) => ({ tangents }),
  transpose: ({ cotangents }) => cotangents,
  batch: elementwiseBatch(() => aliasPrimitive),
  simplify: (_, [x]) => [x],
  onnx: (lowering, node) => [lowering.loose(node.inputs[0])],
  cheap: true,
};

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** -x, also for int32. */
export const neg = (x: Tensor): Tensor => bind1(negPrimitive, {}, x);
/** Absolute value, also for int32; the derivative at zero is zero. */
export const abs = (x: Tensor): Tensor => bind1(absPrimitive, {}, x);
/** -1, 0 or 1, also for int32; the derivative is zero everywhere. */
export const sign = (x: Tensor): Tensor => bind1(signPrimitive, {}, x);
/** e to the power x; infinite above 88.7 in float32, 709.7 in float64. */
export const exp = (x: Tensor): Tensor => bind1(expPrimitive, {}, x);
/** Natural logarithm; minus infinity at zero, NaN below. */
export const log = (x: Tensor): Tensor => bind1(logPrimitive, {}, x);
/** Square root; NaN below zero, and its derivative is infinite at zero. */
export const sqrt = (x: Tensor): Tensor => bind1(sqrtPrimitive, {}, x);
/** 1 / sqrt(x); infinite at zero, NaN below. */
export const rsqrt = (x: Tensor): Tensor => bind1(rsqrtPrimitive, {}, x);
/** Sine of an angle in radians. */
export const sin = (x: Tensor): Tensor => bind1(sinPrimitive, {}, x);
/** Cosine of an angle in radians. */
export const cos = (x: Tensor): Tensor => bind1(cosPrimitive, {}, x);
/** Tangent of an angle in radians. */
export const tan = (x: Tensor): Tensor => bind1(tanPrimitive, {}, x);
/** Inverse sine, in [-pi/2, pi/2]; NaN outside [-1, 1], and the derivative is infinite at the ends. */
export const asin = (x: Tensor): Tensor => bind1(asinPrimitive, {}, x);
/** Inverse cosine, in [0, pi]; NaN outside [-1, 1], and the derivative is infinite at the ends. */
export const acos = (x: Tensor): Tensor => bind1(acosPrimitive, {}, x);
/** Inverse tangent, in (-pi/2, pi/2); `atan2` keeps the quadrant. */
export const atan = (x: Tensor): Tensor => bind1(atanPrimitive, {}, x);
/** Hyperbolic sine, (e^x - e^-x) / 2. */
export const sinh = (x: Tensor): Tensor => bind1(sinhPrimitive, {}, x);
/** Hyperbolic cosine, (e^x + e^-x) / 2. */
export const cosh = (x: Tensor): Tensor => bind1(coshPrimitive, {}, x);
/** Hyperbolic tangent, in [-1, 1]. */
export const tanh = (x: Tensor): Tensor => bind1(tanhPrimitive, {}, x);
/** 1 / (1 + e^-x), with full relative accuracy in the left tail. */
export const logistic = (x: Tensor): Tensor => bind1(logisticPrimitive, {}, x);
/** Error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x. */
export const erf = (x: Tensor): Tensor => bind1(erfPrimitive, {}, x);
/** log(1 + x), accurate for small x; minus infinity at -1, NaN below. */
export const log1p = (x: Tensor): Tensor => bind1(log1pPrimitive, {}, x);
/** e^x - 1, accurate for small x. */
export const expm1 = (x: Tensor): Tensor => bind1(expm1Primitive, {}, x);
/** Largest integer not above x, in the type of x; the derivative is zero. */
export const floor = (x: Tensor): Tensor => bind1(floorPrimitive, {}, x);
/** Smallest integer not below x, in the type of x; the derivative is zero. */
export const ceil = (x: Tensor): Tensor => bind1(ceilPrimitive, {}, x);
/** Nearest integer, halves to the even one, in the type of x; the derivative is zero. */
export const round = (x: Tensor): Tensor => bind1(roundPrimitive, {}, x);
/** Negation of a bool. */
export const not = (x: Tensor): Tensor => bind1(notPrimitive, {}, x);
/** x itself, which every differentiation takes for a constant. */
export const stopGradient = (x: Tensor): Tensor => bind1(stopGradientPrimitive, {}, x);
export const alias = (x: Tensor): Tensor => bind1(aliasPrimitive, {}, x);
