/** Builds ONNX models node by node; a thin typed layer over the protobuf messages. @module */
import { create } from '@bufbuild/protobuf';
import type { NDArray, Shape } from '../core/ndarray.ts';
import { GraphError } from '../util/errors.ts';
import { attributeProto, byteLength, bytesOf, encodeModel, tensorProto, valueInfo, type Dimension, type ElementType, type ModelAttribute } from './encode.ts';
import { GraphProtoSchema, ModelProtoSchema, NodeProtoSchema, type GraphProto } from './proto/onnx_pb.ts';

export type { Dimension, ElementType, ModelAttribute } from './encode.ts';

export interface FinishOptions {
  /** Version of the default operator set. */
  readonly opset?: number;
}

/** Constants up to this many bytes are kept once per graph. */
const DEDUPLICATED_BYTES = 1024;
/** Format version that belongs to operator set 21; older runtimes refuse newer ones. */
const IR_VERSION = 10n;
const DEFAULT_OPSET = 21;
/** The version imported of every domain but ONNX's own: `com.microsoft` has only this one. */
const CUSTOM_DOMAIN_VERSION = 1n;

/** What a model and all its nested graphs share. */
interface Shared {
  count: number;
  readonly domains: Set<string>;
}

/**
 * A graph under construction. Values are names; a nested graph (the body of If, Loop, Scan) may use the names of the
 * graphs around it. Names made here are unique over the whole model.
 */
export class GraphBuilder {
  readonly #shared: Shared;
  readonly #graph: GraphProto;
  readonly #constants = new Map<string, string>();
  readonly #made = new Set<string>();

  constructor(name = 'graph', shared: Shared = { count: 0, domains: new Set() }) {
    this.#shared = shared;
    this.#graph = create(GraphProtoSchema, { name });
  }

  /** A name no other value of the model has. */
  fresh(hint = 'v'): string {
    return `${hint}_${this.#shared.count++}`;
  }

  /** Declares an input; returns its name. Inputs keep the order of declaration. */
  input(name: string, dtype: ElementType, shape?: readonly Dimension[]): string {
    this.#graph.input.push(valueInfo(name, dtype, shape));
    return name;
  }

  /**
   * Declares `value` an output, under the name `as`; returns that name. Without `as` it keeps its own name, which is
   * allowed once and only for the output of a node of this graph.
   */
  output(value: string, dtype: ElementType, shape?: readonly Dimension[], as?: string): string {
    const name = as === undefined || as === value ? value : this.node('Identity', [value], {}, [as])[0];
    if (this.#graph.output.some((other) => other.name === name)) {
      throw new GraphError({
        operation: 'output', required: 'names of outputs must be distinct', received: `'${name}' twice`, remedy: "give the second a name of its own by 'as'",
      });
    }
    this.#graph.output.push(valueInfo(name, dtype, shape));
    return name;
  }

  /**
   * Declares `value` an output and returns its name: its own where a node of this graph makes it and it is no output yet, otherwise that
   * of a copy. ONNX Runtime copies what other nodes read as well, unless it has its own name.
   */
  result(value: string, dtype: ElementType, shape?: readonly Dimension[], as = this.fresh('output')): string {
    const isOwn = this.#made.has(value) && !this.#graph.output.some(({ name }) => name === value);
    return this.output(value, dtype, shape, isOwn ? undefined : as);
  }

  /** A constant array under a name; its data are kept by reference until the model is finished. */
  initializer(name: string, value: NDArray): string {
    return this.#initializer(name, value.dtype, value.shape, bytesOf(value.data));
  }

  /** A constant array; equal small ones share one initialiser. */
  constant(value: NDArray): string {
    return this.#constant(value.dtype, value.shape, bytesOf(value.data));
  }

  /** A constant of 64-bit integers, a vector unless `shape` says otherwise; equal ones share one initialiser. */
  int64(values: readonly (number | bigint)[], shape: Shape = [values.length]): string {
    return this.#constant('int64', shape, bytesOf(BigInt64Array.from(values, BigInt)));
  }

  /**
   * Adds a node and returns the names of its outputs. An empty name among `inputs` or `outputs` leaves an optional one
   * out. `outputs` is their number or their names.
   */
  node(
    opType: string, inputs: readonly string[], attributes: Readonly<Record<string, ModelAttribute>> = {}, outputs: number | readonly string[] = 1, domain = '',
  ): string[] {
    const names = typeof outputs === 'number' ? Array.from({ length: outputs }, () => this.fresh()) : [...outputs];
    this.#shared.domains.add(domain);
    names.forEach((name) => this.#made.add(name));
    this.#graph.node.push(create(NodeProtoSchema, {
      name: this.fresh(opType), opType, domain, input: [...inputs], output: names,
      attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
    }));
    return names;
  }

  /** Adds a node of one output and returns its name. */
  value(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, ModelAttribute>> = {}, domain = ''): string {
    return this.node(opType, inputs, attributes, 1, domain)[0];
  }

  /** A nested graph as an attribute value: `fill` declares its inputs, nodes and outputs. */
  subgraph(fill: (body: GraphBuilder) => void): { readonly graph: GraphProto } {
    const body = new GraphBuilder(this.fresh('body'), this.#shared);
    fill(body);
    return { graph: body.#graph };
  }

  /** The model with this graph as its main graph, serialised. */
  protected encode(opset: number): Uint8Array<ArrayBuffer> {
    const custom = [...this.#shared.domains].filter((domain) => domain !== '').sort();
    return encodeModel(create(ModelProtoSchema, {
      irVersion: IR_VERSION, producerName: 'thalweg', graph: this.#graph,
      opsetImport: [{ domain: '', version: BigInt(opset) }, ...custom.map((domain) => ({ domain, version: CUSTOM_DOMAIN_VERSION }))],
    }));
  }

  #constant(dtype: ElementType, shape: Shape, bytes: Uint8Array): string {
    if (bytes.byteLength > DEDUPLICATED_BYTES) return this.#initializer(this.fresh('c'), dtype, shape, bytes);
    const key = `${dtype}[${shape.join(',')}]${String.fromCharCode(...bytes)}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#initializer(this.fresh('c'), dtype, shape, bytes);
    this.#constants.set(key, name);
    return name;
  }

  #initializer(name: string, dtype: ElementType, shape: Shape, bytes: Uint8Array): string {
    if (bytes.byteLength !== byteLength(dtype, shape)) {
      throw new GraphError({
        operation: 'initializer', required: `${dtype}[${shape.join(',')}] needs ${byteLength(dtype, shape)} bytes`, received: `${bytes.byteLength} bytes`,
      });
    }
    this.#graph.initializer.push(tensorProto(name, dtype, shape, bytes));
    return name;
  }
}

/** A model: the main graph, and the bytes a runtime loads. */
export class ModelBuilder extends GraphBuilder {
  /** Serialises the model; the data of its constants are copied once. */
  finish({ opset = DEFAULT_OPSET }: FinishOptions = {}): Uint8Array<ArrayBuffer> {
    return this.encode(opset);
  }
}
