/** Running sums. @module */
import { AxisError, DtypeError } from '../util/errors.ts';
import { allocate, NDArray, sizeOf } from '../core/ndarray.ts';
import { bind1, type Primitive, type Tensor } from '../core/tensor.ts';
import { batchWith, linear, none } from './rules.ts';

export interface CumulativeParams {
  readonly axis: number;
  /** From the last element to the first. */
  readonly reverse: boolean;
}

export const cumulativeSumPrimitive: Primitive<CumulativeParams> = {
  name: 'cumulative_sum',
  shape({ axis }, [x]) {
    if (x.dtype === 'bool') throw new DtypeError({ operation: 'cumulativeSum', required: 'the argument must be a number', received: 'bool' });
    if (!(axis in x.shape)) throw new AxisError({ operation: 'cumulativeSum', required: `axis must lie in 0..${x.shape.length - 1}`, received: String(axis) });
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  jvp: linear(() => cumulativeSumPrimitive),
  transpose: ({ params: { axis, reverse }, cotangents: [ct] }) => [ct && cumulativeSum(ct, axis, !reverse)],
  batch: batchWith(() => cumulativeSumPrimitive, ({ axis, reverse }) => ({ axis: axis + 1, reverse })),
  simplify: none,
  onnx(lowering, node) {
    const { axis, reverse } = node.params;
    const [name] = lowering.node('CumSum', [lowering.name(node.inputs[0]), lowering.int64([axis], [])], { reverse: Number(reverse) });
    return [{ name, shape: node.outputs[0].shape }];
  },
  reference({ params: { axis, reverse }, inputs: [x] }) {
    const data = allocate(x.dtype, x.size);
    const inner = sizeOf(x.shape.slice(axis + 1));
    const extent = x.shape[axis];
    for (let start = 0; start < x.size; start += inner * extent) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let j = 0; j < extent; j++) {
          const at = start + (reverse ? extent - 1 - j : j) * inner + i;
          sum += x.data[at];
          data[at] = sum;
        }
      }
    }
    return [new NDArray(data, x.shape, x.dtype)];
  },
  samples: () => [
    { params: { axis: 1, reverse: false }, inputs: [{ shape: [2, 4, 3], dtype: 'float64' }] },
    { params: { axis: 0, reverse: true }, inputs: [{ shape: [5], dtype: 'float64' }] },
  ],
};

/** Running sum along `axis`, from the end if `reverse`. */
export const cumulativeSum = (x: Tensor, axis: number, reverse = false): Tensor => bind1(cumulativeSumPrimitive, { axis, reverse }, x);
