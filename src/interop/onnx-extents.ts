/** Nodes that compute extents from the batch size. @module */
import { create } from '@bufbuild/protobuf';
import { bytesOf, tensorProto } from '../onnx/encode.ts';
import { AttributeProto_AttributeType as AttributeType, AttributeProtoSchema, NodeProtoSchema, TensorProtoSchema, type GraphProto, type NodeProto, type TensorProto } from '../onnx/proto/onnx_pb.ts';

/** slope · batch + base */
export interface Affine {
  readonly slope: bigint;
  readonly base: bigint;
}

/** Adds what computes integers from the batch to the beginning of a graph. */
export class Extents {
  readonly #graph: GraphProto;
  readonly #input: string;
  readonly #made = new Map<string, string>();
  readonly nodes: NodeProto[] = [];

  constructor(graph: GraphProto, input: string) {
    this.#graph = graph;
    this.#input = input;
  }

  /** A new constant under a name of its own. */
  constant(values: readonly bigint[], dims: readonly bigint[]): string {
    return this.#once(`constant ${dims.join(',')}: ${values.join(',')}`, (name) => {
      this.#graph.initializer.push(tensorProto(name, 'int64', dims.map(Number), bytesOf(BigInt64Array.from(values))));
    });
  }

  /** An array repeated to a shape. */
  repeated({ dataType, dims, rawData }: TensorProto, shape: readonly Affine[]): string {
    const extents = this.computed(shape, [BigInt(shape.length)]);
    return this.#once(`repeated ${dataType} [${dims.join(',')}] ${rawData.join(',')} ${extents}`, (name) => {
      this.#graph.initializer.push(create(TensorProtoSchema, { name: `${name}:slice`, dataType, dims: [...dims], rawData }));
      this.#node('Expand', [`${name}:slice`, extents], name);
    });
  }

  /** slope · batch + base for each entry. */
  computed(entries: readonly Affine[], dims: readonly bigint[]): string {
    const length = [BigInt(entries.length)];
    const batch = this.#once('batch', (name) => this.#node('Shape', [this.#input], name, { start: 0n, end: 1n }));
    const product = this.#operation('Mul', batch, entries.map(({ slope }) => slope), length, 1n);
    const sum = this.#operation('Add', product, entries.map(({ base }) => base), length, 0n);
    // An entry alone of rank 0, as a loop's number of rounds.
    return dims.length === 0 ? this.#once(`scalar ${sum}`, (name) => this.#node('Squeeze', [sum], name)) : sum;
  }

  #operation(operator: string, value: string, values: readonly bigint[], length: readonly bigint[], neutral: bigint): string {
    // A product also repeats the batch to the length of the entries; a sum finds it so.
    if (values.every((entry) => entry === neutral) && (values.length === 1 || operator === 'Add')) return value;
    return this.#once(`${operator} ${value} ${values.join(',')}`, (name) => this.#node(operator, [value, this.constant(values, length)], name));
  }

  #once(key: string, make: (name: string) => void): string {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const name = `extent:${this.#made.size}`;
    this.#made.set(key, name);
    make(name);
    return name;
  }

  #node(opType: string, input: string[], output: string, attributes: Readonly<Record<string, bigint>> = {}): void {
    const attribute = Object.entries(attributes).map(([name, i]) => create(AttributeProtoSchema, { name, type: AttributeType.INT, i }));
    this.nodes.push(create(NodeProtoSchema, { name: output, opType, input, output: [output], attribute }));
  }
}
