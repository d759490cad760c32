/** Elementwise functions whose derivatives are given as formulas. @module */
import type { Tensor } from '../core/tensor.ts';
import { add, erf, exp, gelu, logistic, mul, silu, softplus, square, sub, tanh } from '../ops/index.ts';
import { customJvp } from '../transforms/index.ts';

type Elementwise = (x: Tensor) => Tensor;

/**
 * `f` with the given first, second, ... derivatives; those after the last are derived from it. Values are those of `f`;
 * what changes is cost: a Hessian-vector product multiplies by one array known at the point where it would push the vector
 * through every step of a composition (for gelu by tanh, 5 operations on the vector in place of 45).
 */
export const withDerivatives = (f: Elementwise, ...derivatives: readonly Elementwise[]): Elementwise => {
  if (derivatives.length === 0) return f;
  const derivative = withDerivatives(derivatives[0], ...derivatives.slice(1));
  return customJvp(f, ([x]: [Tensor], [tangent]: [Tensor]) => mul(derivative(x), tangent));
};

const normalDensity = (x: Tensor): Tensor => mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));

/** x Phi(x): derivatives Phi + x phi and (2 - x^2) phi. */
export const closedGelu = withDerivatives(
  (x) => gelu(x),
  (x) => add(mul(0.5, add(1, erf(mul(x, Math.SQRT1_2)))), mul(x, normalDensity(x))),
  (x) => mul(sub(2, square(x)), normalDensity(x)),
);

/** With u = k (x + a x^3), T = tanh u and S = 1 - T^2: x (1 + T) / 2, (1 + T + x S u') / 2, S (u' + x (u'' / 2 - T u'^2)). */
const k = Math.sqrt(2 / Math.PI);
const a = 0.044715;
function tanhParts(x: Tensor): { T: Tensor; S: Tensor; slope: Tensor } {
  const squared = square(x);
  const T = tanh(mul(mul(x, k), add(1, mul(a, squared))));
  return { T, S: sub(1, square(T)), slope: mul(k, add(1, mul(3 * a, squared))) };
}
export const closedTanhGelu = withDerivatives(
  (x) => gelu(x, { approximate: true }),
  (x) => {
    const { T, S, slope } = tanhParts(x);
    return mul(0.5, add(add(1, T), mul(mul(x, S), slope)));
  },
  (x) => {
    const { T, S, slope } = tanhParts(x);
    return mul(S, add(slope, mul(x, sub(mul(3 * k * a, x), mul(T, square(slope))))));
  },
);

/** With s the logistic function and r = s (1 - s): x s, s + x r, r (2 + x (1 - 2 s)). */
const logisticSlope = (s: Tensor): Tensor => mul(s, sub(1, s));
export const closedSilu = withDerivatives(
  silu,
  (x) => {
    const s = logistic(x);
    return add(s, mul(x, logisticSlope(s)));
  },
  (x) => {
    const s = logistic(x);
    return mul(logisticSlope(s), add(2, mul(x, sub(1, mul(2, s)))));
  },
);

/** log(1 + exp x): the derivative is the logistic function. */
export const closedSoftplus = withDerivatives(softplus, logistic);
