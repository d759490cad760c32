/** The Hessian of the loss with respect to a model's outputs, example by example. @module */
import type { Point, Problem } from '../problem/index.ts';
import { activationHessian, type ActivationHessian, type ActivationHessianOptions } from './activation-hessian.ts';

/**
 * The Hessian of the mean loss with respect to the outputs of all examples, [examples * outputs] in the order of the rows of
 * `jacobian`: block-diagonal, the block of an example being H_n / N. So the GGN is J' (this) J. Cross-entropy has
 * (diag p - p p') / N, squared error 2 / (N outputs) I. It is `activationHessian` at `outputs`.
 */
export function outputHessian<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: ActivationHessianOptions = {}): ActivationHessian {
  return activationHessian(problem, point, 'outputs', options);
}
