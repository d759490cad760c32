/** Array functions over tensors: what models, losses and measurements are written in. @module */
export { align, broadcastShapes, broadcastTo, normalizeAxes, normalizeAxis, toTensor, type Operand } from './broadcasting.ts';
export {
  abs, acos, add, and, asin, atan, atan2, ceil, clip, convert, cos, cosh, div, equal, erf, exp, expm1, floor, greater, greaterEqual, less, lessEqual,
  log, log1p, logistic, maximum, minimum, mod, mul, neg, not, notEqual, or, pow, round, rsqrt, sign, sin, sinh, sqrt, square, stopGradient, sub, tan,
  tanh, where,
} from './elementwise.ts';
export {
  argmax, argmin, argsort, cummax, cumprod, cumsum, logSumExp, max, mean, min, norm, prod, sort, standardDeviation, sum, topK, variance,
  type CumulativeOptions, type ReductionOptions,
} from './reductions.ts';
export {
  arange, at, concat, constant, dynamicSlice, dynamicUpdateSlice, expandDims, eye, flatten, full, gather, moveAxis, narrow, oneHot, ones, onesLike, pad,
  reshape, reverse, scatterAdd, scatterSet, slice, split, squeeze, stack, take, takeAlongAxis, transpose, tril, triu, zeros, zerosLike, type PadOptions,
} from './shaping.ts';
export { averagePool, conv, dot, einsum, matmul, maxPool, outer, sumPool, vdot, type ConvOptions, type Padding, type PoolOptions } from './products.ts';
export {
  attention, elu, gelu, leakyRelu, logSigmoid, logSoftmax, relu, rootMeanSquareNormalize, sigmoid, silu, softmax, softplus, standardize,
} from './functions.ts';
export { cholesky, diagonal, inversePositiveDefinite, qr, solvePositiveDefinite, type Cholesky, type Qr } from './matrix.ts';
export { CONVERGENT_QUINTIC, inverseRoot, JORDAN_QUINTIC, newtonSchulz, type InverseRootOptions, type NewtonSchulzOptions, type Quintic } from './matrix-iterations.ts';
