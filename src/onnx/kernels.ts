/**
 * Which ONNX operators ONNX Runtime's CPU kernels run on which element types. Found by loading and running a one-node
 * model of each (version 1.30, operator set 21; native and WebAssembly builds agree); `src/runtime/kernels.test.ts` repeats that.
 * @module
 */
import type { DType } from '../core/ndarray.ts';

const FLOAT32: readonly DType[] = ['float32'];
const FLOATS: readonly DType[] = ['float32', 'float64'];
const NUMBERS: readonly DType[] = ['float32', 'float64', 'int32'];
const ALL: readonly DType[] = ['float32', 'float64', 'int32', 'bool'];

/** Operators by the types of their data arguments; `com.microsoft:` marks ONNX Runtime's own. */
const GROUPS: readonly (readonly [types: readonly DType[], operators: string])[] = [
  [ALL, 'Cast Concat Equal Expand Flatten Gather GatherElements GatherND Identity If Loop Pad Reshape ReverseSequence Scan ScatterElements '
    + 'ScatterND Shape Slice Split Squeeze Tile Transpose Trilu Unsqueeze ReduceMax ReduceMin ConstantOfShape'],
  [NUMBERS, 'Abs Add ArgMax ArgMin Clip CumSum Div Einsum EyeLike Greater GreaterOrEqual Less LessOrEqual MatMul Max Min Mod Mul Neg Pow Range '
    + 'ReduceL2 ReduceLogSumExp ReduceMean ReduceProd ReduceSum ReduceSumSquare Relu Sign Sub TopK Where'],
  [FLOATS, 'BatchNormalization Ceil Cos Exp Floor Gemm IsInf IsNaN LayerNormalization Log LogSoftmax MaxPool Reciprocal Round Sigmoid Sin Softmax '
    + 'Sqrt Tanh com.microsoft:FastGelu com.microsoft:FusedMatMul com.microsoft:QuickGelu'],
  [FLOAT32, 'Acos Acosh Asin Asinh Atan Atanh AveragePool Col2Im Conv ConvTranspose Cosh Elu Erf Gelu GlobalAveragePool LeakyRelu OneHot Sinh '
    + 'Softplus Tan com.microsoft:BiasGelu com.microsoft:FusedConv com.microsoft:FusedGemm com.microsoft:Gelu'],
  [['int32'], 'BitwiseAnd BitwiseNot BitwiseOr BitwiseXor'],
  [['bool'], 'And Not Or Xor'],
];

/** Element types per operator. */
export const CPU_KERNELS: ReadonlyMap<string, ReadonlySet<DType>> = new Map(
  GROUPS.flatMap(([types, operators]) => operators.split(' ').map((operator) => [operator, new Set(types)] as const)),
);

/** Whether the CPU kernels run the operator (`Conv`, `com.microsoft:FusedMatMul`) on the type; false for operators not listed. */
export const hasCpuKernel = (operator: string, dtype: DType): boolean => CPU_KERNELS.get(operator)?.has(dtype) ?? false;
