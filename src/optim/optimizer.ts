/** What an optimizer is: a state, and an update traced into the training step. @module */
import type { Tensor } from '../core/tensor.ts';

/**
 * A hyper-parameter: a number known when the step is traced, or a tensor of shape [] that is given to each step, which lets it
 * differ between the replicas of an ensemble.
 */
export type Scalar = number | Tensor;

/** Random numbers that a rule asks for; made on the host, so that a run is a pure function of its seed. */
export interface Draw {
  /** `normal`: standard normal numbers shaped like the parameters. `targets`: what drawing targets from the model's own predictions takes. */
  readonly kind: 'normal' | 'targets';
  /** Steps for which a draw is kept; at step t with t mod every = 0 it is made anew. Default 1. */
  readonly every?: number;
}

/** Kronecker factors of the Fisher matrix of one layer on the batch, with the layer's parameters as matrices. */
export interface LayerFactors<P> {
  /** Names of the weight and then of the bias, where the layer has one. */
  readonly names: readonly string[];
  /** Mean over examples and positions of a a', [inputs, inputs]; with a bias, a has a last entry of one. */
  readonly inputs: Tensor;
  /** Mean over examples of the sum over positions of s s', [outputs, outputs]: s the slope of an example's loss at the layer's output. */
  readonly slopes: Tensor;
  /** The layer's part of a tree of parameters as a matrix [inputs, outputs]; a bias is the last row. */
  matrix(tree: P): Tensor;
  /** The inverse of `matrix`: leaves by name. */
  leaves(matrix: Tensor): Readonly<Record<string, Tensor>>;
}

/**
 * What an update may ask for. Quantities are made when they are first asked for, and what is not asked for costs
 * nothing: the step is compiled whole, and dead code goes.
 */
export interface UpdateContext<P> {
  readonly params: P;
  /** Steps done before this one, f[] in the parameters' type. */
  readonly step: Tensor;
  /** Scalar of this step, from the schedule. */
  readonly learningRate: Tensor;
  /** Examples of the batch. */
  readonly batchSize: number;
  /** Mean loss of the batch. */
  loss(): Tensor;
  /** Gradient of the batch loss. */
  grad(): P;
  /** The batch loss at other parameters: same examples, same dropout. */
  lossAt(params: P): Tensor;
  /** Its gradient there. */
  gradAt(params: P): P;
  /** Product of the batch Hessian with a vector shaped like the parameters. */
  hvp(vector: P): P;
  /** Product of the generalised Gauss-Newton matrix of the batch with a vector. */
  ggnvp(vector: P): P;
  /** Gradients of the examples' losses: leaves [batch, ...]. */
  perExampleGrad(): P;
  /** Gradient of the batch loss at targets drawn from the model's own predictions; needs the draw `targets`. */
  sampledGrad(): P;
  /** Kronecker factors layer by layer; the slopes are those of `sampledGrad`'s targets where these are drawn, else those of the data's own. */
  layerFactors(): readonly LayerFactors<P>[];
  /** Standard normal numbers shaped like the parameters; needs the draw `normal`. */
  normal(): P;
}

/** What an update gives. */
export interface Updated<State> {
  readonly state: State;
  /** Scalars worth recording: iterations of an inner solver, a damping, a trust ratio. */
  readonly report?: Readonly<Record<string, Tensor>>;
}

/**
 * Turns one direction of descent into another: the mathematics that optimizers are chained of. The first rule of a chain is given
 * the gradient. States are trees of tensors.
 */
export interface UpdateRule<State = unknown> {
  readonly name: string;
  readonly draws?: readonly Draw[];
  /** The state before the first step; traced. */
  init<P>(params: P): State;
  /** The direction and the state after a step; traced. */
  update<P>(direction: P, state: State, context: UpdateContext<P>): Updated<State> & { readonly direction: P };
  /**
   * The diagonal matrix that gradients are divided by at this state, shaped like the parameters: P in `w <- w - rate P^-1 m`. For rules
   * that precondition; the state is one that `update` returned, `step` the number of steps done.
   */
  preconditioner?<P>(state: State, step: Tensor): P;
}

/** A method that is ready to train: it moves parameters. States are trees of tensors. */
export interface Optimizer<State = unknown> {
  readonly name: string;
  readonly draws?: readonly Draw[];
  /** The state before the first step; traced. */
  init<P>(params: P): State;
  /** Parameters and state after a step; traced. */
  update<P>(context: UpdateContext<P>, state: State): Updated<State> & { readonly params: P };
  /** The parameters that the method gives as its answer, where they are not those it steps from (averages); traced. */
  answer?<P>(params: P, state: State): P;
  /** As that of `UpdateRule`; traced. */
  preconditioner?<P>(state: State, step: Tensor): P;
}

/** What a schedule may look at: losses of the steps done (batch loss), and those of evaluations, if any. */
export interface ScheduleHistory {
  readonly losses: readonly number[];
}

/** Learning rate of a step, counted from zero: a pure function of the step, and of what was measured before it. */
export type Schedule = (step: number, history?: ScheduleHistory) => number;
