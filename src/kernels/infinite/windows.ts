/** Sums of covariances over windows: what convolution and pooling do to kernels of images. @module */
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';

/** `same`: enough zeros that the extent becomes ceil(n / stride); `valid`: none. */
export type WindowPadding = 'same' | 'valid';

/** A window that moves over each spatial axis. */
export interface Window {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: WindowPadding;
}

/** @throws ArgumentError on impossible extents. */
export function windowOf(operation: string, window: readonly number[], strides: number | readonly number[], padding: WindowPadding): Window {
  const steps = typeof strides === 'number' ? window.map(() => strides) : strides;
  [...window, ...steps].forEach((n) => requireInteger(operation, 'window and strides', n, 1));
  if (steps.length !== window.length) throw new ArgumentError({ operation, required: `strides must have ${window.length} entries, as window has`, received: String(steps.length) });
  if (padding !== 'same' && padding !== 'valid') throw new ArgumentError({ operation, required: "padding must be 'same' or 'valid'", received: `'${String(padding)}'` });
  return { window, strides: steps, padding };
}

/** One axis of a window: where it starts at place 0, and how many places it has. */
export interface WindowAxis {
  readonly size: number;
  readonly stride: number;
  /** Zeros before the axis. */
  readonly before: number;
  readonly extent: number;
}

/** @throws ShapeError when the space has another rank, or a window does not fit into it. */
export function windowAxes(operation: string, { window, strides, padding }: Window, space: readonly number[]): WindowAxis[] {
  if (space.length !== window.length) throw new ShapeError({ operation, required: `the input must have ${window.length} spatial axes`, received: `[${space.join(',')}]`, remedy: space.length === 0 ? 'give images, and put this before flattening' : undefined });
  return space.map((n, i) => {
    const extent = padding === 'same' ? Math.ceil(n / strides[i]) : Math.floor((n - window[i]) / strides[i]) + 1;
    if (extent < 1) throw new ShapeError({ operation, required: `the window ${window.join('x')} must fit into the input`, received: `[${space.join(',')}]` });
    const missing = Math.max(0, (extent - 1) * strides[i] + window[i] - n);
    return { size: window[i], stride: strides[i], before: padding === 'same' ? Math.floor(missing / 2) : 0, extent };
  });
}

/** Sums over the window along one axis: [pre, n, post] to [pre, extent, post]. */
function sumAxis(values: Float64Array, pre: number, n: number, post: number, { size, stride, before, extent }: WindowAxis): Float64Array {
  const out = new Float64Array(pre * extent * post);
  for (let a = 0; a < pre; a++) {
    for (let p = 0; p < extent; p++) {
      const to = (a * extent + p) * post;
      for (let tap = Math.max(0, before - p * stride); tap < size; tap++) {
        const at = p * stride - before + tap;
        if (at >= n) break;
        const from = (a * n + at) * post;
        for (let c = 0; c < post; c++) out[to + c] += values[from + c];
      }
    }
  }
  return out;
}

/** Sums with one tap for two axes, both of which the window moves over: [pre, n, mid, n, post] to [pre, extent, mid, extent, post]. */
function sumPairedAxis(values: Float64Array, pre: number, n: number, mid: number, post: number, { size, stride, before, extent }: WindowAxis): Float64Array {
  const out = new Float64Array(pre * extent * mid * extent * post);
  for (let a = 0; a < pre; a++) {
    for (let p = 0; p < extent; p++) {
      for (let b = 0; b < mid; b++) {
        for (let q = 0; q < extent; q++) {
          const to = (((a * extent + p) * mid + b) * extent + q) * post;
          const lower = Math.max(0, before - Math.min(p, q) * stride);
          for (let tap = lower; tap < size; tap++) {
            const i = p * stride - before + tap;
            const j = q * stride - before + tap;
            if (i >= n || j >= n) break;
            const from = (((a * n + i) * mid + b) * n + j) * post;
            for (let c = 0; c < post; c++) out[to + c] += values[from + c];
          }
        }
      }
    }
  }
  return out;
}

const product = (extents: readonly number[]): number => extents.reduce((n, extent) => n * extent, 1);

/** Sums over windows at each place, [count, places]. */
export function sumDiagonal(values: Float64Array, count: number, space: readonly number[], axes: readonly WindowAxis[]): Float64Array {
  let current = values;
  const shape = [...space];
  axes.forEach((axis, i) => {
    current = sumAxis(current, count * product(shape.slice(0, i)), shape[i], product(shape.slice(i + 1)), axis);
    shape[i] = axis.extent;
  });
  return current;
}

/** Shared weights: the same tap at both places, [count, places, places]. Out-of-range taps count as zeros. */
export function sumShared(values: Float64Array, count: number, space: readonly number[], axes: readonly WindowAxis[]): Float64Array {
  let current = values;
  const shape = [...space];
  axes.forEach((axis, i) => {
    const before = product(shape.slice(0, i));
    const after = product(shape.slice(i + 1));
    current = sumPairedAxis(current, count * before, shape[i], after * before, after, axis);
    shape[i] = axis.extent;
  });
  return current;
}

/** No shared randomness: each place's window by itself, [count, places, places]. */
export function sumIndependent(values: Float64Array, count: number, space: readonly number[], axes: readonly WindowAxis[]): Float64Array {
  return sumDiagonal(values, count, [...space, ...space], [...axes, ...axes]);
}
