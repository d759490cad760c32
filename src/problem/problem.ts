/** Model, loss and data together: what every instrument takes. @module */
import type { Split } from '../data/index.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Model } from '../nn/model.ts';
import type { Host } from '../transforms/index.ts';

/** Losses of a batch: outputs [batch, ...] and targets to one number an example, [batch]. The objective is their mean. */
export type LossFunction = (outputs: Tensor, targets: Tensor) => Tensor;

/** A training problem. `P` is the tree of parameters, `State` the batch statistics. */
export interface Problem<P, State = Record<string, never>> {
  readonly name: string;
  readonly model: Model<P, State>;
  readonly loss: LossFunction;
  readonly train: Split;
  readonly test?: Split;
}

/** Where a problem is looked at: parameters and batch statistics, as `model.init` returns them and training leaves them. */
export interface Point<P, State = Record<string, never>> {
  readonly params: Host<P>;
  readonly state: Host<State>;
}
