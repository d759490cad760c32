/** Schedule-free learning: averaging in the place of a decaying rate (Defazio et al. 2024, arXiv 2405.15682). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, full, greater, maximum, mul, onesLike, pow, sub, where } from '../ops/index.ts';
import { leaves, mapTree } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { fraction, nonNegative, option } from '../util/options.ts';
import { chain } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { biasCorrection, correctedRoots, movingSquares, oneMinus, quotients, requireDecay, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay, decoupledDecay, epsilonOption } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

/** Options of `scheduleFree`. */
export interface ScheduleFreeOptions {
  /** Where gradients are taken: share of the average x against z, in (0, 1]; takes the part of a momentum. Default 0.9. */
  readonly beta?: Scalar;
  /** A step counts in the average with the power of the largest rate so far, so that a warm-up counts less. Default 2. */
  readonly weightPower?: Scalar;
}

/** The sequence z, shaped like the parameters, the weights of the average and the state of the rule. */
export interface ScheduleFreeState {
  readonly z: unknown;
  readonly weightSum: Tensor;
  readonly largestRate: Tensor;
  readonly rule: unknown;
}

const zeroOf = (params: unknown): Tensor => full([], 0, leaves<Tensor>(params)[0].dtype);

/**
 * Steps along a rule's direction without a schedule (Defazio et al. 2024, equations 3-5): the parameters are y = (1 - beta) z + beta x,
 * where gradients are taken; `z <- z - rate d`, and x is the average of z, which is the answer. x is worked out from y and z, as in the
 * authors' code. Use a constant rate after a warm-up, and a rule without momentum. Models with batch norm: recompute its statistics at x.
 *
 * @throws ArgumentError when `beta` is 0 or out of range.
 */
export function scheduleFree(name: string, rule: UpdateRule, { beta = 0.9, weightPower = 2 }: ScheduleFreeOptions = {}): Optimizer<ScheduleFreeState> {
  requireScalar('scheduleFree', 'beta', beta, 0, 1);
  if (beta === 0) throw new ArgumentError({ operation: 'scheduleFree', required: 'beta must be above 0', received: '0', remedy: 'withStochasticWeightAverage, which averages and steps from z' });
  requireScalar('scheduleFree', 'weightPower', weightPower, 0);
  const average = <P>(y: P, z: unknown): P => mapTree((here: Tensor, there: Tensor) => div(sub(here, mul(oneMinus(beta), there)), beta), y, z) as P;
  return {
    name,
    ...(rule.draws && { draws: rule.draws }),
    init: (params) => ({ z: params, weightSum: zeroOf(params), largestRate: zeroOf(params), rule: rule.init(params) }),
    update<P>(context: UpdateContext<P>, state: ScheduleFreeState) {
      const { direction, state: ruled, ...rest } = rule.update(context.grad(), state.rule, context);
      const largestRate = maximum(state.largestRate, context.learningRate);
      const weight = pow(largestRate, weightPower);
      const weightSum = add(state.weightSum, weight);
      const share = where(greater(weightSum, 0), div(weight, where(greater(weightSum, 0), weightSum, 1)), 0);
      const z = mapTree((last: Tensor, d: Tensor) => sub(last, mul(context.learningRate, d)), state.z, direction);
      const x = mapTree((last: Tensor, to: Tensor) => add(mul(sub(1, share), last), mul(share, to)), average(context.params, state.z), z);
      const params = mapTree((a: Tensor, to: Tensor) => add(mul(beta, a), mul(oneMinus(beta), to)), x, z) as P;
      return { ...rest, params, state: { z, weightSum, largestRate, rule: ruled } };
    },
    answer: <P>(params: P, { z }: ScheduleFreeState) => average(params, z),
    ...(rule.preconditioner && { preconditioner: <P>(state: ScheduleFreeState, step: Tensor): P => rule.preconditioner!<P>(state.rule, step) }),
  };
}

/** Options of `scheduleFreeSgd`. */
export interface ScheduleFreeSgdOptions extends ScheduleFreeOptions {
  /** Coupled weight decay, at y. Default 0. */
  readonly weightDecay?: Scalar;
}

/** Schedule-free gradient descent: see `scheduleFree`. @throws ArgumentError when an option is out of range. */
export function scheduleFreeSgd({ weightDecay = 0, ...options }: ScheduleFreeSgdOptions = {}): Optimizer<ScheduleFreeState> {
  return scheduleFree('schedule-free sgd', addDecayedWeights(weightDecay) as UpdateRule, options);
}

/** Options of `scheduleFreeAdamw`. */
export interface ScheduleFreeAdamwOptions extends ScheduleFreeOptions {
  /** Decay rate of the mean of squared gradients, in [0, 1). Default 0.999. */
  readonly beta2?: Scalar;
  /** Added to the denominator. Default 1e-8. */
  readonly epsilon?: Scalar;
  /** Decoupled weight decay, at y. Default 0. */
  readonly weightDecay?: Scalar;
}

/** Adam without its mean of gradients: `g / (sqrt(v / (1 - beta2^t)) + epsilon)`. */
function scaleBySecondMoment(beta2: Scalar, epsilon: Scalar): UpdateRule<{ readonly secondMoment: unknown }> {
  const preconditioner = <P>({ secondMoment }: { readonly secondMoment: unknown }, step: Tensor): P => correctedRoots<P>(secondMoment, onesLike(step), biasCorrection(beta2, step), epsilon);
  return {
    name: 'second moment',
    init: (params) => ({ secondMoment: zerosOf(params) }),
    update<P>(direction: P, { secondMoment }: { readonly secondMoment: unknown }, { step }: { readonly step: Tensor }) {
      const state = { secondMoment: movingSquares(beta2, secondMoment, direction) };
      return { direction: quotients<P>(direction, preconditioner(state, add(step, 1))), state };
    },
    preconditioner,
  };
}

/** Schedule-free AdamW: see `scheduleFree`; beta takes the part of beta1. @throws ArgumentError when an option is out of range. */
export function scheduleFreeAdamw({ beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, ...options }: ScheduleFreeAdamwOptions = {}): Optimizer<ScheduleFreeState> {
  requireDecay('scheduleFreeAdamw', 'beta2', beta2);
  requireScalar('scheduleFreeAdamw', 'epsilon', epsilon, 0);
  return scheduleFree('schedule-free adamw', chain(scaleBySecondMoment(beta2, epsilon) as UpdateRule, addDecayedWeights(weightDecay)) as UpdateRule, options);
}

const shared = { beta: option(fraction, 'share of the average in the point where gradients are taken, above 0', 0.9), weightPower: option(nonNegative, 'power of the rate that a step counts with', 2) };

/** The entry of `scheduleFreeSgd`. */
export const scheduleFreeSgdEntry = optimizerEntry({
  description: 'schedule-free gradient descent: averages in the place of a decaying rate (Defazio et al. 2024)',
  rate: 1,
  options: { ...shared, weightDecay: coupledDecay },
  make: (values) => scheduleFreeSgd(values),
});

/** The entry of `scheduleFreeAdamw`. */
export const scheduleFreeAdamwEntry = optimizerEntry({
  description: 'schedule-free AdamW: averages in the place of a decaying rate (Defazio et al. 2024)',
  rate: 0.0025,
  options: {
    ...shared,
    beta2: option(fraction, 'decay rate of the mean of squares, below 1', 0.999),
    epsilon: epsilonOption(1e-8),
    weightDecay: decoupledDecay(0),
  },
  make: (values) => scheduleFreeAdamw(values),
});
