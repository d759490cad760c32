/** Cross-entropy of independent two-way decisions. @module */
import type { Tensor } from '../core/tensor.ts';
import { mul, softplus, sub } from '../ops/index.ts';
import { likeOutputs, perExample } from './targets.ts';

/**
 * log(1 + exp(z)) - y z for logits z and targets y in [0, 1] (labels 0 and 1, or probabilities), one number an example:
 * the mean over outputs. Targets have the logits' shape, or lack a last axis of extent one; int32 labels of several
 * outputs stand for their one-hot vectors. @throws ShapeError when targets do not fit.
 */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return perExample(sub(softplus(logits), mul(likeOutputs('binaryCrossEntropy', logits, targets), logits)));
}
