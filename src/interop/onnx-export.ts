/** Models of this library as ONNX files. @module */
import { create, fromBinary } from '@bufbuild/protobuf';
import { hasCpuKernel } from '../onnx/kernels.ts';
import type { NDArray, Shape } from '../core/ndarray.ts';
import type { Type } from '../core/tensor.ts';
import type { AnyModel } from '../nn/model.ts';
import { attributeProto, encodeModel, valueInfo } from '../onnx/encode.ts';
import { lower } from '../onnx/lower.ts';
import {
  ModelProtoSchema, NodeProtoSchema, StringStringEntryProtoSchema, TensorProto_DataType as DataType, type GraphProto, type ModelProto,
} from '../onnx/proto/onnx_pb.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { VERSION } from '../util/version.ts';
import { batchType, evalGraph, pointArrays, type ExampleType, type ModelPoint } from './model-graph.ts';
import { joinBatches } from './onnx-batch.ts';
import { renameGraph } from './onnx-rename.ts';
import { torchNames } from './torch-names.ts';
import { transposedMatrix } from './transposed-matrix.ts';

/** Options of `exportOnnx`. */
export interface OnnxExportOptions {
  /** Export for batches of this size alone. Default: for every size. */
  readonly batch?: number;
  /** `own` (default): arrays under the paths of the model and laid out as here; `torch`: as `torchStateDict` has them. */
  readonly names?: 'own' | 'torch';
  /** Name of the input. Default `input`. */
  readonly input?: string;
  /** Name of the output. Default `output`. */
  readonly output?: string;
  /** Whether integer data come as 64-bit integers, as PyTorch's tokens do. Default false: 32 bits. */
  readonly wide?: boolean;
}

/** An input or output of an exported model. */
export interface ExportedValue {
  readonly name: string;
  readonly dtype: 'float32' | 'float64' | 'int32' | 'int64' | 'bool';
  /** `batch` where it is open. */
  readonly shape: readonly (number | 'batch')[];
}

/** An exported model, and what it holds. */
export interface OnnxExport {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly opset: number;
  readonly input: ExportedValue;
  readonly output: ExportedValue;
  /** Names of the parameters and batch statistics in it. */
  readonly arrays: readonly string[];
  /** Elements of the parameters. */
  readonly parameters: number;
  /** Paths of arrays that the output does not depend on: they are left out. */
  readonly unused: readonly string[];
  /** Operator sets beside ONNX's own that it needs; none for every model whose weights are parameters. */
  readonly domains: readonly string[];
}

/**
 * Extents that no axis of a model is likely to have, so that nothing coincides with the batch. Should the model be another program at some of
 * them, because it has such an axis or because of what is computed beforehand, the next are tried.
 */
const PROBE_BATCHES = [[47, 53, 59], [5, 7, 11], [401, 409, 419]];
/** Where the format keeps what an array is; PyTorch's exporter writes the same, and importers look for it. */
const ROLE = 'pkg.torch.export.graph_signature.InputSpec.kind';
const FLOATS: ReadonlyMap<number, 'float32' | 'float64'> = new Map([[DataType.FLOAT, 'float32'], [DataType.DOUBLE, 'float64']]);
/** A protobuf file ends here. */
const LARGEST_FILE = 2 ** 31;

/** Kernels of ONNX Runtime, its own operators left out: any other runtime has the same. */
const STANDARD = { name: 'of standard ONNX operators', supports: (operator: string, dtype: Type['dtype']): boolean => !operator.includes(':') && hasCpuKernel(operator, dtype) };

/**
 * A model at a point as an ONNX file (operator set 21), in eval mode: kept statistics, no dropout. `example` is the type of one example. Parameters
 * and batch statistics are initialisers under their paths (`layers.0.weight`), with the role of each, so that an import finds the
 * same parameters. Data of every batch size are taken: the model is lowered at three sizes, and extents that change become computed ones.
 * The file opens in Netron and runs in ONNX Runtime; float64 where it has kernels.
 * @throws ArgumentError when the model does something else at another batch size (then option `batch` helps) or is larger than 2 GiB; LoweringError
 * where ONNX Runtime has no kernel for float64; ShapeError | DtypeError when the example does not fit.
 */
export function exportOnnx(model: AnyModel, point: ModelPoint, example: ExampleType, options: OnnxExportOptions = {}): OnnxExport {
  const { batch, names = 'own', input = 'input', output = 'output', wide = false } = options;
  if (batch !== undefined) requireInteger('exportOnnx', 'batch', batch, 1);
  const arrays = namedArrays(model, point, example, names);
  requireSmall(arrays);
  const { proto, data, result } = batch === undefined ? loweredForAll(model, point, example, arrays) : loweredAt(model, point, batchType(point, example, batch), arrays);
  const graph = proto.graph!;
  if (wide && data.dtype === 'int32') widen(graph);
  const used = prune(graph);
  renameGraph(graph, new Map([...arrays.map(({ name }, i) => [`constant${i}`, name] as const), [graph.input[0].name, input], [graph.output[0].name, output]]));
  const kept = arrays.filter((_, i) => used.has(`constant${i}`));
  declareRoles(graph, new Set(kept.filter(({ part }) => part === 'params').map(({ name }) => name)));
  graph.name = model.name;
  const shapeOf = ({ shape }: { readonly shape: Shape }): ExportedValue['shape'] => [batch ?? 'batch', ...shape.slice(1)];
  return {
    bytes: encodeModel(create(ModelProtoSchema, { ...proto, producerVersion: VERSION })), opset: Number(proto.opsetImport.find(({ domain }) => domain === '')!.version),
    input: { name: input, dtype: wide && data.dtype === 'int32' ? 'int64' : data.dtype, shape: shapeOf(data) },
    output: { name: output, dtype: result.dtype, shape: shapeOf(result) },
    arrays: kept.map(({ name }) => name), parameters: kept.filter(({ part }) => part === 'params').reduce((sum, { value }) => sum + value.size, 0),
    unused: arrays.filter((_, i) => !used.has(`constant${i}`)).map(({ path }) => path),
    domains: proto.opsetImport.map(({ domain }) => domain).filter((domain) => domain !== ''),
  };
}

/** An array as it stands in the file. */
interface FileArray {
  readonly path: string;
  readonly part: 'params' | 'state';
  readonly name: string;
  readonly value: NDArray;
  readonly isTransposed: boolean;
}

function namedArrays(model: AnyModel, point: ModelPoint, example: ExampleType, names: 'own' | 'torch'): FileArray[] {
  const own = pointArrays(point);
  const torch = names === 'torch' ? torchNames(model, point, example) : undefined;
  const taken = new Map<string, number>();
  return own.map(({ path, part, value }, i) => {
    const isTransposed = torch?.[i].isTransposed ?? false;
    const wanted = torch?.[i].name ?? (path === '' ? part : path);
    const count = taken.get(wanted) ?? 0;
    taken.set(wanted, count + 1);
    // Statistics may have the path of a parameter.
    return { path, part, name: count === 0 ? wanted : `${part}.${wanted}`, value: isTransposed ? transposedMatrix(value) : value, isTransposed };
  });
}

function requireSmall(arrays: readonly FileArray[]): void {
  const bytes = arrays.reduce((sum, { value }) => sum + value.data.byteLength, 0);
  // The graph itself is small beside weights of this size.
  if (bytes > LARGEST_FILE - 2 ** 24) throw new ArgumentError({ operation: 'exportOnnx', required: 'an ONNX file is smaller than 2 GiB', received: `weights of ${bytes} bytes`, remedy: 'safetensors' });
}

interface LoweredAt {
  readonly proto: ModelProto;
  readonly data: Type;
  readonly result: Type;
}

function loweredAt(model: AnyModel, point: ModelPoint, data: Type, arrays: readonly FileArray[]): LoweredAt {
  const graph = evalGraph(model, point, data, new Set(arrays.flatMap(({ isTransposed }, i) => (isTransposed ? [i] : []))));
  const { bytes } = lower(graph, STANDARD, new Map(arrays.map(({ value }, i) => [i, value])));
  return { proto: fromBinary(ModelProtoSchema, bytes), data, result: graph.outputs[0] };
}

/** Lowered at some sizes and joined. @throws ArgumentError that says why it fails for the first of them. */
function loweredForAll(model: AnyModel, point: ModelPoint, example: ExampleType, arrays: readonly FileArray[]): LoweredAt {
  const shared = new Set(arrays.map((_, i) => `constant${i}`));
  let refusal: unknown;
  for (const sizes of PROBE_BATCHES) {
    const lowered = sizes.map((batch) => ({ batch, ...loweredAt(model, point, batchType(point, example, batch), arrays) }));
    try {
      joinBatches(lowered.map(({ batch, proto }) => ({ batch, graph: proto.graph! })), lowered[0].proto.graph!.input[0].name, shared);
      return lowered[0];
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

/** 64-bit integers at the input, converted before all else. */
function widen(graph: GraphProto): void {
  const [given] = graph.input;
  const inner = given.name;
  given.name = `${inner}:wide`;
  if (given.type?.value.case === 'tensorType') given.type.value.value.elemType = DataType.INT64;
  graph.node.unshift(create(NodeProtoSchema, { opType: 'Cast', input: [given.name], output: [inner], attribute: [attributeProto('to', Number(DataType.INT32))] }));
}

/** Drops initialisers that nothing uses; returns the names of all that are. */
function prune(graph: GraphProto): Set<string> {
  const used = new Set<string>();
  const graphs: GraphProto[] = [];
  const visit = (each: GraphProto): void => {
    graphs.push(each);
    each.output.forEach(({ name }) => used.add(name));
    for (const node of each.node) {
      node.input.forEach((name) => used.add(name));
      node.attribute.forEach(({ g }) => { if (g !== undefined) visit(g); });
    }
  };
  visit(graph);
  for (const each of graphs) each.initializer = each.initializer.filter(({ name }) => used.has(name));
  return used;
}

/** Declares what each floating-point array is: what is no parameter is a buffer, constants of the computation too. */
function declareRoles(graph: GraphProto, parameters: ReadonlySet<string>): void {
  for (const { name, dataType, dims } of graph.initializer) {
    const dtype = FLOATS.get(dataType);
    if (dtype === undefined) continue;
    const declared = valueInfo(name, dtype, dims.map(Number));
    declared.metadataProps.push(create(StringStringEntryProtoSchema, { key: ROLE, value: parameters.has(name) ? 'PARAMETER' : 'BUFFER' }));
    graph.valueInfo.push(declared);
  }
}
