/** Small bodies for the shared test suite: a recurrent network's step, a Newton iteration, two branches. @module */
import { closeOver } from '../../core/graph.ts';
import { placeholder, type Sample, type Tensor, type Type } from '../../core/tensor.ts';
import { add, div, greater, mul } from '../binary.ts';
import { constantLike } from '../constant.ts';
import { dot } from '../dot.ts';
import { sin, tanh } from '../unary.ts';
import { reduceSum } from '../reduce.ts';
import type { Graph } from '../../core/graph.ts';
import type { ScanParams } from './scan.ts';
import type { WhileParams } from './while.ts';
import type { CondParams } from './cond.ts';

const f64 = (...shape: number[]): Type => ({ shape, dtype: 'float64' });

function body(types: readonly Type[], f: (...inputs: Tensor[]) => Tensor[]): Graph {
  const inputs = types.map((type) => placeholder(type));
  return closeOver(inputs, f(...inputs)).graph;
}

export function sampleScan(): Sample<ScanParams>[] {
  const step = body([f64(3, 3), f64(3), f64(3)], (weight, state, input) => {
    const next = tanh(add(dot(state, weight, { batch: [[], []], contract: [[0], [0]] }), input));
    return [next, mul(next, input)];
  });
  const counter = body([f64()], (state) => [sin(state), state]);
  return [
    { params: { body: step, constants: 1, carry: 1, length: 4, reverse: false }, inputs: [f64(3, 3), f64(3), f64(4, 3)] },
    { params: { body: step, constants: 1, carry: 1, length: 2, reverse: true }, inputs: [f64(3, 3), f64(3), f64(2, 3)] },
    { params: { body: counter, constants: 0, carry: 1, length: 3, reverse: false }, inputs: [f64()] },
  ];
}

export function sampleWhile(): Sample<WhileParams>[] {
  const condition = body([f64(), f64(2)], (limit, x) => [greater(reduceSum(mul(x, x), [0]), limit)]);
  const halve = body([f64(2)], (x) => [div(sin(x), constantLike(2, x))]);
  return [{ params: { condition, body: halve, conditionConstants: 1, bodyConstants: 0 }, inputs: [{ ...f64(), domain: [0.05, 0.2] }, { ...f64(2), domain: [1, 2] }] }];
}

export function sampleCond(): Sample<CondParams>[] {
  const whenTrue = body([f64(3), f64()], (x, y) => [mul(sin(x), x), mul(y, y)]);
  const whenFalse = body([f64(3), f64()], (x, y) => [tanh(x), sin(y)]);
  return [1, 0].map((value) => ({ params: { whenTrue, whenFalse }, inputs: [{ shape: [], dtype: 'bool' as const, values: [value] }, f64(3), f64()] }));
}
