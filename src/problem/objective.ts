/** A problem's functions as sums over examples, and its data in the type the parameters have. @module */
import { isFloat, toDtype, type DType, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Split } from '../data/index.ts';
import { argmax, convert, equal, sum } from '../ops/index.ts';
import type { Host } from '../transforms/index.ts';
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

/** How many examples have their largest output at the label; `targets` [batch] of labels. */
export const correctSum = (outputs: Tensor, targets: Tensor): Tensor => sum(convert(equal(argmax(outputs, outputs.rank - 1), targets), 'float32'));

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
