import { describe, expect, test } from 'vitest';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { symmetricEigen } from '../linalg/index.ts';
import { constant, matmul, mul, square, sub, sum, add } from '../ops/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import { soap } from './soap.ts';

type Matrix = number[][];
const times = (a: Matrix, b: Matrix): Matrix => a.map((row) => b[0].map((_, j) => row.reduce((total, x, k) => total + x * b[k][j], 0)));
const transposed = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));
const map = (a: Matrix, f: (x: number, i: number, j: number) => number): Matrix => a.map((row, i) => row.map((x, j) => f(x, i, j)));
function eigenvectors(a: Matrix): Matrix {
  const n = a.length;
  const { vectors } = symmetricEigen(Float64Array.from(a.flat()), n);
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => vectors[i * n + j]));
}

// The gradient of |A w - T|^2 / 2 is A' (A w - T), of full rank with distinct singular values.
const a = [[2, 0.3], [0, 1]];
const target = [[1, -0.5], [0.3, 1]];
const loss = ({ w, b }: { w: Tensor; b: Tensor }): Tensor => {
  const of = (m: Matrix): Tensor => constant(array(m.flat(), [2, 2], w.dtype as 'float64'));
  return mul(0.5, add(sum(square(sub(matmul(of(a), w), of(target)))), sum(square(sub(b, 1)))));
};
const start = { w: array([0, 0, 0, 0], [2, 2], 'float64'), b: array([3], [1], 'float64') };

describe('by hand', () => {
  test('the first step makes bases and goes nowhere; then Adam in the eigenvectors of the first statistics', async () => {
    const { path } = await runOptimizer(soap({ beta1: 0.9, beta2: 0.8, every: 5, start: 60, epsilon: 1e-4 }), loss, start, { steps: 4, rate: 0.1 });
    expect([...path[0].w.data, ...path[0].b.data]).toEqual([0, 0, 0, 0, 3]);
    // The first gradient is diagonal in its own bases: a small epsilon would divide rounding by rounding.
    const gradient = (w: Matrix): Matrix => times(transposed(a), map(times(a, w), (x, i, j) => x - target[i][j]));
    let w: Matrix = [[0, 0], [0, 0]];
    const first = gradient(w);
    const [left, right] = [eigenvectors(times(first, transposed(first))), eigenvectors(times(transposed(first), first))];
    const turn = (x: Matrix): Matrix => times(times(transposed(left), x), right);
    let m: Matrix = [[0, 0], [0, 0]];
    let v = m;
    let [b, mb, vb] = [3, 0, 0];
    for (let t = 1; t < 4; t++) {
      const g = gradient(w);
      const seen = turn(g);
      m = map(m, (x, i, j) => 0.9 * x + 0.1 * g[i][j]);
      v = map(v, (x, i, j) => 0.8 * x + 0.2 * seen[i][j] ** 2);
      const direction = map(turn(m), (x, i, j) => x / (1 - 0.9 ** t) / (Math.sqrt(v[i][j] / (1 - 0.8 ** t)) + 1e-4));
      const back = times(times(left, direction), transposed(right));
      w = map(w, (x, i, j) => x - 0.1 * back[i][j]);
      [mb, vb] = [0.9 * mb + 0.1 * (b - 1), 0.8 * vb + 0.2 * (b - 1) ** 2];
      b -= 0.1 * mb / (1 - 0.9 ** t) / (Math.sqrt(vb / (1 - 0.8 ** t)) + 1e-4);
      path[t].w.data.forEach((x, i) => { expect(x).toBeCloseTo(w.flat()[i], 9); });
      expect(path[t].b.item()).toBeCloseTo(b, 12);
    }
  });

  test('bases are renewed every k steps only, and stay orthonormal', async () => {
    const at = async (steps: number): Promise<NDArray> => ((await runOptimizer(soap({ every: 3 }), loss, start, { steps, rate: 0.1 })).state as { bases: NDArray[][] }[])[0].bases[0][0];
    const [first, third, fourth] = [await at(1), await at(3), await at(4)];
    expect([...third.data]).toEqual([...first.data]);
    expect([...fourth.data]).not.toEqual([...first.data]);
    const [p, q, r, s] = fourth.data;
    expect([p * p + r * r, q * q + s * s, p * q + r * s]).toEqual([1, 1, 0].map((x) => expect.closeTo(x, 12) as number));
  });
});

test('converges on a quadratic in float32, on ONNX Runtime; long axes are not turned', async () => {
  const single = Object.fromEntries(Object.entries(start).map(([name, leaf]) => [name, new NDArray(Float32Array.from(leaf.data), leaf.shape, 'float32')])) as typeof start;
  for (const largest of [1024, 1]) {
    const { losses, state } = await runOptimizer(soap({ every: 5, largest }), loss, single, { steps: 80, rate: (step) => 0.4 * 0.95 ** step, dtype: 'float32', executor: nodeExecutor({ threads: 1 }) });
    expect(losses.at(-1)).toBeLessThan(0.01 * losses[0]);
    expect((state as { bases: NDArray[][] }[])[0].bases[0]).toHaveLength(largest === 1 ? 0 : 2);
  }
});
