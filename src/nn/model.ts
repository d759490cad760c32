/** What a model is: parameters made from a key, and a traced function of them. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Host } from '../transforms/trees.ts';
import type { Key } from '../util/random/index.ts';

/** `train`: batch statistics of the batch at hand, dropout on. `eval`: kept statistics, dropout off. */
export type Mode = 'train' | 'eval';

/** The tree without leaves: the state of models that keep none, the parameters of layers that have none. */
export type Empty = Record<string, never>;

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
export interface Model<P, State = Empty> {
  readonly name: string;
  /** Initial parameters and state, a pure function of the key. */
  // P and State are inferred from `apply`: from the host trees TypeScript would guess trees of host arrays.
  init(key: Key): { readonly params: NoInfer<Host<P>>; readonly state: NoInfer<Host<State>> };
  /** Output for a batch (axis 0), and the state after it. */
  apply(params: P, inputs: Tensor, context: Context<State>): { readonly outputs: Tensor; readonly state: State };
  /** Shapes of the random arrays that `apply` reads in train mode for a batch of this input shape; default none. */
  noise?(inputShape: readonly number[]): readonly (readonly number[])[];
}

/** A model that others are built from: it also knows its output's shape without being traced. */
export interface Layer<P = Empty, State = Empty> extends Model<P, State> {
  /** Shape of the output for an input of this shape, batch axis included. @throws ShapeError when the input does not fit. */
  outputShape(inputShape: readonly number[]): readonly number[];
}

/** A layer of which only the interface is known. */
export type AnyLayer = Layer<unknown, unknown>;

/** The tree of parameters of a model's type. */
export type ParametersOf<M extends Model<unknown, unknown>> = Parameters<M['apply']>[0];
/** The tree of state of a model's type. */
export type StateOf<M extends Model<unknown, unknown>> = Parameters<M['apply']>[2]['state'];

/** A model whose trees are not known statically: chosen by name, or imported. It fits wherever some model is asked for. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place where the structure is given up on purpose
export type AnyModel = Model<any, any>;

/** Trees of host arrays for parameters, without static knowledge of their structure. */
export type HostParameters = NDArray | readonly HostParameters[] | { readonly [key: string]: HostParameters };
