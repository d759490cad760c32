import { describe, expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { cholesky as hostCholesky, symmetricEigen } from '../linalg/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { checkGrads, evaluateReference } from '../testing/index.ts';
import { compile, jvp, vmap } from '../transforms/index.ts';
import { draws, evaluateBoth, numbers } from './agreement.test-helper.ts';
import { CONVERGENT_QUINTIC, inverseRoot, newtonSchulz } from './matrix-iterations.ts';
import { cholesky, inversePositiveDefinite, qr, solvePositiveDefinite } from './matrix.ts';
import { add, mul } from './elementwise.ts';
import { matmul } from './products.ts';
import { sum } from './reductions.ts';
import { stack, transpose } from './shaping.ts';

const ort = nodeExecutor({ threads: 1 });

/** Q diag(values) Q' with Q from a QR factorisation of normal draws. */
function withEigenvalues(values: readonly number[], seed = 0): NDArray {
  const n = values.length;
  const [q] = hostColumns(draws([n, n], seed));
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) out[i * n + j] += q[i * n + k] * values[k] * q[j * n + k];
  return new NDArray(out.map((_, at) => (out[at] + out[(at % n) * n + Math.floor(at / n)]) / 2), [n, n], 'float64');
}
const hostColumns = (a: NDArray): [Float64Array] => {
  const [m, n] = a.shape;
  const q = Float64Array.from(a.data);
  for (let pass = 0; pass < 2; pass++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < j; k++) {
        let inner = 0;
        for (let i = 0; i < m; i++) inner += q[i * n + j] * q[i * n + k];
        for (let i = 0; i < m; i++) q[i * n + j] -= inner * q[i * n + k];
      }
      let length = 0;
      for (let i = 0; i < m; i++) length += q[i * n + j] ** 2;
      for (let i = 0; i < m; i++) q[i * n + j] /= Math.sqrt(length);
    }
  }
  return [q];
};
const geometric = (n: number, condition: number): number[] => Array.from({ length: n }, (_, i) => condition ** (-i / (n - 1)));
/** f of a symmetric matrix on the host. */
function hostFunction(a: NDArray, f: (x: number) => number): Float64Array {
  const n = a.shape[0];
  const { values, vectors } = symmetricEigen(Float64Array.from(a.data), n);
  const out = new Float64Array(n * n);
  for (let k = 0; k < n; k++) for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j] += f(values[k]) * vectors[i * n + k] * vectors[j * n + k];
  return out;
}
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));
const largest = (a: ArrayLike<number>): number => Math.max(...Array.from(a, Math.abs));
const identity = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
const single = (a: NDArray): NDArray => new NDArray(Float32Array.from(a.data), a.shape, 'float32');
const onRuntime = <Out>(f: (...args: Tensor[]) => Tensor, ...args: NDArray[]): Promise<NDArray> => compile(f as never, { executor: ort })(...(args as never[])) as Promise<Out> as Promise<NDArray>;

describe('cholesky', () => {
  test.each([1, 2, 7, 32, 33, 70])('size %i: the factor of the host, and its inverse', async (n) => {
    const a = withEigenvalues(n === 1 ? [3] : geometric(n, 100));
    const [lower, inverse] = await evaluateBoth((x: Tensor) => { const c = cholesky(x); return [c.lower, c.inverse]; }, [a], { scaled: 1e-4 });
    expect(farthest(lower.data, hostCholesky(Float64Array.from(a.data), n))).toBeLessThan(1e-12);
    expect(farthest(evaluateReference(matmul, lower, inverse).data, identity(n))).toBeLessThan(1e-12);
    numbers(inverse).forEach((x, at) => { if (at % n > Math.floor(at / n)) expect(x).toBe(0); });
  });

  test('scaling rows and columns by powers of ten costs no accuracy', async () => {
    const n = 20;
    const scale = Array.from({ length: n }, (_, i) => 10 ** (i % 7 - 3));
    const base = withEigenvalues(geometric(n, 50));
    const a = new NDArray(base.data.map((x, at) => x * scale[Math.floor(at / n)] * scale[at % n]) as Float64Array, [n, n], 'float64');
    const inverse = await onRuntime(inversePositiveDefinite, single(a));
    const unscaled = Float64Array.from(inverse.data, (x, at) => x * scale[Math.floor(at / n)] * scale[at % n]);
    const exact = hostFunction(base, (x) => 1 / x);
    expect(farthest(unscaled, exact) / largest(exact)).toBeLessThan(4 * Math.sqrt(n) * 2 ** -23 * 50);
  });

  test.each([['of rank 3', [1, 1, 1, ...Array.from({ length: 37 }, () => 0)]], ['zero', Array.from({ length: 40 }, () => 0)]] as const)('a matrix %s has a finite factor of a matrix nearby', async (_, values) => {
    const a = withEigenvalues(values);
    const { data } = await onRuntime((x) => { const { lower, inverse } = cholesky(x); return stack([matmul(lower, transpose(lower)), mul(inverse, 0)]); }, single(a));
    expect(farthest(data.slice(0, 1600), a.data)).toBeLessThan(1e-4);
    expect(data.every(Number.isFinite)).toBe(true);
  });

  test('derivatives, and stacks of matrices', () => {
    const a = withEigenvalues(geometric(40, 10));
    checkGrads((x: Tensor) => { const s = add(x, transpose(x)); return sum(mul(cholesky(s).inverse, matmul(s, s))); }, [withEigenvalues(geometric(4, 10))]);
    const pair = new NDArray(Float64Array.of(...a.data, ...a.data.map((x) => 2 * x)), [2, 40, 40], 'float64');
    const both = evaluateReference((x: Tensor) => vmap((m: Tensor) => cholesky(m).lower)(x), pair);
    const one = evaluateReference((x: Tensor) => cholesky(x).lower, a);
    expect(farthest(both.data.slice(0, 1600), one.data)).toBeLessThan(1e-14);
    expect(farthest(both.data.slice(1600), one.data.map((x) => x * Math.SQRT2))).toBeLessThan(1e-13);
  });
});

describe('inverse and solution', () => {
  test.each([[30, 1e2], [70, 1e6]])('size %i, condition %f: float64, and float32 to 4 sqrt(n) units of rounding times the condition', async (n, condition) => {
    const a = withEigenvalues(geometric(n, condition));
    const exact = hostFunction(a, (x) => 1 / x);
    const double = evaluateReference(inversePositiveDefinite, a);
    expect(farthest(double.data, exact) / largest(exact)).toBeLessThan(condition * 1e-14);
    if (condition > 1e4) return;
    const float = await onRuntime(inversePositiveDefinite, single(a));
    expect(farthest(float.data, exact) / largest(exact)).toBeLessThan(4 * Math.sqrt(n) * condition * 2 ** -23);
  });

  test('solves for a vector and for columns', async () => {
    const a = withEigenvalues(geometric(35, 100));
    const b = draws([35, 2], 5);
    const x = await evaluateBoth(solvePositiveDefinite, [a, b], { scaled: 1e-4 });
    expect(farthest(evaluateReference(matmul, a, x).data, b.data)).toBeLessThan(1e-12);
    const column = new NDArray(Float64Array.from({ length: 35 }, (_, i) => b.data[2 * i]), [35], 'float64');
    const y = evaluateReference(solvePositiveDefinite, a, column);
    expect(farthest(y.data, Float64Array.from({ length: 35 }, (_, i) => x.data[2 * i]))).toBeLessThan(1e-12);
  });
});

describe('qr', () => {
  const columnsOf = (m: number, n: number, condition: number): NDArray => {
    const left = evaluateReference((x: Tensor) => qr(x).q, draws([m, n], 1));
    const middle = withEigenvalues(geometric(n, condition), 2);
    return evaluateReference(matmul, left, middle);
  };

  test.each([[5, 5, 10], [60, 40, 1e3], [40, 40, 1e6]])('%i x %i of condition %f: orthonormal columns to rounding, q r = x', async (m, n, condition) => {
    const x = columnsOf(m, n, condition);
    for (const [given, unit] of [[x, 2 ** -52], [single(x), 2 ** -23]] as const) {
      const run = compile((a: Tensor) => { const f = qr(a); return [matmul(transpose(f.q), f.q), matmul(f.q, f.r), f.r]; }, { executor: ort });
      const [gram, product, r] = await run(given) as NDArray[];
      expect(farthest(gram.data, identity(n))).toBeLessThan(20 * unit);
      expect(farthest(product.data, given.data) / largest(given.data)).toBeLessThan(100 * unit);
      r.data.forEach((value, at) => { if (at % n < Math.floor(at / n)) expect(value).toBe(0); else if (at % (n + 1) === 0) expect(value).toBeGreaterThan(0); });
    }
  });

  test('columns of very different lengths are no worse', async () => {
    const x = draws([30, 20], 3);
    const graded = new NDArray(x.data.map((value, at) => value * 10 ** (-(at % 20) / 2)) as Float64Array, [30, 20], 'float64');
    const gram = await onRuntime((a) => { const { q } = qr(a); return matmul(transpose(q), q); }, single(graded));
    expect(farthest(gram.data, identity(20))).toBeLessThan(1e-6);
  });

  test('derivatives', () => { checkGrads((x: Tensor) => { const { q, r } = qr(x); return add(sum(mul(q, x)), sum(mul(r, r))); }, [draws([4, 3], 7)]); });
});

describe('newtonSchulz', () => {
  test('the convergent quintic ends at the orthogonal factor, for wide and tall matrices', () => {
    for (const shape of [[6, 4], [4, 6]]) {
      const x = draws(shape, 2);
      const q = evaluateReference((a: Tensor) => newtonSchulz(a, { steps: 12, coefficients: CONVERGENT_QUINTIC }), x);
      const small = Math.min(...shape);
      const gram = evaluateReference((a: Tensor) => (shape[0] > shape[1] ? matmul(transpose(a), a) : matmul(a, transpose(a))), q);
      expect(farthest(gram.data, identity(small))).toBeLessThan(1e-10);
      // The polar factor is the nearest orthogonal matrix: q' x is symmetric and positive.
      const product = evaluateReference((a: Tensor, b: Tensor) => (shape[0] > shape[1] ? matmul(transpose(a), b) : matmul(b, transpose(a))), q, x);
      expect(farthest(product.data, evaluateReference((a: Tensor) => transpose(a), product).data)).toBeLessThan(1e-10);
    }
  });

  test('Jordan\'s: five steps take singular values above 0.01 of the norm to between 0.6 and 1.3', async () => {
    const n = 12;
    const x = withEigenvalues(Array.from({ length: n }, (_, i) => 0.02 + 0.03 * i));
    const y = await evaluateBoth((a: Tensor) => newtonSchulz(a), [x], { scaled: 1e-4 });
    const { values } = symmetricEigen(Float64Array.from(y.data), n);
    values.forEach((value) => { expect(value).toBeGreaterThan(0.6); expect(value).toBeLessThan(1.3); });
  });

  test('is the polynomial of the scaled singular values', () => {
    const f = (s: number): number => 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5;
    const x = withEigenvalues([3, 4]);
    const y = evaluateReference((a: Tensor) => newtonSchulz(a, { steps: 2, epsilon: 0 }), x);
    const expected = hostFunction(x, (value) => f(f(value / 5)));
    expect(farthest(y.data, expected)).toBeLessThan(1e-14);
  });

  test('zero stays zero', () => { expect(numbers(evaluateReference((a: Tensor) => newtonSchulz(a), new NDArray(new Float64Array(6), [2, 3], 'float64')))).toEqual([0, 0, 0, 0, 0, 0]); });
});

describe('inverseRoot', () => {
  test.each([[1, 1e3], [2, 1e4], [3, 10], [4, 1e8]])('p = %i, condition %f: as by eigenvalues on the host', async (p, condition) => {
    const a = withEigenvalues(geometric(24, condition));
    const exact = hostFunction(a, (x) => x ** (-1 / p));
    const root = evaluateReference((x: Tensor) => inverseRoot(x, p, { ridge: 0 }), a);
    expect(farthest(root.data, exact) / largest(exact)).toBeLessThan(1e-14 * condition);
    if (condition > 1e4) return;
    const float = await onRuntime((x) => inverseRoot(x, p, { ridge: 0 }), single(a));
    expect(farthest(float.data, exact) / largest(exact)).toBeLessThan(4e-7 * condition);
  });

  test('the ridge is relative to a bound of the largest eigenvalue; rank-deficient matrices in float32', async () => {
    const values = [2, ...Array.from({ length: 9 }, () => 0)];
    const a = withEigenvalues(values);
    const n = 10;
    const rows = Array.from({ length: n }, (_, i) => Array.from(a.data.slice(i * n, (i + 1) * n)).reduce((total, x) => total + Math.abs(x), 0));
    const ridge = 1e-4 * Math.min(2, Math.max(...rows));
    const float = await onRuntime((x) => inverseRoot(x, 4, { ridge: 1e-4 }), single(a));
    const exact = hostFunction(a, (x) => (Math.max(x, 0) + ridge) ** -0.25);
    expect(farthest(float.data, exact) / largest(exact)).toBeLessThan(1e-3);
    const zero = await onRuntime((x) => inverseRoot(x, 4), new NDArray(new Float32Array(100), [10, 10], 'float32'));
    expect(zero.data.every(Number.isFinite)).toBe(true);
  });

  test('forward derivative of A^-1 is -A^-1 T A^-1; stacks of matrices stop one by one', () => {
    const a = withEigenvalues([1, 2, 5]);
    const t = withEigenvalues([1, -1, 0.5], 3);
    const moved = evaluateReference((x: Tensor, v: Tensor) => jvp((m: Tensor) => inverseRoot(m, 1, { ridge: 0 }), [x], [v])[1], a, t);
    const expected = evaluateReference((x: Tensor, v: Tensor) => { const i = inversePositiveDefinite(x); return mul(-1, matmul(matmul(i, v), i)); }, a, t);
    expect(farthest(moved.data, expected.data)).toBeLessThan(1e-10);
    const b = withEigenvalues([1, 1e-3, 1e-6], 4);
    const stacked = new NDArray(Float64Array.of(...a.data, ...b.data), [2, 3, 3], 'float64');
    const both = evaluateReference((x: Tensor) => vmap((m: Tensor) => inverseRoot(m, 2, { ridge: 0 }))(x), stacked);
    const alone = [a, b].flatMap((m) => [...evaluateReference((x: Tensor) => inverseRoot(x, 2, { ridge: 0 }), m).data]);
    expect(farthest(both.data, alone) / largest(alone)).toBeLessThan(1e-12);
  });

  test('refuses what has no root', () => {
    const a = new NDArray(new Float64Array(6), [2, 3], 'float64');
    expect(() => evaluateReference((x: Tensor) => inverseRoot(x, 2), a)).toThrow('square matrix');
    expect(() => evaluateReference((x: Tensor) => inverseRoot(matmul(x, transpose(x)), 1.5), a)).toThrow('p must be');
  });
});
