/** Element types of ONNX, what the importer stores them in and what the engine computes them in. @module */
import type { DType } from '../../core/ndarray.ts';

/** Element types of ONNX that the importer holds, by their names in the format. */
export type OnnxType = 'float' | 'double' | 'float16' | 'bfloat16' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'bool';

/** Storage of known values. Integers of 64 bits (and uint32) are float64: exact up to 2^53, above which only limits of slices are found. */
export type HostData = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Names by the format's codes, those that the importer refuses included. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'float', 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16', 6: 'int32', 7: 'int64', 8: 'string', 9: 'bool', 10: 'float16', 11: 'double',
  12: 'uint32', 13: 'uint64', 14: 'complex64', 15: 'complex128', 16: 'bfloat16', 17: 'float8e4m3fn', 18: 'float8e4m3fnuz', 19: 'float8e5m2',
  20: 'float8e5m2fnuz', 21: 'uint4', 22: 'int4', 23: 'float4e2m1', 24: 'float8e8m0', 25: 'uint2', 26: 'int2', 27: 'float6e2m3', 28: 'float6e3m2',
};

/** Bytes of an element in a file. */
const BYTES: Readonly<Record<OnnxType, number>> = {
  float: 4, double: 8, float16: 2, bfloat16: 2, int8: 1, int16: 2, int32: 4, int64: 8, uint8: 1, uint16: 2, uint32: 4, uint64: 8, bool: 1,
};

/** The name of a type code: `float8e4m3fn`; `type 99` where the format has none. */
export const typeName = (code: number): string => NAMES[code] ?? (code === 0 ? 'undefined' : `type ${code}`);

/** Whether the importer holds elements of the named type. */
export const isHeldType = (name: string): name is OnnxType => Object.hasOwn(BYTES, name);

/** Bytes of one element of the type in a file. */
export const bytesOfType = (type: OnnxType): number => BYTES[type];

/** Whether a type is floating-point. */
export const isFloatType = (type: OnnxType): boolean => type === 'float' || type === 'double' || type === 'float16' || type === 'bfloat16';

/** Whether a type is an integer type; `bool` is neither that nor floating-point. */
export const isIntegerType = (type: OnnxType): boolean => type !== 'bool' && !isFloatType(type);

/** Smallest and largest value of each integer type; the largest of 64 bits are rounded up to float64. */
export const INTEGER_RANGE: Readonly<Partial<Record<OnnxType, readonly [number, number]>>> = {
  int8: [-128, 127], int16: [-32768, 32767], int32: [-2147483648, 2147483647], int64: [-(2 ** 63), 2 ** 63],
  uint8: [0, 255], uint16: [0, 65535], uint32: [0, 4294967295], uint64: [0, 2 ** 64],
};

/** Whether the engine's int32 holds every value of the type. */
const fitsInt32 = (type: OnnxType): boolean => type !== 'int64' && type !== 'uint32' && type !== 'uint64';

/** What the engine computes a type in: floating-point numbers in the type of the run, integers in 32 bits. */
export const engineType = (type: OnnxType, float: DType): DType => (isFloatType(type) ? float : type === 'bool' ? 'bool' : 'int32');

/** What known values of a type are stored and computed in: as `engineType`, but integers of more than 31 bits in float64. */
export const hostType = (type: OnnxType, float: DType): DType => (isIntegerType(type) && !fitsInt32(type) ? 'float64' : engineType(type, float));

/** Known elements as another storage; the same array where it is that already. */
export function toStorage(data: HostData, dtype: DType): HostData {
  switch (dtype) {
    case 'float32': return data instanceof Float32Array ? data : Float32Array.from(data);
    case 'float64': return data instanceof Float64Array ? data : Float64Array.from(data);
    case 'int32': return data instanceof Int32Array ? data : Int32Array.from(data);
    case 'bool': return data instanceof Uint8Array ? data : Uint8Array.from(data, (x) => (x !== 0 ? 1 : 0));
  }
}
