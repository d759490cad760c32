/** Maximum over windows, with the positions of the maxima. @module */
import { DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray, sizeOf } from '../core/ndarray.ts';
import { forEachIndex, stridesOf } from '../core/strides.ts';
import { bind, type Primitive, type Tensor } from '../core/tensor.ts';
import { gather } from './indexing.ts';
import { none, nonlinear } from './rules.ts';
import { reshape } from './shape.ts';

export interface MaxPoolParams {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
}

/** `[n, c, ...space]` to the window maxima and, as int32, the position of each within its plane (row-major). */
export const maxPoolPrimitive: Primitive<MaxPoolParams> = {
  name: 'max_pool',
  shape({ window, strides, padding }, [x]) {
    const rank = x.shape.length - 2;
    if (x.dtype !== 'float32' && x.dtype !== 'float64') throw new DtypeError({ operation: 'maxPool', required: 'the input must be float32 or float64', received: x.dtype });
    if (rank < 1 || [window, strides, padding].some((list) => list.length !== rank)) {
      throw new ShapeError({ operation: 'maxPool', required: `window, strides and padding must have one entry for each of the ${Math.max(rank, 1)} spatial axes of [batch, channels, ...space]`, received: JSON.stringify({ window, strides, padding }) });
    }
    if (padding.some(([low, high], i) => low < 0 || high < 0 || low >= window[i] || high >= window[i])) {
      throw new ShapeError({ operation: 'maxPool', required: 'padding must be smaller than the window', received: JSON.stringify(padding) });
    }
    const space = window.map((size, i) => Math.floor((x.shape[i + 2] + padding[i][0] + padding[i][1] - size) / strides[i]) + 1);
    if (space.some((n) => n < 1)) throw new ShapeError({ operation: 'maxPool', required: 'the window must fit the padded input', received: `input [${x.shape.join(',')}], window [${window.join(',')}]` });
    const shape = [x.shape[0], x.shape[1], ...space];
    return [{ shape, dtype: x.dtype }, { shape, dtype: 'int32' }];
  },
  // The tangent of each maximum is the tangent of the element that attains it.
  jvp({ inputs: [x], tangents: [t], outputs: [y, positions] }) {
    if (t === null) return { tangents: [null, null] };
    const planes = x.shape[0] * x.shape[1];
    const flat = reshape(t, [planes, sizeOf(x.shape.slice(2))]);
    const taken = gather(flat, reshape(positions, [planes, sizeOf(y.shape.slice(2)), 1]), 1);
    return { tangents: [reshape(taken, y.shape), null] };
  },
  transpose: nonlinear('max_pool'),
  batch({ params, inputs: [x], size }) {
    const [n, ...rest] = x.shape.slice(1);
    const outputs = bind(maxPoolPrimitive, params, [reshape(x, [size * n, ...rest])]);
    return { outputs: outputs.map((y) => reshape(y, [size, n, ...y.shape.slice(1)])), batched: [true, true] };
  },
  simplify: none,
  onnx(lowering, node) {
    const { window, strides, padding } = node.params;
    const [x] = node.inputs;
    lowering.require('MaxPool', x.dtype, 'max_pool');
    const pads = [...padding.map(([low]) => low), ...padding.map(([, high]) => high)];
    const [values, flat] = lowering.node('MaxPool', [lowering.name(x)], { kernel_shape: window, strides, pads }, 2);
    const plane = lowering.int64([sizeOf(x.shape.slice(2))], []);
    const positions = lowering.cast(lowering.node('Mod', [flat, plane])[0], 'int32');
    return [{ name: values, shape: node.outputs[0].shape }, { name: positions, shape: node.outputs[1].shape }];
  },
  reference({ params: { window, strides, padding }, inputs: [x], types: [type] }) {
    const values = allocate(x.dtype, sizeOf(type.shape));
    const positions = new Int32Array(values.length);
    const plane = stridesOf(x.shape.slice(2));
    const planeSize = sizeOf(x.shape.slice(2));
    forEachIndex(type.shape, (index, position) => {
      let best = -Infinity;
      let bestAt = 0;
      const base = (index[0] * x.shape[1] + index[1]) * planeSize;
      forEachIndex(window, (tap) => {
        let at = 0;
        for (let i = 0; i < window.length; i++) {
          const coordinate = index[i + 2] * strides[i] + tap[i] - padding[i][0];
          if (coordinate < 0 || coordinate >= x.shape[i + 2]) return;
          at += coordinate * plane[i];
        }
        if (x.data[base + at] > best) {
          best = x.data[base + at];
          bestAt = at;
        }
      });
      values[position] = best;
      positions[position] = bestAt;
    });
    return [new NDArray(values, type.shape, x.dtype), new NDArray(positions, type.shape, 'int32')];
  },
  samples: () => [
    { params: { window: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }, inputs: [{ shape: [2, 3, 4, 6], dtype: 'float64', distinct: true }] },
    { params: { window: [3, 2], strides: [1, 2], padding: [[1, 1], [0, 1]] }, inputs: [{ shape: [1, 2, 5, 5], dtype: 'float64', distinct: true }] },
    { params: { window: [3], strides: [2], padding: [[1, 0]] }, inputs: [{ shape: [2, 2, 7], dtype: 'float64', distinct: true }] },
  ],
};

/** Window maxima of `[n, c, ...space]` and their positions within each plane. */
export function maxPool(x: Tensor, params: MaxPoolParams): [Tensor, Tensor] {
  const [values, positions] = bind(maxPoolPrimitive, params, [x]);
  return [values, positions];
}
