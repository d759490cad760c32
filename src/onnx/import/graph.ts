/** A model as read from a file: checked graphs whose weights are read when they are needed. @module */
import type { AttributeProto } from '../proto/onnx_pb.ts';
import type { HostData, OnnxType } from './element-types.ts';

/** A constant array of a model. */
export interface StoredTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** What the exporter says it was in the program that made the file, where it says so (PyTorch's newer exporter does); `constant`: from a Constant node. */
  readonly role?: 'parameter' | 'buffer' | 'constant';
  /** Its elements, decoded or read from another file at the first call. @throws DataError when the external file that holds them does not fit. */
  read(): HostData;
}

/** A dimension as declared: an extent, the name of one that varies, or undefined. */
export type DeclaredDimension = number | string | undefined;

/** An input or output as declared. */
export interface DeclaredValue {
  readonly name: string;
  /** By its name in the format; undefined where the model declares none, as in bodies of loops. */
  readonly type: string | undefined;
  /** Undefined where even the rank is open. */
  readonly shape: readonly DeclaredDimension[] | undefined;
}

/** An attribute of a node: as in the file, or a nested graph, or the name of an attribute of the function around it. */
export interface NodeAttribute {
  readonly name: string;
  readonly proto: AttributeProto;
  readonly graph?: ImportedGraph;
}

/** How a node came about. */
export interface NodeOrigin {
  /** Path of the module that it is of: `encoder.layers.0.dense`. */
  readonly module: string;
  /** The call that it was, with the names of its arguments: `%p_fc_bias` is a parameter. */
  readonly call: string;
  /** Rewrites of an optimiser that it went through. */
  readonly rewrites: string;
}

/** One application of an operator or function. */
export interface ImportedNode {
  /** As in the file, or made of its operator and place where the file has none. */
  readonly name: string;
  readonly operator: string;
  /** Empty for ONNX's own. */
  readonly domain: string;
  readonly overload: string;
  /** Names of values; empty for absent optional ones. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, NodeAttribute>;
  /** Names that graph attributes take from around the node. */
  readonly captures: readonly string[];
  /** What the exporter says of its making, where it does (PyTorch's newer exporter). */
  readonly origin?: NodeOrigin;
}

/** A graph: the main one, or the body of a branch or loop. */
export interface ImportedGraph {
  readonly name: string;
  /** Without those that are initialisers' default values. */
  readonly inputs: readonly DeclaredValue[];
  readonly outputs: readonly DeclaredValue[];
  readonly initialisers: ReadonlyMap<string, StoredTensor>;
  /** Initialisers that cannot be read, with the reason: refused when a node uses them. */
  readonly refused: ReadonlyMap<string, string>;
  readonly nodes: readonly ImportedNode[];
}

/** A function of a model: a node that calls it is replaced by its body. */
export interface ImportedFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that a call may give, with defaults where there are any. */
  readonly attributes: ReadonlyMap<string, NodeAttribute | undefined>;
  readonly nodes: readonly ImportedNode[];
  /** Operator sets of the body. */
  readonly versions: ReadonlyMap<string, number>;
}

/** A whole model. */
export interface ImportedProgram {
  readonly graph: ImportedGraph;
  readonly functions: ReadonlyMap<string, ImportedFunction>;
  /** Operator sets by domain; ONNX's own under ''. */
  readonly versions: ReadonlyMap<string, number>;
  /** What wrote the file: `pytorch 2.5`. */
  readonly producer: string;
  /** Free text by key. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The key of a function in `ImportedProgram.functions`. */
export const functionKey = (domain: string, name: string, overload = ''): string => `${domain}:${name}:${overload}`;

/** `ai.onnx` is another spelling of ONNX's own domain. */
export const normalDomain = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);
