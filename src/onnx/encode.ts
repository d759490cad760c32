/** Host arrays and attributes as ONNX protobuf messages, and a model as bytes. @module */
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { bytesPerElement, sizeOf, type DType, type NDArray, type Shape } from '../core/ndarray.ts';
import type { Attribute as LoweringAttribute } from '../core/lowering.ts';
import {
  AttributeProto_AttributeType as AttributeType, AttributeProtoSchema, GraphProtoSchema, ModelProtoSchema, TensorProto_DataType as DataType,
  TensorProtoSchema, TensorShapeProto_DimensionSchema, ValueInfoProtoSchema,
  type AttributeProto, type GraphProto, type ModelProto, type TensorProto, type TensorShapeProto_Dimension, type ValueInfoProto,
} from './proto/onnx_pb.ts';

/** Element types inside a model: those of the engine, and the 64-bit integers ONNX wants for shapes, axes and counters. */
export type ElementType = DType | 'int64';
/** A dimension: its extent, or a name where it is not known. */
export type Dimension = number | string;

/**
 * An attribute. A bare number is an integer and a bare list of numbers is a list of integers; reals are written
 * `{ float: 0.5 }`, since ONNX keeps the two apart and JavaScript does not.
 */
export type ModelAttribute = LoweringAttribute | readonly string[] | { readonly floats: readonly number[] } | { readonly tensor: NDArray };

const DATA_TYPES = { float32: DataType.FLOAT, float64: DataType.DOUBLE, int32: DataType.INT32, bool: DataType.BOOL, int64: DataType.INT64 } as const;

/** Initialisers above this many bytes bypass the protobuf encoder, which would copy them once per nesting level. */
const LARGE_BYTES = 1 << 16;

const encodeText = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The elements as bytes, without a copy. ONNX data are little-endian, as is every platform that ONNX Runtime runs on. */
export const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** A tensor message over raw little-endian bytes, which are kept by reference until the model is encoded. */
export function tensorProto(name: string, dtype: ElementType, shape: Shape, rawData: Uint8Array): TensorProto {
  return create(TensorProtoSchema, { name, dataType: DATA_TYPES[dtype], dims: shape.map(BigInt), rawData });
}

/** The declaration of a graph's input or output; `shape` undefined leaves even the rank open. */
export function valueInfo(name: string, dtype: ElementType, shape?: readonly Dimension[]): ValueInfoProto {
  const dim = shape?.map((extent): TensorShapeProto_Dimension => create(TensorShapeProto_DimensionSchema, {
    value: typeof extent === 'number' ? { case: 'dimValue', value: BigInt(extent) } : { case: 'dimParam', value: extent },
  }));
  return create(ValueInfoProtoSchema, {
    name, type: { value: { case: 'tensorType', value: { elemType: DATA_TYPES[dtype], shape: dim === undefined ? undefined : { dim } } } },
  });
}

const isTextList = (value: readonly unknown[]): value is readonly string[] => value.length > 0 && typeof value[0] === 'string';

/** An attribute message. An empty list is a list of integers. */
export function attributeProto(name: string, value: ModelAttribute): AttributeProto {
  const make = (init: Partial<Omit<AttributeProto, '$typeName' | 'name'>>): AttributeProto => create(AttributeProtoSchema, { name, ...init });
  if (typeof value === 'number') return make({ type: AttributeType.INT, i: BigInt(value) });
  if (typeof value === 'string') return make({ type: AttributeType.STRING, s: encodeText(value) });
  if (Array.isArray(value)) {
    if (isTextList(value)) return make({ type: AttributeType.STRINGS, strings: value.map(encodeText) });
    return make({ type: AttributeType.INTS, ints: (value as readonly number[]).map(BigInt) });
  }
  const tagged = value as Exclude<ModelAttribute, number | string | readonly number[] | readonly string[]>;
  if ('float' in tagged) return make({ type: AttributeType.FLOAT, f: tagged.float });
  if ('floats' in tagged) return make({ type: AttributeType.FLOATS, floats: [...tagged.floats] });
  if ('tensor' in tagged) {
    const { dtype, shape, data } = tagged.tensor;
    return make({ type: AttributeType.TENSOR, t: tensorProto(name, dtype, shape, bytesOf(data)) });
  }
  return make({ type: AttributeType.GRAPH, g: tagged.graph as GraphProto });
}

/** Bytes of a tensor of the element type and shape. */
export const byteLength = (dtype: ElementType, shape: Shape): number => sizeOf(shape) * (dtype === 'int64' ? 8 : bytesPerElement(dtype));

/**
 * Serialises a model. Each byte of a large initialiser is copied once: protobuf merges repeated occurrences of a
 * singular message, so every large initialiser is appended as one more `graph { initializer { ... } }` holding it alone.
 */
export function encodeModel(model: ModelProto): Uint8Array<ArrayBuffer> {
  const graph = model.graph ?? create(GraphProtoSchema);
  const large = graph.initializer.filter((tensor) => tensor.rawData.byteLength > LARGE_BYTES);
  const small = graph.initializer.filter((tensor) => tensor.rawData.byteLength <= LARGE_BYTES);
  const parts = [toBinary(ModelProtoSchema, { ...model, graph: { ...graph, initializer: small } }), ...large.flatMap(initializerParts)];
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** `graph { initializer { ...; raw_data } }` as field of a model: everything before the data, then the data. */
function initializerParts(tensor: TensorProto): Uint8Array[] {
  const data = tensor.rawData;
  const header = toBinary(TensorProtoSchema, create(TensorProtoSchema, { name: tensor.name, dataType: tensor.dataType, dims: tensor.dims }));
  const field = (number: number, length: number): Uint8Array => new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
  const dataTag = field(TensorProtoSchema.field.rawData.number, data.byteLength);
  const tensorLength = header.byteLength + dataTag.byteLength + data.byteLength;
  const initializerTag = field(GraphProtoSchema.field.initializer.number, tensorLength);
  const graphTag = field(ModelProtoSchema.field.graph.number, initializerTag.byteLength + tensorLength);
  return [graphTag, initializerTag, header, dataTag, data];
}
