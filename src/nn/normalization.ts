/** Normalisation over the features of each example: layer, group and root-mean-square. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { filled } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, mul, reshape, rootMeanSquareNormalize, standardize } from '../ops/index.ts';
import type { Layer } from './model.ts';

/** `scale` (ones at first) and `bias` (zeros at first), one for each feature or channel. */
export type ScaleAndBias = { scale: Tensor; bias: Tensor };

export interface NormalizationOptions {
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
}

const checked = (operation: string, width: number, epsilon: number): void => {
  requireInteger(operation, 'width', width, 1);
  requireNumber(operation, 'epsilon', epsilon, 0);
};

/** The shape, when its axis has the extent. @throws ShapeError */
export function requireExtent(operation: string, shape: readonly number[], axis: number, extent: number): readonly number[] {
  if (shape.at(axis) === extent) return shape;
  throw new ShapeError({ operation, required: `axis ${axis} of the input must have extent ${extent}`, received: `[${shape.join(',')}]` });
}

/** A vector over channels, shaped to multiply [batch, channels, ...space]. */
export const overChannels = (vector: Tensor, rank: number): Tensor => reshape(vector, [vector.shape[0], ...Array.from({ length: rank - 2 }, () => 1)]);

/** (x - mean) / sqrt(variance + epsilon) scale + bias, over the last axis of extent `width`; variance biased (Ba et al. 2016). */
export function layerNorm(width: number, { epsilon = 1e-5 }: NormalizationOptions = {}): Layer<ScaleAndBias> {
  checked('layerNorm', width, epsilon);
  const outputShape = (shape: readonly number[]): readonly number[] => requireExtent('layerNorm', shape, -1, width);
  return {
    name: `layer norm ${width}`,
    init: () => ({ params: { scale: filled([width], 1), bias: filled([width], 0) }, state: {} }),
    apply({ scale, bias }, x, { state }) {
      outputShape(x.shape);
      return { outputs: add(mul(standardize(x, -1, epsilon), scale), bias), state };
    },
    outputShape,
  };
}

/**
 * Standardises each example of [batch, channels, ...space] over groups of neighbouring channels and all positions, then
 * scales and shifts each channel; variance biased (Wu & He 2018).
 */
export function groupNorm(channels: number, groups: number, { epsilon = 1e-5 }: NormalizationOptions = {}): Layer<ScaleAndBias> {
  checked('groupNorm', channels, epsilon);
  requireInteger('groupNorm', 'groups', groups, 1);
  if (channels % groups !== 0) throw new ArgumentError({ operation: 'groupNorm', required: 'groups must divide channels', received: `${groups} groups of ${channels} channels` });
  const outputShape = (shape: readonly number[]): readonly number[] => requireExtent('groupNorm', shape, 1, channels);
  return {
    name: `group norm ${channels}/${groups}`,
    init: () => ({ params: { scale: filled([channels], 1), bias: filled([channels], 0) }, state: {} }),
    apply({ scale, bias }, x, { state }) {
      outputShape(x.shape);
      const normalized = reshape(standardize(reshape(x, [x.shape[0], groups, -1]), -1, epsilon), x.shape);
      return { outputs: add(mul(normalized, overChannels(scale, x.rank)), overChannels(bias, x.rank)), state };
    },
    outputShape,
  };
}

/** x / sqrt(mean(x^2) + epsilon) scale, over the last axis of extent `width` (Zhang & Sennrich 2019). */
export function rootMeanSquareNorm(width: number, { epsilon = 1e-5 }: NormalizationOptions = {}): Layer<{ scale: Tensor }> {
  checked('rootMeanSquareNorm', width, epsilon);
  const outputShape = (shape: readonly number[]): readonly number[] => requireExtent('rootMeanSquareNorm', shape, -1, width);
  return {
    name: `rms norm ${width}`,
    init: () => ({ params: { scale: filled([width], 1) }, state: {} }),
    apply({ scale }, x, { state }) {
      outputShape(x.shape);
      return { outputs: mul(rootMeanSquareNormalize(x, epsilon), scale), state };
    },
    outputShape,
  };
}
