/** How operators of ONNX become operations of the engine: the contract of `operators/`. @module */
import type { DType, Shape } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Attributes } from './attributes.ts';
import type { OnnxType, Value } from './value.ts';

/** How batch normalisation with kept statistics is read: by them, or by those of the batch at hand. */
export type BatchNormalisation = 'eval' | 'batch';

/** What all nodes of a run share. */
export interface RunSettings {
  /** What floating-point numbers are computed in. */
  readonly float: DType;
  /** `train`: dropout on, kept statistics renewed. */
  readonly mode: 'train' | 'eval';
  readonly batchNormalisation: BatchNormalisation;
  /** Takes new running statistics, by the name of the initialiser that they replace. */
  keepStatistic(name: string, value: Tensor): void;
  /** Uniform numbers of [0, 1) for dropout; undefined where none are to be had. */
  noise(shape: Shape): Tensor | undefined;
  /** A remark for the user, once however often it is made. */
  notice(text: string): void;
}

/** A graph attribute (the body of If, Loop, Scan), ready to run; it sees the values around its node. */
export interface Subgraph {
  /** Names of its formal inputs. */
  readonly inputs: readonly string[];
  /** Number of its outputs. */
  readonly outputs: number;
  /** @throws ArgumentError when the number of values is not that of the inputs. */
  run(inputs: readonly Value[]): Value[];
}

/** One node at work. Errors that a rule throws are given the node's name, operator and input types by the caller. */
export interface OperatorCall {
  readonly operator: string;
  /** Absent optional inputs are undefined; trailing ones may be missing. */
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  /** Number of outputs that the node names up to its last; a rule may return more, or undefined for those that nothing reads. */
  readonly outputs: number;
  /** Whether something reads the output at a place. */
  wants(at: number): boolean;
  /** Version of the operator set that the node's domain has in this model. */
  readonly version: number;
  readonly run: RunSettings;
  /** Whether the optional input at a place is present. */
  has(at: number): boolean;
  /** The input at a place. @throws ArgumentError when it is absent. */
  input(at: number): Value;
  /**
   * The same as a tensor. While known values are folded, integers of 64 bits are float64 here and not int32: rules that divide, or that
   * need indices, ask `indices`, `dtypeOf` or `isIntegerType(input.type)`.
   */
  tensor(at: number): Tensor;
  /** What tensors of a type have here: the engine's type, or for known integers of 64 bits float64. */
  dtypeOf(type: OnnxType): DType;
  /** The input at a place as an int32 tensor. */
  indices(at: number): Tensor;
  /** Elements of an input that must be known: axes, shapes, limits. @throws ArgumentError when it is computed. */
  integers(at: number, what: string): number[];
  /** A value of the type of input 0 (or of another type). */
  result(tensor: Tensor, type?: OnnxType): Value;
  /** @throws ArgumentError when there is no such graph. */
  subgraph(attribute: string): Subgraph;
}

/** The rule of one operator: outputs in order. */
export type OperatorRule = (call: OperatorCall) => readonly (Value | undefined)[];

/** An operator as the registry holds it. */
export interface OperatorDefinition {
  readonly rule: OperatorRule;
  /**
   * `exact`: differentiated as the engine differentiates it. `zero`: piecewise constant, gradients are zero (ArgMax, Floor, comparisons).
   * `straight-through`: rounding passes gradients as if it were not there. Default `exact`.
   */
  readonly gradient?: 'exact' | 'zero' | 'straight-through';
  /** Oldest version of the operator set that the rule reads; default 7. */
  readonly since?: number;
  /** Places of inputs that are settings (shapes, axes, limits, scales of quantisation) and never parameters. */
  readonly settings?: readonly number[];
  /** Places of inputs that are running statistics: state, not parameters. */
  readonly statistics?: readonly number[];
  /** Places of inputs that are weights by their meaning: parameters even with one element, or from a Constant node. */
  readonly weights?: readonly number[];
  /** Random, or with effects: not computed beforehand even where all inputs are known. */
  readonly impure?: boolean;
}

/** Operators of one domain by name. */
export type OperatorTable = Readonly<Record<string, OperatorDefinition>>;
