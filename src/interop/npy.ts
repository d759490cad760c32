/** NumPy's array format: a header that is a Python dictionary, then the elements. @module */
import { NDArray, sizeOf, type DType } from '../core/ndarray.ts';
import { DataError } from '../util/errors.ts';
import { fromHalf } from '../util/half-precision.ts';

/** What a file's header says of its array. */
export interface NpyHeader {
  /** As written: `<f4`. */
  readonly descr: string;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataOffset: number;
}

/** An array of a file, with the type that it had there. */
export interface NpyArray extends NDArray {
  readonly descr?: string;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Headers are padded to a multiple of this by those who write them. */
const ALIGNMENT = 64;
/** NumPy's own limit for headers that are read safely. */
const LONGEST_HEADER = 65_536;

type Refuse = (required: string, received: string, remedy?: string) => never;
const refusal = (name: string): Refuse => (required, received, remedy) => {
  throw new DataError({ operation: `NumPy array ${name}`, required, received, remedy });
};

/** Bytes of an element by kind and width, of what is read. */
const KINDS = /^([<>|=])([biuf])([1248])$/;
const OTHER_KINDS: Readonly<Record<string, string>> = { c: 'complex numbers', O: 'Python objects', S: 'byte strings', U: 'text', V: 'records', M: 'dates', m: 'time spans' };

/**
 * Reads the header of a `.npy` file of version 1, 2 or 3. `name` stands in messages.
 * @throws DataError when the bytes do not begin as the format says, or the header is malformed.
 */
export function parseNpyHeader(bytes: Uint8Array, name = 'in memory'): NpyHeader {
  const refuse = refusal(name);
  if (bytes.length < 10) refuse('the file must begin with ten bytes of magic number, version and length', `${bytes.length} bytes`, 'save it again: it is empty or cut short');
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) refuse('the file must begin with the magic number \\x93NUMPY', [...bytes.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '), 'check that numpy.save or numpy.savez wrote it');
  const version = bytes[6];
  if (version < 1 || version > 3) refuse('the version of the format must be 1, 2 or 3', String(version));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) refuse(`the header's length must stand in the first ${start} bytes`, `${bytes.length} bytes`);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LONGEST_HEADER) refuse(`the header must have at most ${LONGEST_HEADER} bytes`, String(length));
  if (bytes.length < start + length) refuse(`the header of ${length} bytes must lie inside the file`, `${bytes.length - start} bytes: it is cut short`);
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, start + length));
  return { ...dictionary(text, refuse), dataOffset: start + length };
}

/** The three fields, in any order, as Python writes them. */
function dictionary(text: string, refuse: Refuse): Omit<NpyHeader, 'dataOffset'> {
  const descr = /['"]descr['"]\s*:\s*(?:'([^']*)'|"([^"]*)"|(\[))/.exec(text);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text);
  const shape = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (descr === null || order === null || shape === null) return refuse('the header must be a dictionary of descr, fortran_order and shape', JSON.stringify(text.trim().slice(0, 120)));
  if (descr[3] !== undefined) return refuse('elements must be numbers', 'records of several fields', 'save the fields as arrays of their own');
  const extents = shape[1].split(',').map((part) => part.replace('L', '').trim()).filter((part) => part !== '').map(Number);
  if (extents.some((extent) => !Number.isSafeInteger(extent))) return refuse('extents must be integers below 2^53', shape[1]);
  return { descr: descr[1] ?? descr[2] ?? '', isFortran: order[1] === 'True', shape: extents };
}

/** Options of `parseNpy`. */
export interface NpyOptions {
  /** Of what stands in messages. */
  readonly name?: string;
  /** What float64 becomes. Default `float32`, which models compute in. */
  readonly float64As?: 'float32' | 'float64';
}

/**
 * An array of a `.npy` file: integers of any width become int32, half and single precision float32, booleans stay. Elements in Fortran order
 * are put into row-major order, big-endian ones turned.
 * @throws DataError for other element types, an integer beyond 32 bits (its index is named), or a file of the wrong length.
 */
export function parseNpy(bytes: Uint8Array, { name = 'in memory', float64As = 'float32' }: NpyOptions = {}): NpyArray {
  const refuse = refusal(name);
  const { descr, isFortran, shape, dataOffset } = parseNpyHeader(bytes, name);
  const kind = KINDS.exec(descr);
  if (kind === null || (kind[2] === 'b' && kind[3] !== '1') || (kind[2] === 'f' && kind[3] === '1')) {
    return refuse('elements must be booleans, integers of 8 to 64 bits or floating-point numbers of 16 to 64', `'${descr}'${OTHER_KINDS[descr.replace(/^[<>|=]/, '')[0]] === undefined ? '' : ` (${OTHER_KINDS[descr.replace(/^[<>|=]/, '')[0]]})`}`, 'convert with astype before saving');
  }
  const width = Number(kind[3]);
  const size = sizeOf(shape);
  const held = bytes.length - dataOffset;
  if (!Number.isSafeInteger(size * width) || held !== size * width) {
    return refuse(`'${descr}' of shape [${shape.join(',')}] must have ${size * width} bytes of elements`, `${held}${held < size * width ? ': the file is cut short' : ''}`);
  }
  const raw = nativeBytes(bytes.subarray(dataOffset), width, kind[1] === '>');
  const [data, dtype] = elements(kind[2], width, raw, float64As, refuse);
  const ordered = isFortran && shape.length > 1 ? rowMajor(data, shape) : data;
  return Object.assign(new NDArray(ordered, shape, dtype), { descr });
}

/** A copy in memory of its own, aligned and little-endian. */
function nativeBytes(bytes: Uint8Array, width: number, isBig: boolean): ArrayBuffer {
  const copy = bytes.slice();
  if (isBig) for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  return copy.buffer;
}

const INTEGERS: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayLike<number | bigint>>> = {
  i1: Int8Array, i2: Int16Array, i4: Int32Array, i8: BigInt64Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, u8: BigUint64Array,
};

function elements(kind: string, width: number, raw: ArrayBuffer, float64As: 'float32' | 'float64', refuse: Refuse): [NDArray['data'], DType] {
  if (kind === 'b') return [new Uint8Array(raw).map((byte) => (byte === 0 ? 0 : 1)), 'bool'];
  if (kind === 'f') {
    if (width === 2) return [fromHalf(new Uint16Array(raw)), 'float32'];
    if (width === 4) return [new Float32Array(raw), 'float32'];
    const doubles = new Float64Array(raw);
    return float64As === 'float64' ? [doubles, 'float64'] : [Float32Array.from(doubles), 'float32'];
  }
  const integers = new INTEGERS[`${kind}${width}`](raw);
  const out = new Int32Array(integers.length);
  for (let i = 0; i < out.length; i++) {
    const value = Number(integers[i]);
    if (value < -2147483648 || value > 2147483647) return refuse('integers must fit 32 bits', `${integers[i]} at element ${i}`, 'convert to floating point before saving, if they are measurements');
    out[i] = value;
  }
  return [out, 'int32'];
}

/** Elements whose first axis runs fastest, with the last running fastest. */
function rowMajor<Data extends NDArray['data']>(data: Data, shape: readonly number[]): Data {
  const out = data.slice() as Data;
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, extent) => product * extent, 1));
  const index = new Array<number>(shape.length).fill(0);
  for (let at = 0, from = 0; at < out.length; at++) {
    out[at] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

const DESCR: Readonly<Record<DType, string>> = { float32: '<f4', float64: '<f8', int32: '<i4', bool: '|b1' };

/** The array as a `.npy` file, version 1, row-major. */
export function encodeNpy({ data, shape, dtype }: NDArray): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const length = Math.ceil((dictionary.length + 11) / ALIGNMENT) * ALIGNMENT - 10;
  const out = new Uint8Array(10 + length + data.byteLength);
  out.set([...MAGIC, 1, 0, length & 0xff, length >> 8]);
  out.set(new TextEncoder().encode(`${dictionary.padEnd(length - 1)}\n`), 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return out;
}
