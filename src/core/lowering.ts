/** What a primitive's `onnx` rule may ask of the lowering. Implemented in `onnx/`. @module */
import type { DType, NDArray, Shape } from './ndarray.ts';
import type { Graph } from './graph.ts';
import type { Tensor } from './tensor.ts';

/**
 * A value in the ONNX graph. Its own shape may have extents of one where the tensor's is larger (a broadcast that was
 * not carried out), since ONNX's elementwise operations broadcast by themselves.
 */
export interface LoweredValue {
  readonly name: string;
  readonly shape: Shape;
}

export type Attribute = number | string | readonly number[] | { readonly float: number } | { readonly graph: unknown };

export interface Lowering {
  /** The full value of a tensor; carries out a pending broadcast. */
  name(tensor: Tensor): string;
  /** The value with pending broadcasts left pending: for operations that broadcast by themselves. */
  loose(tensor: Tensor): LoweredValue;
  /** Emits a node; returns the names of its outputs. `domain` defaults to ONNX's own. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>, outputs?: number, domain?: string): string[];
  /** A constant of 64-bit integers, as ONNX wants for shapes and axes. */
  int64(values: readonly number[], shape?: Shape): string;
  /** A constant. */
  constant(value: NDArray): string;
  /** A scalar constant. */
  scalar(value: number, dtype: DType): string;
  reshape(name: string, shape: Shape): string;
  transpose(name: string, permutation: readonly number[]): string;
  cast(name: string, dtype: DType | 'int64'): string;
  /** True when the backend runs the operation on the type. */
  supports(op: string, dtype: DType, domain?: string): boolean;
  /** @throws LoweringError naming the primitive when the backend lacks the operation for the type. */
  require(op: string, dtype: DType, primitive: string): void;
  /** True when the tensor's value is known when the session is built: a constant of the program. */
  isConstant(tensor: Tensor): boolean;
  /**
   * A nested graph: `graph`'s leading inputs stand for `captured` outer tensors, the rest are declared as inputs named
   * by the caller's order, after `extraInputs` (typed inputs that ONNX demands and the graph ignores). `extraOutputs`
   * are emitted before the graph's own outputs.
   */
  subgraph(graph: Graph, captured: readonly Tensor[], options?: SubgraphOptions): { readonly graph: unknown };
  /** Emits a graph's operations in place: its inputs stand for `inputs`. */
  inline(graph: Graph, inputs: readonly LoweredValue[]): LoweredValue[];
}

export interface SubgraphOptions {
  /** Inputs ONNX requires first (Loop: iteration, condition). */
  readonly extraInputs?: readonly { readonly dtype: DType | 'int64'; readonly shape: Shape }[];
  /** Makes outputs that ONNX requires first, from the names of the extra inputs and of the graph's outputs. */
  readonly extraOutputs?: (inner: Lowering, outputs: readonly string[]) => readonly { readonly name: string; readonly dtype: DType; readonly shape: Shape }[];
}
