/** Normalisation, softmax, attention. */
import type { Tensor } from '../../../src/core/tensor.ts';
import {
  add, arange, attention, expandDims, greaterEqual, logSigmoid, logSoftmax, logSumExp, matmul, mean, mul, neg, oneHot, reshape, rootMeanSquareNormalize,
  sigmoid, softmax, softplus, split, standardize, sum, transpose, variance,
} from '../../../src/ops/index.ts';
import { grad, hvp, jacrev, vmap } from '../../../src/transforms/index.ts';
import { curvedCase, scalarCase, type GoldenCases, type Tensors } from '../golden.ts';

/** scale[channel] and bias[channel] of an image [batch, channel, row, column]. */
const perChannel = (y: Tensor, { scale, bias }: Tensors): Tensor => {
  const shape = [scale.shape[0], 1, 1];
  return add(mul(y, reshape(scale, shape)), reshape(bias, shape));
};

function causalSelfAttention({ x, wqkv, bqkv, wout, bout }: Tensors): Tensor {
  const [q, k, v] = split(add(matmul(x, wqkv), bqkv), 3, -1).map((part) => transpose(reshape(part, [2, 4, 2, 3]), [0, 2, 1, 3]));
  const position = arange(4);
  const y = attention(q, k, v, greaterEqual(expandDims(position, 1), position));
  return add(matmul(reshape(transpose(y, [0, 2, 1, 3]), [2, 4, 6]), wout), bout);
}

/** f, its first and second derivative at every element, as scalar functions under vmap. */
const each = (f: (x: Tensor) => Tensor, order: number): ((x: Tensor) => Tensor) => vmap(order === 0 ? f : order === 1 ? grad(f) : grad(grad(f)));

export const layers: GoldenCases = {
  'batch-norm-train': curvedCase((a) => perChannel(standardize(a.x, [0, 2, 3]), a), ({ x }) => ({ mean: mean(x, [0, 2, 3]), variance: variance(x, [0, 2, 3]) })),
  'layer-norm': curvedCase((a) => add(mul(standardize(a.x, -1), a.scale), a.bias)),
  'group-norm': curvedCase((a) => perChannel(reshape(standardize(reshape(a.x, [2, 2, -1]), -1), a.x.shape), a)),
  'rms-norm': curvedCase((a) => mul(rootMeanSquareNormalize(a.x, 1e-6), a.scale)),
  attention: curvedCase((a) => attention(a.q, a.k, a.values)),
  'attention-causal-multi-head': curvedCase(causalSelfAttention),
  'log-softmax': curvedCase((a) => logSoftmax(a.x)),
  'softmax-axis-zero': curvedCase((a) => softmax(a.x, 0), ({ x }) => ({ jacobian: jacrev((t: Tensor) => softmax(t, 0))(x) as Tensor })),
  'cross-entropy-smoothed': scalarCase(({ z, labels }) => {
    const target = add(mul(0.9, oneHot(labels, 5, z.dtype)), 0.02);
    return neg(mean(sum(mul(target, logSoftmax(z)), -1)));
  }),
  'logsumexp-extremes': {
    run({ x, v }) {
      const total = (t: Tensor): Tensor => sum(logSumExp(t, -1));
      return { y: logSumExp(x, -1), grad: grad(total)(x), hvp: hvp(total)(x, v) };
    },
    absolute: 1,
    // exp(709.5 - 710) inherits the rounding of 709.5, 6e-5.
    float32: 1e-4,
  },
  'softplus-sigmoid-extremes': {
    run: ({ x }) => ({
      softplus: each(softplus, 0)(x), 'softplus.d1': each(softplus, 1)(x), 'softplus.d2': each(softplus, 2)(x),
      sigmoid: each(sigmoid, 0)(x), 'sigmoid.d1': each(sigmoid, 1)(x),
      log_sigmoid: each(logSigmoid, 0)(x), 'log_sigmoid.d1': each(logSigmoid, 1)(x),
    }),
    absolute: 1,
  },
};
