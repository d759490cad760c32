/** Convolution layers in any number of dimensions. @module */
import { requireInteger } from '../util/require.ts';
import { ArgumentError } from '../util/errors.ts';
import { sizeOf } from '../core/ndarray.ts';
import { placeholder, type Tensor } from '../core/tensor.ts';
import { add, conv as convOperation, type Padding } from '../ops/index.ts';
import type { ActivationName } from './activations.ts';
import type { DenseParameters, WeightOnly } from './dense.ts';
import type { Layer } from './model.ts';
import { overChannels } from './normalization.ts';
import { makeWeights, type WeightOptions } from './weights.ts';

export interface ConvLayerOptions extends WeightOptions {
  /** Channels of the input. */
  readonly inputs: number;
  /** Channels of the output. */
  readonly outputs: number;
  /** Extents of the kernel, one for each spatial axis. */
  readonly window: readonly number[];
  /** Default 1. */
  readonly strides?: number | readonly number[];
  /** Default `valid`: none. */
  readonly padding?: Padding;
  /** Distance of neighbouring kernel elements. Default 1. */
  readonly dilation?: number | readonly number[];
  /** Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** The activation that follows; it is not applied here, it chooses the default initialiser and gain. Default identity. */
  readonly activation?: ActivationName;
}

/**
 * Convolution of [batch, inputs, ...space]; `weight` [outputs, inputs / groups, ...window], `bias` [outputs].
 * @throws ArgumentError on impossible options; ShapeError when an input does not fit.
 */
export function conv(options: ConvLayerOptions & { readonly bias: false }): Layer<WeightOnly>;
export function conv(options: ConvLayerOptions): Layer<DenseParameters>;
export function conv(options: ConvLayerOptions): Layer<WeightOnly> {
  const { window, strides, padding, dilation, groups = 1, bias = true } = options;
  const inputs = requireInteger('conv', 'inputs', options.inputs, 1);
  const outputs = requireInteger('conv', 'outputs', options.outputs, 1);
  requireInteger('conv', 'groups', groups, 1);
  window.forEach((extent, i) => requireInteger('conv', `window[${i}]`, extent, 1));
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw new ArgumentError({ operation: 'conv', required: 'groups must divide inputs and outputs', received: `${groups} groups, ${inputs} inputs, ${outputs} outputs` });
  }
  const shape = [outputs, inputs / groups, ...window];
  const area = sizeOf(window);
  const weights = makeWeights('conv', { shape, fanIn: (inputs / groups) * area, fanOut: outputs * area }, options, options.activation);
  const convolve = (x: Tensor, kernel: Tensor): Tensor => convOperation(x, kernel, { strides, padding, kernelDilation: dilation, groups });
  return {
    name: `conv ${inputs}-${outputs} ${window.join('x')}`,
    init(key) {
      return { params: { weight: weights.drawWeight(key), ...(bias && { bias: weights.drawBias(key, outputs) }) }, state: {} };
    },
    apply(params, x, { state }) {
      const y = convolve(x, weights.weight(params.weight));
      if (!bias) return { outputs: y, state };
      return { outputs: add(y, overChannels(weights.bias((params as DenseParameters).bias), y.rank)), state };
    },
    outputShape: (inputShape) => convolve(placeholder({ shape: inputShape, dtype: 'float32' }), placeholder({ shape, dtype: 'float32' })).shape,
  };
}
