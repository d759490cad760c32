/** What a model is: parameters made from a key, and a traced function of them. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Host } from '../transforms/trees.ts';
import type { Key } from '../util/random/index.ts';

/** `train`: batch statistics of the batch at hand, dropout on. `eval`: kept statistics, dropout off. */
export type Mode = 'train' | 'eval';

/** What a layer may use besides parameters and input. */
export interface Context<State> {
  readonly mode: Mode;
  /** Batch statistics and the like; the empty tree for models without. */
  readonly state: State;
  /**
   * Uniform random numbers in [0, 1) for layers that ask for them (dropout), in the structure and shapes that `noise`
   * states; made on the host, so that a run is a pure function of its seed. Needed in train mode only.
   */
  readonly noise?: readonly Tensor[];
}

/** A model or layer. `P` and `State` are trees of tensors; leaf paths name the parameters. */
export interface Model<P, State = Record<string, never>> {
  readonly name: string;
  /** Initial parameters and state, a pure function of the key. */
  init(key: Key): { readonly params: Host<P>; readonly state: Host<State> };
  /** Output for a batch (axis 0), and the state after it. */
  apply(params: P, inputs: Tensor, context: Context<State>): { readonly outputs: Tensor; readonly state: State };
  /** Shapes of the random arrays that `apply` reads in train mode for a batch of this input shape; default none. */
  noise?(inputShape: readonly number[]): readonly (readonly number[])[];
}

/** Trees of host arrays for parameters, without static knowledge of their structure. */
export type HostParameters = NDArray | readonly HostParameters[] | { readonly [key: string]: HostParameters };
