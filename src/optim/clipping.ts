/** Rules that keep directions from being too long. @module */
import type { Tensor } from '../core/tensor.ts';
import { clip, div, greater, maximum, mul, neg, sqrt, square, sum, where } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { option, positive } from '../util/options.ts';
import { ArgumentError } from '../util/errors.ts';
import { wrapperEntry } from './entry.ts';
import { globalNorm } from './norms.ts';
import type { Optimizer, Scalar, UpdateRule, Updated } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { withGradientRule } from './wrapping.ts';

type NoState = Record<string, never>;

function requirePositive(operation: string, name: string, value: Scalar): void {
  requireScalar(operation, name, value, 0);
  if (value === 0) throw new ArgumentError({ operation, required: `${name} must be above 0`, received: '0' });
}

/** A rule without a state. */
const stateless = (name: string, of: <P>(direction: P, params: P) => { readonly direction: P; readonly report?: Updated<NoState>['report'] }): UpdateRule<NoState> => ({
  name,
  init: () => ({}),
  update: (direction, state, { params }) => ({ ...of(direction, params), state }),
});

/** The tensor shortened to `maximum`, where it is longer; norms broadcast. */
const shortened = (x: Tensor, length: Tensor, longest: Tensor | Scalar): Tensor => {
  const tooLong = greater(length, longest);
  return mul(x, where(tooLong, div(longest, where(tooLong, length, 1)), 1));
};

/**
 * Shortens the direction, all parameters together, to the Euclidean norm `maximum` (Pascanu et al. 2013, algorithm 1). Reports
 * `gradientNorm`, the norm before.
 *
 * @throws ArgumentError when `maximum` is not positive.
 */
export function clipByGlobalNorm(maximumNorm: Scalar): UpdateRule<NoState> {
  requirePositive('clipByGlobalNorm', 'maximum', maximumNorm);
  return stateless('clip by global norm', <P>(direction: P) => {
    const gradientNorm = globalNorm(direction);
    return { direction: mapTree((d: Tensor) => shortened(d, gradientNorm, maximumNorm), direction) as P, report: { gradientNorm } };
  });
}

/** Shortens the direction of each tensor to the norm `maximum`. @throws ArgumentError when it is not positive. */
export function clipByNorm(maximumNorm: Scalar): UpdateRule<NoState> {
  requirePositive('clipByNorm', 'maximum', maximumNorm);
  return stateless('clip by norm', <P>(direction: P) => ({ direction: mapTree((d: Tensor) => shortened(d, globalNorm(d), maximumNorm), direction) as P }));
}

/** Clips every element of the direction to [-maximum, maximum]. @throws ArgumentError when `maximum` is not positive. */
export function clipByValue(largest: Scalar): UpdateRule<NoState> {
  requirePositive('clipByValue', 'maximum', largest);
  return stateless('clip by value', <P>(direction: P) => ({ direction: mapTree((d: Tensor) => clip(d, typeof largest === 'number' ? -largest : neg(largest), largest), direction) as P }));
}

/** Options of `adaptiveGradientClipping`. */
export interface AdaptiveGradientClippingOptions {
  /** Largest norm of a unit's gradient in units of its weights' norm. Default 0.01. */
  readonly clipping?: Scalar;
  /** Least norm of the weights that counts, so that units at zero can leave. Default 0.001. */
  readonly epsilon?: Scalar;
}

/** Euclidean norm of the weights into each output: a column of a dense weight, a kernel of a convolution; all of a bias. */
function unitNorms(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis).filter((axis) => x.rank <= 1 || axis !== (x.rank === 2 ? 1 : 0));
  return sqrt(sum(square(x), axes, { keepDims: true }));
}

/**
 * Shortens the gradient of each unit to `clipping` times the norm of its weights (Brock et al. 2021, equation 3).
 * @throws ArgumentError when an option is out of range.
 */
export function adaptiveGradientClipping({ clipping = 0.01, epsilon = 1e-3 }: AdaptiveGradientClippingOptions = {}): UpdateRule<NoState> {
  requirePositive('adaptiveGradientClipping', 'clipping', clipping);
  requirePositive('adaptiveGradientClipping', 'epsilon', epsilon);
  return stateless('adaptive gradient clipping', <P>(direction: P, params: P) => ({
    direction: mapTree((d: Tensor, p: Tensor) => shortened(d, unitNorms(d), mul(clipping, maximum(unitNorms(p), epsilon))), direction, params) as P,
  }));
}

const largest = option(positive, 'the norm', 1);
const before = (rule: UpdateRule<NoState>, base: Optimizer): Optimizer => withGradientRule(base, rule as UpdateRule);

/** The entry of `clipByGlobalNorm`. */
export const clipByGlobalNormEntry = wrapperEntry({
  description: "shortens another optimizer's gradients to a norm, over all parameters (Pascanu et al. 2013)",
  rate: 0.1, wraps: 'sgd', options: { maximum: largest },
  make: ({ maximum: norm = 1 }, base) => before(clipByGlobalNorm(norm), base),
});

/** The entry of `clipByNorm`. */
export const clipByNormEntry = wrapperEntry({
  description: "shortens another optimizer's gradients to a norm, each tensor by itself (Pascanu et al. 2013)",
  rate: 0.1, wraps: 'sgd', options: { maximum: largest },
  make: ({ maximum: norm = 1 }, base) => before(clipByNorm(norm), base),
});

/** The entry of `clipByValue`. */
export const clipByValueEntry = wrapperEntry({
  description: "clips every element of another optimizer's gradients (Mikolov 2012)",
  rate: 0.1, wraps: 'sgd', options: { maximum: option(positive, 'the largest absolute value', 1) },
  make: ({ maximum: value = 1 }, base) => before(clipByValue(value), base),
});

/** The entry of `adaptiveGradientClipping`. */
export const adaptiveGradientClippingEntry = wrapperEntry({
  description: "shortens another optimizer's gradients, unit by unit, to a share of the weights' norm (Brock et al. 2021)",
  rate: 0.1, wraps: 'sgd',
  options: { clipping: option(positive, 'largest norm in units of that of the weights', 0.01), epsilon: option(positive, 'least norm of weights that counts', 1e-3) },
  make: (values, base) => before(adaptiveGradientClipping(values), base),
});
