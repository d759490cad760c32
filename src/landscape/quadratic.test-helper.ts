/** A model whose mean loss is exactly x^2 + 10 y^2 in its two parameters. */
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { matmul, mul, reshape, square } from '../ops/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';

export interface Plane<T = Tensor> { readonly w: T }

/** Two examples, one for each parameter; their losses 2 x^2 and 20 y^2 have that mean. */
export const bowl: Problem<Plane> = {
  name: 'bowl',
  model: { name: 'linear', init: () => ({ params: { w: array([0, 0], [2, 1], 'float64') }, state: {} }), apply: ({ w }, inputs) => ({ outputs: matmul(inputs, w), state: {} }) },
  loss: (outputs, targets) => mul(targets, square(reshape(outputs, [outputs.shape[0]]))),
  train: { inputs: array([[1, 0], [0, 1]]), targets: array([2, 20]), size: 2 },
};

export const pointAt = (x: number, y: number): Point<Plane> => ({ params: { w: array([x, y], [2, 1], 'float64') }, state: {} });
export const along = (x: number, y: number): Host<Plane> => pointAt(x, y).params;
