/** Weights and biases of a layer: how they are drawn, and by what they are multiplied when used. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import { filled, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mul } from '../ops/index.ts';
import { normal, split, uniform, type Key } from '../util/random/index.ts';
import { activationOf, type ActivationName } from './activations.ts';
import { initializerOf, type Initializer, type InitializerName, type WeightShape } from './initializers.ts';

/**
 * `standard`: weights carry their scale. `ntk`: weights and biases are N(0, 1) and multiplied by weightScale / sqrt(inputs)
 * and biasScale when used (Jacot et al. 2018), so that learning rates and kernels have a limit of infinite width.
 */
export type Parametrization = 'standard' | 'ntk';

export interface WeightOptions {
  /** Default `standard`. */
  readonly parametrization?: Parametrization;
  /** Distribution of the weights; only with `standard`. Default: the one that suits the activation that follows. */
  readonly initializer?: InitializerName | Initializer;
  /** W_std of the NTK parametrisation. Default: the gain of the activation that follows. */
  readonly weightScale?: number;
  /** b_std of the NTK parametrisation. Default 0.1, as in Jacot et al. (2018). */
  readonly biasScale?: number;
}

/** What a layer needs of its weights. */
export interface Weights {
  drawWeight(key: Key): NDArray;
  drawBias(key: Key, size: number): NDArray;
  /** The weight as used in the forward pass. */
  weight(parameter: Tensor): Tensor;
  /** The bias as used in the forward pass. */
  bias(parameter: Tensor): Tensor;
}

const noSuch = (operation: string, option: string, parametrization: string, remedy: string): ArgumentError =>
  new ArgumentError({ operation, required: `${option} belongs to the other parametrisation`, received: `${option} with '${parametrization}'`, remedy });

/** @throws ArgumentError when options contradict each other or name something unknown. */
export function makeWeights(operation: string, shape: WeightShape, options: WeightOptions, following: ActivationName = 'identity'): Weights {
  const { parametrization = 'standard', initializer, weightScale, biasScale } = options;
  const activation = activationOf(operation, following);
  if (parametrization === 'ntk') {
    if (initializer !== undefined) throw noSuch(operation, 'initializer', 'ntk', "weightScale and biasScale, or parametrization: 'standard'");
    return ntkWeights(operation, shape, weightScale ?? activation.gain, biasScale ?? 0.1);
  }
  if (parametrization !== 'standard') {
    throw new ArgumentError({ operation, required: "parametrization must be 'standard' or 'ntk'", received: `'${String(parametrization)}'` });
  }
  const scale = weightScale === undefined ? (biasScale === undefined ? undefined : 'biasScale') : 'weightScale';
  if (scale !== undefined) throw noSuch(operation, scale, 'standard', "initializer, or parametrization: 'ntk'");
  const chosen = initializer ?? activation.initializer;
  const draw = initializerOf(operation, chosen);
  return {
    drawWeight: (key) => new NDArray(draw(split(key, 'weight'), shape), shape.shape, 'float32'),
    drawBias(key, size) {
      if (chosen !== 'pytorch') return filled([size], 0);
      const limit = 1 / Math.sqrt(shape.fanIn);
      return new NDArray(uniform(split(key, 'bias'), size, { low: -limit, high: limit }), [size], 'float32');
    },
    weight: (parameter) => parameter,
    bias: (parameter) => parameter,
  };
}

function ntkWeights(operation: string, { shape, fanIn }: WeightShape, weightScale: number, biasScale: number): Weights {
  requireNumber(operation, 'weightScale', weightScale, 0);
  requireNumber(operation, 'biasScale', biasScale, 0);
  return {
    drawWeight: (key) => new NDArray(normal(split(key, 'weight'), shape), shape, 'float32'),
    drawBias: (key, size) => new NDArray(normal(split(key, 'bias'), size), [size], 'float32'),
    weight: (parameter) => mul(parameter, weightScale / Math.sqrt(fanIn)),
    bias: (parameter) => mul(parameter, biasScale),
  };
}
