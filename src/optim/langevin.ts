/** Noise in the gradients: Langevin dynamics (Welling & Teh 2011), and noise that decays (Neelakantan et al. 2015). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, greater, mul, pow, sqrt, where } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { nonNegative, option } from '../util/options.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry, wrapperEntry } from './entry.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';
import { withGradientRule } from './wrapping.ts';

type NoState = Record<string, never>;

/** Adds normal numbers of a standard deviation to the direction. */
const noisy = (name: string, deviation: (context: Pick<UpdateContext<unknown>, 'step' | 'learningRate'>) => Tensor): UpdateRule<NoState> => ({
  name,
  draws: [{ kind: 'normal' }],
  init: () => ({}),
  update<P>(direction: P, state: NoState, context: UpdateContext<P>) {
    const scale = deviation(context);
    return { direction: mapTree((d: Tensor, z: Tensor) => add(d, mul(scale, z)), direction, context.normal()) as P, state };
  },
});

/** Options of `langevin`. */
export interface LangevinOptions {
  /** Temperature T of the distribution exp(-L / T) that is sampled, L the loss; 1 / N for the posterior of N examples, L their mean. Default 1e-4. */
  readonly temperature?: Scalar;
  /** Adds `weightDecay * params` to the gradient: a normal prior of variance `T / weightDecay`. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Stochastic gradient Langevin dynamics: `w <- w - rate g + sqrt(2 rate T) z`, z standard normal (Welling & Teh 2011, equation 4, with
 * epsilon = 2 rate / N and T = 1 / N). For full gradients and small rates the parameters are samples of exp(-L / T); batches add their own
 * noise, and rates that are not small a share of about rate * curvature / 2 of the variance.
 *
 * @throws ArgumentError when an option is negative.
 */
export function langevin({ temperature = 1e-4, weightDecay = 0 }: LangevinOptions = {}): Optimizer {
  requireScalar('langevin', 'temperature', temperature, 0);
  // The rate multiplies the direction, noise and all: sqrt(2 T / rate) makes sqrt(2 rate T) of it. A rate of zero moves nothing.
  const deviation = ({ learningRate }: { readonly learningRate: Tensor }): Tensor => {
    const moving = greater(learningRate, 0);
    return where(moving, sqrt(mul(temperature, div(2, where(moving, learningRate, 1)))), 0);
  };
  return descend('langevin', chain(addDecayedWeights(weightDecay), noisy('thermal noise', deviation)));
}

/** Options of `addGradientNoise`. */
export interface GradientNoiseOptions {
  /** Variance at the first step. Default 0.01. */
  readonly eta?: Scalar;
  /** Power of the step that it falls with. Default 0.55. */
  readonly gamma?: Scalar;
}

/**
 * Adds normal noise of variance `eta / (1 + t)^gamma` to the direction, t the steps done (Neelakantan et al. 2015, equation 1).
 * @throws ArgumentError when an option is negative.
 */
export function addGradientNoise({ eta = 0.01, gamma = 0.55 }: GradientNoiseOptions = {}): UpdateRule<NoState> {
  requireScalar('addGradientNoise', 'eta', eta, 0);
  requireScalar('addGradientNoise', 'gamma', gamma, 0);
  return noisy('gradient noise', ({ step }) => sqrt(div(eta, pow(add(step, 1), gamma))));
}

/** The entry of `langevin`. */
export const langevinEntry = optimizerEntry({
  description: 'stochastic gradient Langevin dynamics: gradient descent with thermal noise (Welling & Teh 2011)',
  rate: 0.1,
  options: { temperature: option(nonNegative, 'T of the density exp(-loss / T)', 1e-4), weightDecay: coupledDecay },
  make: (values) => langevin(values),
});

/** The entry of `addGradientNoise`. */
export const gradientNoiseEntry = wrapperEntry({
  description: "adds decaying normal noise to another optimizer's gradients (Neelakantan et al. 2015)",
  rate: 0.1,
  wraps: 'sgd',
  options: { eta: option(nonNegative, 'variance at the first step', 0.01), gamma: option(nonNegative, 'power of the step that it falls with', 0.55) },
  make: (values, base) => withGradientRule(base, addGradientNoise(values) as UpdateRule),
});
