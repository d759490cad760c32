/** Functions of networks: activations, softmax, normalisations, attention. All are compositions; derivatives of any order follow. @module */
import type { Tensor } from '../core/tensor.ts';
import { constantLike } from '../prims/constant.ts';
import { add, div, erf, exp, expm1, greater, lessEqual, log, log1p, logistic, mul, neg, rsqrt, square, sub, tanh, where } from './elementwise.ts';
import { matmul } from './products.ts';
import { mean, max, sum } from './reductions.ts';
import { moveAxis } from './shaping.ts';
import { stopGradient } from '../prims/unary.ts';

/** max(x, 0), with derivative zero at zero, as in JAX and PyTorch. */
export const relu = (x: Tensor): Tensor => where(lessEqual(x, 0), 0, x);
/** 1 / (1 + exp(-x)) */
export const sigmoid = (x: Tensor): Tensor => logistic(x);
/** log(1 + exp(x)), without overflow. */
export function softplus(x: Tensor): Tensor {
  // Each branch is smooth on its side, so derivatives of every order hold at zero too; max(x, 0) and |x| would lose the second.
  const isPositive = greater(x, 0);
  return add(where(isPositive, x, 0), log1p(exp(where(isPositive, neg(x), x))));
}
/** log(sigmoid(x)), without overflow. */
export const logSigmoid = (x: Tensor): Tensor => neg(softplus(neg(x)));
/** x sigmoid(x); also called swish. */
export const silu = (x: Tensor): Tensor => mul(x, logistic(x));
/** x Phi(x) with the normal distribution function, exactly or by the tanh approximation (Hendrycks & Gimpel 2016). */
export function gelu(x: Tensor, { approximate = false }: { readonly approximate?: boolean } = {}): Tensor {
  if (!approximate) return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
  const inner = mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(x, square(x)))));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}
/** x above zero, alpha (exp(x) - 1) below (Clevert et al. 2015). */
export const elu = (x: Tensor, alpha = 1): Tensor => where(greater(x, 0), x, mul(alpha, expm1(where(greater(x, 0), 0, x))));
/** x above zero, slope x below. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => where(greater(x, 0), x, mul(x, slope));

/** exp(x) / sum(exp(x)) along `axis`, without overflow. */
export function softmax(x: Tensor, axis = -1): Tensor {
  const shifted = exp(sub(x, stopGradient(max(x, axis, { keepDims: true }))));
  return div(shifted, sum(shifted, axis, { keepDims: true }));
}
/** log(softmax(x)) along `axis`. The largest element is taken off first: beside large elements the logarithm of the sum would lose its digits. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  const shifted = sub(x, stopGradient(max(x, axis, { keepDims: true })));
  return sub(shifted, log(sum(exp(shifted), axis, { keepDims: true })));
}

/** (x - mean) / sqrt(variance + epsilon) over `axes`. */
export function standardize(x: Tensor, axes: number | readonly number[], epsilon = 1e-5): Tensor {
  const centered = sub(x, mean(x, axes, { keepDims: true }));
  return mul(centered, rsqrt(add(mean(square(centered), axes, { keepDims: true }), epsilon)));
}
/** x / sqrt(mean(x^2) + epsilon) along the last axis (Zhang & Sennrich 2019). */
export const rootMeanSquareNormalize = (x: Tensor, epsilon = 1e-5): Tensor => mul(x, rsqrt(add(mean(square(x), -1, { keepDims: true }), epsilon)));

/**
 * Scaled dot-product attention over [..., tokens, width]; `mask` (bool, broadcast to [..., queries, keys]) is true where
 * a query may look (Vaswani et al. 2017).
 */
export function attention(query: Tensor, key: Tensor, value: Tensor, mask?: Tensor): Tensor {
  const scores = matmul(mul(query, 1 / Math.sqrt(query.shape[query.rank - 1])), moveAxis(key, -1, -2));
  const weights = softmax(mask === undefined ? scores : where(mask, scores, constantLike(-1e9, { shape: [], dtype: scores.dtype })));
  return matmul(weights, value);
}
