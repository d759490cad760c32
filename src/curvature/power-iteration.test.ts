import { describe, expect, test } from 'vitest';
import { key, normal, split } from '../util/random/index.ts';
import { dot } from './basis.ts';
import { rotated, inFloat32 } from './known-spectrum.test-helper.ts';
import { diagonalOperator, matrixOperator } from './operator.ts';
import { powerIteration } from './power-iteration.ts';

const SPECTRUM = [10, -8, 5, 3, ...Array.from({ length: 36 }, (_, i) => i / 40)];
const { matrix, operator } = rotated(SPECTRUM);
const N = SPECTRUM.length;

/** PyHessian's `eigenvalues`, transcribed with plain lists: hessian.py, and group_product, normalization, orthnormal of utils.py. */
function transcription(topN: number, maxIter: number, tol: number): { eigenvalues: number[]; eigenvectors: number[][]; steps: number[] } {
  const groupProduct = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const normalization = (v: number[]): number[] => { const s = Math.sqrt(groupProduct(v, v)); return v.map((x) => x / (s + 1e-6)); };
  const eigenvalues: number[] = [];
  const eigenvectors: number[][] = [];
  const steps: number[] = [];
  while (eigenvalues.length < topN) {
    let eigenvalue: number | undefined;
    let v = normalization([...normal(split(key(0), 'start', eigenvalues.length), N, { dtype: 'float64' })]);
    let i = 0;
    for (; i < maxIter; i++) {
      for (const other of eigenvectors) { const alpha = groupProduct(v, other); v = v.map((x, j) => x - alpha * other[j]); }
      v = normalization(v);
      const hv = v.map((_, row) => groupProduct([...matrix.subarray(row * N, row * N + N)], v));
      const now = groupProduct(hv, v);
      v = normalization(hv);
      if (eigenvalue === undefined) eigenvalue = now;
      else if (Math.abs(eigenvalue - now) / (Math.abs(eigenvalue) + 1e-6) < tol) break;
      else eigenvalue = now;
    }
    eigenvalues.push(eigenvalue!);
    eigenvectors.push(v);
    steps.push(Math.min(i + 1, maxIter));
  }
  return { eigenvalues, eigenvectors, steps };
}

describe("PyHessian's power iteration", () => {
  test('value, vector and number of steps of its source, number by number', async () => {
    for (const [count, maxIterations, tolerance] of [[4, 100, 1e-3], [2, 100, 1e-6], [3, 5, 1e-3]]) {
      const expected = transcription(count, maxIterations, tolerance);
      const { pairs, stopped, cost } = await powerIteration(operator, { count, maxIterations, tolerance });
      pairs.forEach(({ value, vector, iterations }, i) => {
        expect(value).toBeCloseTo(expected.eigenvalues[i], 10);
        expect(Math.max(...vector.map((x, j) => Math.abs(x - expected.eigenvectors[i][j])))).toBeLessThan(1e-9);
        expect(iterations).toBe(expected.steps[i]);
      });
      expect(stopped).toBe(maxIterations === 5 ? 'budget' : 'converged');
      expect(cost.products).toBe(pairs.reduce((sum, { iterations }) => sum + iterations + 1, 0));
    }
  });

  test('is largest in magnitude, sign kept, and its error bounds what the stopping test leaves', async () => {
    const { pairs } = await powerIteration(operator, { count: 3 });
    pairs.forEach(({ value, error, kind }, i) => {
      expect(kind).toBe('bound');
      expect(Math.sign(value)).toBe(Math.sign(SPECTRUM[i]));
      expect(Math.min(...SPECTRUM.map((x) => Math.abs(x - value)))).toBeLessThanOrEqual(error);
      // Settled by its own test, and yet far from a residual of a thousandth.
      expect(error).toBeGreaterThan(1e-2);
    });
  });

  test('vectors are of length 1 only to the additive epsilon', async () => {
    const { pairs: [{ vector }] } = await powerIteration(diagonalOperator(Float64Array.of(1e-4, 1e-6)), {});
    const length = Math.sqrt(dot(vector, vector));
    expect(1 - length).toBeGreaterThan(5e-3);
    expect(length).toBeCloseTo(1e-4 / (1e-4 + 1e-6), 4);
  });

  test('zero operator, one coordinate, float32', async () => {
    expect((await powerIteration(diagonalOperator(new Float64Array(3)))).pairs[0]).toMatchObject({ value: 0, error: 0, iterations: 2, settled: true });
    const { pairs: [single] } = await powerIteration(diagonalOperator(Float64Array.of(-2)));
    expect(Math.abs(single.value + 2)).toBeLessThanOrEqual(single.error + 1e-15);
    const { pairs: [rough] } = await powerIteration(inFloat32(operator), { maxIterations: 500, tolerance: 0 });
    expect(Math.min(...SPECTRUM.map((x) => Math.abs(x - rough.value)))).toBeLessThanOrEqual(rough.error);
  });
});

describe('power iteration by residuals', () => {
  test('reaches the residual asked for', async () => {
    const { pairs, stopped } = await powerIteration(operator, { style: 'residual', count: 3, tolerance: 1e-6, maxIterations: 500 });
    expect(stopped).toBe('converged');
    expect(pairs.map(({ value }) => value)).toEqual([10, -8, 5].map((x) => expect.closeTo(x, 9) as number));
    pairs.forEach(({ error, value }) => expect(error).toBeLessThan(1e-5 * Math.abs(value)));
    expect((await powerIteration(diagonalOperator(new Float64Array(3)), { style: 'residual' })).pairs[0]).toMatchObject({ value: 0, error: 0 });
  });

  test('stops when asked; same key, same bits; symmetric operators only', async () => {
    const controller = new AbortController();
    const result = await powerIteration(operator, { count: 4, signal: controller.signal, onProgress: ({ done }) => { if (done === 2) controller.abort(); } });
    expect([result.stopped, result.pairs.length]).toEqual(['aborted', 2]);
    expect((await powerIteration(operator, { key: key(2) })).pairs).toEqual((await powerIteration(operator, { key: key(2) })).pairs);
    await expect(powerIteration(matrixOperator(Float64Array.of(1, 2, 3, 4), 2))).rejects.toThrow('operator must be symmetric');
  });
});
