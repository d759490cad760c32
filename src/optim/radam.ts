/** Rectified Adam (Liu et al. 2020, arXiv 1908.03265). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, expm1, greater, less, log, maximum, mul, neg, ones, sqrt, sub, where } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { nonNegative, option } from '../util/options.ts';
import { adamMoments, adamOptions, dividedMean, type AdamState, type ScaleByAdamOptions } from './adam.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { asScalarTensor, biasCorrection, correctedRoots, oneMinus, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByRadamOptions extends ScaleByAdamOptions {
  /** Length of the average of squares from which on it is trusted, at least 4. Default 5 (PyTorch, optax; paper: 4). */
  readonly threshold?: Scalar;
}

/**
 * Length of the simple average that the exponential one amounts to at step t: `rho_t = rho_inf - 2 t beta^t / (1 - beta^t)` with
 * `rho_inf = 2 / (1 - beta) - 1`, which is about t at first, the difference of two numbers of the size of rho_inf. With
 * x = -t log(beta) it is `rho_inf - 2 / lambda + 2 / lambda (1 - x / (e^x - 1))`, lambda = -log(beta), free of that loss in float32.
 */
export function averageLength(beta: Scalar, step: Tensor): Tensor {
  if (beta === 0) return ones([], step.dtype);
  const lambda: Scalar = typeof beta === 'number' ? -Math.log(beta) : neg(log(beta));
  const offset: Scalar = typeof lambda === 'number' ? 2 / (1 - (beta as number)) - 1 - 2 / lambda : sub(sub(div(2, sub(1, beta)), 1), div(2, lambda));
  const x = mul(step, lambda);
  const x2 = mul(x, x);
  const series = add(mul(0.5, x), mul(x2, add(-1 / 12, mul(x2, add(1 / 720, mul(x2, -1 / 30240))))));
  const part = where(less(x, 0.1), series, sub(1, div(x, expm1(x))));
  return add(offset, mul(typeof lambda === 'number' ? 2 / lambda : div(2, lambda), part));
}

/**
 * Adam whose steps are shortened by the rectification `r_t = sqrt((rho_t - 4) (rho_t - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho_t))`
 * where the length rho_t of the average of squares (see `averageLength`) exceeds the threshold; before that, the direction is the corrected
 * mean of gradients, not divided (Liu et al. 2020, algorithm 2). Epsilon is added as Adam adds it, to sqrt(v^) (optax; the paper has
 * none, PyTorch adds it to sqrt(v)).
 *
 * The preconditioner is (1 - beta1^t) (sqrt(v^) + epsilon) / r_t, or (1 - beta1^t) before the threshold.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByRadam({ threshold = 5, ...options }: ScaleByRadamOptions = {}): UpdateRule<AdamState> {
  const checked = adamOptions('scaleByRadam', options);
  const { beta1, beta2, epsilon } = checked;
  requireScalar('scaleByRadam', 'threshold', threshold, 4);
  const preconditioner = <P>({ secondMoment }: AdamState, step: Tensor): P => {
    const c1 = biasCorrection(beta1, step);
    const length = averageLength(beta2, step);
    const trusted = greater(length, threshold);
    const limit = sub(div(2, asScalarTensor(oneMinus(beta2), step)), 1);
    // Where the average is too short the ratio is not used, but must be a number all the same.
    const safe = maximum(length, threshold);
    const longest = maximum(limit, threshold);
    const growth = div(mul(mul(sub(safe, 4), sub(safe, 2)), longest), mul(mul(sub(longest, 4), sub(longest, 2)), safe));
    const rectified = correctedRoots(secondMoment, div(c1, sqrt(growth)), biasCorrection(beta2, step), epsilon);
    return mapTree((p: Tensor) => where(trusted, p, c1), rectified) as P;
  };
  return dividedMean({
    name: 'radam',
    init: (params) => ({ firstMoment: zerosOf(params), secondMoment: zerosOf(params) }),
    next: adamMoments(checked),
    preconditioner,
  });
}

export interface RadamOptions extends ScaleByRadamOptions {
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Rectified Adam: see `scaleByRadam` for the equations. Usual rate: 0.001.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function radam({ weightDecay = 0, ...options }: RadamOptions = {}): Optimizer {
  return descend('radam', chain(addDecayedWeights(weightDecay), scaleByRadam(options)));
}

/** The entry of the registry. */
export const radamEntry = optimizerEntry({
  description: 'RAdam: Adam with a warm-up that follows from the variance of its steps (Liu et al. 2020)',
  rate: 0.001,
  options: { ...momentOptions(0.9, 0.999), epsilon: epsilonOption(1e-8), threshold: option(nonNegative, 'length of the average from which on it is trusted, at least 4', 5), weightDecay: coupledDecay },
  make: (values) => radam(values),
});
