/** What an optimizer is: a state, and an update traced into the training step. @module */
import type { Tensor } from '../core/tensor.ts';

/**
 * What an update may ask for. Quantities are made when they are first asked for, and what is not asked for costs
 * nothing: the step is compiled whole, and dead code goes.
 */
export interface UpdateContext<P> {
  readonly params: P;
  /** Mean loss of the batch. */
  loss(): Tensor;
  /** Gradient of the batch loss. */
  grad(): P;
  /** Product of the batch Hessian with a vector shaped like the parameters. */
  hvp(vector: P): P;
  /** The batch loss at other parameters. */
  lossAt(params: P): Tensor;
  /** Scalar of this step, from the schedule. */
  readonly learningRate: Tensor;
}

/** One rule of the literature. State is a tree of tensors. */
export interface Optimizer<State> {
  readonly name: string;
  /** The state before the first step; traced. */
  init<P>(params: P): State;
  /** Parameters and state after a step; traced. */
  update<P>(context: UpdateContext<P>, state: State): { readonly params: P; readonly state: State };
}

/** Learning rate of a step, counted from zero. */
export type Schedule = (step: number) => number;
