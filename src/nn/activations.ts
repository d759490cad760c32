/** Activation functions by name, each with the initialiser and the gain that suit it. @module */
import type { Tensor } from '../core/tensor.ts';
import { elu, erf, leakyRelu, relu, sigmoid, sin, square, tanh } from '../ops/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { closedGelu, closedSilu, closedSoftplus, closedTanhGelu } from './closed-derivatives.ts';
import type { InitializerName } from './initializers.ts';

/** An activation function with the initialisation that suits the layer before it. */
export interface Activation {
  readonly description: string;
  readonly apply: (x: Tensor) => Tensor;
  /** Initialiser of the layer before it, unless another is asked for. */
  readonly initializer: InitializerName;
  /** Factor of the weights before it that keeps the mean square of a wide layer's signal, where a closed form is known; else 1. */
  readonly gain: number;
}

/** All activations. */
export const activations = {
  identity: { description: 'x', apply: (x) => x, initializer: 'lecun-normal', gain: 1 },
  relu: { description: 'max(x, 0)', apply: relu, initializer: 'he-normal', gain: Math.SQRT2 },
  'leaky-relu': { description: 'x, or 0.01 x below zero', apply: (x) => leakyRelu(x), initializer: 'he-normal', gain: Math.sqrt(2 / (1 + 0.01 ** 2)) },
  elu: { description: 'x, or exp(x) - 1 below zero (Clevert et al. 2015)', apply: (x) => elu(x), initializer: 'he-normal', gain: 1 },
  gelu: { description: 'x Phi(x) (Hendrycks & Gimpel 2016)', apply: closedGelu, initializer: 'he-normal', gain: 1 },
  'gelu-tanh': { description: 'gelu by its tanh approximation, as in GPT-2', apply: closedTanhGelu, initializer: 'he-normal', gain: 1 },
  silu: { description: 'x sigmoid(x), also called swish', apply: closedSilu, initializer: 'he-normal', gain: 1 },
  softplus: { description: 'log(1 + exp(x))', apply: closedSoftplus, initializer: 'glorot-uniform', gain: 1 },
  tanh: { description: 'tanh(x)', apply: tanh, initializer: 'glorot-uniform', gain: 1 },
  sigmoid: { description: '1 / (1 + exp(-x))', apply: sigmoid, initializer: 'glorot-uniform', gain: 1 },
  erf: { description: 'erf(x)', apply: erf, initializer: 'glorot-uniform', gain: 1 },
  sin: { description: 'sin(x)', apply: sin, initializer: 'lecun-normal', gain: 1 },
  square: { description: 'x^2', apply: square, initializer: 'lecun-normal', gain: 1 },
} as const satisfies Record<string, Activation>;

/** Names that options called `activation` take. */
export type ActivationName = keyof typeof activations;

/** The activation of a name. @throws ArgumentError listing the names when there is none. */
export function activationOf(operation: string, name: ActivationName): Activation {
  if (Object.hasOwn(activations, name)) return activations[name];
  throw new ArgumentError({ operation, required: 'activation must be the name of an activation', received: `'${String(name)}'`, remedy: Object.keys(activations).join(', ') });
}
