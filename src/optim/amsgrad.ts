/** AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237). @module */
import type { Tensor } from '../core/tensor.ts';
import { div, maximum, ones } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { oneOf, option } from '../util/options.ts';
import { ArgumentError } from '../util/errors.ts';
import { adamMoments, adamOptions, dividedMean, type AdamState, type ScaleByAdamOptions } from './adam.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { biasCorrection, correctedRoots, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { coupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

const corrections = ['after', 'before', 'none'] as const;

export interface ScaleByAmsgradOptions extends ScaleByAdamOptions {
  /**
   * Whether the mean of squares is corrected for bias `after` the largest is taken (PyTorch), `before` (optax), or neither it nor the mean
   * of gradients is (`none`: the paper). Default `after`.
   */
  readonly correction?: (typeof corrections)[number];
}

/** Adam's state and the largest mean of squares so far, shaped like the parameters. */
export interface AmsgradState extends AdamState {
  readonly largest: unknown;
}

/**
 * Adam that divides by the root of the largest mean of squares so far: `m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`,
 * `s <- max(s, v)`, direction `m^ / (sqrt(s^) + epsilon)`; `correction` says where the hats are (Reddi, Kale & Kumar 2018, algorithm 2).
 * The preconditioner is (1 - beta1^t) (sqrt(s^) + epsilon), without the first factor where nothing is corrected.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByAmsgrad({ correction = 'after', ...options }: ScaleByAmsgradOptions = {}): UpdateRule<AmsgradState> {
  const checked = adamOptions('scaleByAmsgrad', options);
  const { beta1, beta2, epsilon } = checked;
  if (!corrections.includes(correction)) throw new ArgumentError({ operation: 'scaleByAmsgrad', required: `correction must be one of ${corrections.join(', ')}`, received: String(correction) });
  const preconditioner = <P>({ largest }: AmsgradState, step: Tensor): P => {
    const one = ones([], step.dtype);
    return correctedRoots(largest, correction === 'none' ? one : biasCorrection(beta1, step), correction === 'after' ? biasCorrection(beta2, step) : one, epsilon);
  };
  return dividedMean({
    name: 'amsgrad',
    init: (params) => ({ firstMoment: zerosOf(params), secondMoment: zerosOf(params), largest: zerosOf(params) }),
    next(gradient, last: AmsgradState, t) {
      const moments = adamMoments(checked)(gradient, last);
      const c2 = biasCorrection(beta2, t);
      return { ...moments, largest: mapTree((s: Tensor, v: Tensor) => maximum(s, correction === 'before' ? div(v, c2) : v), last.largest, moments.secondMoment) };
    },
    preconditioner,
  });
}

export interface AmsgradOptions extends ScaleByAmsgradOptions {
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * AMSGrad: see `scaleByAmsgrad` for the equations. Usual rate: 0.001.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function amsgrad({ weightDecay = 0, ...options }: AmsgradOptions = {}): Optimizer {
  return descend('amsgrad', chain(addDecayedWeights(weightDecay), scaleByAmsgrad(options)));
}

/** The entry of the registry. */
export const amsgradEntry = optimizerEntry({
  description: 'AMSGrad: Adam that divides by the largest mean of squares so far (Reddi, Kale & Kumar 2018)',
  rate: 0.001,
  options: { ...momentOptions(0.9, 0.999), epsilon: epsilonOption(1e-8), correction: option(oneOf(corrections), 'bias of the squares corrected after the largest is taken, before it, or not', 'after'), weightDecay: coupledDecay },
  make: (values) => amsgrad(values),
});
