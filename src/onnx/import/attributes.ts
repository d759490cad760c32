/** Attributes of a node, read by type. @module */
import { ArgumentError } from '../../util/errors.ts';
import { AttributeProto_AttributeType as AttributeType, type AttributeProto } from '../proto/onnx_pb.ts';
import { isHeldType, typeName } from './element-types.ts';
import type { ImportedGraph, NodeAttribute } from './graph.ts';
import { storedTensor, type ReadExternal } from './stored-tensor.ts';
import { Value, type OnnxType } from './value.ts';

const TYPE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(AttributeType).map(([name, code]) => [code, name.toLowerCase()]));

/**
 * Typed access to attributes; every reader throws an ArgumentError that names the attribute when it is missing without a default, or of
 * another type. Integers are checked to be exact.
 */
export class Attributes {
  readonly #entries: ReadonlyMap<string, NodeAttribute>;
  readonly #readExternal: ReadExternal | undefined;

  /** `readExternal` serves tensor attributes whose elements lie in another file. */
  constructor(entries: ReadonlyMap<string, NodeAttribute>, readExternal?: ReadExternal) {
    this.#entries = entries;
    this.#readExternal = readExternal;
  }

  has(name: string): boolean { return this.#entries.has(name); }

  /** Names of all attributes. */
  get names(): string[] { return [...this.#entries.keys()]; }

  integer(name: string, otherwise?: number): number {
    return this.#read(name, AttributeType.INT, otherwise, (proto) => exact(name, proto.i));
  }

  /** An integer that stands for true or false. */
  flag(name: string, otherwise: boolean): boolean { return this.integer(name, Number(otherwise)) !== 0; }

  integers(name: string, otherwise?: readonly number[]): number[] {
    return [...this.#read(name, AttributeType.INTS, otherwise, (proto) => proto.ints.map((x) => exact(name, x)))];
  }

  float(name: string, otherwise?: number): number {
    return this.#read(name, AttributeType.FLOAT, otherwise, ({ f }) => f);
  }

  floats(name: string, otherwise?: readonly number[]): number[] {
    return [...this.#read(name, AttributeType.FLOATS, otherwise, ({ floats }) => floats)];
  }

  text(name: string, otherwise?: string): string {
    return this.#read(name, AttributeType.STRING, otherwise, ({ s }) => new TextDecoder().decode(s));
  }

  texts(name: string, otherwise?: readonly string[]): string[] {
    return [...this.#read(name, AttributeType.STRINGS, otherwise, ({ strings }) => strings.map((s) => new TextDecoder().decode(s)))];
  }

  /** An element type, written as its code. @throws ArgumentError for types that the importer does not hold. */
  elementType(name: string, otherwise?: OnnxType): OnnxType {
    if (otherwise !== undefined && !this.has(name)) return otherwise;
    const type = typeName(this.integer(name));
    if (isHeldType(type)) return type;
    throw new ArgumentError({ operation: 'import', required: `attribute '${name}' must be a floating-point type of 16 to 64 bits, an integer type of 8 to 64 bits or bool`, received: type });
  }

  /** A constant array, as a known value. */
  tensor(name: string): Value {
    return this.#read(name, AttributeType.TENSOR, undefined, ({ t }) => {
      const stored = storedTensor(t!, `of attribute '${name}'`, this.#readExternal);
      return Value.ofKnown(stored.type, stored.shape, () => stored.read());
    });
  }

  graph(name: string): ImportedGraph {
    const graph = this.#entries.get(name)?.graph;
    return graph ?? this.#read(name, AttributeType.GRAPH, undefined, () => { throw this.#missing(name, 'graph'); });
  }

  #read<T>(name: string, type: AttributeType, otherwise: T | undefined, read: (proto: AttributeProto) => T): T {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      if (otherwise === undefined) throw this.#missing(name, TYPE_NAMES[type]);
      return otherwise;
    }
    if (entry.proto.type !== type) {
      throw new ArgumentError({ operation: 'import', required: `attribute '${name}' must be of type ${TYPE_NAMES[type]}`, received: TYPE_NAMES[entry.proto.type] ?? `type ${entry.proto.type}` });
    }
    return read(entry.proto);
  }

  #missing(name: string, type: string): ArgumentError {
    return new ArgumentError({ operation: 'import', required: `attribute '${name}' (${type}) is needed`, received: this.names.length === 0 ? 'a node without attributes' : `only ${this.names.join(', ')}` });
  }
}

function exact(name: string, value: bigint): number {
  const number = Number(value);
  // The smallest and largest integers of 64 bits stand for "to the end".
  if (!Number.isSafeInteger(number) && Math.abs(number) < 2 ** 62) throw new ArgumentError({ operation: 'import', required: `attribute '${name}' must be an integer below 2^53`, received: String(value) });
  return number;
}
