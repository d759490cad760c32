/** Scan, while, cond, and transformations stacked on each other. */
import type { Tensor } from '../../../src/core/tensor.ts';
import {
  abs, add, and, at, convert, div, exp, full, greater, less, matmul, mean, mul, onesLike, pow, sigmoid, sin, square, stack, sub, sum, tanh, variance,
  vdot, zeros,
} from '../../../src/ops/index.ts';
import { cond, grad, hessian, hvp, jacfwd, jacrev, jvp, scan, vjp, vmap, whileLoop } from '../../../src/transforms/index.ts';
import { curvedCase, scalarCase, type GoldenCases, type Tensors } from '../golden.ts';

type Unary = (x: Tensor) => Tensor;
const along = (f: Unary, v: Tensor): Unary => (x) => jvp(f, [x], [v])[1];

function recurrentLoss({ x, y, wx, wh, b }: Tensors): Tensor {
  const step = (h: Tensor, [input, target]: [Tensor, Tensor]): [Tensor, Tensor] => {
    const next = tanh(add(add(matmul(input, wx), matmul(h, wh)), b));
    return [next, mean(square(sub(next, target)))];
  };
  return mean(scan(step, zeros([2, 4], x.dtype), [x, y] as [Tensor, Tensor])[1]);
}

function gatedLoss({ x, c, h0, wg, ug, wc, uc }: Tensors): Tensor {
  const step = (h: Tensor, input: Tensor): [Tensor, Tensor] => {
    const gate = sigmoid(add(mul(input, wg), matmul(h, ug)));
    const next = add(mul(gate, h), mul(sub(1, gate), tanh(add(mul(input, wc), matmul(h, uc)))));
    return [next, sum(square(next))];
  };
  const [last, squares] = scan(step, h0, x);
  return add(vdot(c, last), mul(0.1, sum(squares)));
}

const runningProduct = (x: Tensor): Tensor => scan((p: Tensor, slice: Tensor) => [mul(p, slice), mul(p, slice)] as const, full([3], 1, x.dtype), x)[1];

const discounted = ({ r, gamma }: Tensors): Tensor => scan((g: Tensor, reward: Tensor) => {
  const next = add(reward, mul(gamma, g));
  return [next, next] as const;
}, zeros([], r.dtype), r, { reverse: true })[1];

const logisticMap = (p: Tensor): Tensor => scan((x: Tensor, _: readonly never[]) => {
  const next = mul(mul(at(p, 1), x), sub(1, x));
  return [next, next] as const;
}, at(p, 0), [], { length: 5 })[1];

const squareRoot: Unary = (a) => whileLoop(
  ({ s, count }: { s: Tensor; count: Tensor }) => and(greater(abs(sub(square(s), a)), mul(1e-13, a)), less(count, 60)),
  ({ s, count }) => ({ s: div(add(s, div(a, s)), 2), count: add(count, 1) }),
  { s: a, count: zeros([], 'int32') },
).s;

const fourRounds: Unary = (x) => whileLoop(
  ([i]: [Tensor, Tensor]) => less(i, 4),
  ([i, y]) => [add(i, 1), add(sin(y), mul(mul(0.1, convert(i, y.dtype)), square(y)))] as [Tensor, Tensor],
  [zeros([], 'int32'), x] as [Tensor, Tensor],
)[1];

const branching = (x: Tensor, b: Tensor): Tensor => cond(greater(sum(x), 0), (t: Tensor, _: Tensor) => sum(mul(sin(t), t)), (t, s) => sum(mul(exp(t), s)), x, b);

const twoLayers = (w: Tensor): Unary => (x) => mul(tanh(matmul(w, x)), sum(square(x)));
const kernel = (a: Tensor, b: Tensor): Tensor => exp(mul(-0.5, sum(square(sub(a, b)))));
const pairs = <F extends (a: Tensor, b: Tensor) => Tensor>(f: F): ((a: Tensor, b: Tensor) => Tensor) =>
  vmap(vmap(f as (a: Tensor, b: Tensor) => Tensor, { inAxes: [null, 0] }), { inAxes: [0, null] });

export const control: GoldenCases = {
  'scan-rnn': scalarCase(recurrentLoss),
  'scan-gated-rnn': scalarCase(gatedLoss),
  'scan-cumulative-product': curvedCase(({ x }) => runningProduct(x)),
  'scan-reversed': {
    run: (inputs) => {
      const { run } = scalarCase((all) => sum(mul(inputs.c, square(discounted(all)))));
      return { y: discounted(inputs), ...run(inputs) };
    },
  },
  'scan-jacobians': {
    run({ x0, rate }) {
      const p = stack([x0, rate]);
      return {
        y: logisticMap(p), forward: jacfwd(logisticMap)(p) as Tensor, reverse: jacrev(logisticMap)(p) as Tensor,
        second: jacfwd((q: Tensor) => jacrev(logisticMap)(q) as Tensor)(p) as Tensor,
      };
    },
  },
  'while-newton-square-root': {
    run({ a }) {
      const derivative = (f: Unary): Unary => (x) => jvp(f, [x], [onesLike(x)])[1];
      return { s: vmap(squareRoot)(a), tangent: vmap(derivative(squareRoot))(a), tangent2: vmap(derivative(derivative(squareRoot)))(a) };
    },
    // The loop's end is at a residual of 1e-13, which float32 does not reach: it ends after 60 steps, at the same root.
    float32: 1e-4,
  },
  'while-fixed-trip-count': {
    run: ({ x, v, w }) => ({ y: fourRounds(x), tangent: along(fourRounds, v)(x), second: along(along(fourRounds, v), w)(x) }),
  },
  'cond-gradients': {
    run({ b, v, ...points }) {
      const outputs: Tensors = {};
      for (const [name, point] of Object.entries(points)) {
        outputs[`value.${name}`] = branching(point, b);
        [outputs[`grad.${name}`], outputs[`gradb.${name}`]] = grad(([x, s]: [Tensor, Tensor]) => branching(x, s))([point, b]);
        outputs[`hvp.${name}`] = hvp((x: Tensor) => branching(x, b))(point, v);
      }
      return outputs;
    },
  },
  'vmap-of-grad': {
    run({ w, v, x, y }) {
      const f = (weights: Tensor, row: Tensor, target: Tensor): Tensor => square(sub(tanh(vdot(row, weights)), target));
      const gradients = vmap(grad(f), { inAxes: [null, 0, 0] })(w, x, y);
      const hvps = vmap((row: Tensor, target: Tensor) => hvp(f)(w, v, row, target))(x, y);
      return { gradients, hvps, squared_norms: sum(square(gradients), 1), variance: variance(gradients, 0) };
    },
  },
  'nested-vmap': {
    run: ({ A, B }) => ({
      gram: pairs(kernel)(A, B), grads: pairs(grad(kernel))(A, B),
      mixed: pairs((a, b) => jacfwd((t: Tensor) => grad(kernel)(a, t))(b) as Tensor)(A, B),
    }),
  },
  'vmap-over-other-axes': {
    run(inputs) {
      const f = vmap((m: Tensor, s: Tensor) => matmul(sin(m), s), { inAxes: [1, 1], outAxis: 1 });
      const [y, tangent] = jvp(f, [inputs.M, inputs.S], [inputs['v.M'], inputs['v.S']]);
      return { y, tangent };
    },
  },
  'jvp-of-vjp': {
    run({ w, x, v, u, t }) {
      const [pullback, tangent] = jvp((at_: Tensor, ct: Tensor) => vjp(twoLayers(w), at_)[1](ct)[0], [x, u], [v, t]);
      return { pullback, tangent };
    },
  },
  'vjp-of-jvp': {
    run({ w, x, v, u }) {
      const [pushforward, pull] = vjp((at_: Tensor, direction: Tensor) => jvp(twoLayers(w), [at_], [direction])[1], x, v);
      const [gradX, gradV] = pull(u);
      return { pushforward, 'grad.x': gradX, 'grad.v': gradV };
    },
  },
  'derivative-of-hessian-eigen-quotient': {
    run({ w, x, v }) {
      const f = (t: Tensor): Tensor => add(sum(square(tanh(matmul(w, t)))), div(sum(pow(t, 4)), 4));
      const r = (t: Tensor): Tensor => div(vdot(v, hvp(f)(t, v)), vdot(v, v));
      return { r: r(x), grad_r: grad(r)(x), hessian_r: hessian(r)(x) as Tensor };
    },
  },
};
