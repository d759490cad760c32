/** Elementwise choice between two values. @module */
import { DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray, sameShape } from '../core/ndarray.ts';
import { bind1, type Primitive, type Tensor } from '../core/tensor.ts';
import { lessEqualPrimitive } from './binary.ts';
import { splatOf, zerosLike } from './constant.ts';
import { elementwiseBatch, looseShape, nonlinear, requireCount, requireSameTypes } from './rules.ts';

/** `select(condition, x, y)`: x where the condition holds, else y. Linear in x and y together. */
export const selectPrimitive: Primitive<Record<string, never>> = {
  name: 'select',
  shape(_, inputs) {
    requireCount('select', inputs, 3);
    const [condition, x, y] = inputs;
    if (condition.dtype !== 'bool') throw new DtypeError({ operation: 'select', required: 'the condition must be bool', received: condition.dtype, remedy: 'compare first, e.g. greater(x, 0)' });
    requireSameTypes('select', [x, y]);
    if (!sameShape(condition.shape, x.shape)) {
      throw new ShapeError({ operation: 'select', required: `the condition must have the shape of the values, [${x.shape.join(',')}]`, received: `[${condition.shape.join(',')}]`, remedy: 'use where of thalweg/ops, which broadcasts' });
    }
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  jvp({ inputs: [condition, x], tangents: [, tx, ty] }) {
    return { tangents: [tx === null && ty === null ? null : select(condition, tx ?? zerosLike(x), ty ?? zerosLike(x))] };
  },
  transpose({ inputs: [condition], linear, cotangents: [ct] }) {
    if (linear[0]) nonlinear('select')();
    if (ct === null) return [null, null, null];
    const zero = zerosLike(ct);
    return [null, linear[1] ? select(condition, ct, zero) : null, linear[2] ? select(condition, zero, ct) : null];
  },
  batch: elementwiseBatch(() => selectPrimitive),
  simplify: (_, [, x, y]) => (x === y ? [x] : null),
  onnx(lowering, node) {
    const rectified = rectifiedInput(node.inputs);
    if (rectified !== null && lowering.supports('Relu', rectified.dtype)) {
      const value = lowering.loose(rectified);
      return [{ name: lowering.node('Relu', [value.name])[0], shape: value.shape }];
    }
    const values = node.inputs.map((input) => lowering.loose(input));
    const shape = looseShape(values);
    const [condition, x, y] = values.map((value) => value.name);
    if (node.outputs[0].dtype !== 'bool') return [{ name: lowering.node('Where', [condition, x, y])[0], shape }];
    const emit = (op: string, ...inputs: string[]): string => lowering.node(op, inputs)[0];
    return [{ name: emit('Or', emit('And', condition, x), emit('And', emit('Not', condition), y)), shape }];
  },
  reference({ inputs: [condition, x, y] }) {
    const data = allocate(x.dtype, x.size);
    for (let i = 0; i < data.length; i++) data[i] = condition.data[i] !== 0 ? x.data[i] : y.data[i];
    return [new NDArray(data, x.shape, x.dtype)];
  },
  samples: () => [{ params: {}, inputs: [{ shape: [3, 4], dtype: 'bool' }, { shape: [3, 4], dtype: 'float64' }, { shape: [3, 4], dtype: 'float64' }] }],
};

/** The x of `select(x <= 0, 0, x)`, for which ONNX has a faster operation that also keeps NaN. */
function rectifiedInput([condition, zero, x]: readonly Tensor[]): Tensor | null {
  const test = condition.node;
  if (test?.primitive.name !== lessEqualPrimitive.name || splatOf(zero) !== 0) return null;
  return test.inputs[0] === x && splatOf(test.inputs[1]) === 0 ? x : null;
}

/** x where the condition holds, else y; all of one shape. */
export const select = (condition: Tensor, x: Tensor, y: Tensor): Tensor => bind1(selectPrimitive, {}, condition, x, y);
