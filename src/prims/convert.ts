/** Conversion between element types. @module */
import { isFloat, toDtype, type DType } from '../core/ndarray.ts';
import { bind1, type Primitive, type Tensor } from '../core/tensor.ts';
import { elementwiseBatch } from './rules.ts';

export interface ConvertParams {
  readonly dtype: DType;
}

/** Rounds toward zero to int32; any number but zero is true. Differentiable between floating-point types. */
export const convertPrimitive: Primitive<ConvertParams> = {
  name: 'convert',
  shape: ({ dtype }, [input]) => [{ shape: input.shape, dtype }],
  jvp: ({ params, inputs: [x], tangents: [t] }) => ({ tangents: [t !== null && isFloat(params.dtype) && isFloat(x.dtype) ? convert(t, params.dtype) : null] }),
  transpose: ({ inputs: [x], cotangents: [ct] }) => [ct && convert(ct, x.dtype)],
  batch: elementwiseBatch(() => convertPrimitive),
  simplify: ({ dtype }, [input]) => (input.dtype === dtype ? [input] : null),
  onnx(lowering, node) {
    const value = lowering.loose(node.inputs[0]);
    return [{ name: lowering.cast(value.name, node.params.dtype), shape: value.shape }];
  },
  reference: ({ params, inputs: [x] }) => [toDtype(x, params.dtype)],
  samples: () => [
    { params: { dtype: 'float64' }, inputs: [{ shape: [2, 3], dtype: 'int32' }] },
    { params: { dtype: 'int32' }, inputs: [{ shape: [2, 3], dtype: 'float64', domain: [-5, 5], distinct: true }] },
    { params: { dtype: 'float32' }, inputs: [{ shape: [4], dtype: 'int32' }] },
    { params: { dtype: 'bool' }, inputs: [{ shape: [4], dtype: 'int32' }] },
    { params: { dtype: 'float64' }, inputs: [{ shape: [4], dtype: 'bool' }] },
  ],
};

/** `x` with another element type. */
export const convert = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x : bind1(convertPrimitive, { dtype }, x));
