/** Cross-entropy of predicting tokens, where some positions have no target. @module */
import { ShapeError } from '../util/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, convert, div, equal, greaterEqual, sum, where } from '../ops/index.ts';
import { labelCrossEntropy } from './cross-entropy.ts';
import { areLabels, requireScores, unfitting } from './targets.ts';

/** The target of a position that does not count, as in PyTorch and its libraries; any negative number is read so. */
export const IGNORED_TOKEN = -100;

/**
 * -log softmax(z)_y at each position of logits z [batch, positions, vocabulary] with int32 targets [batch, positions], averaged over the
 * positions of an example whose target is not negative; zero for an example without any. In nats. Targets are what each position
 * predicts: the tokens shifted by one.
 * @throws ShapeError when targets are not labels of positions.
 */
export function nextToken(logits: Tensor, targets: Tensor): Tensor {
  requireScores('nextToken', logits);
  if (logits.rank !== 3) throw new ShapeError({ operation: 'nextToken', required: 'outputs must be [batch, positions, vocabulary]', received: logits.toString(), remedy: 'cross-entropy, for one label an example' });
  if (!areLabels(logits, targets)) throw unfitting('nextToken', logits, targets);
  const counts = greaterEqual(targets, 0);
  const number = sum(convert(counts, logits.dtype), -1);
  return div(sum(where(counts, labelCrossEntropy(logits, targets), 0), -1), add(number, convert(equal(number, 0), logits.dtype)));
}
