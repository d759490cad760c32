import { describe, expect, test } from 'vitest';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { symmetricEigen } from '../linalg/index.ts';
import { add, constant, mul, square, sub, sum } from '../ops/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import { shampoo, type Grafting } from './shampoo.ts';

const target = [[2, 1], [0, -1], [0.5, 0]];
// The gradient at w is w - t, that of b is b - 1.
const loss = ({ w, b }: { w: Tensor; b: Tensor }): Tensor => mul(0.5, add(sum(square(sub(w, constant(array(target.flat(), [3, 2], w.dtype as 'float64'))))), sum(square(sub(b, 1)))));
const start = { w: array([0, 0, 0, 0, 0, 0], [3, 2], 'float64'), b: array([0, 3], [2], 'float64') };

type Matrix = number[][];
const times = (a: Matrix, b: Matrix): Matrix => a.map((row) => b[0].map((_, j) => row.reduce((total, x, k) => total + x * b[k][j], 0)));
const transposed = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));
const plus = (a: Matrix, b: Matrix, scale = 1): Matrix => a.map((row, i) => row.map((x, j) => x + scale * b[i][j]));
const identity = (n: number, value: number): Matrix => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? value : 0)));
function power(a: Matrix, exponent: number): Matrix {
  const n = a.length;
  const { values, vectors } = symmetricEigen(Float64Array.from(a.flat()), n);
  return identity(n, 0).map((row, i) => row.map((_, j) => values.reduce((total, value, k) => total + value ** exponent * vectors[i * n + k] * vectors[j * n + k], 0)));
}
const length = (a: Matrix): number => Math.hypot(...a.flat());

/** Steps as the paper writes them, for the matrix and for the vector as a matrix of one column. */
function byHand({ steps, rate, every = 1, momentum = 0, decay = 1, grafting = 'none' }: { steps: number; rate: number; every?: number; momentum?: number; decay?: number; grafting?: Grafting }): { w: Matrix; b: Matrix }[] {
  const path = { w: [identity(3, 0).map((row) => row.slice(0, 2))], b: [[[0], [3]]] };
  for (const name of ['w', 'b'] as const) {
    const wanted = name === 'w' ? target : [[1], [1]];
    let [left, right] = [identity(wanted.length, 0.1), identity(wanted[0].length, 0.1)];
    let roots: Matrix[] = [];
    let velocity = wanted.map((row) => row.map(() => 0));
    let squares = velocity;
    for (let step = 0; step < steps; step++) {
      const g = plus(path[name][step], wanted, -1);
      left = plus(left.map((row) => row.map((x) => decay * x)), times(g, transposed(g)));
      right = plus(right.map((row) => row.map((x) => decay * x)), times(transposed(g), g));
      if (step % every === 0 || (step < every && Number.isInteger(Math.log2(step)))) roots = name === 'w' ? [power(left, -1 / 4), power(right, -1 / 4)] : [power(left, -1 / 2), [[1]]];
      let direction = times(times(roots[0], g), roots[1]);
      squares = squares.map((row, i) => row.map((x, j) => 0.99 * x + 0.01 * g[i][j] ** 2));
      const lent = grafting === 'sgd' ? g : g.map((row, i) => row.map((x, j) => x / (Math.sqrt(squares[i][j] / (1 - 0.99 ** (step + 1))) + 1e-8)));
      if (grafting !== 'none') direction = direction.map((row) => row.map((x) => x * length(lent) / length(direction)));
      velocity = plus(velocity.map((row) => row.map((x) => momentum * x)), direction);
      path[name].push(plus(path[name][step], velocity, -rate));
    }
  }
  return path.w.slice(1).map((w, i) => ({ w, b: path.b[i + 1] }));
}

describe('by hand', () => {
  test.each([
    [{ momentum: 0 }], [{ every: 3, momentum: 0.9 }], [{ every: 4, momentum: 0 }], [{ decay: 0.9, momentum: 0 }], [{ grafting: 'sgd', momentum: 0 }], [{ grafting: 'rmsprop', momentum: 0.5 }],
  ] as const)('four steps with %o', async (options) => {
    const expected = byHand({ steps: 4, rate: 0.3, ...options });
    const { path } = await runOptimizer(shampoo({ initial: 0.1, ridge: 0, every: 1, ...options }), loss, start, { steps: 4, rate: 0.3 });
    path.forEach(({ w, b }, step) => {
      expected[step].w.flat().forEach((value, i) => { expect(w.data[i]).toBeCloseTo(value, 10); });
      expected[step].b.flat().forEach((value, i) => { expect(b.data[i]).toBeCloseTo(value, 10); });
    });
  });

  test('a long axis keeps its diagonal', async () => {
    const { path } = await runOptimizer(shampoo({ initial: 0, ridge: 0, largest: 2, momentum: 0 }), loss, start, { steps: 1, rate: 1 });
    const g = target.map((row) => row.map((x) => -x));
    const right = power(times(transposed(g), g), -1 / 4);
    const scaled = g.map((row) => row.map((x) => x / Math.hypot(...row) ** 0.5));
    times(scaled, right).flat().forEach((value, i) => { expect(path[0].w.data[i]).toBeCloseTo(-value, 10); });
  });

  test('kernels and scalars: a root for each axis', async () => {
    const everywhere = ({ k, s }: { k: Tensor; s: Tensor }): Tensor => add(mul(0.5, sum(square(sub(k, 1)))), mul(s, 3));
    const { path } = await runOptimizer(shampoo({ initial: 0, ridge: 0, momentum: 0 }), everywhere, { k: array([0, 0, 0, 0, 0, 0, 0, 0], [2, 2, 2], 'float64'), s: array(1, [], 'float64') }, { steps: 1, rate: 1 });
    // The statistic of a scalar is g^2, so the direction its sign. Those of the all-minus-one gradient have one eigenvalue, 8, along it.
    expect(path[0].s.item()).toBeCloseTo(0, 12);
    path[0].k.data.forEach((value) => { expect(value).toBeGreaterThan(0); });
  });
});

test('converges on a quadratic in float32, on ONNX Runtime', async () => {
  const single = Object.fromEntries(Object.entries(start).map(([name, leaf]) => [name, new NDArray(Float32Array.from(leaf.data), leaf.shape, 'float32')])) as typeof start;
  const { losses } = await runOptimizer(shampoo({ every: 5 }), loss, single, { steps: 60, rate: 0.3, dtype: 'float32', executor: nodeExecutor({ threads: 1 }) });
  expect(losses.at(-1)).toBeLessThan(0.01 * losses[0]);
});
