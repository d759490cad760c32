/** Damaged ONNX files: mutations of bytes and of structure, each the same for the same file and seed. */
import { clone, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType, AttributeProtoSchema, ModelProtoSchema, NodeProtoSchema, StringStringEntryProtoSchema, TensorProtoSchema, type AttributeProto, type GraphProto, type ModelProto, type TensorProto,
} from '../proto/onnx_pb.ts';
import { operatorNames } from './operators/registry.ts';

/** Random choices from a seed (mulberry32). */
export class Choices {
  #state: number;
  constructor(seed: number) { this.#state = seed >>> 0; }

  /** An integer of 0..limit - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  of<T>(list: readonly T[]): T { return list[this.below(list.length)]; }
}

const NUMBERS = [0n, 1n, -1n, 2n, 3n, 7n, -2n, 255n, 65536n, 1_000_000n, 2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
const NAMES = ['', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'nothing', '\u0000', '名'];
const KINDS = Object.values(AttributeType).filter((kind): kind is AttributeType => typeof kind === 'number');
const FLOATS = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-45, 3e38];

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(parts.flatMap((part) => [...part]));
const varint = (choose: Choices): Uint8Array => choose.of([
  Uint8Array.of(0), Uint8Array.of(0x7f), Uint8Array.of(0xff, 0x7f), Uint8Array.of(0xff, 0xff, 0xff, 0xff, 7), Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
  Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80),
]);

type ByteMutation = (bytes: Uint8Array, choose: Choices) => Uint8Array;

const byteMutations: Readonly<Record<string, ByteMutation>> = {
  flip(bytes, choose) { const made = bytes.slice(); for (let n = choose.below(4); n >= 0; n--) made[choose.below(made.length)] ^= 1 << choose.below(8); return made; },
  set(bytes, choose) { const made = bytes.slice(); made[choose.below(made.length)] = choose.of([0, 1, 0x7f, 0x80, 0xff]); return made; },
  truncate: (bytes, choose) => bytes.slice(0, choose.below(bytes.length)),
  remove(bytes, choose) { const at = choose.below(bytes.length); return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + choose.below(32))); },
  repeat(bytes, choose) { const at = choose.below(bytes.length); const end = at + 1 + choose.below(512); return joined(bytes.subarray(0, end), bytes.subarray(at)); },
  splice(bytes, choose) { const [at, from] = [choose.below(bytes.length), choose.below(bytes.length)]; return joined(bytes.subarray(0, at), bytes.subarray(from, from + choose.below(256)), bytes.subarray(at)); },
  varint(bytes, choose) { const at = choose.below(bytes.length); return joined(bytes.subarray(0, at), varint(choose), bytes.subarray(at + 1)); },
};

/** The main graph, and those within it. */
function graphOf(model: ModelProto, choose: Choices): GraphProto {
  const main = model.graph!;
  const inner = main.node.flatMap(({ attribute }) => attribute.flatMap(({ g }) => (g === undefined ? [] : [g])));
  return choose.below(3) === 0 && inner.length > 0 ? choose.of(inner) : main;
}

function tensorsOf(graph: GraphProto): TensorProto[] {
  return [...graph.initializer, ...graph.node.flatMap(({ attribute }) => attribute.flatMap(({ t }) => (t === undefined ? [] : [t])))];
}

const attributesOf = (graph: GraphProto): AttributeProto[] => graph.node.flatMap(({ attribute }) => attribute);
const valueNames = ({ input, initializer, node }: GraphProto): string[] => [...input.map(({ name }) => name), ...initializer.map(({ name }) => name), ...node.flatMap(({ output }) => output), ...NAMES];

type ModelMutation = (model: ModelProto, graph: GraphProto, choose: Choices) => void;

/** Does nothing where the list is empty. */
const some = <T>(list: readonly T[], choose: Choices, change: (item: T) => void): void => { if (list.length > 0) change(choose.of(list)); };

const modelMutations: Readonly<Record<string, ModelMutation>> = {
  dims: (_, graph, choose) => some(tensorsOf(graph), choose, ({ dims }) => { if (choose.below(4) === 0) dims.push(choose.of(NUMBERS)); else dims[choose.below(dims.length + 1)] = choose.of(NUMBERS); }),
  elements: (_, graph, choose) => some(tensorsOf(graph), choose, (tensor) => { tensor.dataType = choose.below(30); }),
  data: (_, graph, choose) => some(tensorsOf(graph), choose, (tensor) => { tensor.rawData = tensor.rawData.slice(0, choose.below(tensor.rawData.length + 1)); }),
  numbers: (_, graph, choose) => some(tensorsOf(graph).filter(({ dataType }) => dataType === 7), choose, ({ rawData }) => { if (rawData.length >= 8) new DataView(rawData.buffer, rawData.byteOffset).setBigInt64(8 * choose.below(rawData.length >> 3), choose.of(NUMBERS), true); }),
  external: (_, graph, choose) => some(tensorsOf(graph), choose, (tensor) => {
    tensor.dataLocation = 1;
    tensor.rawData = new Uint8Array();
    tensor.externalData = [['location', choose.of(['weights.bin', '../weights.bin', '/etc/passwd', 'C:\\a', ''])], [choose.of(['offset', 'length']), choose.of(['0', '-1', '1e9', '99999999999999999999', 'x'])]]
      .map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  }),
  operand: (_, graph, choose) => some(graph.node, choose, ({ input }) => { input[choose.below(input.length + 1)] = choose.of(valueNames(graph)); }),
  fewer: (_, graph, choose) => some(graph.node, choose, (node) => { if (choose.below(2) === 0) node.input.pop(); else node.output.pop(); }),
  result: (_, graph, choose) => some(graph.node, choose, ({ output }) => { output[choose.below(output.length + 1)] = choose.of(valueNames(graph)); }),
  order: (_, graph, choose) => { const [a, b] = [choose.below(graph.node.length), choose.below(graph.node.length)]; if (graph.node.length > 0) [graph.node[a], graph.node[b]] = [graph.node[b], graph.node[a]]; },
  drop: (_, graph, choose) => { graph.node.splice(choose.below(graph.node.length), 1); },
  twice: (_, graph, choose) => some(graph.node, choose, (node) => { graph.node.push(clone(NodeProtoSchema, node)); }),
  operator: (_, graph, choose) => some(graph.node, choose, (node) => {
    const [operator, domain = ''] = choose.of([...operatorNames(), ...NAMES]).split(':').reverse();
    Object.assign(node, { opType: operator, domain });
    if (choose.below(4) === 0) node.attribute = [];
  }),
  kind: (_, graph, choose) => some(attributesOf(graph), choose, (attribute) => { attribute.type = choose.of(KINDS); }),
  integer: (_, graph, choose) => some(attributesOf(graph), choose, (attribute) => {
    attribute.i = choose.of(NUMBERS);
    if (choose.below(3) === 0) attribute.ints.push(choose.of(NUMBERS)); else attribute.ints[choose.below(attribute.ints.length + 1)] = choose.of(NUMBERS);
  }),
  real: (_, graph, choose) => some(attributesOf(graph), choose, (attribute) => { attribute.f = choose.of(FLOATS); attribute.floats = [choose.of(FLOATS)]; }),
  text: (_, graph, choose) => some(attributesOf(graph), choose, (attribute) => { attribute.s = new TextEncoder().encode(choose.of([...NAMES, 'SAME_UPPER', 'linear', '...ij,jk->...ik', 'ii->', ',->'])); }),
  named: (_, graph, choose) => some(attributesOf(graph), choose, (attribute) => { attribute.name = choose.of(['axis', 'axes', 'perm', 'shape', 'pads', 'strides', 'to', 'body', 'value', 'kernel_shape', ...NAMES]); }),
  reference: (_, graph, choose) => some(attributesOf(graph), choose, (attribute) => { attribute.refAttrName = choose.of(['axis', ...NAMES]); }),
  attribute: (_, graph, choose) => some(graph.node, choose, (node) => {
    node.attribute.push(create(AttributeProtoSchema, { name: choose.of(['axis', 'axes', 'perm', 'to', 'keepdims', 'group', 'num_heads', 'hidden_size', 'equation', 'strides', 'dilations']), type: choose.of([AttributeType.FLOAT, AttributeType.INT, AttributeType.STRING, AttributeType.INTS]), i: choose.of(NUMBERS), ints: [choose.of(NUMBERS), choose.of(NUMBERS)] }));
  }),
  tensor: (_, graph, choose) => some(graph.node, choose, (node) => {
    node.attribute.push(create(AttributeProtoSchema, { name: 'value', type: 4, t: create(TensorProtoSchema, { dims: [choose.of(NUMBERS)], dataType: choose.of([1, 7, 9]), rawData: new Uint8Array(choose.below(17)) }) }));
  }),
  declared: (_, graph, choose) => some([...graph.input, ...graph.output], choose, ({ type }) => {
    if (type?.value.case !== 'tensorType') return;
    if (choose.below(2) === 0) type.value.value.elemType = choose.below(30);
    some(type.value.value.shape?.dim ?? [], choose, (dimension) => { dimension.value = { case: 'dimValue', value: choose.of(NUMBERS) }; });
  }),
  inputs: (_, graph, choose) => { graph.input.splice(choose.below(graph.input.length), 1); },
  outputs: (_, graph, choose) => some(graph.output, choose, (output) => { output.name = choose.of(valueNames(graph)); }),
  versions: (model, _, choose) => some(model.opsetImport, choose, (set) => { if (choose.below(4) === 0) set.domain = choose.of(['', 'ai.onnx', 'com.microsoft', 'x']); else set.version = choose.below(3) === 0 ? choose.of(NUMBERS) : BigInt(7 + choose.below(20)); }),
  calls: (model, _, choose) => some(model.functions, choose, (callee) => some(callee.node, choose, (node) => { const other = choose.of(model.functions); Object.assign(node, { domain: other.domain, opType: other.name }); })),
  nested: (model, graph, choose) => some(graph.node, choose, (node) => {
    node.attribute.push(create(AttributeProtoSchema, { name: choose.of(['body', 'then_branch', 'g']), type: 5, g: { name: 'inner', node: model.graph!.node.slice(0, 2).map((inner) => clone(NodeProtoSchema, inner)), output: model.graph!.output } }));
  }),
};

/** A damaged copy of a model: one to three mutations, of bytes or of structure. The label names them. */
export function mutated(original: Uint8Array, seed: number): { bytes: Uint8Array; label: string } {
  const choose = new Choices(seed);
  const labels: string[] = [];
  let bytes = original;
  if (choose.below(4) > 0) {
    const model = fromBinary(ModelProtoSchema, original);
    for (let n = Math.max(0, choose.below(5) - 2); n >= 0; n--) {
      const name = choose.of(Object.keys(modelMutations));
      labels.push(name);
      modelMutations[name](model, graphOf(model, choose), choose);
    }
    bytes = toBinary(ModelProtoSchema, model);
  }
  if (labels.length === 0 || choose.below(16) === 0) {
    const name = choose.of(Object.keys(byteMutations));
    labels.push(name);
    bytes = bytes.length === 0 ? bytes : byteMutations[name](bytes, choose);
  }
  return { bytes, label: labels.join('+') };
}
