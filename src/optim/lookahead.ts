/** Lookahead: k steps forward, 1 step back (Zhang et al. 2019, arXiv 1907.08610). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, equal, mod, mul, sub } from '../ops/index.ts';
import { cond } from '../transforms/index.ts';
import { mapTree } from '../tree/index.ts';
import { fraction, option, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { wrapperEntry } from './entry.ts';
import type { Optimizer, Scalar, UpdateContext } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { passedOn } from './wrapping.ts';

/** Options of `lookahead`. */
export interface LookaheadOptions {
  /** Steps of the wrapped optimizer between two of the slow weights: k. Default 5. */
  readonly every?: number;
  /** Share of the way to the fast weights that the slow ones go: alpha. Default 0.5. */
  readonly share?: Scalar;
}

/** The slow weights, shaped like the parameters, and the state of the wrapped optimizer. */
export interface LookaheadState {
  readonly slow: unknown;
  readonly base: unknown;
}

/**
 * Wraps an optimizer, whose parameters are the fast weights: every k steps the slow weights go a share of the way to them, and the fast
 * ones start again from there (Zhang et al. 2019, algorithm 1). The answer is the slow weights. The wrapped optimizer keeps its state,
 * as in the paper's experiments and optax.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function lookahead(base: Optimizer, { every = 5, share = 0.5 }: LookaheadOptions = {}): Optimizer<LookaheadState> {
  requireInteger('lookahead', 'every', every, 1);
  requireScalar('lookahead', 'share', share, 0, 1);
  return {
    ...passedOn<LookaheadState, unknown>(base, (state) => state.base),
    name: `lookahead + ${base.name}`,
    init: (params) => ({ slow: params, base: base.init(params) }),
    update<P>(context: UpdateContext<P>, state: LookaheadState) {
      const { params: fast, ...next } = base.update(context, state.base);
      const due = equal(mod(add(context.step, 1), every), 0);
      const [params, slow] = cond(due, (from: P, to: P): [P, P] => {
        const there = mapTree((s: Tensor, f: Tensor) => add(s, mul(share, sub(f, s))), from, to) as P;
        return [there, there];
      }, (from: P, to: P): [P, P] => [to, from], state.slow as P, fast);
      return { ...next, params, state: { slow, base: next.state } };
    },
    answer: <P>(_params: P, { slow }: LookaheadState) => slow as P,
  };
}

/** The entry of the registry. */
export const lookaheadEntry = wrapperEntry({
  description: 'lookahead around another optimizer: slow weights that follow the fast ones (Zhang et al. 2019)',
  rate: 0.001,
  wraps: 'adam',
  options: { every: option(positiveInteger, 'steps between two of the slow weights', 5), share: option(fraction, 'share of the way to the fast weights', 0.5) },
  make: (values, base) => lookahead(base, values),
});
