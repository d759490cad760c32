/** How often the largest output is the right one. @module */
import { sameShape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { argmax, convert, equal, greater, mean } from '../ops/index.ts';
import { areLabels, likeOutputs, perExample, requireScores, unfitting } from './targets.ts';

/**
 * For each example 1 or 0 (for sequences the share of tokens): whether the largest of several outputs is at the int32
 * label, or at the largest of targets shaped as the outputs; whether a single output ([batch] or [batch, 1]) has the sign
 * of its target, counting targets above zero (1 of 0 and 1, +1 of -1 and +1) as positive. Of equal outputs the first counts.
 * @throws ShapeError when targets do not fit.
 */
export function correct(outputs: Tensor, targets: Tensor): Tensor {
  const isSingle = outputs.rank === 1 || (outputs.rank === 2 && outputs.shape[1] === 1);
  if (isSingle) {
    const wanted = likeOutputs('correct', outputs, targets);
    return perExample(convert(equal(convert(greater(outputs, 0), 'int32'), convert(greater(wanted, 0), 'int32')), outputs.dtype));
  }
  requireScores('correct', outputs);
  if (!areLabels(outputs, targets) && !sameShape(outputs.shape, targets.shape)) throw unfitting('correct', outputs, targets);
  return perExample(convert(equal(argmax(outputs), areLabels(outputs, targets) ? targets : argmax(targets)), outputs.dtype));
}

/** The mean of `correct` over the batch: a scalar of [0, 1]. */
export const accuracy = (outputs: Tensor, targets: Tensor): Tensor => mean(correct(outputs, targets));
