/** One ONNX model for every batch size, from models that were made for some. @module */
import {
  AttributeProto_AttributeType as AttributeType, TensorProto_DataType as DataType, type AttributeProto, type GraphProto, type NodeProto, type TensorProto, type ValueInfoProto,
} from '../onnx/proto/onnx_pb.ts';
import { ArgumentError } from '../util/errors.ts';
import { Extents, type Affine } from './onnx-extents.ts';
import { equalSlices, sameBytes } from './onnx-slices.ts';

/** A model's graph and the batch size that it was made for. */
export interface SizedGraph {
  readonly batch: number;
  readonly graph: GraphProto;
}

/** A constant that changes with the batch, at the place where a node takes it. */
interface Varying {
  readonly node: NodeProto;
  readonly input: number;
  /** The integers that change, of all models in their order: the constant's own entries, or the extents of what is repeated. */
  readonly entries: bigint[][];
  /** Shape of a constant whose entries change; undefined for an array that is repeated. */
  readonly dims?: readonly bigint[];
  /** One of the equal slices of an array that is longer for more examples, as the zeros a recurrent layer starts from. */
  readonly repeated?: TensorProto;
}

const text = new TextDecoder();
const integersOf = ({ rawData }: TensorProto): bigint[] => [...new BigInt64Array(rawData.slice().buffer)];
const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

function refuse(what: string): never {
  throw new ArgumentError({ operation: 'exportOnnx', required: 'a model for every batch size must do the same whatever the size', received: what, remedy: 'export it for one size: option batch, on the command line --batch' });
}

/** Two graphs side by side: the first is annotated with what differs in the second. */
class Comparison {
  readonly #varying: Map<NodeProto, Map<number, Varying>>;
  readonly #batches: readonly [number, number];
  readonly #shared: ReadonlySet<string>;
  readonly #names = new Map<string, string>();
  readonly #constants: [Map<string, TensorProto>, Map<string, TensorProto>] = [new Map(), new Map()];

  constructor(varying: Map<NodeProto, Map<number, Varying>>, batches: readonly [number, number], shared: ReadonlySet<string>) {
    this.#varying = varying;
    this.#batches = batches;
    this.#shared = shared;
  }

  graphs(a: GraphProto, b: GraphProto): void {
    [a, b].forEach((graph, side) => { for (const tensor of graph.initializer) this.#constants[side].set(tensor.name, tensor); });
    if (a.node.length !== b.node.length || a.input.length !== b.input.length) refuse(`a graph of ${a.node.length} nodes for a batch of ${this.#batches[0]}, and of ${b.node.length} for ${this.#batches[1]}`);
    a.input.forEach((value, i) => { this.#values(value, b.input[i]); });
    a.node.forEach((node, i) => { this.#nodes(node, b.node[i]); });
    a.output.forEach((value, i) => {
      if (this.#names.get(value.name) !== b.output[i].name) refuse('another output');
      this.#values(value, b.output[i]);
    });
  }

  /** Declared extents that change become the name of the batch, or open. */
  #values(a: ValueInfoProto, b: ValueInfoProto): void {
    this.#names.set(a.name, b.name);
    const [left, right] = [a, b].map(({ type }) => (type?.value.case === 'tensorType' ? type.value.value.shape?.dim ?? [] : []));
    left.forEach((dimension, i) => {
      if (dimension.value.case !== 'dimValue' || dimension.value.value === right[i].value.value) return;
      const isBatch = Number(dimension.value.value) === this.#batches[0] && Number(right[i].value.value) === this.#batches[1];
      dimension.value = isBatch ? { case: 'dimParam', value: 'batch' } : { case: undefined };
    });
  }

  #nodes(a: NodeProto, b: NodeProto): void {
    if (a.opType !== b.opType || a.domain !== b.domain || a.input.length !== b.input.length || a.attribute.length !== b.attribute.length) refuse(`${a.opType} for a batch of ${this.#batches[0]} where there is ${b.opType} for ${this.#batches[1]}`);
    a.input.forEach((name, i) => { this.#inputs(a, i, name, b.input[i]); });
    a.attribute.forEach((attribute, i) => { this.#attributes(a, attribute, b.attribute[i]); });
    a.output.forEach((name, i) => { this.#names.set(name, b.output[i]); });
  }

  #inputs(node: NodeProto, input: number, a: string, b: string): void {
    if (a === b && this.#shared.has(a)) return;
    const [left, right] = [this.#constants[0].get(a), this.#constants[1].get(b)];
    if (left === undefined || right === undefined) {
      if (left !== right || (this.#names.has(a) && this.#names.get(a) !== b)) refuse(`other arguments of ${node.opType} for a batch of ${this.#batches[0]} than for ${this.#batches[1]}`);
      return;
    }
    const isSame = left.dataType === right.dataType && sameList(left.dims, right.dims) && sameBytes(left.rawData, right.rawData);
    const known = this.#varying.get(node)?.get(input);
    if (isSame && known === undefined) return;
    const isVector = left.dataType === Number(DataType.INT64) && sameList(left.dims, right.dims);
    const slices = isVector ? undefined : equalSlices(left, right);
    if (!isVector && slices === undefined) refuse(`a constant of ${node.opType} that depends on the size: [${left.dims.join(',')}] for a batch of ${this.#batches[0]}, [${right.dims.join(',')}] for ${this.#batches[1]}`);
    const found = known ?? { node, input, ...(isVector ? { dims: left.dims, entries: [integersOf(left)] } : { repeated: slices!, entries: [left.dims] }) };
    found.entries.push(isVector ? integersOf(right) : right.dims);
    this.#varying.set(node, (this.#varying.get(node) ?? new Map<number, Varying>()).set(input, found));
  }

  #attributes(node: NodeProto, a: AttributeProto, b: AttributeProto): void {
    if (a.type === AttributeType.GRAPH) {
      this.graphs(a.g!, b.g!);
      return;
    }
    const isSame = a.name === b.name && a.type === b.type && a.i === b.i && Object.is(a.f, b.f) && sameBytes(a.s, b.s) && sameList(a.ints, b.ints) && sameList(a.floats, b.floats);
    if (!isSame) refuse(`${a.name} of ${node.opType}, which depends on the size: ${a.ints.join(',') || text.decode(a.s) || String(a.i)} for a batch of ${this.#batches[0]}, ${b.ints.join(',') || text.decode(b.s) || String(b.i)} for ${this.#batches[1]}`);
  }
}

/** Entry k as slope · batch + base, from the values at three sizes or more. */
function affineOf({ node, entries }: Varying, k: number, batches: readonly number[]): Affine {
  const at = entries.map((values) => values[k]);
  const slope = (at[1] - at[0]) / BigInt(batches[1] - batches[0]);
  const base = at[0] - slope * BigInt(batches[0]);
  if (!at.every((value, i) => value === slope * BigInt(batches[i]) + base)) refuse(`an extent of ${node.opType} that is no multiple of the batch and a constant: ${at.join(', ')} for batches of ${batches.join(', ')}`);
  return { slope, base };
}

/**
 * Turns the first graph into one for every batch size, in place. The graphs are of one model at three sizes or more; they must have the same
 * nodes, and differ in 64-bit integers (extents), which must be slope · size + base, and in constants that repeat the same slice more often. An extent that a Reshape can find out itself becomes -1,
 * others are computed from the shape of `input`. `shared` are initialisers that are one in all graphs.
 * @throws ArgumentError naming the node where the model depends on the size in another way.
 */
export function joinBatches([first, ...others]: readonly SizedGraph[], input: string, shared: ReadonlySet<string>): void {
  const varying = new Map<NodeProto, Map<number, Varying>>();
  for (const { graph, batch } of others) new Comparison(varying, [first.batch, batch], shared).graphs(first.graph, graph);
  const batches = [first.batch, ...others.map(({ batch }) => batch)];
  const extents = new Extents(first.graph, input);
  for (const places of varying.values()) {
    for (const place of places.values()) {
      if (place.entries.length !== batches.length) refuse(`an extent of ${place.node.opType} that is the same for some sizes only`);
      const entries = place.entries[0].map((_, k) => affineOf(place, k, batches));
      const moving = entries.filter(({ slope }) => slope !== 0n);
      const isInferable = place.repeated === undefined && place.node.opType === 'Reshape' && place.input === 1 && moving.length === 1 && entries.every(({ slope, base }) => slope > 0n || base > 0n);
      const { node, input: at, dims = [BigInt(entries.length)], repeated } = place;
      if (repeated !== undefined) node.input[at] = extents.repeated(repeated, entries);
      else if (isInferable) node.input[at] = extents.constant(entries.map(({ slope, base }) => (slope === 0n ? base : -1n)), dims);
      else node.input[at] = extents.computed(entries, dims);
    }
  }
  first.graph.node.unshift(...extents.nodes);
}
