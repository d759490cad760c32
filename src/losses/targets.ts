/** What targets may be: labels, or arrays like the outputs. @module */
import { DtypeError, ShapeError } from '../util/errors.ts';
import { isFloat, sameShape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { arange, convert, equal, expandDims, mean, oneHot, reshape } from '../ops/index.ts';

/** True for int32 labels with the outputs' shape but for its last axis. */
export const areLabels = (outputs: Tensor, targets: Tensor): boolean => targets.dtype === 'int32' && sameShape(targets.shape, outputs.shape.slice(0, -1));

/** @throws ShapeError unless outputs are [batch, ..., classes]; DtypeError unless they are floating-point. */
export function requireScores(operation: string, outputs: Tensor): void {
  requireFloat(operation, outputs);
  if (outputs.rank < 2 || outputs.shape[outputs.rank - 1] < 1) throw new ShapeError({ operation, required: 'outputs must be [batch, ..., classes]', received: outputs.toString() });
}

function requireFloat(operation: string, outputs: Tensor): void {
  if (!isFloat(outputs.dtype)) throw new DtypeError({ operation, required: 'outputs must be float32 or float64', received: outputs.toString() });
}

/** The error of targets that are neither labels nor shaped as the outputs. */
export const unfitting = (operation: string, outputs: Tensor, targets: Tensor, labels = outputs.shape.slice(0, -1)): ShapeError =>
  new ShapeError({ operation, required: `targets must be int32 labels [${labels.join(',')}] or have the outputs' shape [${outputs.shape.join(',')}]`, received: targets.toString() });

/** bool [..., classes]: true at the label. */
export const atLabel = (labels: Tensor, classes: number): Tensor => equal(expandDims(labels, -1), arange(classes));

/** Mean over everything but the batch. */
export const perExample = (values: Tensor): Tensor => (values.rank === 1 ? values : mean(values, values.shape.map((_, axis) => axis).slice(1)));

/**
 * Targets as numbers in the outputs' shape: labels of several classes become one-hot, labels of one output their own
 * value; a missing last axis of extent one is added. @throws ShapeError | DtypeError
 */
export function likeOutputs(operation: string, outputs: Tensor, targets: Tensor): Tensor {
  requireFloat(operation, outputs);
  if (outputs.rank < 1) throw new ShapeError({ operation, required: 'outputs must have a batch axis', received: outputs.toString() });
  const numbers = targets.dtype === outputs.dtype ? targets : convert(targets, outputs.dtype);
  if (sameShape(targets.shape, outputs.shape)) return numbers;
  const last = outputs.shape[outputs.rank - 1];
  if (sameShape([...targets.shape, 1], outputs.shape)) return reshape(numbers, outputs.shape);
  if (last > 1 && areLabels(outputs, targets)) return oneHot(targets, last, outputs.dtype);
  throw unfitting(operation, outputs, targets);
}
