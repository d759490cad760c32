/** Transformations composed by hand: known answers, dense oracles, and the classic traps. */
import { describe, expect, test } from 'vitest';
import { array, NDArray, scalar } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import * as ops from '../src/ops/index.ts';
import { checkBatch, checkGrads, denseMatrix, evaluateReference, requireClose } from '../src/testing/index.ts';
import {
  cond, customJvp, customVjp, ggnvp, grad, hessian, hvp, jacfwd, jacrev, jvp, linearize, linearTranspose, scan, valueAndGrad, vjp, vmap, whileLoop,
} from '../src/transforms/index.ts';
import { key, normal, split } from '../src/util/random/index.ts';

const f64 = (values: number[], shape: number[] = [values.length]): NDArray => array(values, shape, 'float64');
const draw = (shape: number[], seed: number): NDArray => new NDArray(normal(split(key(11), seed), shape, { dtype: 'float64' }), shape, 'float64');
const at = (f: (x: Tensor) => Tensor, x: number): number => evaluateReference(f, x).item();

describe('derivatives of scalars', () => {
  test('any number of gradients of a power', () => {
    const cube = (x: Tensor): Tensor => ops.mul(x, ops.mul(x, x));
    expect([cube, grad(cube), grad(grad(cube)), grad(grad(grad(cube))), grad(grad(grad(grad(cube))))].map((f) => at(f, 2))).toEqual([8, 12, 12, 6, 0]);
  });

  test('perturbations are not confused: d/dx x d/dy (x + y) = 1', () => {
    expect(at(grad((x: Tensor) => ops.mul(x, grad((y: Tensor) => ops.add(x, y))(x))), 1)).toBe(1);
    expect(at((x) => jvp((a: Tensor) => ops.mul(a, jvp((b: Tensor) => ops.add(a, b), [a], [ops.onesLike(a)])[1]), [x], [ops.onesLike(x)])[1], 1)).toBe(1);
    expect(at((x) => jvp((a: Tensor) => ops.mul(a, grad((b: Tensor) => ops.mul(a, b))(a)), [x], [ops.onesLike(x)])[1], 3)).toBe(6);
  });

  test('closures three deep differentiate what they close over', () => {
    // x * d/dy [y * d/dz (x y z)] = x * d/dy (x y^2) = 2 x^2 y at y = x, so 2 x^3; derivative 6 x^2.
    const f = (x: Tensor): Tensor => ops.mul(x, grad((y: Tensor) => ops.mul(y, grad((z: Tensor) => ops.mul(ops.mul(x, y), z))(y)))(x));
    expect(at(f, 2)).toBe(16);
    expect(at(grad(f), 2)).toBe(24);
  });

  test('one value given twice is two arguments', () => {
    const f = (x: Tensor): [Tensor, Tensor] => { const [, pull] = vjp((a: Tensor, b: Tensor) => ops.mul(a, ops.sin(b)), x, x); return pull(ops.onesLike(x)) as [Tensor, Tensor]; };
    const [da, db] = evaluateReference(f, 0.7);
    requireClose([da, db], [Math.sin(0.7), 0.7 * Math.cos(0.7)]);
  });

  test('a stopped gradient is a constant to every derivative', () => {
    expect(at(grad((x: Tensor) => ops.mul(x, ops.stopGradient(ops.mul(x, x)))), 3)).toBe(9);
    expect(at(grad(grad((x: Tensor) => ops.mul(x, ops.stopGradient(ops.mul(x, x))))), 3)).toBe(0);
  });

  test('conversion between float types passes derivatives, to integers none', () => {
    expect(at(grad((x: Tensor) => ops.convert(ops.mul(ops.convert(x, 'float32'), ops.convert(x, 'float32')), 'float64')), 3)).toBe(6);
    expect(at(grad((x: Tensor) => ops.mul(x, ops.convert(ops.convert(x, 'int32'), 'float64'))), 2.5)).toBe(2);
  });
});

describe('valueAndGrad', () => {
  test('returns value, auxiliary tree and the gradient as the argument', () => {
    const loss = (p: { w: Tensor; b: Tensor[] }, x: Tensor): readonly [Tensor, { prediction: Tensor; twice: Tensor[] }] => {
      const prediction = ops.add(ops.mul(p.w, x), p.b[0]);
      return [ops.sum(ops.square(prediction)), { prediction, twice: [ops.mul(prediction, 2)] }];
    };
    const [[value, aux], gradient] = evaluateReference((p: { w: Tensor; b: Tensor[] }, x: Tensor) => valueAndGrad(loss, { aux: true })(p, x), { w: f64([2, 3]), b: [scalar(1, 'float64')] }, f64([1, -1]));
    expect(value.item()).toBe(13);
    expect([...aux.prediction.data]).toEqual([3, -2]);
    expect([...aux.twice[0].data]).toEqual([6, -4]);
    expect([...gradient.w.data]).toEqual([6, 4]);
    expect(gradient.b[0].item()).toBe(2);
  });

  test('an auxiliary value carries no derivative of its own, and is differentiated by an outer gradient', () => {
    const outer = (x: Tensor): Tensor => { const [[, aux]] = valueAndGrad((y: Tensor): readonly [Tensor, Tensor] => [ops.square(y), ops.sin(y)], { aux: true })(x); return aux; };
    expect(at(grad(outer), 0.3)).toBeCloseTo(Math.cos(0.3), 15);
  });
});

describe('matrices of derivatives', () => {
  const a = f64([2, -1, 0.5, -1, 3, 1, 0.5, 1, 4], [3, 3]);
  const quadratic = (x: Tensor, m: Tensor): Tensor => ops.mul(0.5, ops.vdot(x, ops.matmul(m, x)));

  test('the Hessian of a quadratic is its matrix, however it is taken', async () => {
    const x = f64([1, 2, 3]);
    requireClose(evaluateReference((v: Tensor, m: Tensor) => hessian((y: Tensor) => quadratic(y, m))(v), x, a), a, { absolute: 1e-13 });
    requireClose(evaluateReference((v: Tensor, m: Tensor) => jacrev(grad((y: Tensor) => quadratic(y, m)))(v), x, a), a, { absolute: 1e-13 });
    requireClose(await denseMatrix((v) => evaluateReference((y: Tensor, m: Tensor, t: Tensor) => hvp((z: Tensor) => quadratic(z, m))(y, t), x, a, v), 3), a, { absolute: 1e-13 });
  });

  test('jacfwd = jacrev = closed form, over trees', () => {
    const f = (p: { x: Tensor; y: Tensor }): Tensor[] => [ops.mul(p.x, ops.sum(p.y)), ops.sin(p.y)];
    const p = { x: f64([1, 2]), y: f64([0.5, -1, 2]) };
    const forward = evaluateReference((q: { x: Tensor; y: Tensor }) => jacfwd(f)(q) as { x: Tensor; y: Tensor }[], p);
    const reverse = evaluateReference((q: { x: Tensor; y: Tensor }) => jacrev(f)(q) as { x: Tensor; y: Tensor }[], p);
    requireClose(forward, reverse, { absolute: 1e-14 });
    expect(forward[0].x.shape).toEqual([2, 2]);
    expect([...forward[0].x.data]).toEqual([1.5, 0, 0, 1.5]);
    expect([...forward[0].y.data]).toEqual([1, 1, 1, 2, 2, 2]);
    requireClose(forward[1].y, f64([Math.cos(0.5), 0, 0, 0, Math.cos(1), 0, 0, 0, Math.cos(2)], [3, 3]));
  });

  test("ggnvp is J' H J, and the Hessian where the model is linear", () => {
    const [w, x, y, v] = [draw([3, 2], 1), draw([5, 3], 2), draw([5, 2], 3), draw([3, 2], 4)];
    const loss = (out: Tensor, target: Tensor): Tensor => ops.sum(ops.mul(ops.softmax(out), ops.square(ops.sub(out, target))));
    const product = evaluateReference((p: Tensor, inputs: Tensor, target: Tensor, t: Tensor) => ggnvp((q: Tensor) => ops.matmul(inputs, q), (out: Tensor) => loss(out, target))(p, t), w, x, y, v);
    requireClose(product, evaluateReference((p: Tensor, inputs: Tensor, target: Tensor, t: Tensor) => hvp((q: Tensor) => loss(ops.matmul(inputs, q), target))(p, t), w, x, y, v), { absolute: 1e-12 });
  });

  test('the transpose of a linear function is its matrix transposed', async () => {
    const f = (x: Tensor): Tensor => ops.concat([ops.cumsum(x), ops.mul(ops.narrow(x, 0, 1, 3), 2)]);
    const forward = await denseMatrix((v) => evaluateReference(f, v), 4);
    const backward = await denseMatrix((v) => evaluateReference((ct: Tensor) => linearTranspose(f, ops.zeros([4], 'float64'))(ct), v), 6);
    for (let i = 0; i < 6; i++) for (let j = 0; j < 4; j++) expect(backward.data[j * 6 + i]).toBe(forward.data[i * 4 + j]);
  });
});

describe('compositions', () => {
  const network = (w: Tensor, x: Tensor): Tensor => ops.sum(ops.tanh(ops.matmul(ops.tanh(ops.matmul(x, w)), w)));

  test('jvp of vmap of grad', () => {
    checkGrads((w: Tensor, x: Tensor) => vmap(grad((p: Tensor, row: Tensor) => network(p, row)), { inAxes: [null, 0] })(w, x), [draw([3, 3], 1), draw([4, 3], 2)], { order: 2 });
  });

  test('a mean of per-example gradients is the gradient of the mean', () => {
    const [w, x] = [draw([3, 3], 1), draw([4, 3], 2)];
    const each = evaluateReference((p: Tensor, rows: Tensor) => ops.sum(vmap(grad(network), { inAxes: [null, 0] })(p, rows), 0), w, x);
    requireClose(each, evaluateReference((p: Tensor, rows: Tensor) => grad(network)(p, rows), w, x), { absolute: 1e-13 });
  });

  test('vmap over inner and last axes, results anywhere', () => {
    const x = draw([2, 3, 4], 5);
    const moved = evaluateReference((y: Tensor) => vmap((row: Tensor) => ops.sum(row, 0), { inAxes: 1, outAxis: 1 })(y), x);
    expect(moved.shape).toEqual([4, 3]);
    requireClose(moved, evaluateReference((y: Tensor) => ops.transpose(ops.sum(y, 0)), x), { absolute: 1e-14 });
    checkBatch((row: Tensor) => ops.cumsum(row, 1), [x], { inAxes: -1 });
  });

  test('linearize shares the point: its function may be called many times', () => {
    const f = (w: Tensor, t: Tensor): Tensor[] => { const [value, push] = linearize((p: Tensor) => ops.exp(p), w); return [value, push(t), push(push(t))]; };
    const [value, once, twice] = evaluateReference(f, 0.5, 2);
    requireClose([value, once, twice], [Math.exp(0.5), 2 * Math.exp(0.5), 2 * Math.exp(1)]);
  });

  test('linearize of a loop returns a value free of its directions', () => {
    const f = (x: Tensor): Tensor => linearize((y: Tensor) => whileLoop((z: Tensor) => ops.less(z, 10), (z: Tensor) => ops.mul(z, 2), y), x)[0];
    expect(at(f, 3)).toBe(12);
  });
});

describe('loops and branches', () => {
  const cell = (p: { u: Tensor; w: Tensor }, h: Tensor, x: Tensor): Tensor => ops.tanh(ops.add(ops.matmul(h, p.u), ops.matmul(x, p.w)));
  const [u, w, xs] = [draw([3, 3], 1), draw([2, 3], 2), draw([5, 2], 3)];
  const rolled = (p: { u: Tensor; w: Tensor }, inputs: Tensor): Tensor => {
    const [last, all] = scan((h: Tensor, x: Tensor): [Tensor, Tensor] => { const next = cell(p, h, x); return [next, ops.sum(next)]; }, ops.zeros([3], 'float64'), inputs);
    return ops.add(ops.sum(all), ops.vdot(last, last));
  };
  const unrolled = (p: { u: Tensor; w: Tensor }, inputs: Tensor): Tensor => {
    let h = ops.zeros([3], 'float64');
    let total = ops.zeros([], 'float64');
    for (let i = 0; i < 5; i++) { h = cell(p, h, ops.at(inputs, i)); total = ops.add(total, ops.sum(h)); }
    return ops.add(total, ops.vdot(h, h));
  };

  test('a recurrent network by scan has the gradient and Hessian of the unrolled one; its weights are closed over', () => {
    requireClose(evaluateReference((p: { u: Tensor; w: Tensor }, x: Tensor) => valueAndGrad(rolled)(p, x), { u, w }, xs), evaluateReference((p: { u: Tensor; w: Tensor }, x: Tensor) => valueAndGrad(unrolled)(p, x), { u, w }, xs), { absolute: 1e-12 });
    const vector = { u: draw([3, 3], 4), w: draw([2, 3], 5) };
    requireClose(evaluateReference((p: { u: Tensor; w: Tensor }, v: { u: Tensor; w: Tensor }, x: Tensor) => hvp(rolled)(p, v, x), { u, w }, vector, xs), evaluateReference((p: { u: Tensor; w: Tensor }, v: { u: Tensor; w: Tensor }, x: Tensor) => hvp(unrolled)(p, v, x), { u, w }, vector, xs), { absolute: 1e-12 });
    checkGrads(rolled, [{ u, w }, xs], { order: 2 });
  });

  test('vmap of scan, with weights or inputs or both mapped', () => {
    const three = (a: NDArray): NDArray => evaluateReference((x: Tensor) => ops.stack([x, ops.sin(x), ops.mul(x, 2)]), a);
    checkBatch(rolled, [{ u: three(u), w: three(w) }, three(xs)]);
    checkBatch(rolled, [{ u: three(u), w: three(w) }, xs], { inAxes: [0, null] });
    checkBatch((p: { u: Tensor; w: Tensor }, x: Tensor) => grad(rolled)(p, x), [{ u, w }, three(xs)], { inAxes: [null, 0] });
  });

  test('vmap of while: each element stops by itself', () => {
    const collatz = (n: Tensor): Tensor => whileLoop(({ m }: { m: Tensor; steps: Tensor }) => ops.greater(m, 1),
      ({ m, steps }) => ({ m: ops.where(ops.equal(ops.mod(m, 2), 0), ops.convert(ops.div(ops.convert(m, 'float64'), 2), 'int32'), ops.add(ops.mul(m, 3), 1)), steps: ops.add(steps, 1) }), { m: n, steps: ops.full([], 0, 'int32') }).steps;
    const counts = evaluateReference((n: Tensor) => vmap(collatz)(n), array([1, 6, 7, 27], [4], 'int32'));
    expect([...counts.data]).toEqual([0, 8, 16, 111]);
  });

  test('while closes over values in condition and body, and differentiates them forward', () => {
    const f = (x: Tensor, rate: Tensor, limit: Tensor): Tensor => whileLoop((y: Tensor) => ops.less(y, limit), (y: Tensor) => ops.mul(y, rate), x);
    // 1 * 1.5^k >= 10 at k = 6
    expect(evaluateReference(f, 1, 1.5, 10).item()).toBeCloseTo(1.5 ** 6, 12);
    expect(evaluateReference((x: Tensor, r: Tensor, l: Tensor) => jvp((rate: Tensor) => f(x, rate, l), [r], [ops.onesLike(r)])[1], 1, 1.5, 10).item()).toBeCloseTo(6 * 1.5 ** 5, 12);
    checkGrads(f, [scalar(1, 'float64'), scalar(1.5, 'float64'), scalar(10, 'float64')], { modes: ['forward', 'linearize'], step: 2 ** -10 });
  });

  test('cond takes the branch, and a batched predicate chooses for each element', () => {
    const f = (x: Tensor, scale: Tensor): Tensor => cond(ops.greater(x, 0), (y: Tensor) => ops.mul(y, scale), (y: Tensor) => ops.exp(y), x);
    expect(at((x) => f(x, ops.full([], 3, 'float64')), 2)).toBe(6);
    checkBatch(f, [f64([1, -2, 0.5]), scalar(3, 'float64')], { inAxes: [0, null] });
    checkGrads((x: Tensor, s: Tensor) => vmap(f, { inAxes: [0, null] })(x, s), [f64([1, -2, 0.5]), scalar(3, 'float64')], { order: 2 });
  });

  test('a scan inside a while inside a scan', () => {
    const f = (x: Tensor, w: Tensor): Tensor => scan((c: Tensor, s: Tensor): [Tensor, Tensor] => {
      const { y } = whileLoop(({ i }: { i: Tensor; y: Tensor }) => ops.less(i, 2), ({ i, y }) => ({ i: ops.add(i, 1), y: scan((d: Tensor, t: Tensor): [Tensor, Tensor] => [ops.sin(ops.add(d, ops.mul(t, ops.mean(w)))), d], y, w)[0] }), { i: ops.full([], 0, 'int32'), y: ops.add(c, s) });
      return [y, y];
    }, ops.zeros([2], 'float64'), x)[1];
    checkGrads(f, [draw([3, 2], 1), draw([2, 2], 2)], { modes: ['forward', 'linearize'], order: 2 });
    checkBatch(f, [draw([2, 3, 2], 1), draw([2, 2], 2)], { inAxes: [0, null] });
  });
});

describe('custom rules', () => {
  const softened = customVjp((x: Tensor) => ops.abs(x), (x: Tensor) => [ops.abs(x), x] as const, (x: Tensor, ct: Tensor): [Tensor] => [ops.mul(ct, ops.tanh(ops.mul(x, 10)))]);
  const straightThrough = customJvp((x: Tensor) => ops.round(x), (_, [t]) => t);

  test('replace the derivative in reverse and in forward mode, and in their derivatives', () => {
    expect(at(grad(softened), 0.05)).toBeCloseTo(Math.tanh(0.5), 15);
    expect(at((x) => jvp(softened, [x], [ops.onesLike(x)])[1], 0.05)).toBeCloseTo(Math.tanh(0.5), 15);
    expect(at(grad(grad(softened)), 0.05)).toBeCloseTo(10 * (1 - Math.tanh(0.5) ** 2), 12);
    expect(at(grad((x: Tensor) => ops.square(straightThrough(x))), 2.7)).toBe(6);
    expect(at((x) => jvp(straightThrough, [x], [ops.full([], 5, 'float64')])[1], 2.7)).toBe(5);
  });

  test('hold under vmap, also where an argument is shared', () => {
    const product = customVjp((x: Tensor, w: Tensor) => ops.sum(ops.mul(x, w)), (x: Tensor, w: Tensor) => [ops.sum(ops.mul(x, w)), { x, w }] as const, ({ x, w }: { x: Tensor; w: Tensor }, ct: Tensor): [Tensor, Tensor] => [ops.mul(w, ct), ops.mul(ops.mul(x, ct), 2)]);
    const gradients = evaluateReference((x: Tensor, w: Tensor) => grad((p: Tensor) => ops.sum(vmap(product, { inAxes: [0, null] })(x, p)))(w), f64([1, 2, 3, 4], [2, 2]), f64([5, 6]));
    expect([...gradients.data]).toEqual([8, 12]);
    checkBatch((x: Tensor) => grad(softened)(x), [f64([0.1, -0.2, 0])]);
    checkBatch((x: Tensor) => grad((y: Tensor) => ops.square(straightThrough(y)))(x), [f64([0.6, -0.2, 1.2])]);
  });

  test('a backward pass may close over values of the enclosing function', () => {
    const f = (x: Tensor, rate: Tensor): Tensor => grad((y: Tensor) => {
      const slowed = customVjp((z: Tensor) => z, (z: Tensor) => [z, z] as const, (_: Tensor, ct: Tensor): [Tensor] => [ops.mul(ct, ops.stopGradient(rate))]);
      return ops.square(slowed(y));
    })(x);
    expect(evaluateReference(f, 3, 0.5).item()).toBe(3);
    requireClose(evaluateReference((x: Tensor, r: Tensor) => vmap(f, { inAxes: [0, null] })(x, r), f64([1, 2]), 0.5), f64([1, 2]));
    requireClose(evaluateReference((x: Tensor, r: Tensor) => vmap(f, { inAxes: [0, 0] })(x, r), f64([1, 2]), f64([0.5, 1])), f64([1, 4]));
  });
});
