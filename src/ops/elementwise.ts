/** Elementwise functions; arguments broadcast, numbers take the type of the tensor beside them. @module */
import type { DType } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import * as binary from '../prims/binary.ts';
import { convert as convertPrimitive } from '../prims/convert.ts';
import { select } from '../prims/select.ts';
import { align, type Operand } from './broadcasting.ts';

const lift = (name: string, f: (x: Tensor, y: Tensor) => Tensor) => (x: Operand, y: Operand): Tensor => {
  const [a, b] = align(name, x, y);
  return f(a, b);
};

/** x + y */
export const add = lift('add', binary.add);
/** x - y */
export const sub = lift('sub', binary.sub);
/** x y, element by element. */
export const mul = lift('mul', binary.mul);
/** x / y */
export const div = lift('div', binary.div);
/** x to the power y; the derivative with respect to y is zero at x = 0. */
export const pow = lift('pow', binary.pow);
/** The larger of x and y; ties share the derivative. */
export const maximum = lift('maximum', binary.max);
/** The smaller of x and y; ties share the derivative. */
export const minimum = lift('minimum', binary.min);
/** Angle of the point (x, y): `atan2(y, x)`. */
export const atan2 = lift('atan2', binary.atan2);
/** Remainder of x / y with the sign of x. */
export const mod = lift('mod', binary.mod);
/** x = y, as bool. */
export const equal = lift('equal', binary.equal);
/** x differs from y, as bool. */
export const notEqual = lift('notEqual', binary.notEqual);
/** x < y, as bool. */
export const less = lift('less', binary.less);
/** x <= y, as bool. */
export const lessEqual = lift('lessEqual', binary.lessEqual);
/** x > y, as bool. */
export const greater = lift('greater', binary.greater);
/** x >= y, as bool. */
export const greaterEqual = lift('greaterEqual', binary.greaterEqual);
/** Both; arguments bool. */
export const and = lift('and', binary.and);
/** Either; arguments bool. */
export const or = lift('or', binary.or);

export { abs, acos, asin, atan, ceil, cos, cosh, erf, exp, expm1, floor, log, log1p, logistic, neg, not, round, rsqrt, sign, sin, sinh, sqrt, stopGradient, tan, tanh } from '../prims/unary.ts';

/** x^2 */
export const square = (x: Tensor): Tensor => binary.mul(x, x);

/** x where the condition holds, else y; all three broadcast. */
export function where(condition: Tensor, x: Operand, y: Operand): Tensor {
  const [a, b] = align('where', x, y);
  const [c, xs, ys] = align('where', condition, a, b);
  return select(c, xs, ys);
}

/** x limited to [low, high]. */
export const clip = (x: Tensor, low: Operand, high: Operand): Tensor => minimum(maximum(x, low), high);

/** x with another element type; float to int32 rounds toward zero. */
export const convert = (x: Tensor, dtype: DType): Tensor => convertPrimitive(x, dtype);
