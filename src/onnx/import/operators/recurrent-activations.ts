/** Activation functions that recurrent layers name, with their optional parameters. @module */
import type { Tensor } from '../../../core/tensor.ts';
import { abs, add, clip, div, elu, greater, leakyRelu, lessEqual, mul, relu, sigmoid, softplus, tanh, where } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall } from '../operator.ts';

/** A function applied element by element. */
export type Activation = (x: Tensor) => Tensor;

interface Kind {
  /** Values of the parameters where the node gives none; absent where the function has no such parameter. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly f: (x: Tensor, alpha: number, beta: number) => Tensor;
}

/** By name in lower case, as runtimes compare them. */
const KINDS: Readonly<Record<string, Kind>> = {
  affine: { alpha: 1, beta: 0, f: (x, alpha, beta) => add(mul(x, alpha), beta) },
  elu: { alpha: 1, f: (x, alpha) => elu(x, alpha) },
  hardsigmoid: {
    alpha: 0.2, beta: 0.5,
    f: (x, alpha, beta) => { const line = add(mul(x, alpha), beta); return where(lessEqual(line, 0), 0, where(lessEqual(line, 1), line, 1)); },
  },
  leakyrelu: { alpha: 0.01, f: (x, alpha) => leakyRelu(x, alpha) },
  relu: { f: relu },
  scaledtanh: { alpha: 1, beta: 1, f: (x, alpha, beta) => mul(tanh(mul(x, beta)), alpha) },
  sigmoid: { f: sigmoid },
  softplus: { f: softplus },
  softsign: { f: (x) => div(x, add(abs(x), 1)) },
  tanh: { f: tanh },
  thresholdedrelu: { alpha: 1, f: (x, alpha) => where(greater(x, alpha), x, 0) },
};

/**
 * The functions of each direction of a recurrent node: `usual` unless the node names others. Parameters are taken from its lists in the
 * order of the functions that have them. With `clip`, what enters a function is limited to [-clip, clip] first.
 * @throws ArgumentError when their number or a name does not fit.
 */
export function activationsOf({ attributes, operator }: OperatorCall, usual: readonly string[], directions: number): Activation[][] {
  const names = attributes.texts('activations', Array.from({ length: directions }, () => usual).flat());
  if (names.length !== directions * usual.length) throw new ArgumentError({ operation: 'import', required: `${operator} needs ${usual.length} activations for each direction`, received: names.join(', ') });
  const alphas = attributes.floats('activation_alpha', []);
  const betas = attributes.floats('activation_beta', []);
  const limit = attributes.has('clip') ? attributes.float('clip') : 0;
  const functions = names.map((name): Activation => {
    const key = name.toLowerCase();
    if (!Object.hasOwn(KINDS, key)) throw new ArgumentError({ operation: 'import', required: `activations of ${operator} must be among ${Object.keys(KINDS).join(', ')}`, received: `'${name}'` });
    const { alpha, beta, f } = KINDS[key];
    const own = { alpha: alpha === undefined ? 0 : alphas.shift() ?? alpha, beta: beta === undefined ? 0 : betas.shift() ?? beta };
    return (x) => f(limit > 0 ? clip(x, -limit, limit) : x, own.alpha, own.beta);
  });
  return Array.from({ length: directions }, (_, i) => functions.slice(i * usual.length, (i + 1) * usual.length));
}
