/** Examples in the shape a model wants. @module */
import { ShapeError } from '../util/errors.ts';
import { sameShape, sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { reshape } from '../ops/index.ts';

/** A step that gives every example of a batch the shape: [batch, 784] becomes [batch, 1, 28, 28]. @throws ShapeError when the sizes differ. */
export const examplesShaped = (model: string, shape: readonly number[]) => (x: Tensor): Tensor => {
  if (x.rank > 0 && sameShape(x.shape.slice(1), shape)) return x;
  if (x.rank > 0 && sizeOf(x.shape.slice(1)) === sizeOf(shape)) return reshape(x, [x.shape[0], ...shape]);
  throw new ShapeError({ operation: model, required: `inputs must be [batch, ${shape.join(', ')}] or hold as many elements an example (${sizeOf(shape)})`, received: `[${x.shape.join(',')}]` });
};
