/** Pooling and normalisation by p-norms. At a norm of zero derivatives are zero, as PyTorch's of its pooling. @module */
import type { Tensor } from '../../../core/tensor.ts';
import { abs, conv, div, equal, normalizeAxis, ones, pow, reshape, sqrt, square, sum, where } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { overhang, poolWindow, widened } from './windows.ts';

/** The exponent of a node. @throws ArgumentError below 1, where there is no norm. */
function exponent(call: OperatorCall): number {
  const p = call.attributes.integer('p', 2);
  if (p < 1) throw new ArgumentError({ operation: 'import', required: "attribute 'p' must be at least 1", received: String(p) });
  return p;
}

const powers = (x: Tensor, p: number): Tensor => (p === 1 ? abs(x) : p === 2 ? square(x) : pow(abs(x), p));

/** The p-th root of a sum of powers, whose slope at zero, infinite, is taken as zero. */
function root(total: Tensor, p: number): Tensor {
  if (p === 1) return total;
  const isZero = equal(total, 0);
  const safe = where(isZero, 1, total);
  return where(isZero, 0, p === 2 ? sqrt(safe) : pow(safe, 1 / p));
}

/** (sum over each window of |x|^p)^(1/p). */
const normPool: OperatorRule = (call) => {
  const x = call.tensor(0);
  const p = exponent(call);
  const own = poolWindow(call, x);
  const { size, strides, dilations, padding } = widened(own, overhang(call, own, x.shape.slice(2)));
  // A convolution with ones in every plane by itself.
  const planes = reshape(powers(x, p), [x.shape[0] * x.shape[1], 1, ...x.shape.slice(2)]);
  const sums = conv(planes, ones([1, 1, ...size], x.dtype), { strides, padding, kernelDilation: dilations });
  return [call.result(root(reshape(sums, [x.shape[0], x.shape[1], ...sums.shape.slice(2)]), p))];
};

const globalNormPool: OperatorRule = (call) => {
  const x = call.tensor(0);
  const p = exponent(call);
  const space = Array.from({ length: x.rank - 2 }, (_, i) => i + 2);
  return [call.result(root(sum(powers(x, p), space, { keepDims: true }), p))];
};

/** x divided by its p-norm along an axis; zero where that is zero. */
const normNormalisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  const p = exponent(call);
  const axis = normalizeAxis('import', x.rank, call.attributes.integer('axis', -1));
  const length = root(sum(powers(x, p), axis, { keepDims: true }), p);
  return [call.result(div(x, where(equal(length, 0), 1, length)))];
};

export const normOperators: OperatorTable = {
  LpPool: { rule: normPool },
  GlobalLpPool: { rule: globalNormPool },
  LpNormalization: { rule: normNormalisation },
};
