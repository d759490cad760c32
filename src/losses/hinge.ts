/** Margin losses. @module */
import { requireNumber } from '../util/require.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, max, mul, relu, sub, sum, where } from '../ops/index.ts';
import { areLabels, atLabel, likeOutputs, perExample } from './targets.ts';

export interface HingeOptions {
  /** By how much the right side must win. Default 1. */
  readonly margin?: number;
}

/**
 * One output ([batch] or [batch, 1]): max(0, margin - y z) with targets y = -1 or +1. Several ([batch, ..., classes]) with
 * int32 labels: max(0, margin + largest other score - score of the label) (Crammer & Singer 2001), the mean over axes
 * between. One number an example. @throws ShapeError when targets do not fit.
 */
export function hinge(outputs: Tensor, targets: Tensor, { margin = 1 }: HingeOptions = {}): Tensor {
  requireNumber('hinge', 'margin', margin, 0);
  const classes = outputs.shape[outputs.rank - 1];
  if (outputs.rank < 2 || classes < 2 || !areLabels(outputs, targets)) return perExample(relu(sub(margin, mul(likeOutputs('hinge', outputs, targets), outputs))));
  const isLabel = atLabel(targets, classes);
  const own = sum(where(isLabel, outputs, 0), -1);
  const rival = max(where(isLabel, -Infinity, outputs), -1);
  return perExample(relu(add(sub(rival, own), margin)));
}
