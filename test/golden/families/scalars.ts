/** Elementwise functions to the third derivative, by nested grad under vmap. */
import type { Tensor } from '../../../src/core/tensor.ts';
import {
  abs, acos, add, asin, atan, atan2, clip, cos, cosh, div, erf, exp, expm1, gelu, greater, log, log1p, maximum, minimum, mul, pow, rsqrt, sigmoid, sign, sin,
  sinh, softplus, sqrt, square, sum, tan, tanh, where,
} from '../../../src/ops/index.ts';
import { grad, vmap } from '../../../src/transforms/index.ts';
import { scalarCase, type GoldenCases, type Tensors } from '../golden.ts';

type Scalar = (x: Tensor) => Tensor;
type ScalarPair = (x: Tensor, y: Tensor) => Tensor;

/** NAME, NAME.d1, NAME.d2, NAME.d3 of every function at every x. */
const table = (functions: Readonly<Record<string, Scalar>>) => ({ x }: Tensors): Tensors => {
  const outputs: Tensors = {};
  for (const [name, f] of Object.entries(functions)) {
    let derivative = f;
    for (let order = 0; order <= 3; order++) {
      outputs[order === 0 ? name : `${name}.d${order}`] = vmap(derivative)(x);
      derivative = grad(derivative);
    }
  }
  return outputs;
};

/** NAME and its partial derivatives to order three: NAME.xxy = d3/dx2dy. */
const pairTable = (functions: Readonly<Record<string, ScalarPair>>) => ({ x, y }: Tensors): Tensors => {
  const partial = (f: ScalarPair, variable: string): ScalarPair => (variable === 'x' ? grad(f) : (a, b) => grad((t: Tensor) => f(a, t))(b));
  const outputs: Tensors = {};
  for (const [name, f] of Object.entries(functions)) {
    outputs[name] = vmap(f)(x, y);
    for (const variables of ['x', 'y', 'xx', 'xy', 'yy', 'xxx', 'xxy', 'xyy', 'yyy']) {
      outputs[`${name}.${variables}`] = vmap([...variables].reduce(partial, f))(x, y);
    }
  }
  return outputs;
};

function piecewise({ x, y, c }: Tensors): Tensor {
  const terms = [
    square(maximum(x, y)), sin(minimum(x, y)), mul(abs(x), y), pow(clip(x, -0.5, 0.5), 3), where(greater(x, y), mul(x, y), pow(y, 3)), mul(sign(x), exp(y)),
  ];
  return sum(mul(c, terms.reduce((a, b) => add(a, b))));
}

export const scalars: GoldenCases = {
  'third-derivatives-everywhere': {
    run: table({ tanh, erf, exp, expm1, sin, cos, sinh, cosh, atan, sigmoid, softplus, gelu: (x) => gelu(x), tan }),
    lacksFloat64: 'Erf',
  },
  'third-derivatives-positive': {
    run: table({ log, log1p, sqrt, rsqrt, reciprocal: (x) => div(1, x), power: (x) => pow(x, 2.5), self_power: (x) => pow(x, x), square }),
  },
  'third-derivatives-unit-interval': { run: table({ asin, acos, log1p }), lacksFloat64: 'Asin' },
  'third-derivatives-binary': { run: pairTable({ pow, atan2, div, hypot: (x, y) => sqrt(add(mul(x, x), mul(y, y))) }), lacksFloat64: 'Atan' },
  'piecewise-gradients': scalarCase(piecewise),
};
