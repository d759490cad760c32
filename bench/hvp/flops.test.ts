import { describe, expect, test } from 'vitest';
import { Graph, trace } from '../../src/core/graph.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { conv, dot, greater, matmul, mul, square, sum, tanh } from '../../src/ops/index.ts';
import { grad, hvp, scan, whileLoop } from '../../src/transforms/index.ts';
import { optimize } from '../../src/transforms/passes.ts';
import { ThalwegError } from '../../src/util/errors.ts';
import { flops } from './flops.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'float32' as const });

function graphOf(types: readonly ReturnType<typeof f32>[], f: (...inputs: Tensor[]) => readonly Tensor[]): Graph {
  const { inputs, outputs } = trace(types, f);
  return optimize(new Graph(inputs, outputs));
}

describe('products', () => {
  test('a matrix product is 2 m n k', () => {
    expect(flops(graphOf([f32(3, 4), f32(4, 5)], (x, y) => [matmul(x, y)]))).toBe(2 * 3 * 4 * 5);
  });

  test('batch axes multiply, whichever axes are contracted', () => {
    const params = { batch: [[1], [0]], contract: [[0], [2]] } as const;
    expect(flops(graphOf([f32(4, 2, 3), f32(2, 5, 4)], (x, y) => [dot(x, y, params)]))).toBe(2 * 2 * 3 * 5 * 4);
  });

  test('elementwise operations count nothing', () => {
    expect(flops(graphOf([f32(3, 4)], (x) => [sum(mul(tanh(x), x))]))).toBe(0);
  });
});

describe('convolutions', () => {
  test('without padding: 2 n o y x c k l', () => {
    expect(flops(graphOf([f32(2, 3, 8, 9), f32(4, 3, 3, 2)], (x, kernel) => [conv(x, kernel)]))).toBe(2 * 2 * 4 * 6 * 8 * 3 * 3 * 2);
  });

  test('with strides and groups', () => {
    expect(flops(graphOf([f32(2, 6, 9), f32(4, 3, 3)], (x, kernel) => [conv(x, kernel, { strides: 2, groups: 2 })]))).toBe(2 * 2 * 4 * 4 * 3 * 3);
  });

  test('products with padding do not count: of 3 taps at n places, 2 fall off', () => {
    expect(flops(graphOf([f32(1, 1, 10), f32(1, 1, 3)], (x, kernel) => [conv(x, kernel, { padding: [[1, 1]] })]))).toBe(2 * (3 * 10 - 2));
  });

  test.each([1, 2, 3])('a convolution of stride %i and each of its derivatives have the same number', (strides) => {
    const types = [f32(2, 3, 11, 10), f32(4, 3, 3, 2)];
    const f = (x: Tensor, kernel: Tensor): Tensor => conv(x, kernel, { strides, padding: [[1, 0], [2, 1]] });
    const forward = flops(graphOf(types, (x, kernel) => [f(x, kernel)]));
    // The gradient of a sum of squares needs the forward pass and the derivative.
    const byInput = flops(graphOf(types, (x, kernel) => [grad((z: Tensor) => sum(square(f(z, kernel))))(x)]));
    const byKernel = flops(graphOf(types, (x, kernel) => [grad((z: Tensor) => sum(square(f(x, z))))(kernel)]));
    expect(forward).toBeGreaterThan(0);
    expect([byInput, byKernel]).toEqual([2 * forward, 2 * forward]);
  });
});

test('a Hessian-vector product of an MLP: 3 products in the first layer, 8 in later ones', () => {
  const [batch, inputs, hidden, outputs] = [32, 7, 5, 3];
  type Weights = { first: Tensor; second: Tensor };
  const loss = ({ first, second }: Weights, x: Tensor): Tensor => sum(square(tanh(matmul(tanh(matmul(x, first)), second))));
  const types = [f32(inputs, hidden), f32(hidden, outputs), f32(inputs, hidden), f32(hidden, outputs), f32(batch, inputs)];
  const graph = graphOf(types, (first, second, v, w, x) => Object.values(hvp(loss)({ first, second }, { first: v, second: w }, x)));
  const first = 2 * batch * inputs * hidden;
  const second = 2 * batch * hidden * outputs;
  // First: x W, x V, x' f. Second, with h and its tangent t, d and its tangent e before and after: h W, h V, t W, d W', d V', e W', h' e, t' d.
  expect(flops(graph)).toBe(3 * first + 8 * second);
});

describe('control flow', () => {
  const step = (carry: Tensor, x: Tensor): [Tensor, Tensor] => [matmul(carry, x), carry];

  test('a scan counts its body at every step', () => {
    const graph = graphOf([f32(4, 4), f32(6, 4, 4)], (carry, xs) => [scan(step, carry, xs)[0]]);
    expect(flops(graph)).toBe(6 * 2 * 4 ** 3);
  });

  test('a while loop is refused: nothing tells its steps', () => {
    const graph = graphOf([f32(4, 4)], (x) => [whileLoop((y: Tensor) => greater(sum(y), 1), (y: Tensor) => matmul(y, x), x)]);
    expect(() => flops(graph)).toThrow(ThalwegError);
  });
});
