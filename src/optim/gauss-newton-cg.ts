/** Gauss-Newton by conjugate gradients with Levenberg-Marquardt damping: Hessian-free optimisation (Martens 2010). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, and, arange, convert, div, equal, full, greater, less, maximum, mul, neg, norm, not, square, sub, sum, vdot, where, zeros } from '../ops/index.ts';
import { whileLoop } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { fraction, nonNegative, option, positive, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { optimizerEntry } from './entry.ts';
import { flatSpace } from './flat.ts';
import type { Optimizer, Scalar, UpdateContext } from './optimizer.ts';
import { requireScalar } from './scalar.ts';

export interface GaussNewtonCgOptions {
  /** Damping before the first step: the multiple of the identity that is added. Default 1 (paper). */
  readonly damping?: Scalar;
  /** Factor of the damping where the loss falls by less than a quarter of the prediction. Where by more than three quarters, it is divided by it. Default 1.5 (paper). */
  readonly factor?: Scalar;
  /** Products with the Gauss-Newton matrix a step, at most. Default 100. */
  readonly iterations?: number;
  /** The inner solver stops when its model gained less than this a product, relative, over the last max(10, i / 10). Default 5e-4 (paper); 0: never. */
  readonly progress?: Scalar;
  /** It also stops at a residual below this over that of zero. Default 1e-6. */
  readonly tolerance?: Scalar;
  /** Share of the last solution that the inner solver starts from, in [0, 1]. Default 0.95 (Martens & Sutskever 2012). */
  readonly warmStart?: Scalar;
}

/** What the next step starts from. */
export interface GaussNewtonCgState {
  readonly damping: Tensor;
  /** The last solution, [size]. */
  readonly solution: Tensor;
}

interface Solution {
  readonly x: Tensor;
  readonly residual: Tensor;
  readonly direction: Tensor;
  /** The model's value -x'(r + b) / 2 after each iteration. */
  readonly values: Tensor;
  readonly iterations: Tensor;
}

interface SolverOptions {
  readonly most: number;
  readonly progress: Scalar;
  readonly tolerance: Scalar;
}

/** Solves A x = b for positive definite A, minimising x'Ax / 2 - b'x. */
function conjugateGradients(multiply: (v: Tensor) => Tensor, b: Tensor, start: Tensor, { most, progress, tolerance }: SolverOptions): Solution {
  const { dtype } = b;
  const numbers = arange(most + 1, dtype);
  const valueOf = (x: Tensor, residual: Tensor): Tensor => mul(-0.5, vdot(x, add(residual, b)));
  const placed = (values: Tensor, at: Tensor, value: Tensor): Tensor => where(equal(numbers, at), value, values);
  const residual = sub(b, multiply(start));
  const zero = full([], 0, dtype);
  const begin: Solution = { x: start, residual, direction: residual, values: placed(zeros([most + 1], dtype), zero, valueOf(start, residual)), iterations: zero };
  const goesOn = ({ x, residual: r, values, iterations }: Solution): Tensor => {
    const window = maximum(10, mul(0.1, iterations));
    const now = valueOf(x, r);
    const before = sum(where(equal(numbers, sub(iterations, floorOf(window))), values, 0));
    const hasSettled = and(and(greater(iterations, window), less(now, 0)), less(div(sub(now, before), where(less(now, 0), now, -1)), mul(progress, window)));
    return and(and(less(iterations, most), greater(norm(r), mul(tolerance, norm(b)))), not(hasSettled));
  };
  return whileLoop<Solution>(goesOn, ({ x, residual: r, direction, values, iterations }) => {
    const product = multiply(direction);
    const squared = vdot(r, r);
    const length = div(squared, maximum(vdot(direction, product), 1e-30));
    const [next, rest] = [add(x, mul(length, direction)), sub(r, mul(length, product))];
    const count = add(iterations, 1);
    return { x: next, residual: rest, direction: add(rest, mul(div(vdot(rest, rest), maximum(squared, 1e-30)), direction)), values: placed(values, count, valueOf(next, rest)), iterations: count };
  }, begin);
}

const floorOf = (x: Tensor): Tensor => convert(convert(x, 'int32'), x.dtype);

/**
 * Steps along the solution of (G + damping I) d = -g with G the Gauss-Newton matrix of the batch. The damping follows the ratio of the
 * loss's decrease to that of the undamped quadratic model: below a quarter it grows, above three quarters it shrinks (Levenberg-Marquardt).
 * Steps after which the loss is not lower are not taken. The rate multiplies the step: 1. Reports `iterations`, `damping` and `ratio`.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function gaussNewtonCg(options: GaussNewtonCgOptions = {}): Optimizer<GaussNewtonCgState> {
  const damping = requireScalar('gaussNewtonCg', 'damping', options.damping ?? 1, 0);
  const factor = requireScalar('gaussNewtonCg', 'factor', options.factor ?? 1.5, 1);
  const warmStart = requireScalar('gaussNewtonCg', 'warmStart', options.warmStart ?? 0.95, 0, 1);
  const progress = requireScalar('gaussNewtonCg', 'progress', options.progress ?? 5e-4, 0);
  const tolerance = requireScalar('gaussNewtonCg', 'tolerance', options.tolerance ?? 1e-6, 0);
  const most = requireInteger('gaussNewtonCg', 'iterations', options.iterations ?? 100, 1);
  return {
    name: 'gauss-newton-cg',
    init(params) {
      const { dtype } = leaves<Tensor>(params)[0];
      return { damping: mul(damping, full([], 1, dtype)), solution: zeros([flatSpace(params).size], dtype) };
    },
    update<P>(context: UpdateContext<P>, state: GaussNewtonCgState) {
      const space = flatSpace(context.params);
      const gradient = space.vector(context.grad());
      const b = neg(gradient);
      const multiply = (v: Tensor): Tensor => add(space.vector(context.ggnvp(space.tree(v))), mul(state.damping, v));
      const { x, residual, iterations } = conjugateGradients(multiply, b, mul(warmStart, state.solution), { most, progress, tolerance });
      const rate = context.learningRate;
      const params = space.vector(context.params);
      const moved = add(params, mul(rate, x));
      // x'Gx from the residual b - (G + damping I) x.
      const curvature = sub(vdot(x, sub(b, residual)), mul(state.damping, vdot(x, x)));
      const predicted = add(mul(rate, vdot(gradient, x)), mul(mul(0.5, square(rate)), curvature));
      const change = sub(context.lossAt(space.tree(moved)), context.loss());
      const ratio = where(less(predicted, 0), div(change, where(less(predicted, 0), predicted, -1)), 0);
      const isTaken = less(change, 0);
      const isGood = and(isTaken, greater(ratio, 0.75));
      // A loss that is not a number is no decrease.
      const isPoor = not(and(isTaken, greater(ratio, 0.25)));
      return {
        params: space.tree(where(isTaken, moved, params)),
        state: { damping: where(isGood, div(state.damping, factor), where(isPoor, mul(state.damping, factor), state.damping)), solution: where(isTaken, x, 0) },
        report: { iterations, damping: state.damping, ratio },
      };
    },
  };
}

/** The entry of the registry. */
export const gaussNewtonCgEntry = optimizerEntry({
  description: 'Gauss-Newton by conjugate gradients, Levenberg-Marquardt damping: Hessian-free optimisation (Martens 2010)',
  rate: 1,
  options: {
    damping: option(nonNegative, 'damping before the first step', 1),
    factor: option(positive, 'what the damping is multiplied or divided by, at least 1', 1.5),
    iterations: option(positiveInteger, 'products with the Gauss-Newton matrix a step, at most', 100),
    progress: option(nonNegative, 'the inner solver stops at a relative gain a product below this', 5e-4),
    tolerance: option(nonNegative, 'or at a residual below this over that of zero', 1e-6),
    warmStart: option(fraction, 'share of the last solution that the inner solver starts from', 0.95),
  },
  make: (values) => gaussNewtonCg(values),
});
