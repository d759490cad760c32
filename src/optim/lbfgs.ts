/** L-BFGS (Liu & Nocedal 1989; Nocedal & Wright 2006, algorithms 7.4 and 7.5). @module */
import type { Tensor } from '../core/tensor.ts';
import { abs, add, and, concat, div, equal, expandDims, full, greater, less, max, maximum, minimum, mul, narrow, neg, norm, sub, sum, vdot, where, zeros } from '../ops/index.ts';
import { jvp, scan } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { oneOf, option, positive, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { optimizerEntry } from './entry.ts';
import { flatSpace } from './flat.ts';
import { strongWolfe, type WolfeOptions } from './line-search.ts';
import type { Optimizer, UpdateContext } from './optimizer.ts';
import { requireScalar } from './scalar.ts';

export interface LbfgsOptions extends Omit<WolfeOptions, 'tolerance'> {
  /** Pairs of steps and gradient changes that are kept. Default 10. */
  readonly history?: number;
  /** `strong-wolfe`, the rate being the first trial; or `none`: the rate times the direction. Default `strong-wolfe`. */
  readonly lineSearch?: 'strong-wolfe' | 'none';
  /** The first direction is -g times the smaller of 1 and 1 / |g|, in the norm of sums (`one`: PyTorch) or Euclidean (`two`: optax). Default `one`. */
  readonly firstNorm?: 'one' | 'two';
}

/** Vectors over all parameters; pairs are stacked, the newest last. */
export interface LbfgsState {
  readonly params: Tensor;
  readonly gradient: Tensor;
  /** s [history, size], differences of parameters. */
  readonly steps: Tensor;
  /** y [history, size], differences of gradients. */
  readonly changes: Tensor;
  /** 1 / <s, y> [history]; zero where there is no pair. */
  readonly weights: Tensor;
  /** <s, y> / <y, y> of the newest pair. */
  readonly scale: Tensor;
  /** Steps since the start, or since the history was forgotten. */
  readonly count: Tensor;
}

/** The history with the pair that the last step gave, unless it curves the wrong way. */
function remembered(state: LbfgsState, params: Tensor, gradient: Tensor): LbfgsState {
  const [s, y] = [sub(params, state.params), sub(gradient, state.gradient)];
  const inner = vdot(s, y);
  const isUseful = and(greater(state.count, 0), greater(inner, mul(1e-10, mul(norm(s), norm(y)))));
  const length = state.weights.shape[0];
  const pushed = (stack: Tensor, latest: Tensor): Tensor => where(isUseful, concat([narrow(stack, 0, 1, length), expandDims(latest, 0)]), stack);
  const safe = where(isUseful, inner, 1);
  return {
    ...state, params, gradient,
    steps: pushed(state.steps, s), changes: pushed(state.changes, y), weights: pushed(state.weights, div(1, safe)),
    scale: where(isUseful, div(safe, maximum(vdot(y, y), 1e-30)), state.scale),
  };
}

/** The two-loop recursion: the inverse Hessian of the history times the gradient. */
function recursion({ steps, changes, weights, scale }: LbfgsState, gradient: Tensor): Tensor {
  type Pair = { s: Tensor; y: Tensor; weight: Tensor };
  const pairs: Pair = { s: steps, y: changes, weight: weights };
  const [middle, alphas] = scan((q: Tensor, { s, y, weight }: Pair): [Tensor, Tensor] => {
    const alpha = mul(weight, vdot(s, q));
    return [sub(q, mul(alpha, y)), alpha];
  }, gradient, pairs, { reverse: true });
  const [result] = scan((r: Tensor, { s, y, weight, alpha }: Pair & { alpha: Tensor }): [Tensor, Tensor[]] =>
    [add(r, mul(s, sub(alpha, mul(weight, vdot(y, r))))), []], mul(scale, middle), { ...pairs, alpha: alphas });
  return result;
}

/**
 * Steps along -H g with H the inverse Hessian that the last pairs of steps and gradient changes make of a multiple of the identity
 * (two-loop recursion), as long as the strong Wolfe conditions ask. For losses that do not change from step to step: the full batch. A
 * search that finds nothing lower forgets the history, so that the next step starts along the gradient. Reports `stepSize` and
 * `evaluations` of the search, each a forward derivative. Rate: 1.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function lbfgs({ history = 10, lineSearch = 'strong-wolfe', firstNorm = 'one', ...wolfe }: LbfgsOptions = {}): Optimizer<LbfgsState> {
  requireInteger('lbfgs', 'history', history, 1);
  const { decrease = 1e-4, curvature = 0.9 } = wolfe;
  requireScalar('lbfgs', 'decrease', decrease, 0, 1);
  requireScalar('lbfgs', 'curvature', curvature, typeof decrease === 'number' ? decrease : 0, 1);
  if (wolfe.evaluations !== undefined) requireInteger('lbfgs', 'evaluations', wolfe.evaluations, 1);
  if (lineSearch !== 'strong-wolfe' && lineSearch !== 'none') throw new ArgumentError({ operation: 'lbfgs', required: "lineSearch must be 'strong-wolfe' or 'none'", received: `'${String(lineSearch)}'` });
  if (firstNorm !== 'one' && firstNorm !== 'two') throw new ArgumentError({ operation: 'lbfgs', required: "firstNorm must be 'one' or 'two'", received: `'${String(firstNorm)}'` });
  return {
    name: 'lbfgs',
    init(params) {
      const { size } = flatSpace(params);
      const { dtype } = leaves<Tensor>(params)[0];
      const stack = zeros([history, size], dtype);
      return { params: zeros([size], dtype), gradient: zeros([size], dtype), steps: stack, changes: stack, weights: zeros([history], dtype), scale: full([], 1, dtype), count: zeros([], dtype) };
    },
    update<P>(context: UpdateContext<P>, last: LbfgsState) {
      const space = flatSpace(context.params);
      const params = space.vector(context.params);
      const gradient = space.vector(context.grad());
      const state = remembered(last, params, gradient);
      const size = firstNorm === 'one' ? sum(abs(gradient)) : norm(gradient);
      const steepest = mul(gradient, neg(minimum(1, div(1, maximum(size, 1e-30)))));
      const quasi = neg(recursion(state, gradient));
      const isQuasi = and(greater(state.count, 0), less(vdot(quasi, gradient), 0));
      const direction = where(isQuasi, quasi, steepest);
      const rate = context.learningRate;
      if (lineSearch === 'none') return { params: space.tree(add(params, mul(rate, direction))), state: { ...state, count: add(state.count, 1) } };
      const along = (t: Tensor): { value: Tensor; slope: Tensor } => {
        const [value, slope] = jvp((at: Tensor) => context.lossAt(space.tree(at)), [add(params, mul(t, direction))], [direction]) as unknown as [Tensor, Tensor];
        return { value, slope };
      };
      const { t, evaluations } = strongWolfe(along, { value: context.loss(), slope: vdot(gradient, direction) }, rate, max(abs(direction)), wolfe);
      const isStuck = equal(t, 0);
      return {
        params: space.tree(add(params, mul(t, direction))),
        state: { ...state, weights: where(isStuck, 0, state.weights), count: where(isStuck, 0, add(state.count, 1)), scale: where(isStuck, 1, state.scale) },
        report: { stepSize: t, evaluations },
      };
    },
  };
}

/** The entry of the registry. */
export const lbfgsEntry = optimizerEntry({
  description: 'L-BFGS: quasi-Newton steps from the last gradients, strong Wolfe line search, for full batches (Liu & Nocedal 1989)',
  rate: 1,
  options: {
    history: option(positiveInteger, 'pairs of steps and gradient changes that are kept', 10),
    lineSearch: option(oneOf(['strong-wolfe', 'none']), 'how long a step is', 'strong-wolfe'),
    decrease: option(positive, 'c1: least decrease over what the first slope promises', 1e-4),
    curvature: option(positive, 'c2: largest slope over the first one', 0.9),
    evaluations: option(positiveInteger, 'evaluations of a search after the first', 25),
    firstNorm: option(oneOf(['one', 'two']), 'norm that the first direction is divided by', 'one'),
  },
  make: (values) => lbfgs(values),
});
