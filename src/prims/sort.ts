/** The k largest or smallest along the last axis, in order, with their positions. Sorting is k = all. @module */
import { DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray } from '../core/ndarray.ts';
import { bind, type Primitive, type Tensor } from '../core/tensor.ts';
import { gather } from './indexing.ts';
import { none, nonlinear } from './rules.ts';
import { reshape } from './shape.ts';

export interface TopKParams {
  readonly k: number;
  readonly largest: boolean;
}

/** Ties are ordered by position. */
export const topKPrimitive: Primitive<TopKParams> = {
  name: 'top_k',
  shape({ k }, [x]) {
    if (x.dtype === 'bool') throw new DtypeError({ operation: 'topK', required: 'the argument must be a number', received: 'bool' });
    const extent = x.shape[x.shape.length - 1];
    if (extent === undefined || !Number.isInteger(k) || k < 1 || k > extent) throw new ShapeError({ operation: 'topK', required: `k must be an integer in 1..${extent ?? 0}, the extent of the last axis`, received: String(k) });
    const shape = [...x.shape.slice(0, -1), k];
    return [{ shape, dtype: x.dtype }, { shape, dtype: 'int32' }];
  },
  jvp({ tangents: [t], outputs: [, positions] }) {
    return { tangents: [t && gather(t, reshape(positions, [...positions.shape, 1]), t.rank - 1), null] };
  },
  transpose: nonlinear('top_k'),
  batch: ({ params, inputs }) => ({ outputs: bind(topKPrimitive, params, inputs), batched: [true, true] }),
  simplify: none,
  onnx(lowering, node) {
    const [x] = node.inputs;
    lowering.require('TopK', x.dtype, 'top_k');
    const [values, positions] = lowering.node('TopK', [lowering.name(x), lowering.int64([node.params.k])], { largest: Number(node.params.largest), sorted: 1, axis: -1 }, 2);
    return [{ name: values, shape: node.outputs[0].shape }, { name: lowering.cast(positions, 'int32'), shape: node.outputs[1].shape }];
  },
  reference({ params: { k, largest }, inputs: [x], types: [type] }) {
    const extent = x.shape[x.shape.length - 1];
    const rows = x.size / extent;
    const values = allocate(x.dtype, rows * k);
    const positions = new Int32Array(rows * k);
    for (let row = 0; row < rows; row++) {
      const at = (i: number): number => x.data[row * extent + i];
      const order = Array.from({ length: extent }, (_, i) => i).sort((a, b) => (largest ? at(b) - at(a) : at(a) - at(b)) || a - b);
      for (let i = 0; i < k; i++) {
        values[row * k + i] = at(order[i]);
        positions[row * k + i] = order[i];
      }
    }
    return [new NDArray(values, type.shape, x.dtype), new NDArray(positions, type.shape, 'int32')];
  },
  samples: () => [
    { params: { k: 2, largest: true }, inputs: [{ shape: [3, 5], dtype: 'float64', distinct: true }] },
    { params: { k: 4, largest: false }, inputs: [{ shape: [2, 2, 4], dtype: 'float64', distinct: true }] },
    { params: { k: 4, largest: false }, inputs: [{ shape: [4], dtype: 'int32', values: [3, 1, 3, 1] }] },
  ],
};

/** The `k` largest (or smallest) elements along the last axis, in order, and their positions. */
export function topK(x: Tensor, k: number, largest: boolean): [Tensor, Tensor] {
  const [values, positions] = bind(topKPrimitive, { k, largest }, [x]);
  return [values, positions];
}
