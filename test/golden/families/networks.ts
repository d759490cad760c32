/** Small networks: gradients, Hessians, Gauss-Newton products, per-example Jacobians. */
import { array } from '../../../src/core/ndarray.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { symmetricEigen } from '../../../src/linalg/index.ts';
import {
  add, at, concat, einsum, elu, expandDims, gelu, logSoftmax, matmul, mean, mul, narrow, neg, relu, reshape, silu, softplus, square, stopGradient, sub, sum,
  take, takeAlongAxis, tanh,
} from '../../../src/ops/index.ts';
import { ggnvp, grad, hessian, jacfwd, jacrev, jvp, vmap } from '../../../src/transforms/index.ts';
import { prefixed, scalarCase, type GoldenCase, type GoldenCases, type Tensors } from '../golden.ts';

/** x@w1+b1 -> activation -> ... -> x@wN+bN. */
export function mlp(p: Tensors, x: Tensor, activation: (t: Tensor) => Tensor = tanh): Tensor {
  let h = x;
  for (let i = 1; `w${i}` in p; i++) {
    const z = add(matmul(h, p[`w${i}`]), p[`b${i}`]);
    h = `w${i + 1}` in p ? activation(z) : z;
  }
  return h;
}

/** Mean over rows of -log_softmax(logits)[row, labels[row]]. */
export const crossEntropy = (logits: Tensor, labels: Tensor): Tensor => neg(mean(takeAlongAxis(logSoftmax(logits), expandDims(labels, 1), 1)));

const keys = ['w1', 'b1', 'w2', 'b2'];
const parameters = (inputs: Tensors): Tensors => Object.fromEntries(keys.map((key) => [key, inputs[key]]));
const flattened = (p: Tensors): Tensor => concat(keys.map((key) => reshape(p[key], [-1])));

/** The loss of the two-layer network as a function of one vector. */
function vectorLoss(inputs: Tensors): (flat: Tensor) => Tensor {
  return (flat) => {
    let start = 0;
    const p = Object.fromEntries(keys.map((key) => {
      const size = inputs[key].shape.reduce((a, b) => a * b, 1);
      start += size;
      return [key, reshape(narrow(flat, 0, start - size, start), inputs[key].shape)];
    }));
    return crossEntropy(mlp(p, inputs.x), inputs.labels);
  };
}

const along = <F extends (x: Tensor) => Tensor>(f: F, v: Tensor) => (x: Tensor): Tensor => jvp(f, [x], [v])[1];
const activationNet = (activation: (t: Tensor) => Tensor, options: Omit<GoldenCase, 'run'> = {}): GoldenCase =>
  scalarCase((p) => crossEntropy(mlp(p, p.x, activation), p.labels), options);

const perExampleJacobian = (jacobian: typeof jacrev): GoldenCase => ({
  run(inputs) {
    const p = parameters(inputs);
    const blocks = vmap((row: Tensor) => jacobian((q: Tensors) => mlp(q, row))(p) as Tensors)(inputs.x);
    const flat = concat(keys.map((key) => reshape(blocks[key], [5, 2, -1])), 2);
    return { ...prefixed('jacobian', blocks), kernel: einsum('aip,bjp->abij', flat, flat) };
  },
});

const logisticLoss = ({ x, y }: Tensors) => (p: Tensor): Tensor => {
  const w = narrow(p, 0, 0, 4);
  const z = add(matmul(x, w), at(p, 4));
  return add(mean(sub(softplus(z), mul(y, z))), mul(0.05, sum(square(w))));
};

const descentLoss = ({ x, y }: Tensors) => (w: Tensor): Tensor => mean(square(sub(tanh(matmul(x, w)), y)));

export const networks: GoldenCases = {
  'mlp-tanh-cross-entropy': scalarCase((p) => crossEntropy(mlp(p, p.x), p.labels)),
  'mlp-three-layers-squared-error': scalarCase((p) => mean(square(sub(mlp(p, p.x), p.y)))),
  'mlp-gauss-newton-product': {
    run(inputs) {
      const v = Object.fromEntries(keys.map((key) => [key, inputs[`v.${key}`]]));
      const product = ggnvp((p: Tensors) => mlp(p, inputs.x), (z: Tensor) => crossEntropy(z, inputs.labels));
      return prefixed('ggnvp', product(parameters(inputs), v));
    },
  },
  'mlp-full-hessian': {
    run: (inputs) => ({ hessian: hessian(vectorLoss(inputs))(flattened(inputs)) as Tensor }),
    finish({ hessian: { data } }) {
      const symmetric = Float64Array.from(data, (value, i) => (value + data[(i % 20) * 20 + Math.floor(i / 20)]) / 2);
      return { eigenvalues: array(symmetricEigen(symmetric, 20).values, [20], 'float64') };
    },
  },
  'mlp-third-derivative': {
    run(inputs) {
      const quadratic = along(along(vectorLoss(inputs), inputs.a), inputs.b);
      const p = flattened(inputs);
      return { third: along(quadratic, inputs.c)(p), gradient: grad(quadratic)(p) };
    },
  },
  'per-example-jacobian-reverse': perExampleJacobian(jacrev),
  'per-example-jacobian-forward': perExampleJacobian(jacfwd),
  'mlp-relu': activationNet(relu),
  'mlp-gelu-exact': activationNet((t) => gelu(t), { lacksFloat64: 'Erf' }),
  'mlp-gelu-tanh': activationNet((t) => gelu(t, { approximate: true })),
  'mlp-silu': activationNet(silu),
  'mlp-softplus': activationNet(softplus),
  'mlp-elu': activationNet((t) => elu(t)),
  'logistic-regression': {
    run(inputs) {
      const loss = logisticLoss(inputs);
      const p = concat([inputs.w, inputs.b]);
      return { value: loss(p), gradient: grad(loss)(p), hessian: hessian(loss)(p) as Tensor };
    },
  },
  'embedding-mlp': scalarCase((p) => crossEntropy(mlp(p, mean(take(p.table, p.tokens), 1)), p.labels)),
  'unrolled-descent': scalarCase((inputs) => {
    const inner = descentLoss(inputs);
    let { w } = inputs;
    for (let step = 0; step < 3; step++) w = sub(w, mul(inputs.rate, grad(inner)(w)));
    return inner(w);
  }),
  'stopped-target': scalarCase(({ w, state, next, reward }) => {
    const q = (s: Tensor): Tensor => tanh(matmul(s, w));
    return mean(square(sub(sub(q(state), reward), mul(0.9, stopGradient(q(next))))));
  }),
};
