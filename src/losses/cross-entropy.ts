/** Cross-entropy of a softmax. @module */
import { requireNumber } from '../util/require.ts';
import { sameShape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, convert, exp, expandDims, log, max, mean, mul, neg, stopGradient, sub, sum, where } from '../ops/index.ts';
import { areLabels, atLabel, perExample, requireScores, unfitting } from './targets.ts';

export interface CrossEntropyOptions {
  /** Probability moved from the target to all classes alike (Szegedy et al. 2016). Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * -sum_k q_k log softmax(z)_k for logits z [batch, ..., classes]; q is the one-hot of int32 labels [batch, ...], or given
 * as probabilities shaped as z. One number an example: the mean over the axes between batch and classes. In nats.
 * @throws ShapeError when targets are neither; ArgumentError when labelSmoothing is not within [0, 1].
 */
export function crossEntropy(logits: Tensor, targets: Tensor, { labelSmoothing = 0 }: CrossEntropyOptions = {}): Tensor {
  requireNumber('crossEntropy', 'labelSmoothing', labelSmoothing, 0, 1);
  requireScores('crossEntropy', logits);
  const { shifted, logSum } = normalised(logits);
  return perExample(areLabels(logits, targets) ? ofLabels(shifted, logSum, targets, labelSmoothing) : ofDistribution(shifted, logSum, targets, labelSmoothing));
}

/** Shifted first, so that nothing large is subtracted later; the shift cancels, so it needs no derivative. */
function normalised(logits: Tensor): { shifted: Tensor; logSum: Tensor } {
  const shifted = sub(logits, stopGradient(max(logits, -1, { keepDims: true })));
  return { shifted, logSum: log(sum(exp(shifted), -1)) };
}

/** log-sum-exp minus the score of the label at each place, [batch, ...]; of a label outside the classes, the log-sum-exp of shifted scores. */
export function labelCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const { shifted, logSum } = normalised(logits);
  return ofLabels(shifted, logSum, labels, 0);
}

function ofLabels(shifted: Tensor, logSum: Tensor, labels: Tensor, smoothing: number): Tensor {
  const own = sum(where(atLabel(labels, shifted.shape[shifted.rank - 1]), shifted, 0), -1);
  if (smoothing === 0) return sub(logSum, own);
  return sub(logSum, add(mul(own, 1 - smoothing), mul(mean(shifted, -1), smoothing)));
}

function ofDistribution(shifted: Tensor, logSum: Tensor, targets: Tensor, smoothing: number): Tensor {
  if (!sameShape(targets.shape, shifted.shape) || targets.dtype === 'int32') throw unfitting('crossEntropy', shifted, targets);
  const given = targets.dtype === shifted.dtype ? targets : convert(targets, shifted.dtype);
  const probabilities = smoothing === 0 ? given : add(mul(given, 1 - smoothing), smoothing / shifted.shape[shifted.rank - 1]);
  return neg(sum(mul(probabilities, sub(shifted, expandDims(logSum, -1))), -1));
}
