/** Batch normalisation, with the running statistics as explicit state. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { filled, sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, mean, mul, rsqrt, square, stopGradient, sub } from '../ops/index.ts';
import type { Layer } from './model.ts';
import { overChannels, requireExtent, type NormalizationOptions, type ScaleAndBias } from './normalization.ts';

/** Running statistics of each channel: `mean` (zeros at first), `variance` (ones at first). */
export type BatchStatistics = { mean: Tensor; variance: Tensor };

export interface BatchNormOptions extends NormalizationOptions {
  /** Weight of the new batch: kept = (1 - momentum) kept + momentum batch. Default 0.1, as in PyTorch. */
  readonly momentum?: number;
  /**
   * Which variance is kept: `unbiased` (divided by n - 1; PyTorch) or `biased` (divided by n; JAX, TensorFlow). The batch
   * itself is always normalised by the biased one. Default `unbiased`.
   */
  readonly runningVariance?: 'unbiased' | 'biased';
}

/** A batch norm layer, which in eval mode is an affine map of each channel: factor x + offset. */
export interface BatchNorm extends Layer<ScaleAndBias, BatchStatistics> {
  affine(params: ScaleAndBias, state: BatchStatistics): { readonly factor: Tensor; readonly offset: Tensor };
}

/**
 * Normalises each channel of [batch, channels, ...space] over batch and space (Ioffe & Szegedy 2015). In train mode by
 * the statistics of the batch, through which derivatives flow, returning the updated state, which carries none; in eval
 * mode by the state, which stays.
 * @throws ShapeError when the channels do not fit, or in train mode with one value a channel.
 */
export function batchNorm(channels: number, { epsilon = 1e-5, momentum = 0.1, runningVariance = 'unbiased' }: BatchNormOptions = {}): BatchNorm {
  requireInteger('batchNorm', 'channels', channels, 1);
  requireNumber('batchNorm', 'epsilon', epsilon, 0);
  requireNumber('batchNorm', 'momentum', momentum, 0, 1);
  if (runningVariance !== 'unbiased' && runningVariance !== 'biased') {
    throw new ArgumentError({ operation: 'batchNorm', required: "runningVariance must be 'unbiased' or 'biased'", received: `'${String(runningVariance)}'` });
  }
  const outputShape = (shape: readonly number[]): readonly number[] => requireExtent('batchNorm', shape, 1, channels);
  const map = (x: Tensor, factor: Tensor, offset: Tensor): Tensor => add(mul(x, overChannels(factor, x.rank)), overChannels(offset, x.rank));
  const kept = (old: Tensor, fresh: Tensor): Tensor => add(mul(old, 1 - momentum), mul(stopGradient(fresh), momentum));

  const affine: BatchNorm['affine'] = ({ scale, bias }, state) => {
    const factor = mul(scale, rsqrt(add(state.variance, epsilon)));
    return { factor, offset: sub(bias, mul(state.mean, factor)) };
  };

  return {
    name: `batch norm ${channels}`,
    init: () => ({
      params: { scale: filled([channels], 1), bias: filled([channels], 0) },
      state: { mean: filled([channels], 0), variance: filled([channels], 1) },
    }),
    affine,
    apply(params, x, { mode, state }) {
      outputShape(x.shape);
      if (mode === 'eval') {
        // One product and one sum an element: everything else is on vectors over channels.
        const { factor, offset } = affine(params, state);
        return { outputs: map(x, factor, offset), state };
      }
      const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
      const count = sizeOf(axes.map((axis) => x.shape[axis]));
      if (count < 2) throw new ShapeError({ operation: 'batchNorm', required: 'train mode needs more than one value for each channel', received: `[${x.shape.join(',')}]`, remedy: "a larger batch, or mode: 'eval'" });
      const batchMean = mean(x, axes);
      const centered = sub(x, overChannels(batchMean, x.rank));
      const batchVariance = mean(square(centered), axes);
      const fresh = runningVariance === 'biased' ? batchVariance : mul(batchVariance, count / (count - 1));
      return {
        outputs: map(centered, mul(params.scale, rsqrt(add(batchVariance, epsilon))), params.bias),
        state: { mean: kept(state.mean, batchMean), variance: kept(state.variance, fresh) },
      };
    },
    outputShape,
  };
}
