/** Symbolic values, the operations that make them, and what a primitive must define. @module */
import { TraceError } from '../util/errors.ts';
import { formatType, type DType, type NDArray, type Shape } from './ndarray.ts';
import type { Lowering, LoweredValue } from './lowering.ts';
import type { Graph } from './graph.ts';

/** Element type and static shape: all that is known of a value before a program runs. */
export interface Type {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A symbolic value inside a traced function. Tensors are immutable; operations on them build a directed acyclic graph. */
export class Tensor implements Type {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The operation that makes this value; `null` for the input of a traced function. */
  readonly node: Node | null;
  /** Which output of `node` this is. */
  readonly index: number;
  /** Creation order. A value never depends on one with a larger identity. */
  readonly id: number;
  /** The argument's path, for inputs. */
  readonly label: string;

  constructor(type: Type, node: Node | null, index: number, id: number, label = '') {
    this.shape = type.shape;
    this.dtype = type.dtype;
    this.node = node;
    this.index = index;
    this.id = id;
    this.label = label;
  }

  get rank(): number { return this.shape.length; }

  toString(): string { return formatType(this.dtype, this.shape); }
}

/** One application of a primitive. */
export interface Node<P = unknown> {
  readonly id: number;
  readonly primitive: Primitive<P>;
  readonly params: P;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

export type MaybeTensor = Tensor | null;

export interface JvpArguments<P> {
  readonly params: P;
  readonly inputs: readonly Tensor[];
  /** `null` stands for a tangent that is zero everywhere. */
  readonly tangents: readonly MaybeTensor[];
  readonly outputs: readonly Tensor[];
}

export interface JvpResult {
  readonly tangents: readonly MaybeTensor[];
  /** Replaces the primal outputs, where computing both together saves work. */
  readonly outputs?: readonly Tensor[];
}

export interface TransposeArguments<P> {
  readonly params: P;
  /** Values of the inputs that are not `linear`; of the others only the type may be read. */
  readonly inputs: readonly Tensor[];
  /** Which inputs the cotangents are sent to. */
  readonly linear: readonly boolean[];
  readonly cotangents: readonly MaybeTensor[];
  readonly outputs: readonly Tensor[];
}

export interface BatchArguments<P> {
  readonly params: P;
  /** Batched inputs carry the batch as axis 0. */
  readonly inputs: readonly Tensor[];
  readonly batched: readonly boolean[];
  readonly size: number;
}

export interface BatchResult {
  readonly outputs: readonly Tensor[];
  readonly batched: readonly boolean[];
}

/** Runs a graph on host arrays; handed to reference rules that contain graphs. */
export type Evaluate = (graph: Graph, inputs: readonly NDArray[]) => NDArray[];

export interface ReferenceArguments<P> {
  readonly params: P;
  readonly inputs: readonly NDArray[];
  readonly types: readonly Type[];
  readonly evaluate: Evaluate;
}

/** An input of a sample: its type and where its values lie. */
export interface SampleInput extends Type {
  /** Values are drawn uniformly from this interval, integers for int32; default [-2, 2]. */
  readonly domain?: readonly [number, number];
  /** No two values closer than a small gap: for operations with ties or jumps. */
  readonly distinct?: boolean;
  /** Fixed values, for indices. */
  readonly values?: readonly number[];
}

/** An application of a primitive that the shared test suite checks. */
export interface Sample<P> {
  readonly params: P;
  readonly inputs: readonly SampleInput[];
}

/**
 * Everything the engine knows of one operation. All rules are required: the absence of a derivative is spelled
 * `jvp: zeroTangent` or `transpose: nonlinear`, so a missing rule is a type error and never a surprise at run time.
 */
export interface Primitive<P = unknown> {
  readonly name: string;
  /** Types of the outputs. @throws ShapeError | DtypeError | AxisError */
  shape(params: P, inputs: readonly Type[]): readonly Type[];
  /** Forward-mode derivative: tangents of the outputs, linear in the tangents of the inputs. */
  jvp(args: JvpArguments<P>): JvpResult;
  /** Cotangents of the linear inputs, when the operation is linear in them. */
  transpose(args: TransposeArguments<P>): readonly MaybeTensor[];
  /** The operation applied to every element of axis 0 of the batched inputs. */
  batch(args: BatchArguments<P>): BatchResult;
  /** An equivalent cheaper expression, or null. */
  simplify(params: P, inputs: readonly Tensor[], outputs: readonly Type[]): readonly Tensor[] | null;
  /** Emits ONNX nodes; returns a value an output. */
  onnx(lowering: Lowering, node: Node<P>): readonly LoweredValue[];
  /** The definition, in plain TypeScript and float64 arithmetic. */
  reference(args: ReferenceArguments<P>): readonly NDArray[];
  /** Applications that the shared suite tests: every rule against every other. */
  readonly samples: () => readonly Sample<P>[];
  /** How a parameter is written in a printed graph; default JSON. */
  readonly print?: (params: P) => string;
  /** True when the operation may be recomputed rather than stored at a binding-time split: no arithmetic, large output. */
  readonly cheap?: boolean;
  /** True when the order of the two arguments does not matter, to the last bit. */
  readonly commutative?: boolean;
  /** The arguments whose being constants of the program makes the backend run this application faster; default none. */
  readonly prefersConstants?: (node: Node<P>) => readonly Tensor[];
}

let counter = 0;
const nextId = (): number => ++counter;

/** The identity the next value will get; a value made later never has a smaller one. */
export const currentId = (): number => counter + 1;

/** Applies a primitive: checks types by its shape rule and returns the outputs. */
export function bind<P>(primitive: Primitive<P>, params: P, inputs: readonly Tensor[]): readonly Tensor[] {
  for (const input of inputs) if (!(input instanceof Tensor)) throw notATensor(primitive.name, input);
  const types = primitive.shape(params, inputs);
  const id = nextId();
  const outputs: Tensor[] = [];
  const node: Node<P> = { id, primitive, params, inputs, outputs };
  types.forEach((type, index) => outputs.push(new Tensor(type, node as Node, index, id)));
  return outputs;
}

function notATensor(operation: string, value: unknown): TraceError {
  const received = Array.isArray(value) ? `a list of ${value.length}` : String((value as object | null)?.constructor?.name ?? value);
  return new TraceError({ operation, required: 'arguments must be tensors', received, remedy: 'give host data to the compiled function as array(values); lists are trees of several arguments' });
}

/** Applies a primitive with one output. */
export const bind1 = <P>(primitive: Primitive<P>, params: P, ...inputs: Tensor[]): Tensor => bind(primitive, params, inputs)[0];

/** A fresh input of a traced function. */
export const placeholder = (type: Type, label = ''): Tensor =>
  new Tensor({ shape: Object.freeze([...type.shape]), dtype: type.dtype }, null, 0, nextId(), label);

export const sameType = (a: Type, b: Type): boolean =>
  a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);
