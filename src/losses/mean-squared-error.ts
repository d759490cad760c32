/** Squared error. @module */
import { ArgumentError } from '../util/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { mul, square, sub } from '../ops/index.ts';
import { sizeOf } from '../core/ndarray.ts';
import { likeOutputs, perExample } from './targets.ts';

export interface MeanSquaredErrorOptions {
  /** Over the outputs of an example: their `mean`, as PyTorch's MSELoss (Hessian in the outputs 2 / outputs), or their `sum`. Default `mean`. */
  readonly reduction?: 'mean' | 'sum';
}

/**
 * (outputs - targets)^2, without a factor 1/2: one number an example [batch]. int32 labels of several outputs stand for
 * their one-hot vectors. @throws ShapeError when targets do not fit the outputs.
 */
export function meanSquaredError(outputs: Tensor, targets: Tensor, { reduction = 'mean' }: MeanSquaredErrorOptions = {}): Tensor {
  if (reduction !== 'mean' && reduction !== 'sum') throw new ArgumentError({ operation: 'meanSquaredError', required: "reduction must be 'mean' or 'sum'", received: `'${String(reduction)}'` });
  const errors = square(sub(outputs, likeOutputs('meanSquaredError', outputs, targets)));
  return reduction === 'mean' ? perExample(errors) : mul(perExample(errors), sizeOf(outputs.shape.slice(1)));
}
