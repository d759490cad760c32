/** Yogi (Zaheer et al. 2018, Adaptive methods for nonconvex optimization). @module */
import type { Tensor } from '../core/tensor.ts';
import { mul, sign, sub } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { nonNegative, option } from '../util/options.ts';
import { adamOptions, adamPreconditioner, dividedMean, type AdamState, type ScaleByAdamOptions } from './adam.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { filled, movingAverages, oneMinus, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByYogiOptions extends Omit<ScaleByAdamOptions, 'epsilon'> {
  /** Added to the root of v. Default 1e-3 (paper, optax). */
  readonly epsilon?: Scalar;
  /** What v starts from. Default 1e-6 (the authors' code, optax; the paper takes the squares of a first gradient). */
  readonly initialAccumulator?: Scalar;
}

/**
 * Adam whose mean of squares moves by a bounded amount: `v <- v - (1 - beta2) sign(v - g^2) g^2`, `m <- beta1 m + (1 - beta1) g`, direction
 * `m^ / (sqrt(v^) + epsilon)` (Zaheer et al. 2018, algorithm 2). The corrections of bias are those of Adam and of optax; the paper has none.
 * m starts at zero, in optax at the initial accumulator. The preconditioner is (1 - beta1^t) (sqrt(v^) + epsilon).
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByYogi({ initialAccumulator = 1e-6, epsilon: added = 1e-3, ...options }: ScaleByYogiOptions = {}): UpdateRule<AdamState> {
  const checked = adamOptions('scaleByYogi', { ...options, epsilon: added });
  const { beta1, beta2 } = checked;
  requireScalar('scaleByYogi', 'initialAccumulator', initialAccumulator, 0);
  return dividedMean({
    name: 'yogi',
    init: (params) => ({ firstMoment: zerosOf(params), secondMoment: filled(params, initialAccumulator) }),
    next(gradient, last) {
      const secondMoment = mapTree((v: Tensor, g: Tensor) => {
        const square = mul(g, g);
        return sub(v, mul(mul(oneMinus(beta2), sign(sub(v, square))), square));
      }, last.secondMoment, gradient);
      return { firstMoment: movingAverages(beta1, last.firstMoment, gradient), secondMoment };
    },
    preconditioner: adamPreconditioner(checked),
  });
}

export interface YogiOptions extends ScaleByYogiOptions {
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Yogi: see `scaleByYogi` for the equations. Usual rate: 0.01.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function yogi({ weightDecay = 0, ...options }: YogiOptions = {}): Optimizer {
  return descend('yogi', chain(addDecayedWeights(weightDecay), scaleByYogi(options)));
}

/** The entry of the registry. */
export const yogiEntry = optimizerEntry({
  description: 'Yogi: Adam whose mean of squares grows and shrinks by bounded amounts (Zaheer et al. 2018)',
  rate: 0.01,
  options: { ...momentOptions(0.9, 0.999), epsilon: epsilonOption(1e-3), initialAccumulator: option(nonNegative, 'what the mean of squares starts from', 1e-6), weightDecay: coupledDecay },
  make: (values) => yogi(values),
});
