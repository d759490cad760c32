/** The safetensors format: a JSON header of names, types, shapes and offsets, then the elements. @module */
import { DataError } from '../util/errors.ts';
import { fromBfloat, fromHalf } from '../util/half-precision.ts';
import { NDArray, sizeOf, type DType } from '../core/ndarray.ts';
import { firstRepeatedKey } from './json-keys.ts';

/** Element types of the format that can be read; others may stand in a header as long as nobody reads their tensors. */
export type SafetensorsType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U64' | 'U32' | 'U16' | 'U8' | 'BOOL';

/** One tensor of a file. */
export interface SafetensorsEntry {
  readonly name: string;
  /** As written in the file: `BF16`. */
  readonly type: string;
  readonly shape: readonly number[];
  /** First byte, counted from the beginning of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** What stands before the elements. */
export interface SafetensorsHeader {
  /** In the order of the file. */
  readonly tensors: readonly SafetensorsEntry[];
  /** Free text by key, from `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of the length and the header together: where elements begin. */
  readonly dataOffset: number;
}

/** Largest header accepted, as in the reference implementation: 100 MB. */
export const MAXIMUM_HEADER_BYTES = 100_000_000;
/** Bytes before the header: its length as a little-endian 64-bit integer. */
export const LENGTH_BYTES = 8;

const TYPE_BYTES: Readonly<Record<string, number>> = {
  F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1, F8_E4M3: 1, F8_E5M2: 1, C64: 8,
};

type Refuse = (required: string, received: string, remedy?: string) => never;
const refusal = (name: string): Refuse => (required, received, remedy) => {
  throw new DataError({ operation: `safetensors file ${name}`, required, received, remedy });
};

/**
 * Length of the JSON header from the first 8 bytes of a file of `fileBytes` bytes. `name` stands in messages.
 * @throws DataError when the file is too short for it, or the header is longer than 100 MB or than the file.
 */
export function safetensorsHeaderLength(first: Uint8Array, fileBytes: number, name = 'in memory'): number {
  const refuse = refusal(name);
  if (fileBytes < LENGTH_BYTES || first.length < LENGTH_BYTES) {
    refuse(`the file must begin with the header's length in ${LENGTH_BYTES} bytes`, `${Math.min(fileBytes, first.length)} bytes`, 'download the file again: it is empty or cut short');
  }
  const view = new DataView(first.buffer, first.byteOffset, LENGTH_BYTES);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > MAXIMUM_HEADER_BYTES) refuse(`the header must have at most ${MAXIMUM_HEADER_BYTES} bytes`, String(length), 'check that this is a safetensors file: another format reads so');
  if (length > fileBytes - LENGTH_BYTES) refuse(`the header of ${length} bytes must lie inside the file`, `a file of ${fileBytes} bytes: it is cut short`);
  if (length < 2) refuse('the header must be a JSON object', `${length} bytes`);
  return length;
}

/**
 * Parses the JSON header `text` (its bytes, without the length) of a file of `fileBytes` bytes. Every tensor is checked: known
 * type, shape, and that the tensors fill the file without holes, overlaps or a rest, as the format demands.
 * @throws DataError naming the tensor and what is wrong with it.
 */
export function parseSafetensorsHeader(text: Uint8Array, fileBytes: number, name = 'in memory'): SafetensorsHeader {
  const refuse = refusal(name);
  const dataOffset = LENGTH_BYTES + text.length;
  const parsed = parseObject(text, refuse);
  const metadata = metadataOf(parsed['__metadata__'], refuse);
  const tensors = Object.entries(parsed).filter(([key]) => key !== '__metadata__').map(([key, value]) => entryOf(key, value, dataOffset, refuse));
  // Tensors without elements come first where offsets are equal.
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  requireContiguous(tensors, dataOffset, fileBytes, refuse);
  return { tensors, metadata, dataOffset };
}

function parseObject(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (error) {
    return refuse('the header must be JSON in UTF-8', (error as Error).message.slice(0, 120));
  }
  if (bytes[0] !== 0x7b || parsed === null || typeof parsed !== 'object') refuse("the header must be a JSON object that begins with '{'", JSON.stringify(text.slice(0, 20)));
  const repeated = firstRepeatedKey(text);
  if (repeated !== undefined) refuse('every name must occur once', `'${repeated}' twice`);
  return parsed as Record<string, unknown>;
}

function metadataOf(value: unknown, refuse: Refuse): Record<string, string> {
  if (value === undefined) return {};
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return refuse('__metadata__ must be an object of texts', JSON.stringify(value).slice(0, 80));
  for (const [key, text] of Object.entries(value)) if (typeof text !== 'string') refuse(`__metadata__ '${key}' must be a text`, JSON.stringify(text).slice(0, 80));
  return value as Record<string, string>;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function entryOf(name: string, value: unknown, dataOffset: number, refuse: Refuse): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = (value !== null && typeof value === 'object' ? value : {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(TYPE_BYTES, dtype)) return refuse(`dtype of '${name}' must be one of ${Object.keys(TYPE_BYTES).join(', ')}`, String(JSON.stringify(dtype)).slice(0, 80));
  if (!Array.isArray(shape) || !shape.every(isCount)) return refuse(`shape of '${name}' must be a list of non-negative integers`, String(JSON.stringify(shape)).slice(0, 80));
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1]) {
    return refuse(`data_offsets of '${name}' must be two integers [begin, end] with begin <= end`, String(JSON.stringify(offsets)).slice(0, 80));
  }
  const needed = sizeOf(shape) * TYPE_BYTES[dtype];
  const bytes = (offsets[1] as number) - (offsets[0] as number);
  if (!Number.isSafeInteger(needed) || needed !== bytes) refuse(`'${name}' of type ${dtype} and shape [${shape.join(',')}] must have ${needed} bytes`, String(bytes));
  return { name, type: dtype, shape, offset: dataOffset + (offsets[0] as number), bytes };
}

function requireContiguous(tensors: readonly SafetensorsEntry[], dataOffset: number, fileBytes: number, refuse: Refuse): void {
  let end = dataOffset;
  let previous = 'the header';
  for (const { name, offset, bytes } of tensors) {
    if (offset < end) refuse(`'${name}' must begin where ${previous} ends`, `an overlap of ${end - offset} bytes`);
    if (offset > end) refuse(`'${name}' must begin where ${previous} ends`, `a hole of ${offset - end} bytes`);
    end = offset + bytes;
    previous = `'${name}'`;
  }
  if (end > fileBytes) refuse(`the file must have ${end} bytes`, `${fileBytes}: it is cut short`, 'download the file again');
  if (end < fileBytes) refuse(`the file must end with ${previous} at byte ${end}`, `${fileBytes - end} bytes more`);
}

const LIMITS: readonly [number, number] = [-(2 ** 31), 2 ** 31 - 1];

function narrowed(values: ArrayLike<number | bigint>, { name, type }: SafetensorsEntry, refuse: Refuse): Int32Array {
  return Int32Array.from(values, (value, at) => {
    if (value < LIMITS[0] || value > LIMITS[1]) refuse(`integers of '${name}' (${type}) must fit into 32 bits`, `${value} at element ${at}`);
    return Number(value);
  });
}

/**
 * The elements of a tensor from its bytes: F64 as float64; F32, F16 and BF16 as float32 (exact); integers as int32; BOOL as bool.
 * @throws DataError for types without a counterpart (F8, C64), integers outside of 32 bits, or bytes that do not fit the entry.
 */
export function decodeTensor(entry: SafetensorsEntry, bytes: Uint8Array, name = 'in memory'): NDArray {
  const refuse = refusal(name);
  const { type, shape } = entry;
  if (bytes.length !== entry.bytes) refuse(`'${entry.name}' must have ${entry.bytes} bytes`, String(bytes.length));
  // Typed arrays need alignment, which offsets in a file do not promise. Bytes are little-endian in the format and on every platform of Node.
  const unit = TYPE_BYTES[type];
  const aligned = bytes.byteOffset % unit === 0 ? bytes : new Uint8Array(bytes);
  const view = <T>(constructor: new (buffer: ArrayBufferLike, offset: number, length: number) => T): T => new constructor(aligned.buffer, aligned.byteOffset, aligned.length / unit);
  const made = (data: NDArray['data'], dtype: DType): NDArray => new NDArray(data, shape, dtype);
  switch (type as SafetensorsType) {
    case 'F64': return made(view(Float64Array), 'float64');
    case 'F32': return made(view(Float32Array), 'float32');
    case 'F16': return made(fromHalf(view(Uint16Array)), 'float32');
    case 'BF16': return made(fromBfloat(view(Uint16Array)), 'float32');
    case 'I64': return made(narrowed(view(BigInt64Array), entry, refuse), 'int32');
    case 'U64': return made(narrowed(view(BigUint64Array), entry, refuse), 'int32');
    case 'U32': return made(narrowed(view(Uint32Array), entry, refuse), 'int32');
    case 'I32': return made(view(Int32Array), 'int32');
    case 'I16': return made(Int32Array.from(view(Int16Array)), 'int32');
    case 'U16': return made(Int32Array.from(view(Uint16Array)), 'int32');
    case 'I8': return made(Int32Array.from(view(Int8Array)), 'int32');
    case 'U8': return made(Int32Array.from(aligned), 'int32');
    case 'BOOL': return made(Uint8Array.from(aligned, (byte) => (byte !== 0 ? 1 : 0)), 'bool');
    default: return refuse(`the type of '${entry.name}' must be one of F64, F32, F16, BF16, I64 ... U8, BOOL to be read`, type, 'convert the file to BF16 or F32');
  }
}

/** A whole file in memory: its header and a reader of tensors by name. @throws DataError when the bytes are malformed. */
export function parseSafetensors(bytes: Uint8Array, name = 'in memory'): SafetensorsHeader & { read(tensor: string): NDArray } {
  const length = safetensorsHeaderLength(bytes.subarray(0, LENGTH_BYTES), bytes.length, name);
  const header = parseSafetensorsHeader(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length), bytes.length, name);
  const entries = new Map(header.tensors.map((entry) => [entry.name, entry]));
  return {
    ...header,
    read(tensor) {
      const entry = entries.get(tensor) ?? refusal(name)('a tensor of the file must be asked for', `'${tensor}'`);
      return decodeTensor(entry, bytes.subarray(entry.offset, entry.offset + entry.bytes), name);
    },
  };
}
