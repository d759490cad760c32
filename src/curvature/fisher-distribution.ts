/** The distribution over targets that a loss is the negative log-likelihood of. @module */
import { sizeOf, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { binaryCrossEntropy, crossEntropy, meanSquaredError, squaredError } from '../losses/index.ts';
import { arange, convert, cumsum, equal, expandDims, greater, less, minimum, mul, sigmoid, softmax, sqrt, sub, sum } from '../ops/index.ts';
import type { LossFunction } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';

/** `softmax`: classes along the last axis. `gaussian`: each output the mean of a normal distribution. `bernoulli`: each output a logit. */
export type DistributionName = 'softmax' | 'gaussian' | 'bernoulli';

/** How a loss of one's own relates to its distribution; a name alone stands for the mean. */
export interface DistributionChoice {
  readonly name: DistributionName;
  /** Whether an example's loss is the mean over its terms (tokens of a sequence, outputs) or their sum. Default mean. */
  readonly reduction?: 'mean' | 'sum';
}

/**
 * A distribution of targets given outputs [batch, ...], with the weight that the loss gives to a term. F_n is the expected
 * Hessian of an example's loss in its outputs; for these three it is the Hessian itself, whatever the target.
 */
export interface PredictiveDistribution {
  readonly name: DistributionName;
  /** F_n u for each example: u is shaped as the outputs. */
  information(outputs: Tensor, u: Tensor): Tensor;
  /** S_n u with S_n S_n' = F_n. */
  root(outputs: Tensor, u: Tensor): Tensor;
  /** Random numbers that a draw takes: their distribution, and their shape for outputs of this shape, both without the batch. */
  readonly noise: 'uniform' | 'normal';
  noiseShape(outputShape: Shape): Shape;
  /** A random vector g_n with E g_n g_n' = F_n: the gradient at a drawn target, times the root of a term's weight instead of the weight. */
  draw(outputs: Tensor, noise: Tensor): Tensor;
}

const weightOf = (terms: number, reduction: 'mean' | 'sum'): number => (reduction === 'mean' ? 1 / terms : 1);

function softmaxDistribution(reduction: 'mean' | 'sum'): PredictiveDistribution {
  const weight = ({ shape }: Tensor): number => weightOf(sizeOf(shape.slice(1, -1)), reduction);
  const along = (a: Tensor, b: Tensor): Tensor => sum(mul(a, b), -1, { keepDims: true });
  return {
    name: 'softmax', noise: 'uniform',
    information(outputs, u) {
      const p = softmax(outputs);
      return mul(mul(p, sub(u, along(p, u))), weight(outputs));
    },
    root(outputs, u) {
      const p = softmax(outputs);
      const amplitude = sqrt(p);
      return mul(sub(mul(amplitude, u), mul(p, along(amplitude, u))), Math.sqrt(weight(outputs)));
    },
    noiseShape: (shape) => shape.slice(0, -1),
    draw(outputs, noise) {
      const p = softmax(outputs);
      const classes = outputs.shape[outputs.rank - 1];
      // How many cumulative probabilities lie below the uniform number is the label; rounding may leave the last below one.
      const below = sum(convert(less(cumsum(p, p.rank - 1), expandDims(noise, -1)), 'int32'), -1);
      const label = minimum(below, classes - 1);
      return mul(sub(p, convert(equal(expandDims(label, -1), arange(classes)), p.dtype)), Math.sqrt(weight(outputs)));
    },
  };
}

/** The loss is w (f - y)^2, the weight by the shape of the outputs: second derivative 2 w. */
function gaussianDistribution(weight: (shape: Shape) => number): PredictiveDistribution {
  const curvature = ({ shape }: Tensor): number => 2 * weight(shape);
  return {
    name: 'gaussian', noise: 'normal',
    information: (outputs, u) => mul(u, curvature(outputs)),
    root: (outputs, u) => mul(u, Math.sqrt(curvature(outputs))),
    noiseShape: (shape) => shape,
    draw: (outputs, noise) => mul(noise, Math.sqrt(curvature(outputs))),
  };
}

function bernoulliDistribution(reduction: 'mean' | 'sum'): PredictiveDistribution {
  const weight = ({ shape }: Tensor): number => weightOf(sizeOf(shape.slice(1)), reduction);
  const variance = (outputs: Tensor): Tensor => mul(sigmoid(outputs), sigmoid(mul(outputs, -1)));
  return {
    name: 'bernoulli', noise: 'uniform',
    information: (outputs, u) => mul(mul(variance(outputs), u), weight(outputs)),
    root: (outputs, u) => mul(mul(sqrt(variance(outputs)), u), Math.sqrt(weight(outputs))),
    noiseShape: (shape) => shape,
    draw: (outputs, noise) => mul(sub(sigmoid(outputs), convert(greater(sigmoid(outputs), noise), outputs.dtype)), Math.sqrt(weight(outputs))),
  };
}

const gaussian = (reduction: 'mean' | 'sum'): PredictiveDistribution => gaussianDistribution((shape) => weightOf(sizeOf(shape.slice(1)), reduction));
const makers = { softmax: softmaxDistribution, gaussian, bernoulli: bernoulliDistribution };

/** What the package's own losses are likelihoods of. */
const ofLosses = new Map<unknown, PredictiveDistribution>([
  [crossEntropy, softmaxDistribution('mean')], [meanSquaredError, gaussian('mean')], [squaredError, gaussianDistribution(() => 1 / 2)], [binaryCrossEntropy, bernoulliDistribution('mean')],
]);

/**
 * The predictive distribution of a loss: of `crossEntropy`, `meanSquaredError`, `squaredError` and `binaryCrossEntropy` by itself, of others by
 * choice. @throws ArgumentError when the loss is not known to be a likelihood and nothing is chosen.
 */
export function distributionOf(operation: string, loss: LossFunction, choice?: DistributionName | DistributionChoice): PredictiveDistribution {
  const known = ofLosses.get(loss);
  if (choice === undefined) {
    if (known !== undefined) return known;
    throw new ArgumentError({
      operation, required: 'the loss must be the negative log-likelihood of a known distribution', received: `the loss '${loss.name || 'without a name'}'`,
      remedy: "give distribution: 'softmax', 'gaussian' or 'bernoulli' for a loss of your own that is one, or use the GGN or the empirical Fisher matrix",
    });
  }
  const { name, reduction = 'mean' } = typeof choice === 'object' ? choice : { name: choice };
  if (!Object.hasOwn(makers, name)) throw new ArgumentError({ operation, required: "distribution must be 'softmax', 'gaussian' or 'bernoulli'", received: `'${String(name)}'` });
  return makers[name](reduction);
}
