/** Small problems for tests: an MLP with smooth activation and a linear model, in float64. */
import { NDArray, type DType } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Model } from '../nn/model.ts';
import { add, logSumExp, matmul, mean, mul, oneHot, square, sub, sum, tanh } from '../ops/index.ts';
import { key, normal, randint, split } from '../util/random/index.ts';
import type { LossFunction, Problem } from './problem.ts';

export interface Layer { readonly weight: Tensor; readonly bias: Tensor }
export interface Layers { readonly layers: readonly Layer[] }

export function tinyMlp(widths: readonly number[], dtype: DType = 'float64'): Model<Layers> {
  const draw = (name: string, shape: number[]): NDArray => {
    const values = normal(split(key(7), name), shape, { dtype: 'float64', deviation: 0.6 });
    return new NDArray(dtype === 'float64' ? values : Float32Array.from(values), shape, dtype);
  };
  return {
    name: 'tiny mlp',
    init: () => ({ params: { layers: widths.slice(1).map((n, i) => ({ weight: draw(`w${i}`, [widths[i], n]), bias: draw(`b${i}`, [n]) })) }, state: {} }),
    apply: ({ layers }, inputs) => ({
      outputs: layers.reduce((h, { weight, bias }, i) => {
        const z = add(matmul(h, weight), bias);
        return i + 1 < layers.length ? tanh(z) : z;
      }, inputs),
      state: {},
    }),
  };
}

export const crossEntropy: LossFunction = (outputs, targets) => sub(logSumExp(outputs, 1), sum(mul(outputs, oneHot(targets, outputs.shape[1], outputs.dtype)), 1));
/** Mean over the outputs of the squared error. */
export const squaredError: LossFunction = (outputs, targets) => mean(square(sub(outputs, targets)), 1);

export function tinyClassification(examples: number, widths: readonly number[] = [3, 4, 3], dtype: DType = 'float64'): Problem<Layers> {
  const inputs = new NDArray(normal(split(key(1), 'x'), [examples, widths[0]]), [examples, widths[0]], 'float32');
  const targets = new NDArray(randint(split(key(1), 'y'), examples, { high: widths.at(-1)! }), [examples], 'int32');
  return { name: 'tiny classification', model: tinyMlp(widths, dtype), loss: crossEntropy, train: { inputs, targets, size: examples } };
}

export function tinyRegression(examples: number, widths: readonly number[] = [3, 4, 2], dtype: DType = 'float64'): Problem<Layers> {
  const inputs = new NDArray(normal(split(key(2), 'x'), [examples, widths[0]]), [examples, widths[0]], 'float32');
  const outputs = widths.at(-1)!;
  const targets = new NDArray(normal(split(key(2), 'y'), [examples, outputs]), [examples, outputs], 'float32');
  return { name: 'tiny regression', model: tinyMlp(widths, dtype), loss: squaredError, train: { inputs, targets, size: examples } };
}
