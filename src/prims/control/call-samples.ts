/** Small functions for the shared test suite of calls. @module */
import { closeOver, type Graph } from '../../core/graph.ts';
import { placeholder, type Sample, type Tensor, type Type } from '../../core/tensor.ts';
import { add, mul } from '../binary.ts';
import { cos, sin, tanh } from '../unary.ts';
import type { CheckpointParams, CustomJvpParams, CustomLinearParams, CustomVjpParams } from './call.ts';

const f64 = (...shape: number[]): Type => ({ shape, dtype: 'float64' });

function body(types: readonly Type[], f: (...inputs: Tensor[]) => Tensor[]): Graph {
  const inputs = types.map((type) => placeholder(type));
  return closeOver(inputs, f(...inputs)).graph;
}

const product = (): Graph => body([f64(3), f64(3)], (x, y) => [mul(sin(x), y)]);

export const sampleCheckpoint = (): Sample<CheckpointParams>[] => [
  { params: { body: body([f64(3), f64(3)], (x, y) => [mul(tanh(mul(x, y)), x), sin(y)]) }, inputs: [f64(3), f64(3)] },
];

/** The rules are the true derivatives, so that every check against finite differences holds. */
export const sampleCustomJvp = (): Sample<CustomJvpParams>[] => [{
  params: { body: product(), captured: 0, rule: ([x, y], [tx, ty]) => [add(mul(mul(cos(x), y), tx), mul(sin(x), ty))] },
  inputs: [f64(3), f64(3)],
}];

export const sampleCustomVjp = (): Sample<CustomVjpParams>[] => [{
  params: {
    body: product(), captured: 0,
    forward: ([x, y]) => ({ outputs: [mul(sin(x), y)], residuals: [x, y] }),
    backward: ([x, y], [ct]) => [mul(mul(cos(x), y), ct), mul(sin(x), ct)],
  },
  inputs: [f64(3), f64(3)],
}];

export const sampleCustomLinear = (): Sample<CustomLinearParams>[] => [{
  params: { backward: ([x], [ct]) => [mul(sin(x), ct)], residuals: 1, types: [f64(3)] }, inputs: [f64(3), f64(3)],
}];
