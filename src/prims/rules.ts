/** Rule combinators: most primitives are a line of these. @module */
import { DtypeError, NonlinearError, ShapeError } from '../util/errors.ts';
import { isFloat, sameShape, type DType } from '../core/ndarray.ts';
import type { Lowering, LoweredValue } from '../core/lowering.ts';
import { bind, bind1, type BatchArguments, type BatchResult, type JvpArguments, type JvpResult, type MaybeTensor, type Node,
  type Primitive, type Tensor, type Type } from '../core/tensor.ts';
import { broadcast } from './broadcast.ts';

/** `simplify` of a primitive that has no cheaper form. */
export function none(): null { return null; }

/** `jvp` of a primitive that is piecewise constant or whose outputs are not real numbers. */
export function zeroTangent<P>({ outputs }: JvpArguments<P>): JvpResult { return { tangents: outputs.map(() => null) }; }

/** `transpose` of a primitive that is not linear in any argument. */
export function nonlinear(name: string): () => never {
  return () => {
    throw new NonlinearError({
      operation: name, required: 'reverse mode needs a derivative that is linear in its tangents; this operation is not linear',
      received: 'a transposition through it', remedy: 'use forward mode (jvp), stopGradient, or a customJvp rule',
    });
  };
}

/** `jvp` of a primitive of one linear argument: the primitive of the tangent. */
export function linear<P>(primitive: () => Primitive<P>): (args: JvpArguments<P>) => JvpResult {
  return ({ params, tangents }) => ({ tangents: tangents[0] === null ? [null] : bind(primitive(), params, [tangents[0]]) });
}

/** Sum of tangents or cotangents, where `null` is zero. */
export function addMaybe(a: MaybeTensor, b: MaybeTensor, add: (a: Tensor, b: Tensor) => Tensor): MaybeTensor {
  if (a === null) return b;
  return b === null ? a : add(a, b);
}

/** Gives every input the batch axis, as a pending broadcast where it has none. */
export function alignBatch({ inputs, batched, size }: Pick<BatchArguments<unknown>, 'inputs' | 'batched' | 'size'>): Tensor[] {
  return inputs.map((input, i) => (batched[i] ? input : broadcast(input, [size, ...input.shape], input.shape.map((_, axis) => axis + 1))));
}

/** `batch` of an operation that acts on every element by itself. */
export function elementwiseBatch<P>(primitive: () => Primitive<P>): (args: BatchArguments<P>) => BatchResult {
  return (args) => {
    const outputs = bind(primitive(), args.params, alignBatch(args));
    return { outputs, batched: outputs.map(() => true) };
  };
}

/** `batch` of an operation that has one batched argument (the only one) and shifts its axes. */
export function batchWith<P>(primitive: () => Primitive<P>, shift: (params: P, size: number, input: Tensor) => P): (args: BatchArguments<P>) => BatchResult {
  return ({ params, inputs, size }) => ({ outputs: [bind1(primitive(), shift(params, size, inputs[0]), inputs[0])], batched: [true] });
}

/** Lowers to one ONNX operation that broadcasts by itself; pending broadcasts stay pending. */
export function looseNode(lowering: Lowering, node: Node<Record<string, never>>, op: string, options: { attributes?: Readonly<Record<string, number>>; dtype?: DType; domain?: string } = {}): LoweredValue[] {
  const values = node.inputs.map((input) => lowering.loose(input));
  lowering.require(op, options.dtype ?? node.inputs[node.inputs.length - 1].dtype, node.primitive.name);
  const [name] = lowering.node(op, values.map((value) => value.name), options.attributes, 1, options.domain);
  return [{ name, shape: looseShape(values) }];
}

/** Shape of an operation on values that broadcast against each other axis by axis. */
export function looseShape(values: readonly LoweredValue[]): number[] {
  const rank = Math.max(...values.map((value) => value.shape.length));
  return Array.from({ length: rank }, (_, axis) => Math.max(...values.map((value) => value.shape[axis - rank + value.shape.length] ?? 1)));
}

/** @throws ShapeError | DtypeError unless all inputs have one type. */
export function requireSameTypes(operation: string, inputs: readonly Type[]): void {
  const [first, ...rest] = inputs;
  for (const other of rest) {
    if (other.dtype !== first.dtype) {
      throw new DtypeError({ operation, required: `arguments must have one dtype`, received: `${first.dtype} and ${other.dtype}`, remedy: 'convert one of them with convert(x, dtype)' });
    }
    if (!sameShape(other.shape, first.shape)) {
      throw new ShapeError({ operation, required: 'arguments must have one shape at this level', received: `[${first.shape.join(',')}] and [${other.shape.join(',')}]`, remedy: 'use the operation of thalweg/ops, which broadcasts' });
    }
  }
}

/** @throws DtypeError unless the input is of a floating-point type. */
export function requireFloat(operation: string, input: Type): void {
  if (!isFloat(input.dtype)) {
    throw new DtypeError({ operation, required: 'the argument must be float32 or float64', received: input.dtype, remedy: "convert(x, 'float32') first" });
  }
}

/** @throws ShapeError unless the number of inputs is `count`. */
export function requireCount(operation: string, inputs: readonly Type[], count: number): void {
  if (inputs.length !== count) {
    throw new ShapeError({ operation, required: `takes ${count} array argument${count === 1 ? '' : 's'}`, received: `${inputs.length}` });
  }
}
