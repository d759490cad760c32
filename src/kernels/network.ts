/** What a kernel is taken of: a model at a point, as a function of parameters for one example or a batch. @module */
import { isFloat, sizeOf, toDtype, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { expandDims, reshape } from '../ops/index.ts';
import type { ParameterSpace, PointTensors, Problem } from '../problem/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';

/** The part of a problem that kernels need: no loss, no data. Every `Problem` is one. */
export type Network<P, State = Record<string, never>> = Pick<Problem<P, State>, 'name' | 'model'>;

/** Outputs of a batch with kept statistics and without dropout, [examples, outputs]: all axes after the first in one. */
export function outputsOf<P, State>(network: Network<P, State>, params: P, state: State, inputs: Tensor): Tensor {
  const { outputs } = network.model.apply(params, inputs, { mode: 'eval', state });
  if (outputs.rank === 0 || outputs.shape[0] !== inputs.shape[0]) {
    throw new ShapeError({ operation: network.name, required: `the model must give ${inputs.shape[0]} outputs along axis 0, one for each example`, received: String(outputs) });
  }
  return reshape(outputs, [inputs.shape[0], sizeOf(outputs.shape.slice(1))]);
}

/** Outputs of one example (without a batch axis), [outputs], as a function of the chosen parameters. */
export const outputsOfOne = <P, State>(network: Network<P, State>, space: ParameterSpace, { params, state }: PointTensors<P, State>, chosen: readonly Tensor[], input: Tensor): Tensor => {
  const outputs = outputsOf(network, space.replace(params, chosen) as P, state, expandDims(input, 0));
  return reshape(outputs, [outputs.shape[1]]);
};

/** Inputs in the parameters' type; integer inputs (tokens) stay what they are. @throws ArgumentError when there is no example. */
export function inputsOf(operation: string, name: string, inputs: NDArray, dtype: 'float32' | 'float64'): NDArray {
  if (inputs.shape.length === 0 || inputs.shape[0] === 0) throw new ArgumentError({ operation, required: `${name} must hold at least one example along axis 0`, received: String(inputs) });
  return isFloat(inputs.dtype) ? toDtype(inputs, dtype) : inputs;
}
