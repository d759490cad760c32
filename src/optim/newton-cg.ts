/** Newton's method with truncated conjugate gradients in a trust region (Steihaug 1983; Nocedal & Wright 2006, algorithms 4.1 and 7.2). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, and, convert, div, full, greater, greaterEqual, less, lessEqual, maximum, minimum, mul, neg, norm, not, notEqual, or, sqrt, square, sub, vdot, where, zerosLike } from '../ops/index.ts';
import { whileLoop } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { option, positive, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { optimizerEntry } from './entry.ts';
import { flatSpace } from './flat.ts';
import type { Optimizer, Scalar, UpdateContext } from './optimizer.ts';
import { requireScalar } from './scalar.ts';

export interface NewtonCgOptions {
  /** Radius of the first trust region. Default 1. */
  readonly radius?: Scalar;
  /** Largest radius. Default 1000. */
  readonly largestRadius?: Scalar;
  /** Products with the Hessian a step, at most. Default 100. */
  readonly iterations?: number;
  /** The inner solver stops at residuals below min(forcing, sqrt(|g|)) |g|: steps become exact near a minimum, so convergence superlinear. Default 0.5. */
  readonly forcing?: Scalar;
  /** Steps whose decrease is less than this share of the predicted one are not taken. Default 1e-4. */
  readonly acceptance?: Scalar;
}

/** The trust region, shape []. */
export interface NewtonCgState {
  readonly radius: Tensor;
}

/** The inner solver's iterate z, its residual g + H z, and the next direction. */
interface Truncated {
  readonly z: Tensor;
  readonly residual: Tensor;
  readonly direction: Tensor;
  readonly iterations: Tensor;
  readonly isDone: Tensor;
  readonly isNegative: Tensor;
}

/** The larger t with |z + t d| = radius. */
function toBoundary(z: Tensor, d: Tensor, radius: Tensor): Tensor {
  const [a, b, c] = [vdot(d, d), vdot(z, d), sub(vdot(z, z), square(radius))];
  return div(add(neg(b), sqrt(maximum(sub(square(b), mul(a, c)), 0))), maximum(a, 1e-30));
}

/** Minimises g'z + z'Hz / 2 over |z| <= radius: conjugate gradients that stop at the boundary, and go there along negative curvature. */
function steihaug(multiply: (v: Tensor) => Tensor, gradient: Tensor, radius: Tensor, tolerance: Tensor, most: number): Truncated {
  const zero = full([], 0, gradient.dtype);
  const no = notEqual(zero, 0);
  const begin: Truncated = { z: zerosLike(gradient), residual: gradient, direction: neg(gradient), iterations: zero, isDone: lessEqual(norm(gradient), 0), isNegative: no };
  return whileLoop<Truncated>(({ isDone, iterations }) => and(not(isDone), less(iterations, most)), ({ z, residual, direction, iterations }) => {
    const product = multiply(direction);
    const curvature = vdot(direction, product);
    const squared = vdot(residual, residual);
    const isNegative = lessEqual(curvature, 0);
    const free = div(squared, where(isNegative, 1, curvature));
    const isOut = or(isNegative, greaterEqual(norm(add(z, mul(free, direction))), radius));
    const length = where(isOut, toBoundary(z, direction, radius), free);
    const next = add(residual, mul(length, product));
    const after = vdot(next, next);
    return {
      z: add(z, mul(length, direction)), residual: next, direction: sub(mul(div(after, squared), direction), next), iterations: add(iterations, 1),
      isDone: or(isOut, less(sqrt(after), tolerance)), isNegative,
    };
  }, begin);
}

/**
 * Steps to an approximate minimum of the quadratic model f + g'z + z'Hz / 2 inside a trust region. Along negative curvature a step goes to
 * the region's boundary, so saddle points do not attract. The radius is a quarter of what it was where the loss falls by less than a
 * quarter of the prediction, twice of it where it falls by more than three quarters of it and the boundary was reached. Steps that the
 * loss does not bear out are not taken. The rate multiplies the step: 1. Reports `iterations`, `radius`, `ratio` of decrease and
 * prediction, and `negativeCurvature` (0 or 1).
 *
 * @throws ArgumentError when an option is out of range.
 */
export function newtonCg(options: NewtonCgOptions = {}): Optimizer<NewtonCgState> {
  const radius = requireScalar('newtonCg', 'radius', options.radius ?? 1, 0);
  const largest = requireScalar('newtonCg', 'largestRadius', options.largestRadius ?? 1000, 0);
  const forcing = requireScalar('newtonCg', 'forcing', options.forcing ?? 0.5, 0, 1);
  const acceptance = requireScalar('newtonCg', 'acceptance', options.acceptance ?? 1e-4, 0, 0.25);
  const iterations = requireInteger('newtonCg', 'iterations', options.iterations ?? 100, 1);
  return {
    name: 'newton-cg',
    init: (params) => ({ radius: mul(radius, full([], 1, leaves<Tensor>(params)[0].dtype)) }),
    update<P>(context: UpdateContext<P>, state: NewtonCgState) {
      const space = flatSpace(context.params);
      const gradient = space.vector(context.grad());
      const length = norm(gradient);
      const tolerance = mul(minimum(forcing, sqrt(length)), length);
      const inner = steihaug((v) => space.vector(context.hvp(space.tree(v))), gradient, state.radius, tolerance, iterations);
      const rate = context.learningRate;
      const params = space.vector(context.params);
      const moved = space.tree(add(params, mul(rate, inner.z)));
      const curvature = vdot(inner.z, sub(inner.residual, gradient));
      const predicted = add(mul(rate, vdot(gradient, inner.z)), mul(mul(0.5, square(rate)), curvature));
      const change = sub(context.lossAt(moved), context.loss());
      const ratio = where(less(predicted, 0), div(change, where(less(predicted, 0), predicted, -1)), 0);
      // A loss that is not a number bears nothing out.
      const isPoor = not(greaterEqual(ratio, 0.25));
      const isAtBoundary = greaterEqual(norm(inner.z), mul(state.radius, 0.999));
      const next = where(isPoor, mul(state.radius, 0.25), where(and(greater(ratio, 0.75), isAtBoundary), minimum(mul(state.radius, 2), largest), state.radius));
      const isTaken = greater(ratio, acceptance);
      return {
        params: space.tree(where(isTaken, space.vector(moved), params)), state: { radius: where(lessEqual(length, 0), state.radius, next) },
        report: { iterations: inner.iterations, radius: state.radius, ratio, negativeCurvature: convert(inner.isNegative, gradient.dtype) },
      };
    },
  };
}

/** The entry of the registry. */
export const newtonCgEntry = optimizerEntry({
  description: 'Newton-CG: truncated Newton steps in a trust region, along negative curvature too (Steihaug 1983)',
  rate: 1,
  options: {
    radius: option(positive, 'radius of the first trust region', 1),
    largestRadius: option(positive, 'largest radius', 1000),
    iterations: option(positiveInteger, 'products with the Hessian a step, at most', 100),
    forcing: option(positive, 'largest residual of the inner solver over the gradient', 0.5),
    acceptance: option(positive, 'least share of the predicted decrease', 1e-4),
  },
  make: (values) => newtonCg(values),
});
