/** Host arrays: a typed array with a shape. The values that enter and leave compiled functions. @module */
import { DtypeError, ShapeError } from '../util/errors.ts';

/** Element types of the engine. `bool` is stored as one byte, 0 or 1. */
export type DType = 'float32' | 'float64' | 'int32' | 'bool';
/** Storage of each dtype, in the order of `DType`. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;
/** Extents of the axes, outermost first; empty for a scalar. */
export type Shape = readonly number[];

const CONSTRUCTORS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array } as const;
const BRIEF = { float32: 'f32', float64: 'f64', int32: 'i32', bool: 'bool' } as const;

/** Bytes of one element. */
export const bytesPerElement = (dtype: DType): number => CONSTRUCTORS[dtype].BYTES_PER_ELEMENT;
export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64';

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** A zero-filled typed array of the dtype. */
export function allocate(dtype: DType, length: number): TypedArray {
  return new CONSTRUCTORS[dtype](length);
}

/** `f32[3,4]`: how shapes and dtypes are written in messages and printed graphs. */
export const formatType = (dtype: DType, shape: Shape): string => `${BRIEF[dtype]}[${shape.join(',')}]`;

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** A host array in row-major order. Treat it as immutable: compiled functions may keep a reference. */
export class NDArray {
  readonly data: TypedArray;
  readonly shape: Shape;
  readonly dtype: DType;

  /** @throws ShapeError when the data's length is not the shape's size; DtypeError when the typed array is not the dtype's. */
  constructor(data: TypedArray, shape: Shape, dtype: DType) {
    if (!(data instanceof CONSTRUCTORS[dtype])) {
      throw new DtypeError({
        operation: 'NDArray', required: `data of a ${dtype} array must be a ${CONSTRUCTORS[dtype].name}`,
        received: (data as object)?.constructor?.name ?? String(data), remedy: 'use array(values, shape, dtype), which converts',
      });
    }
    if (data.length !== sizeOf(shape) || shape.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new ShapeError({
        operation: 'NDArray', required: `shape [${shape.join(',')}] must hold as many elements as data`,
        received: `${data.length} elements`,
      });
    }
    this.data = data;
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
  }

  get size(): number { return this.data.length; }

  /** The single element of an array of size one. @throws ShapeError otherwise. */
  item(): number {
    if (this.data.length !== 1) {
      throw new ShapeError({ operation: 'item', required: 'the array must have exactly one element', received: this.toString() });
    }
    return this.data[0];
  }

  toString(): string { return formatType(this.dtype, this.shape); }
}

type Nested = number | boolean | readonly Nested[];

/** The elements as `dtype`, fractions cut off for int32. @throws DtypeError naming the first element that 32 bits do not hold. */
function converted(values: ArrayLike<number | bigint>, dtype: DType): TypedArray {
  if (dtype === 'int32') {
    for (let at = 0; at < values.length; at++) {
      if (!(values[at] > -2147483649 && values[at] < 2147483648)) throw new DtypeError({ operation: 'array', required: 'elements of an int32 array must fit 32 bits', received: `${values[at]} at element ${at}` });
    }
  }
  return typeof values[0] === 'bigint' ? CONSTRUCTORS[dtype].from(Array.from(values, Number)) : CONSTRUCTORS[dtype].from(values as ArrayLike<number>);
}

/**
 * Makes a host array from numbers, nested lists or any typed array (64-bit integers included), converting to `dtype` (default float32).
 * `shape` defaults to the nesting's shape. @throws ShapeError when nested lists are ragged or the size does not fit; DtypeError when an
 * element does not fit int32.
 */
export function array(values: Nested | ArrayLike<number> | ArrayLike<bigint>, shape?: Shape, dtype: DType = 'float32'): NDArray {
  const flat: number[] = [];
  let inferred: number[] = [];
  if (ArrayBuffer.isView(values)) {
    const view = values as unknown as ArrayLike<number | bigint>;
    return new NDArray(converted(view, dtype), shape ?? [view.length], dtype);
  }
  const walk = (value: Nested, depth: number): void => {
    if (!Array.isArray(value)) {
      if (depth !== inferred.length) throw raggedError();
      flat.push(Number(value));
      return;
    }
    if (flat.length === 0 && depth === inferred.length) inferred = [...inferred, value.length];
    else if (value.length !== inferred[depth]) throw raggedError();
    for (const item of value) walk(item, depth + 1);
  };
  const raggedError = (): ShapeError =>
    new ShapeError({ operation: 'array', required: 'nested lists must be rectangular', received: 'rows of different lengths' });
  walk(values as Nested, 0);
  return new NDArray(converted(flat, dtype), shape ?? inferred, dtype);
}

/** A scalar host array. */
export const scalar = (value: number, dtype: DType = 'float32'): NDArray => new NDArray(CONSTRUCTORS[dtype].of(value), [], dtype);

/** A host array of one repeated value. */
export function filled(shape: Shape, value: number, dtype: DType = 'float32'): NDArray {
  return new NDArray(allocate(dtype, sizeOf(shape)).fill(value), shape, dtype);
}

/** Converts the element type, rounding toward zero for int32; returns the same array when nothing changes. */
export function toDtype(a: NDArray, dtype: DType): NDArray {
  if (a.dtype === dtype) return a;
  const data = dtype === 'bool' ? Uint8Array.from(a.data, (v) => (v !== 0 ? 1 : 0)) : CONSTRUCTORS[dtype].from(a.data);
  return new NDArray(data, a.shape, dtype);
}
