/** A problem's functions as sums over examples, and its data in the type the parameters have. @module */
import { isFloat, toDtype, type DType, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Split } from '../data/index.ts';
import { argmax, convert, equal, square, sum } from '../ops/index.ts';
import type { Host } from '../transforms/index.ts';
import type { Measurement } from './measurement.ts';
import type { Point, Problem } from './problem.ts';

/** Examples of a problem, along axis 0: the `batch` of a `SumFunction`. */
export interface Examples<A = Tensor> {
  readonly inputs: A;
  readonly targets: A;
}

/** The model's outputs with kept statistics and without dropout, so that every example counts by itself. */
export const predict = <P, State>(problem: Problem<P, State>, params: P, state: State, inputs: Tensor): Tensor =>
  problem.model.apply(params, inputs, { mode: 'eval', state }).outputs;

/** Losses of the examples, [batch]. */
export const losses = <P, State>(problem: Problem<P, State>, params: P, state: State, { inputs, targets }: Examples): Tensor =>
  problem.loss(predict(problem, params, state, inputs), targets);

/** The sum of the examples' losses. */
export const lossSum = <P, State>(problem: Problem<P, State>, params: P, state: State, batch: Examples): Tensor => sum(losses(problem, params, state, batch));

/** Ones where an example's largest output is at the label, [batch]; null where outputs [batch, classes > 1] and labels [batch] are not what came. */
export function correctness(outputs: Tensor, targets: Tensor): Tensor | null {
  // Two-class models with one output have no largest output.
  if (targets.dtype !== 'int32' || targets.rank !== 1 || outputs.rank !== 2 || outputs.shape[1] < 2) return null;
  return convert(equal(argmax(outputs, 1), targets), 'float32');
}

/** Sums over examples of a number and of its square: what a mean and its standard error are made of. */
export interface Moments<A = Tensor> {
  readonly sum: A;
  readonly squares: A;
}

/** Of one number an example, [batch]. */
export const moments = (values: Tensor): Moments => ({ sum: sum(values), squares: sum(square(values)) });

/** The mean over n examples with its standard error as an estimate of the mean over their source; NaN where squares overflow or n is 1. */
export function meanOf({ sum: total, squares }: Moments<number>, n: number): Measurement {
  const value = total / n;
  const variance = Math.max(0, squares / n - value * value);
  return { value, error: Number.isFinite(variance) && n > 1 ? Math.sqrt(variance / (n - 1)) : NaN, kind: 'standard error', samples: n };
}

/** A split's arrays, floating-point ones in the parameters' type; labels stay what they are. */
export function examplesOf(split: Split, dtype: DType): Examples<NDArray> {
  const convertFloat = (array: NDArray): NDArray => (isFloat(array.dtype) ? toDtype(array, dtype) : array);
  return { inputs: convertFloat(split.inputs), targets: convertFloat(split.targets) };
}

/** A point inside a traced function: the `fixed` of a `SumFunction`. */
export interface PointTensors<P, State> {
  readonly params: P;
  readonly state: State;
}

/** The host side of it, without what else the object may carry. */
export const pointOf = <P, State>({ params, state }: Point<P, State>): Host<PointTensors<P, State>> => ({ params, state }) as unknown as Host<PointTensors<P, State>>;
