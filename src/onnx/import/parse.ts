/** Bytes of an ONNX file to a checked program. @module */
import { fromBinary } from '@bufbuild/protobuf';
import { DataError } from '../../util/errors.ts';
import {
  ModelProtoSchema, type AttributeProto, type FunctionProto, type GraphProto, type ModelProto, type NodeProto, type OperatorSetIdProto, type ValueInfoProto,
} from '../proto/onnx_pb.ts';
import { checkProgram } from './check.ts';
import { typeName } from './element-types.ts';
import { foreignFile } from './foreign-file.ts';
import {
  functionKey, normalDomain, type DeclaredDimension, type DeclaredValue, type ImportedFunction, type ImportedGraph, type ImportedNode, type ImportedProgram, type NodeAttribute, type NodeOrigin, type StoredTensor,
} from './graph.ts';
import { withoutSequences } from './sequences.ts';
import { storedTensor, typeRefusal, type ReadExternal } from './stored-tensor.ts';

/** Oldest version of ONNX's own operator set that is read: the first whose operators broadcast as NumPy's. */
export const OLDEST_OPSET = 7;
/** Newest version of it that is read, which is that of ONNX Runtime 1.30. */
export const NEWEST_OPSET = 26;
/** Format version that came with operator set 7; below it, initialisers had to be inputs, which is read all the same. */
const OLDEST_IR = 3n;
const NEWEST_IR = 14n;
/** A protobuf message ends here; larger models keep their weights in other files. */
const LARGEST_FILE = 2 ** 31;
/** Graphs within graphs: loops and branches nest a few deep. */
const DEEPEST_NESTING = 32;

/** Options of `parseOnnx`. */
export interface ParseOptions {
  /** Name in messages. Default `in memory`. */
  readonly name?: string;
  /** Reads weights that lie in other files; without it such weights are refused when they are used. */
  readonly readExternal?: ReadExternal;
}

interface Context {
  readonly refuse: (required: string, received: string, remedy?: string) => never;
  readonly readExternal: ReadExternal | undefined;
}

/**
 * Parses a model and checks what can be checked without running it: versions, names made once and before they are used, tensors whose data
 * have their length, functions that do not call themselves.
 * @throws DataError naming the node, tensor or field.
 */
export function parseOnnx(bytes: Uint8Array, { name = 'in memory', readExternal }: ParseOptions = {}): ImportedProgram {
  const context: Context = {
    refuse: (required, received, remedy) => { throw new DataError({ operation: `ONNX file ${name}`, required, received, remedy }); }, readExternal,
  };
  const model = decode(bytes, context);
  const versions = versionsOf(model.opsetImport);
  checkVersions(model, versions, context);
  const functions = new Map<string, ImportedFunction>();
  for (const proto of model.functions) {
    const made = functionOf(proto, versions, context);
    const key = functionKey(made.domain, made.name, proto.overload);
    if (functions.has(key)) context.refuse('functions must have names of their own', `'${made.name}' of '${made.domain}' twice`);
    functions.set(key, made);
  }
  const program: ImportedProgram = {
    graph: graphOf(model.graph!, context, 0), functions, versions,
    producer: [model.producerName, model.producerVersion].filter((text) => text !== '').join(' '),
    metadata: new Map(model.metadataProps.map(({ key, value }) => [key, value])),
  };
  checkProgram(program, context.refuse);
  return withoutSequences(program);
}

function decode(bytes: Uint8Array, { refuse }: Context): ModelProto {
  const download = 'download or export the file again: it is empty or cut short';
  if (bytes.length === 0) refuse('the file must hold a model', '0 bytes', download);
  if (bytes.length >= LARGEST_FILE) refuse('a protobuf file is smaller than 2 GiB', `${bytes.length} bytes`, 'export it with weights in other files (save_as_external_data)');
  const foreign = foreignFile(bytes);
  if (foreign !== undefined) refuse('the file must be an ONNX model (protobuf)', foreign.what, foreign.remedy);
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    return refuse('the file must be an ONNX model (protobuf)', `what cannot be read: ${(error as Error).message.slice(0, 120)}`, 'check that it is an .onnx file and was transferred whole');
  }
  if (model.graph === undefined || model.opsetImport.length === 0) refuse('a model must have a graph and operator sets', model.graph === undefined ? 'no graph' : 'no operator set', 'check that this is an ONNX model and no other protobuf file');
  return model;
}

const versionsOf = (sets: readonly OperatorSetIdProto[]): Map<string, number> => new Map(sets.map(({ domain, version }) => [normalDomain(domain), Number(version)]));

function checkVersions({ irVersion }: ModelProto, versions: ReadonlyMap<string, number>, { refuse }: Context): void {
  if (irVersion < OLDEST_IR || irVersion > NEWEST_IR) refuse(`the format version (ir_version) must lie in ${OLDEST_IR}..${NEWEST_IR}`, String(irVersion), 'convert it with onnx.version_converter or a current exporter');
  const opset = versions.get('');
  if (opset !== undefined && (opset < OLDEST_OPSET || opset > NEWEST_OPSET)) refuse(`the operator set must lie in ${OLDEST_OPSET}..${NEWEST_OPSET}`, String(opset), 'export with another opset_version, or convert it with onnx.version_converter');
}

function functionOf(proto: FunctionProto, outer: ReadonlyMap<string, number>, context: Context): ImportedFunction {
  const own = versionsOf(proto.opsetImport);
  const attributes = new Map<string, NodeAttribute | undefined>(proto.attribute.map((name) => [name, undefined]));
  proto.attributeProto.forEach((attribute) => attributes.set(attribute.name, attributeOf(attribute, context, 0)));
  return {
    domain: normalDomain(proto.domain), name: proto.name, inputs: proto.input, outputs: proto.output, attributes,
    nodes: nodesOf(proto.node, context, 0), versions: own.size > 0 ? own : outer,
  };
}

function graphOf(proto: GraphProto, context: Context, depth: number): ImportedGraph {
  if (depth > DEEPEST_NESTING) context.refuse(`graphs must nest at most ${DEEPEST_NESTING} deep`, 'a deeper one');
  const initialisers = new Map<string, StoredTensor>();
  const refused = new Map<string, string>();
  const roles = new Map([...proto.valueInfo, ...proto.input].map((value) => [value.name, roleOf(value)]));
  for (const tensor of proto.initializer) {
    // A record cannot have a key of this name, and parameters are kept in one.
    if (tensor.name === '' || tensor.name === '__proto__') context.refuse('an initialiser must have a name', tensor.name === '' ? 'none' : `'${tensor.name}'`);
    if (initialisers.has(tensor.name) || refused.has(tensor.name)) context.refuse('values must be made once', `the initialiser '${tensor.name}' twice`);
    const refusal = typeRefusal(tensor.dataType);
    const role = roles.get(tensor.name);
    if (refusal === undefined) initialisers.set(tensor.name, { ...storedTensor(tensor, `'${tensor.name}'`, context.readExternal), ...(role && { role }) });
    else refused.set(tensor.name, refusal);
  }
  for (const sparse of proto.sparseInitializer) refused.set(sparse.values?.name ?? '', 'a sparse tensor');
  const declared = new Set<string>();
  for (const { name } of proto.input) {
    if (name === '' || declared.has(name)) context.refuse('inputs must have names of their own', name === '' ? 'one without a name' : `'${name}' twice`);
    declared.add(name);
  }
  return {
    name: proto.name, initialisers, refused,
    // Before format version 4 every initialiser had to be an input too; later that means a default, which is the value here.
    inputs: proto.input.filter(({ name }) => !initialisers.has(name) && !refused.has(name)).map(declaredOf),
    outputs: proto.output.map(declaredOf), nodes: nodesOf(proto.node, context, depth),
  };
}

/** Where PyTorch's newer exporter notes the modules around a node, `['', 'encoder', 'encoder.dense', 'linear']`, its call, and what its optimiser did. */
const [TORCH_SCOPES, TORCH_CALL, REWRITES] = ['pkg.torch.onnx.name_scopes', 'pkg.torch.onnx.fx_node', 'pkg.onnxscript.rewriter.rule_name'];

function originOf({ metadataProps }: NodeProto): { origin?: NodeOrigin } {
  const text = (wanted: string): string => metadataProps.find(({ key }) => key === wanted)?.value ?? '';
  const module = [...text(TORCH_SCOPES).matchAll(/'([^']*)'/g)].at(-2)?.[1];
  return module === undefined ? {} : { origin: { module, call: text(TORCH_CALL), rewrites: text(REWRITES) } };
}

/** Where PyTorch's newer exporter notes whether an initialiser was a parameter or a buffer. */
const TORCH_ROLE = 'pkg.torch.export.graph_signature.InputSpec.kind';

function roleOf({ metadataProps }: ValueInfoProto): 'parameter' | 'buffer' | undefined {
  const text = metadataProps.find(({ key }) => key === TORCH_ROLE)?.value;
  return text === 'PARAMETER' ? 'parameter' : text === 'BUFFER' ? 'buffer' : undefined;
}

function declaredOf({ name, type }: ValueInfoProto): DeclaredValue {
  const value = type?.value;
  if (value?.case !== 'tensorType') return { name, type: value?.case?.replace('Type', ''), shape: undefined };
  const shape = value.value.shape?.dim.map(({ value: dimension }): DeclaredDimension => (
    dimension.case === 'dimValue' ? (dimension.value >= 0n ? Number(dimension.value) : undefined)
      : dimension.case === 'dimParam' && dimension.value !== '' ? dimension.value : undefined));
  return { name, type: typeName(value.value.elemType), shape };
}

function nodesOf(protos: readonly NodeProto[], context: Context, depth: number): ImportedNode[] {
  return protos.map((proto, i) => {
    const attributes = new Map<string, NodeAttribute>();
    for (const attribute of proto.attribute) {
      if (attributes.has(attribute.name)) context.refuse(`attributes of node '${proto.name}' must have names of their own`, `'${attribute.name}' twice`);
      attributes.set(attribute.name, attributeOf(attribute, context, depth));
    }
    return {
      name: proto.name === '' ? `${proto.opType}_${i}` : proto.name, operator: proto.opType, domain: normalDomain(proto.domain), overload: proto.overload,
      inputs: proto.input, outputs: proto.output, attributes,
      captures: [...new Set([...attributes.values()].flatMap(({ graph }) => (graph === undefined ? [] : freeNames(graph))))],
      ...originOf(proto),
    };
  });
}

function attributeOf(proto: AttributeProto, context: Context, depth: number): NodeAttribute {
  return proto.g === undefined ? { name: proto.name, proto } : { name: proto.name, proto, graph: graphOf(proto.g, context, depth + 1) };
}

/** Names that a graph uses and does not make: they come from around it. */
function freeNames({ inputs, initialisers, refused, nodes, outputs }: ImportedGraph): string[] {
  const made = new Set([...inputs.map(({ name }) => name), ...initialisers.keys(), ...refused.keys()]);
  const free = new Set<string>();
  const use = (name: string): void => { if (name !== '' && !made.has(name)) free.add(name); };
  for (const node of nodes) {
    node.inputs.forEach(use);
    node.captures.forEach(use);
    node.outputs.forEach((name) => made.add(name));
  }
  outputs.forEach(({ name }) => use(name));
  return [...free];
}
