/** Losses inside a model, and standardisation by mean and variance. @module */
import { sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { add, div, equal, expandDims, greater, logSoftmax, mean, mul, neg, ones, reshape, sqrt, square, sub, sum, take, takeAlongAxis, where } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { positive } from './shaping.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

/**
 * -weight[label] logProbability[label] of logarithms [batch, classes, ...space] and labels [batch, ...space]; the mean divides by the sum
 * of the weights. Labels equal to `ignore_index` count nothing; when none counts, the mean is zero, as ONNX Runtime's.
 */
function likelihoodLoss(call: OperatorCall, logProbabilities: Tensor): Tensor {
  const { shape } = logProbabilities;
  const target = call.input(1);
  if (shape.length < 2 || target.shape.join() !== [shape[0], ...shape.slice(2)].join()) refuse('scores must be [batch, classes, ...space] and labels [batch, ...space]', `${call.input(0).toString()} and ${target.toString()}`);
  const ignored = call.attributes.has('ignore_index') ? call.attributes.integer('ignore_index') : undefined;
  const outside = target.known?.find((label) => label !== ignored && (label < 0 || label >= shape[1]));
  if (outside !== undefined) refuse(`labels must lie in 0..${shape[1] - 1}`, String(outside));
  const labels = call.indices(1);
  const isIgnored = ignored === undefined ? undefined : equal(labels, ignored);
  const safe = isIgnored === undefined ? labels : where(isIgnored, 0, labels);
  const chosen = reshape(takeAlongAxis(logProbabilities, expandDims(safe, 1), 1), labels.shape);
  const own = call.has(2) ? take(call.tensor(2), safe) : ones(labels.shape, chosen.dtype);
  const weights = isIgnored === undefined ? own : where(isIgnored, 0, own);
  const losses = neg(mul(chosen, weights));
  switch (call.attributes.text('reduction', 'mean')) {
    case 'none': return losses;
    case 'sum': return sum(losses);
    case 'mean': {
      if (!call.has(2) && isIgnored === undefined) return div(sum(losses), sizeOf(labels.shape));
      const total = sum(weights);
      return div(sum(losses), where(equal(total, 0), 1, total));
    }
    default: return refuse("attribute 'reduction' must be none, sum or mean", `'${call.attributes.text('reduction')}'`);
  }
}

const crossEntropy: OperatorRule = (call) => {
  const logProbabilities = logSoftmax(call.tensor(0), 1);
  return [call.result(likelihoodLoss(call, logProbabilities)), call.result(logProbabilities)];
};

/** (x - mean) / deviation over axes, by default batch and space; 1e-9 keeps constant channels at zero. */
const standardisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  const axes = positive(call.attributes.integers('axes', [0, 2, 3]), x.rank);
  const centred = sub(x, mean(x, axes, { keepDims: true }));
  const variance = mean(square(centred), axes, { keepDims: true });
  // The root has no derivative at zero: there the deviation is constant.
  const varies = greater(variance, 0);
  const deviation = where(varies, sqrt(where(varies, variance, 1)), 0);
  return [call.result(div(centred, add(deviation, 1e-9)))];
};

export const headOperators: OperatorTable = {
  NegativeLogLikelihoodLoss: { rule: (call) => [call.result(likelihoodLoss(call, call.tensor(0)))], settings: [1, 2], since: 12 },
  SoftmaxCrossEntropyLoss: { rule: crossEntropy, settings: [1, 2], since: 12 },
  MeanVarianceNormalization: { rule: standardisation, since: 9 },
};
