/** `compile`: signatures, binding, options, repeatability; on ONNX Runtime. */
import { describe, expect, test } from 'vitest';
import type { Executor } from '../src/core/backend.ts';
import { array, filled, NDArray, scalar } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import * as ops from '../src/ops/index.ts';
import { nodeExecutor } from '../src/runtime/node.ts';
import { evaluateReference, referenceExecutor, requireClose } from '../src/testing/index.ts';
import { compile, customVjp, grad, hvp, scan, vmap, whileLoop, cond } from '../src/transforms/index.ts';
import { key, normal, split } from '../src/util/random/index.ts';

const draw = (shape: number[], seed: number): NDArray => new NDArray(normal(split(key(5), seed), shape), shape, 'float32');

/** An executor that counts what it prepares. */
function counting(): Executor & { prepared: number } {
  const inner = nodeExecutor();
  const outer = { name: 'counting', prepared: 0, prepare: (...args: Parameters<Executor['prepare']>) => { outer.prepared++; return inner.prepare(...args); } };
  return outer;
}

interface Params { w1: Tensor; w2: Tensor }
const loss = (p: Params, x: Tensor, y: Tensor): Tensor => ops.mean(ops.square(ops.sub(ops.matmul(ops.tanh(ops.matmul(x, p.w1)), p.w2), y)));
const product = (p: Params, x: Tensor, y: Tensor, v: Params): Params => hvp(loss)(p, v, x, y);
const params = { w1: draw([4, 8], 1), w2: draw([8, 2], 2) };
const vector = { w1: draw([4, 8], 3), w2: draw([8, 2], 4) };
const [x, y] = [draw([16, 4], 5), draw([16, 2], 6)];
const float64 = <T>(tree: T): T => JSON.parse(JSON.stringify(tree)) as T;

describe('signatures', () => {
  test('one trace and one session for each structure, shape and dtype', async () => {
    const executor = counting();
    let traces = 0;
    const f = compile((a: Tensor) => { traces++; return ops.mul(a, 2); }, { executor });
    await f(array([1, 2]));
    await f(array([3, 4]));
    expect([traces, executor.prepared]).toEqual([1, 1]);
    await f(array([1, 2, 3]));
    await f(array([1, 2], [2], 'float64'));
    await f(array([1, 2], [2], 'int32'));
    await f(array([5, 6]));
    expect([traces, executor.prepared]).toEqual([4, 4]);
    await f.dispose();
  });

  test('plain numbers are scalars, of float32 unless told otherwise', async () => {
    expect(String(await compile((a: Tensor, b: Tensor) => ops.add(a, b))(1, scalar(2)))).toBe('f32[]');
    const precise = compile((a: Tensor) => ops.exp(a), { dtype: 'float64' });
    expect((await precise(1)).item()).toBeCloseTo(Math.E, 14);
    expect(await compile(({ rate }: { rate: Tensor }) => ({ twice: ops.mul(rate, 2) }))({ rate: 0.25 })).toEqual({ twice: scalar(0.5) });
  });

  test('concurrent calls of one function do not mix', async () => {
    const f = compile((a: Tensor) => ops.square(a));
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => f(scalar(i))));
    expect(results.map((r) => r.item())).toEqual(Array.from({ length: 20 }, (_, i) => i * i));
  });

  test('results may be arguments, constants or the same value twice', async () => {
    const f = compile((a: Tensor) => ({ a, again: [a, ops.mul(a, 2), ops.mul(a, 2)], one: ops.ones([2]), none: ops.zeros([0, 3]) }));
    const out = await f(array([1, 2]));
    expect([...out.a.data, ...out.again.flatMap((r) => [...r.data]), ...out.one.data, out.none.size]).toEqual([1, 2, 1, 2, 2, 4, 2, 4, 1, 1, 0]);
  });
});

describe('binding', () => {
  test('gives what the whole gives, with or without embedded residuals, and says what it keeps', async () => {
    const whole = await compile(product)(params, x, y, vector);
    const binder = compile(product, { bind: 3 });
    const bound = await binder(params, x, y);
    expect(bound.cost).toBeUndefined();
    requireClose(await bound(vector), whole, { relative: 1e-5, absolute: 1e-6 });
    const embedded = await compile(product, { bind: 3, embed: true })(params, x, y);
    requireClose(await embedded(vector), whole, { relative: 1e-5, absolute: 1e-6 });
    const cost = bound.cost!;
    expect(embedded.cost).toEqual(cost);
    expect(cost.boundOperations).toBeGreaterThan(0);
    expect(cost.callOperations).toBeGreaterThan(0);
    expect(cost.residuals).toBeGreaterThan(0);
    // Less than eight values of the hidden layer's size.
    expect(cost.residualBytes).toBeLessThan(8 * 16 * 8 * 4 + 4 * (4 * 8 + 8 * 2 + 16 * 4 + 16 * 2));
    await bound.dispose();
    await binder.dispose();
  });

  test('bound values are computed once, and each binding has its own', async () => {
    const executor = counting();
    const binder = compile((a: Tensor, b: Tensor) => ops.mul(ops.exp(a), b), { bind: 1, executor });
    const [first, second] = [await binder(scalar(0)), await binder(scalar(1))];
    expect([(await first(scalar(3))).item(), (await first(scalar(4))).item()]).toEqual([3, 4]);
    expect((await second(scalar(1))).item()).toBeCloseTo(Math.E, 6);
    // One program for the bound part and one for the calls, shared by both bindings.
    expect(executor.prepared).toBe(2);
  });

  test('everything or nothing may be bound; results may depend on the bound part alone', async () => {
    const f = (a: Tensor, b: Tensor): Tensor[] => [ops.mul(a, 2), ops.add(a, b), a];
    const all = await compile(f, { bind: 2 })(scalar(1), scalar(5));
    expect((await all()).map((r) => r.item())).toEqual([2, 6, 1]);
    const none = await compile(f, { bind: 0 })();
    expect((await none(scalar(1), scalar(5))).map((r) => r.item())).toEqual([2, 6, 1]);
    const embedded = await compile(f, { bind: 1, embed: true })(scalar(1));
    expect((await embedded(scalar(5))).map((r) => r.item())).toEqual([2, 6, 1]);
  });

  test('loops and custom rules split as well', async () => {
    const slowed = customVjp((a: Tensor) => ops.sin(a), (a: Tensor) => [ops.sin(a), a] as const, (a: Tensor, ct: Tensor): [Tensor] => [ops.mul(ct, ops.cos(a))]);
    const f = (w: Tensor, s: Tensor): Tensor => scan((c: Tensor, t: Tensor): [Tensor, Tensor] => [slowed(ops.add(ops.mul(c, w), t)), c], ops.zeros([3]), s)[0];
    const g = (w: Tensor, s: Tensor, v: Tensor): Tensor => hvp((p: Tensor, q: Tensor) => ops.sum(f(p, q)))(w, v, s);
    const [w, s, v] = [draw([3], 1), draw([4, 3], 2), draw([3], 3)];
    const expected = await compile(g, { executor: referenceExecutor })(w, s, v);
    for (const embed of [false, true]) requireClose(await (await compile(g, { bind: 2, embed })(w, s))(v), expected, { relative: 1e-4, absolute: 1e-5 });
  });
});

describe('repeatability', () => {
  test('the same call gives the same bits, in the same session and in another', async () => {
    const bits = async (run: () => Promise<{ w1: NDArray; w2: NDArray }>): Promise<string> => { const { w1, w2 } = await run(); return [...new Uint32Array(w1.data.slice().buffer), ...new Uint32Array(w2.data.slice().buffer)].join(); };
    const f = compile(product);
    const first = await bits(() => f(params, x, y, vector));
    expect(await bits(() => f(params, x, y, vector))).toBe(first);
    const g = compile(product);
    expect(await bits(() => g(params, x, y, vector))).toBe(first);
    expect(float64(first)).toBe(first);
  });

  test('optimised and plain graphs agree on ONNX Runtime', async () => {
    requireClose(await compile(product, { optimize: false })(params, x, y, vector), await compile(product)(params, x, y, vector), { relative: 1e-4, absolute: 1e-6 });
  });
});

describe('on ONNX Runtime as on the reference', () => {
  const programs: Readonly<Record<string, (a: Tensor) => Tensor>> = {
    'per-example gradients': (a) => vmap(grad((row: Tensor) => ops.logSumExp(ops.mul(row, row))))(a),
    'a loop that stops by itself, batched': (a) => vmap((row: Tensor) => whileLoop((z: Tensor) => ops.less(ops.norm(z), 10), (z: Tensor) => ops.mul(z, 1.7), ops.add(row, 0.1)))(a),
    'a batched branch': (a) => vmap((row: Tensor) => cond(ops.greater(ops.sum(row), 0), (z: Tensor) => ops.sin(z), (z: Tensor) => ops.mul(z, z), row))(a),
    'the gradient of a branch of values': (a) => grad((z: Tensor) => ops.sum(cond(ops.greater(ops.sum(z), 0), (q: Tensor) => ops.sin(q), (q: Tensor) => ops.mul(q, q), z)))(a),
    'attention': (a) => grad((z: Tensor) => ops.sum(ops.square(ops.attention(z, ops.sin(z), z))))(a),
    'a scan of scans': (a) => scan((c: Tensor, row: Tensor): [Tensor, Tensor] => [ops.tanh(ops.add(c, row)), scan((d: Tensor, e: Tensor): [Tensor, Tensor] => [ops.add(d, ops.mul(e, ops.sum(c))), d], ops.zeros([]), row)[1]], ops.zeros([4]), a)[1],
    'the Hessian of a scan': (a) => hvp((z: Tensor) => ops.sum(scan((c: Tensor, row: Tensor): [Tensor, Tensor] => [ops.tanh(ops.add(c, row)), c], ops.zeros([4]), z)[1]))(a, a),
  };
  test.each(Object.keys(programs))('%s', async (name) => {
    const a = draw([3, 4], 9);
    const expected = evaluateReference((z: Tensor) => programs[name](z), a);
    requireClose(await compile(programs[name])(a), expected, { relative: 1e-4, absolute: 1e-5 });
  });

  test('branches of a constant condition inside one another', async () => {
    const on = (): Tensor => ops.equal(ops.full([], 1, 'int32'), 1);
    const inner = (a: Tensor): Tensor => cond(on(), (b: Tensor) => ops.sin(ops.mul(ops.mean(a), b)), (b: Tensor) => ops.tanh(b), a);
    const f = (a: Tensor): Tensor => ops.concat(cond(on(), (b: Tensor) => { const v = inner(b); return [ops.sin(v), ops.mul(v, 0.5)]; }, (b: Tensor) => [b, b], a));
    const a = draw([3], 1);
    for (const optimize of [true, false]) requireClose(await compile(f, { optimize })(a), evaluateReference(f, a), { relative: 1e-5, absolute: 1e-6 });
  });

  test('a chain of two thousand operations', async () => {
    const chain = (a: Tensor): Tensor => { let z = a; for (let i = 0; i < 2000; i++) z = ops.sin(z); return z; };
    const result = await compile(grad(chain))(0.5);
    let [z, derivative] = [0.5, 1];
    for (let i = 0; i < 2000; i++) { derivative *= Math.cos(z); z = Math.sin(z); }
    expect(result.item()).toBeCloseTo(derivative, 5);
  });

  test('large constants and outputs', async () => {
    const out = await compile((a: Tensor) => ops.add(ops.constant(filled([300, 300], 2)), a))(scalar(1));
    expect(out.data.every((v: number) => v === 3)).toBe(true);
  });
});
