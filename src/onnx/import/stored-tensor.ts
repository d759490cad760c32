/** Tensors of an ONNX file: checked when the file is read, decoded when they are used. @module */
import { sizeOf } from '../../core/ndarray.ts';
import { DataError } from '../../util/errors.ts';
import { fromBfloat, fromHalf } from '../../util/half-precision.ts';
import { TensorProto_DataLocation as DataLocation, type TensorProto } from '../proto/onnx_pb.ts';
import { bytesOfType, isHeldType, toStorage, hostType, typeName, type HostData, type OnnxType } from './element-types.ts';
import type { StoredTensor } from './graph.ts';

/**
 * Reads weights that lie beside a model: `length` bytes at `offset` of the file `location`, a relative path with forward slashes.
 * Without `length`, all that follows `offset`.
 */
export type ReadExternal = (location: string, offset: number, length: number) => Uint8Array;

/** Largest number of elements of one tensor. */
export const LARGEST_TENSOR = 2 ** 31 - 1;

type Refuse = (required: string, received: string, remedy?: string) => never;

/** Why the importer cannot hold a tensor, or undefined when it can. */
export function typeRefusal(code: number): string | undefined {
  const name = typeName(code);
  return isHeldType(name) ? undefined : `elements of type ${name}`;
}

/** Extents as numbers. @throws DataError when one is negative or the tensor would have more than 2^31 - 1 elements. */
export function extentsOf(dims: readonly bigint[], refuse: Refuse): number[] {
  const shape = dims.map(Number);
  let size = 1;
  for (const extent of shape) {
    if (extent < 0) refuse('extents must not be negative', `[${dims.join(',')}]`);
    size *= extent;
  }
  // An extent beyond the limit beside a zero is refused as well: nothing real looks like that.
  if (size > LARGEST_TENSOR || shape.some((n) => n > LARGEST_TENSOR)) refuse(`a tensor must have at most ${LARGEST_TENSOR} elements`, `[${dims.join(',')}]`);
  return shape;
}

/**
 * A tensor message as a stored tensor: its type, shape and the length of its data are checked here, before anything is allocated.
 * @throws DataError naming the tensor and what is wrong with it.
 */
export function storedTensor(proto: TensorProto, what: string, readExternal: ReadExternal | undefined): StoredTensor {
  const stored = checkedTensor(proto, what, readExternal);
  let known: HostData | undefined;
  return { ...stored, read: () => (known ??= stored.read()) };
}

function checkedTensor(proto: TensorProto, what: string, readExternal: ReadExternal | undefined): StoredTensor {
  const refuse: Refuse = (required, received, remedy) => { throw new DataError({ operation: `ONNX tensor ${what}`, required, received, remedy }); };
  const type = typeName(proto.dataType);
  if (!isHeldType(type)) return refuse('the element type must be a floating-point number of 16 to 64 bits, an integer of 8 to 64 bits or bool', type);
  const shape = extentsOf(proto.dims, refuse);
  if (proto.segment !== undefined) refuse('a tensor must be stored whole', 'a segment');
  const count = sizeOf(shape);
  const bytes = count * bytesOfType(type);
  if (proto.dataLocation === DataLocation.EXTERNAL) return { name: proto.name, type, shape, read: externalReader(proto, type, bytes, readExternal, refuse) };
  if (proto.rawData.byteLength > 0 || (count > 0 && typedLength(proto) === 0)) {
    if (proto.rawData.byteLength !== bytes) refuse(`${type}[${shape.join(',')}] must have ${bytes} bytes`, String(proto.rawData.byteLength), 'download the file again: it is incomplete, or its weights lie in another file');
    return { name: proto.name, type, shape, read: () => decodeRaw(type, proto.rawData) };
  }
  const values = typedField(proto, type, refuse);
  if (values.length !== count) refuse(`${type}[${shape.join(',')}] must have ${count} elements`, String(values.length));
  return { name: proto.name, type, shape, read: () => decodeTyped(type, values) };
}

const typedLength = (proto: TensorProto): number =>
  proto.floatData.length + proto.doubleData.length + proto.int32Data.length + proto.int64Data.length + proto.uint64Data.length;

/** The field that holds elements of the type where they are not raw bytes. */
function typedField(proto: TensorProto, type: OnnxType, refuse: Refuse): readonly (number | bigint)[] {
  const field = type === 'float' ? proto.floatData : type === 'double' ? proto.doubleData : type === 'int64' ? proto.int64Data
    : type === 'uint32' || type === 'uint64' ? proto.uint64Data : proto.int32Data;
  if (field.length !== typedLength(proto)) refuse(`elements must stand in the field for ${type}`, 'elements in another field');
  return field;
}

function decodeTyped(type: OnnxType, values: readonly (number | bigint)[]): HostData {
  if (type === 'float16') return fromHalf(Uint16Array.from(values as readonly number[]));
  if (type === 'bfloat16') return fromBfloat(Uint16Array.from(values as readonly number[]));
  const numbers = Float64Array.from(values, Number);
  return toStorage(numbers, type === 'double' ? 'float64' : hostType(type, 'float32'));
}

/** Elements from little-endian bytes. Typed arrays need alignment, which a place in a file does not promise. */
function decodeRaw(type: OnnxType, bytes: Uint8Array): HostData {
  const unit = bytesOfType(type);
  const aligned = bytes.byteOffset % unit === 0 ? bytes : new Uint8Array(bytes);
  const view = <T>(constructor: new (buffer: ArrayBufferLike, offset: number, length: number) => T): T => new constructor(aligned.buffer, aligned.byteOffset, aligned.byteLength / unit);
  switch (type) {
    case 'float': return view(Float32Array);
    case 'double': return view(Float64Array);
    case 'float16': return fromHalf(view(Uint16Array));
    case 'bfloat16': return fromBfloat(view(Uint16Array));
    case 'int32': return view(Int32Array);
    case 'int64': return Float64Array.from(view(BigInt64Array), Number);
    case 'uint64': return Float64Array.from(view(BigUint64Array), Number);
    case 'uint32': return Float64Array.from(view(Uint32Array));
    case 'int16': return Int32Array.from(view(Int16Array));
    case 'uint16': return Int32Array.from(view(Uint16Array));
    case 'int8': return Int32Array.from(view(Int8Array));
    case 'uint8': return Int32Array.from(aligned);
    case 'bool': return Uint8Array.from(aligned, (byte) => (byte !== 0 ? 1 : 0));
  }
}

function externalReader(proto: TensorProto, type: OnnxType, bytes: number, readExternal: ReadExternal | undefined, refuse: Refuse): () => HostData {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  const parts = location.split('/');
  // A model from elsewhere must not name files outside of its own folder.
  if (location === '' || location.includes('\\') || /^[a-zA-Z]:/.test(location) || parts[0] === '' || parts.includes('..')) {
    refuse('the file of its elements must be a relative path that stays in the folder of the model', `'${location}'`);
  }
  const count = (key: string, otherwise: number): number => {
    const text = entries.get(key);
    if (text === undefined) return otherwise;
    if (!/^\d{1,15}$/.test(text)) refuse(`${key} of its elements must be a number of bytes`, `'${text}'`);
    return Number(text);
  };
  const offset = count('offset', 0);
  const length = count('length', bytes);
  if (length !== bytes) refuse(`${bytes} bytes must be its length in '${location}'`, String(length));
  return () => {
    if (bytes === 0) return decodeRaw(type, new Uint8Array(0));
    if (readExternal === undefined) return refuse(`its elements lie in another file, '${location}', which must be readable`, 'no option readExternal', "loadOnnx of 'thalweg/interop/node' reads it from the folder of the model");
    const data = readExternal(location, offset, length);
    if (data.byteLength !== bytes) refuse(`'${location}' must hold ${bytes} bytes at ${offset}`, String(data.byteLength));
    return decodeRaw(type, data);
  };
}
