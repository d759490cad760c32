/** Activation functions beyond those of the first networks. Each is differentiated to any order, also where its pieces meet. @module */
import { sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import {
  abs, add, argmax, convert, div, elu, expm1, greater, greaterEqual, leakyRelu, less, lessEqual, mul, oneHot, reshape, sigmoid, softplus, sub, tanh, transpose,
  where,
} from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorDefinition, OperatorRule, OperatorTable } from '../operator.ts';

/** A function of one tensor with parameters from the attributes. */
const activation = (f: (x: Tensor, real: (name: string, otherwise: number) => number) => Tensor, since?: number): OperatorDefinition => ({
  rule: (call) => [call.result(f(call.tensor(0), (name, otherwise) => call.attributes.float(name, otherwise)))],
  ...(since === undefined ? {} : { since }),
});

/** alpha x + beta limited to [0, 1]; the derivative is zero at the limits, as PyTorch's of its hard sigmoid. */
function hardSigmoid(x: Tensor, alpha: number, beta: number): Tensor {
  const line = add(mul(x, alpha), beta);
  return where(lessEqual(line, 0), 0, where(greaterEqual(line, 1), 1, line));
}

/** x above zero, alpha (exp(x / alpha) - 1) below: smooth at zero for every alpha (Barron 2017). */
function celu(x: Tensor, alpha: number): Tensor {
  if (alpha === 0) throw new ArgumentError({ operation: 'import', required: "attribute 'alpha' of Celu must not be 0", received: '0' });
  const isPositive = greater(x, 0);
  return where(isPositive, x, mul(alpha, expm1(div(where(isPositive, 0, x), alpha))));
}

/** Numbers near zero become zero, the others come nearer by `bias`; integers stay integers. */
function shrink(x: Tensor, limit: number, bias: number): Tensor {
  const isInteger = x.dtype === 'int32';
  const reals = isInteger ? convert(x, 'float64') : x;
  const y = where(less(reals, -limit), add(reals, bias), where(greater(reals, limit), sub(reals, bias), 0));
  return isInteger ? convert(y, 'int32') : y;
}

/** Slopes for negative numbers, broadcast to the shape of the input and not beyond it. */
const parametricRelu: OperatorRule = (call) => {
  const [x, slope] = [call.tensor(0), call.tensor(1)];
  const fits = slope.rank <= x.rank && slope.shape.every((n, i) => n === 1 || n === x.shape[i + x.rank - slope.rank]);
  if (!fits) throw new ArgumentError({ operation: 'import', required: `slopes must broadcast to [${x.shape.join(',')}]`, received: `[${slope.shape.join(',')}]` });
  return [call.result(where(less(x, 0), mul(x, slope), x))];
};

/** One at the first largest element, zero elsewhere. Axes are read as Softmax reads them. */
const hardmax: OperatorRule = (call) => {
  const x = call.tensor(0);
  const axis = call.attributes.integer('axis', call.version >= 13 ? -1 : 1);
  const at = axis < 0 ? axis + x.rank : axis;
  if (at < 0 || at >= x.rank + (call.version >= 13 ? 0 : 1)) throw new ArgumentError({ operation: 'import', required: `axis must lie in ${-x.rank}..${x.rank - 1}`, received: String(axis) });
  const before = sizeOf(x.shape.slice(0, at));
  // From operator set 13 on the axis is one alone, before it all from the axis on are one.
  const [extent, after] = call.version >= 13 ? [x.shape[at], sizeOf(x.shape.slice(at + 1))] : [sizeOf(x.shape.slice(at)), 1];
  const rows = reshape(x, [before, extent, after]);
  const places = oneHot(argmax(rows, 1), extent, x.dtype);
  return [call.result(reshape(after === 1 ? places : transpose(places, [0, 2, 1]), x.shape))];
};

const swish: OperatorRule = (call) => {
  const x = call.tensor(0);
  const alpha = call.attributes.float('alpha', 1);
  return [call.result(mul(x, sigmoid(alpha === 1 ? x : mul(x, alpha))))];
};

export const activationOperators: OperatorTable = {
  Elu: activation((x, real) => elu(x, real('alpha', 1))),
  Selu: activation((x, real) => mul(elu(x, real('alpha', 1.67326319217681884765625)), real('gamma', 1.05070102214813232421875))),
  Celu: activation((x, real) => celu(x, real('alpha', 1)), 12),
  LeakyRelu: activation((x, real) => leakyRelu(x, real('alpha', 0.01))),
  PRelu: { rule: parametricRelu, weights: [1] },
  ThresholdedRelu: activation((x, real) => where(greater(x, real('alpha', 1)), x, 0)),
  HardSigmoid: activation((x, real) => hardSigmoid(x, real('alpha', 0.2), real('beta', 0.5))),
  HardSwish: activation((x) => mul(x, hardSigmoid(x, 1 / 6, 0.5)), 14),
  Softsign: activation((x) => div(x, add(1, abs(x)))),
  Mish: activation((x) => mul(x, tanh(softplus(x))), 18),
  Swish: { rule: swish, since: 24 },
  Shrink: activation((x, real) => shrink(x, real('lambd', 0.5), real('bias', 0)), 9),
  Hardmax: { rule: hardmax, gradient: 'zero' },
};
