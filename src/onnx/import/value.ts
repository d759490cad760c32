/** Values of an imported model while it is traced: known on the host, or tensors. @module */
import { NDArray, sizeOf, type DType, type Shape } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { constant } from '../../ops/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { engineType, hostType, isFloatType, toStorage, type HostData, type OnnxType } from './element-types.ts';

export { isFloatType, isIntegerType, type HostData, type OnnxType } from './element-types.ts';

/**
 * A value with the type that the model gives it. It is known where its elements depend on neither parameters nor inputs: shapes, axes,
 * constants, frozen weights. Shapes are always known, because a trace has static shapes.
 */
export class Value {
  readonly type: OnnxType;
  readonly shape: Shape;
  /** The name of the initialiser whose value it is, unchanged: how batch statistics are told apart. */
  readonly origin: string | undefined;
  #known: HostData | (() => HostData) | undefined;
  #tensor: Tensor | undefined;

  private constructor(type: OnnxType, shape: Shape, known: HostData | (() => HostData) | undefined, tensor: Tensor | undefined, origin?: string) {
    this.type = type;
    this.shape = Object.freeze([...shape]);
    this.#known = known;
    this.#tensor = tensor;
    this.origin = origin;
  }

  /** A value that the program computes. */
  static ofTensor(type: OnnxType, tensor: Tensor, origin?: string): Value { return new Value(type, tensor.shape, undefined, tensor, origin); }

  /** A value known on the host; its elements may be read from a file at first use. */
  static ofKnown(type: OnnxType, shape: Shape, known: HostData | (() => HostData), origin?: string): Value { return new Value(type, shape, known, undefined, origin); }

  get isKnown(): boolean { return this.#known !== undefined; }

  /** Its elements where it is known. */
  get known(): HostData | undefined {
    if (typeof this.#known === 'function') this.#known = this.#known();
    return this.#known;
  }

  /** A known value as a host array of the engine's type. @throws ArgumentError when an integer does not fit 32 bits. */
  array(float: DType): NDArray {
    const dtype = engineType(this.type, float);
    const known = this.known!;
    if (dtype === 'int32' && !(known instanceof Int32Array)) requireInt32(known);
    return new NDArray(toStorage(known, dtype), this.shape, dtype);
  }

  /** As a tensor of the engine's type; `float` is the floating-point type of the run. @throws ArgumentError when a known integer does not fit 32 bits. */
  tensor(float: DType): Tensor {
    this.#tensor ??= constant(this.array(float));
    return this.#tensor;
  }

  /** A known value as a constant of the type that known values are computed in, which holds integers of 53 bits. */
  hostTensor(float: DType): Tensor {
    const dtype = hostType(this.type, float);
    return constant(new NDArray(toStorage(this.known!, dtype), this.shape, dtype));
  }

  /** The elements of a known value. @throws ArgumentError naming what needs them otherwise. */
  elements(what: string): number[] {
    if (!this.isKnown) throw new ArgumentError({ operation: 'import', required: `${what} must not depend on inputs or parameters`, received: `a computed ${this.toString()}`, remedy: 'export the model with fixed shapes and constant folding, or simplify it with onnxsim' });
    return Array.from(this.known!);
  }

  /** The only element of a known value. @throws ArgumentError when it is computed or has several. */
  number(what: string): number {
    const elements = this.elements(what);
    if (elements.length !== 1) throw new ArgumentError({ operation: 'import', required: `${what} must be one number`, received: this.toString() });
    return elements[0];
  }

  get rank(): number { return this.shape.length; }
  get size(): number { return sizeOf(this.shape); }
  get isFloat(): boolean { return isFloatType(this.type); }

  /** `float[1,3]`, as messages write it. */
  toString(): string { return `${this.type}[${this.shape.join(',')}]`; }
}

function requireInt32(known: HostData): void {
  const at = known.findIndex((x) => x < -2147483648 || x > 2147483647);
  if (at >= 0) throw new ArgumentError({ operation: 'import', required: 'integers that the program computes with must fit 32 bits', received: `${known[at]} at element ${at}` });
}

/** A known value of 64-bit integers, as shapes and axes are. */
export const integers = (values: readonly number[], shape: Shape = [values.length]): Value => Value.ofKnown('int64', shape, Float64Array.from(values));

/** The value of a tensor that a rule made, with the type that the model gives it. */
export const valueOf = (tensor: Tensor, type: OnnxType): Value => Value.ofTensor(type, tensor);
