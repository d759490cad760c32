/** Half the squared error of all outputs: the loss of regression in the theory of gradient descent. @module */
import type { Tensor } from '../core/tensor.ts';
import { mul, square, sub, sum } from '../ops/index.ts';
import { likeOutputs } from './targets.ts';

/**
 * |outputs - targets|^2 / 2, the sum over an example's outputs: one number an example [batch]. Its Hessian in the outputs is the
 * identity, so that sharpness compares with that of papers on gradient descent (`mse` of Cohen et al. 2021, section 3); it is
 * outputs / 2 times `meanSquaredError`. int32 labels of several outputs stand for their one-hot vectors.
 * @throws ShapeError when targets do not fit the outputs.
 */
export function squaredError(outputs: Tensor, targets: Tensor): Tensor {
  const squares = square(sub(outputs, likeOutputs('squaredError', outputs, targets)));
  return mul(0.5, squares.rank === 1 ? squares : sum(squares, squares.shape.map((_, axis) => axis).slice(1)));
}
