/** Averages of the weights along the way: exponential, and stochastic weight averaging (Izmailov et al. 2018). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, equal, floor, less, maximum, mod, mul, or, sub } from '../ops/index.ts';
import { cond } from '../transforms/index.ts';
import { mapTree } from '../tree/index.ts';
import { flag, fraction, option, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { wrapperEntry } from './entry.ts';
import { biasCorrection, oneMinus, requireDecay } from './moments.ts';
import type { Optimizer, Scalar, UpdateContext } from './optimizer.ts';
import { passedOn } from './wrapping.ts';

/** The average, shaped like the parameters, and the state of the wrapped optimizer. */
export interface AverageState {
  readonly average: unknown;
  readonly base: unknown;
}

/** An optimizer whose answer is an average; `averaged` moves it on to the parameters after a step. */
function averagedBy(name: string, base: Optimizer, averaged: <P>(average: P, params: P, step: Tensor) => P): Optimizer<AverageState> {
  return {
    ...passedOn<AverageState, unknown>(base, (state) => state.base),
    name: `${name} + ${base.name}`,
    init: (params) => ({ average: params, base: base.init(params) }),
    update<P>(context: UpdateContext<P>, state: AverageState) {
      const next = base.update(context, state.base);
      return { ...next, state: { average: averaged(state.average as P, next.params, add(context.step, 1)), base: next.state } };
    },
    answer: <P>(_params: P, { average }: AverageState) => average as P,
  };
}

/** The average moved a share of the way to the parameters. */
const towards = <P>(average: P, params: P, share: Scalar): P => mapTree((a: Tensor, p: Tensor) => add(a, mul(share, sub(p, a))), average, params) as P;

/** Options of `withExponentialAverage`. */
export interface ExponentialAverageOptions {
  /** Share of the average that is kept at a step. Default 0.999. */
  readonly decay?: Scalar;
  /** Weights `decay^(t - k)` over their sum: the first average is that of the first step alone. Without it the start counts as if it had gone on forever. Default true. */
  readonly biasCorrection?: boolean;
}

/**
 * Training goes on as it would; the answer is `a <- decay a + (1 - decay) w` over the parameters after each step (Polyak & Juditsky 1992).
 * Batch-norm statistics belong to the parameters trained: recompute them for the average.
 *
 * @throws ArgumentError when `decay` is not in [0, 1).
 */
export function withExponentialAverage(base: Optimizer, { decay = 0.999, biasCorrection: corrected = true }: ExponentialAverageOptions = {}): Optimizer<AverageState> {
  requireDecay('withExponentialAverage', 'decay', decay);
  return averagedBy('exponential average', base, (average, params, step) =>
    // The corrected average follows by itself with the share (1 - decay) / (1 - decay^t), which is 1 at the first step.
    towards(average, params, corrected ? div(oneMinus(decay), biasCorrection(decay, step)) : oneMinus(decay)));
}

/** Options of `withStochasticWeightAverage`. */
export interface StochasticWeightAverageOptions {
  /** Steps done when the first parameters are taken into the average; until then the answer is the parameters. Default 1: all steps. */
  readonly start?: number;
  /** Steps between two that are taken. Default 1. */
  readonly every?: number;
}

/**
 * Training goes on as it would; the answer is the mean of the parameters after `start`, `start + every`, ... steps (Izmailov et al.
 * 2018, algorithm 1; the rate should be constant or cyclic from there on). Batch-norm statistics belong to the parameters trained:
 * recompute them for the average.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function withStochasticWeightAverage(base: Optimizer, { start = 1, every = 1 }: StochasticWeightAverageOptions = {}): Optimizer<AverageState> {
  requireInteger('withStochasticWeightAverage', 'start', start, 1);
  requireInteger('withStochasticWeightAverage', 'every', every, 1);
  return averagedBy('stochastic weight average', base, <P>(average: P, params: P, step: Tensor) => {
    const since = sub(step, start);
    // One over the parameters that are taken so far; one also before, when the average is the parameters themselves.
    const share = div(1, maximum(1, add(floor(div(since, every)), 1)));
    return cond(or(less(since, 0), equal(mod(since, every), 0)), (a: P, p: P) => towards(a, p, share), (a: P) => a, average, params);
  });
}

/** The entry of `withExponentialAverage`. */
export const exponentialAverageEntry = wrapperEntry({
  description: 'exponential moving average of the weights of another optimizer, as its answer (Polyak & Juditsky 1992)',
  rate: 0.1,
  wraps: 'sgd',
  options: { decay: option(fraction, 'share of the average that is kept at a step, below 1', 0.999), biasCorrection: option(flag, 'do not count the start', true) },
  make: (values, base) => withExponentialAverage(base, values),
});

/** The entry of `withStochasticWeightAverage`. */
export const stochasticWeightAverageEntry = wrapperEntry({
  description: 'stochastic weight averaging: mean of the weights of another optimizer from a step on, as its answer (Izmailov et al. 2018)',
  rate: 0.1,
  wraps: 'sgd',
  options: { start: option(positiveInteger, 'steps done when the first weights are taken', 1), every: option(positiveInteger, 'steps between two that are taken', 1) },
  make: (values, base) => withStochasticWeightAverage(base, values),
});
