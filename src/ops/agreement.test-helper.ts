/** Arrays and evaluation for the tests of this folder. @module */
import { array, isFloat, NDArray, toDtype, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { evaluateReference, requireClose, type Tolerances } from '../testing/index.ts';
import { compile } from '../transforms/index.ts';
import { key, normal } from '../util/random/index.ts';

const ort = nodeExecutor({ threads: 1 });

type Result = NDArray | readonly NDArray[];
export type TensorFunction<Out> = (...args: Tensor[]) => Out;
type HostOf<Out> = Out extends Tensor ? NDArray : { readonly [K in keyof Out]: NDArray };

/**
 * `f` by the reference in float64, after requiring that ONNX Runtime agrees in float32; floating-point arguments are
 * converted. Default tolerance 1e-5 relative to the largest element.
 */
export async function evaluateBoth<Out extends Tensor | readonly Tensor[]>(f: TensorFunction<Out>, args: readonly NDArray[], tolerances: Tolerances = {}): Promise<HostOf<Out>> {
  const as = (dtype: 'float32' | 'float64'): NDArray[] => args.map((arg) => (isFloat(arg.dtype) ? toDtype(arg, dtype) : arg));
  const expected = evaluateReference(f as TensorFunction<unknown>, ...as('float64')) as Result;
  const compiled = compile(f as TensorFunction<unknown>, { executor: ort });
  const received = await compiled(...as('float32')) as Result;
  await compiled.dispose();
  requireClose(received, expected, { relative: 0, absolute: 1e-6, scaled: 1e-5, ...tolerances }, 'float32 on ONNX Runtime against the reference');
  return expected as HostOf<Out>;
}

export const float64 = (values: Parameters<typeof array>[0], shape?: Shape): NDArray => array(values, shape, 'float64');
export const int32 = (values: Parameters<typeof array>[0], shape?: Shape): NDArray => array(values, shape, 'int32');

/** Standard normal draws. */
export const draws = (shape: Shape, seed = 0): NDArray =>
  new NDArray(normal(key(seed), shape.reduce((a, b) => a * b, 1), { dtype: 'float64' }), shape, 'float64');

/** The elements, with zeros without sign. */
export const numbers = (a: NDArray): number[] => Array.from(a.data, (value) => value + 0);

/** All index tuples of a shape, in row-major order. */
export function indices(shape: Shape): number[][] {
  return shape.reduce<number[][]>((all, n) => all.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i])), [[]]);
}

/** The element at an index tuple. */
export const element = (a: NDArray, index: readonly number[]): number => a.data[index.reduce((at, i, axis) => at * a.shape[axis] + i, 0)];

/** A float64 array from a function of the index tuple. */
export const tabulate = (shape: Shape, f: (...index: number[]) => number): NDArray => float64(Float64Array.from(indices(shape), (index) => f(...index)), shape);
