/** What first-order rules are computed from: moving averages of directions and of their squares, and the corrections of their bias. @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, expm1, full, log, mul, neg, onesLike, sqrt, sub, zerosLike } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import type { Scalar } from './optimizer.ts';
import { requireScalar } from './scalar.ts';

/** Returns a decay rate: a number is checked to lie in [0, 1), a tensor to be a scalar. @throws ArgumentError | ShapeError */
export function requireDecay(operation: string, name: string, value: Scalar): Scalar {
  if (value === 1) throw new ArgumentError({ operation, required: `${name} must be below 1`, received: '1', remedy: 'an average with decay 1 never moves' });
  return requireScalar(operation, name, value, 0, 1);
}

/** 1 - x */
export const oneMinus = (x: Scalar): Scalar => (typeof x === 'number' ? 1 - x : sub(1, x));

/** A hyper-parameter as a tensor of shape [] of the type of `like`. */
export const asScalarTensor = (value: Scalar, like: Tensor): Tensor => (typeof value === 'number' ? full([], value, like.dtype) : value);

/** Zeros shaped like the parameters. */
export const zerosOf = (params: unknown): unknown => mapTree((p: Tensor) => zerosLike(p), params);

/** One value everywhere, shaped like the parameters. */
export const filled = (params: unknown, value: Scalar): unknown => mapTree((p: Tensor) => mul(value, onesLike(p)), params);

/** A scalar for each leaf of the parameters. */
export const leafScalars = (params: unknown, value: number): unknown => mapTree((p: Tensor) => full([], value, p.dtype), params);

const average = (decay: Scalar, last: Tensor, value: Tensor): Tensor => (decay === 0 ? value : add(mul(decay, last), mul(oneMinus(decay), value)));

/** `decay average + (1 - decay) x`, leaf by leaf. */
export const movingAverages = (decay: Scalar, averages: unknown, values: unknown): unknown => mapTree((last: Tensor, x: Tensor) => average(decay, last, x), averages, values);

/** `decay average + (1 - decay) x^2`, leaf by leaf. */
export const movingSquares = (decay: Scalar, averages: unknown, values: unknown): unknown => mapTree((last: Tensor, x: Tensor) => average(decay, last, mul(x, x)), averages, values);

/**
 * `1 - decay^step`: what a moving average that started from zero is divided by. Computed from the logarithm, since in float32 the
 * difference itself would lose three digits at a decay of 0.999.
 */
export function biasCorrection(decay: Scalar, step: Tensor): Tensor {
  if (decay === 0) return onesLike(step);
  return neg(expm1(mul(step, typeof decay === 'number' ? Math.log(decay) : log(decay))));
}

/** `x / p`, leaf by leaf. */
export const quotients = <P>(values: unknown, divisors: unknown): P => mapTree((x: Tensor, p: Tensor) => div(x, p), values, divisors) as P;

/**
 * The matrix that Adam divides the uncorrected mean of gradients by: `c1 (sqrt(v / c2) + epsilon)` with the corrections c1 and c2, of
 * the mean and of the squares. Written so that only the root and two operations run over all parameters.
 */
export const correctedRoots = <P>(squares: unknown, c1: Tensor, c2: Tensor, epsilon: Scalar): P => {
  const [scale, shift] = [div(c1, sqrt(c2)), mul(c1, epsilon)];
  return mapTree((v: Tensor) => add(mul(scale, sqrt(v)), shift), squares) as P;
};
