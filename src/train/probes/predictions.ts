/** What a classifier's outputs say about its own certainty, example by example. @module */
import type { Tensor } from '../../core/tensor.ts';
import { concat, exp, expandDims, logSigmoid, logSoftmax, mean, mul, neg, sum } from '../../ops/index.ts';
import { ArgumentError } from '../../util/errors.ts';

/** Logarithms of class probabilities, [batch, ..., classes]: softmax of several outputs, the logistic function of a single one. @throws ArgumentError for outputs [batch]. */
export function logProbabilities(operation: string, outputs: Tensor): Tensor {
  if (outputs.rank === 1) return logProbabilities(operation, expandDims(outputs, 1));
  if (outputs.rank === 0) throw new ArgumentError({ operation, required: 'outputs must be [batch, ..., classes]', received: String(outputs) });
  return outputs.shape[outputs.rank - 1] > 1 ? logSoftmax(outputs) : concat([logSigmoid(neg(outputs)), logSigmoid(outputs)], outputs.rank - 1);
}

/** Entropy of each example's predictive distribution in nats, the mean over tokens of sequences, [batch]. */
export function entropies(operation: string, outputs: Tensor): Tensor {
  const logs = logProbabilities(operation, outputs);
  const each = neg(sum(mul(exp(logs), logs), logs.rank - 1));
  return each.rank === 1 ? each : mean(each, each.shape.map((_, axis) => axis).slice(1));
}
