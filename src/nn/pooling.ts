/** Layers without parameters over [batch, channels, ...space]: functions, for `named` and `sequential`. @module */
import type { Tensor } from '../core/tensor.ts';
import { averagePool, maxPool, mean, type PoolOptions } from '../ops/index.ts';

/** Mean over windows; by default they do not overlap. */
export const averagePooling = (window: number | readonly number[], options: PoolOptions = {}) => (x: Tensor): Tensor => averagePool(x, window, options);
/** Largest element of windows; by default they do not overlap. */
export const maxPooling = (window: number | readonly number[], options: PoolOptions = {}) => (x: Tensor): Tensor => maxPool(x, window, options);
/** Mean over all spatial axes: [batch, channels, ...space] to [batch, channels]. */
export const globalAveragePooling = (x: Tensor): Tensor => mean(x, x.shape.map((_, axis) => axis).slice(2));
