/** Does it live? From a model to one eigenvalue of its Hessian with its residual, on ONNX Runtime, in seconds. */
import { expect, test } from 'vitest';
import { array, compile, grad, hvp, leaves, mapTree, NDArray, type Tensor } from '../src/index.ts';
import * as ops from '../src/ops/index.ts';
import '../src/runtime/node.ts';
import { denseMatrix, evaluateReference, referenceExecutor, requireClose } from '../src/testing/index.ts';
import { symmetricEigen } from '../src/linalg/index.ts';
import { key, normal, split } from '../src/util/random/index.ts';

interface Params { hidden: { weight: Tensor; bias: Tensor }; output: { weight: Tensor } }
type HostParams = { hidden: { weight: NDArray; bias: NDArray }; output: { weight: NDArray } };
const draw = (shape: number[], name: string): NDArray => new NDArray(normal(split(key(3), name), shape, { deviation: 0.5 }), shape, 'float32');

const predict = (p: Params, x: Tensor): Tensor => ops.matmul(ops.tanh(ops.add(ops.matmul(x, p.hidden.weight), p.hidden.bias)), p.output.weight);
const loss = (p: Params, x: Tensor, labels: Tensor): Tensor => ops.neg(ops.mean(ops.sum(ops.mul(ops.oneHot(labels, 3), ops.logSoftmax(predict(p, x))), -1)));
const product = (p: Params, x: Tensor, labels: Tensor, v: Params): Params => hvp(loss)(p, v, x, labels);

const params: HostParams = { hidden: { weight: draw([6, 8], 'hidden'), bias: draw([8], 'bias') }, output: { weight: draw([8, 3], 'output') } };
const inputs = draw([64, 6], 'inputs');
const labels = array(Array.from({ length: 64 }, (_, i) => i % 3), [64], 'int32');

const dot = (a: HostParams, b: HostParams): number => {
  const [left, right] = [leaves<NDArray>(a), leaves<NDArray>(b)];
  return left.reduce((sum, { data }, k) => sum + [...data].reduce((s, value, i) => s + value * right[k].data[i], 0), 0);
};
const combine = (a: HostParams, x: number, b: HostParams, y: number): HostParams =>
  mapTree((p: NDArray, q: NDArray) => new NDArray((p.data as Float32Array).map((value, i) => x * value + y * q.data[i]), p.shape, 'float32'), a, b) as HostParams;

test('power iteration on a bound Hessian-vector product finds the eigenvalue of the dense Hessian', async () => {
  const bound = await compile(product, { bind: 3 })(params, inputs, labels);
  let v = mapTree((leaf: NDArray) => new NDArray(normal(split(key(4), leaf.size), leaf.shape), leaf.shape, 'float32'), params) as HostParams;
  let [eigenvalue, residual] = [0, Infinity];
  for (let i = 0; i < 300 && residual > 2e-4 * eigenvalue; i++) {
    v = combine(v, 1 / Math.sqrt(dot(v, v)), v, 0);
    const image = await bound(v);
    eigenvalue = dot(v, image);
    const rest = combine(image, 1, v, -eigenvalue);
    residual = Math.sqrt(dot(rest, rest));
    v = image;
  }
  expect(residual).toBeLessThan(1e-3 * eigenvalue);

  // The dense Hessian by unit vectors, on the float64 reference.
  const size = leaves<NDArray>(params).reduce((sum, leaf) => sum + leaf.size, 0);
  const unflatten = (flat: NDArray): HostParams => {
    let at = 0;
    return mapTree((leaf: NDArray) => new NDArray(Float32Array.from(flat.data.subarray(at, (at += leaf.size))), leaf.shape, 'float32'), params) as HostParams;
  };
  const oracle = await compile(product, { bind: 3, executor: referenceExecutor })(params, inputs, labels);
  const matrix = await denseMatrix(async (unit) => {
    const column = await oracle(unflatten(unit));
    return new NDArray(Float64Array.from(leaves<NDArray>(column).flatMap(({ data }) => [...data])), [size], 'float64');
  }, size);
  const symmetric = (matrix.data as Float64Array).map((value, i) => (value + matrix.data[(i % size) * size + Math.floor(i / size)]) / 2);
  const { values } = symmetricEigen(symmetric, size);
  const nearest = [...values].reduce((best, value) => (Math.abs(value - eigenvalue) < Math.abs(best - eigenvalue) ? value : best));
  expect(Math.abs(nearest - eigenvalue)).toBeLessThan(residual + 1e-5 * eigenvalue);
  expect(Math.max(...[...values].map(Math.abs))).toBeCloseTo(Math.abs(eigenvalue), 3);
});

test('a few gradient steps reduce the loss', async () => {
  const step = compile((p: Params, x: Tensor, y: Tensor, rate: Tensor) => {
    const g = grad(loss)(p, x, y);
    return { params: mapTree((a: Tensor, b: Tensor) => ops.sub(a, ops.mul(b, rate)), p, g) as Params, loss: loss(p, x, y) };
  });
  let current = params;
  const losses: number[] = [];
  for (let i = 0; i < 30; i++) {
    const out = await step(current, inputs, labels, 0.5);
    losses.push(out.loss.item());
    current = out.params;
  }
  expect(losses[29]).toBeLessThan(0.9 * losses[0]);
  requireClose(losses[0], evaluateReference((p: Params, x: Tensor, y: Tensor) => loss(p, x, y), params, inputs, labels).item(), { relative: 1e-5 });
});
