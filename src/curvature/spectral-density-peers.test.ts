import { describe, expect, test } from 'vitest';
import { key } from '../util/random/index.ts';
import { bulkAndOutliers, rotated } from './known-spectrum.test-helper.ts';
import { diagonalOperator, matrixOperator } from './operator.ts';
import { spectralDensity } from './spectral-density.ts';
import { papyanKernels, pyhessianKernels } from './spectral-density-peers.ts';

const area = (x: Float64Array, y: Float64Array): number => y.slice(1).reduce((sum, value, i) => sum + ((value + y[i]) / 2) * (x[i + 1] - x[i]), 0);
const half = { nodes: Float64Array.of(0, 1), weights: Float64Array.of(0.5, 0.5) };
const peak = (y: ArrayLike<number>): number => Array.from(y).reduce((most, x) => Math.max(most, x), 0);

describe('style pyhessian', () => {
  test('golden: nodes 0 and 1 of equal weight have kernel variance 1.02e-5 and the peak 62.5083', () => {
    const { grid, variance, curves, normalisation } = pyhessianKernels([half]);
    expect(variance).toBeCloseTo(1.02e-5, 12);
    expect([grid.length, grid[0], grid[9999]]).toEqual([10_000, -0.01, 1.01]);
    expect(peak(curves[0]) / normalisation).toBeCloseTo(62.5083, 3);
    // Ends are means over runs of the runs' own ends.
    const two = pyhessianKernels([half, { nodes: Float64Array.of(-1, 3), weights: half.weights }]);
    expect([two.grid[0], two.grid[9999]]).toEqual([-0.51, 2.01]);
    expect(two.variance).toBeCloseTo(2.52e-5, 12);
  });

  test('a density of 100 steps from one run of signs, sum times step one', async () => {
    const { operator } = rotated(bulkAndOutliers(150, [3, 2]));
    const result = await spectralDensity(operator, { style: 'pyhessian' });
    expect(result).toMatchObject({ style: 'pyhessian', scale: 'linear', warnings: [], stopped: 'converged', cost: { products: 100 } });
    expect(result.probes).toHaveLength(1);
    const step = result.grid[1] - result.grid[0];
    expect(result.density.reduce((sum, y) => sum + y, 0) * step).toBeCloseTo(1, 10);
    expect(result.standardError[0]).toBeNaN();
    // The same quadrature as ours from the same signs, but for norms that are one to 1e-6.
    const ours = await spectralDensity(operator, { steps: 100, probes: 1 });
    expect(result.probes[0].nodes.at(-1)).toBeCloseTo(ours.probes[0].nodes.at(-1)!, 4);
    expect(result.trace.value / ours.trace.value).toBeCloseTo(1, 4);
    expect(Array.from(result.probes[0].nodes).filter((x) => x > 1.5)).toHaveLength(2);
  });

  test('says when its kernel is narrower than its grid, and when it steps past the end; ours then still has unit mass a peak', async () => {
    const wide = diagonalOperator(Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? 0 : 1e5)));
    const result = await spectralDensity(wide, { style: 'pyhessian', steps: 2 });
    expect(result.warnings.join()).toMatch(/narrower than a step/);
    const ours = await spectralDensity(wide, { steps: 20 });
    expect(ours.warnings).toEqual([]);
    const upper = Array.from(ours.grid.keys()).filter((i) => ours.grid[i] > 5e4);
    expect(area(ours.grid.slice(upper[0]), ours.density.slice(upper[0]))).toBeCloseTo(0.5, 4);
    expect((await spectralDensity(wide, { style: 'pyhessian', steps: 30 })).warnings.join()).toMatch(/past the end/);
  });

  test('refuses what PyHessian has not', async () => {
    const operator = diagonalOperator(Float64Array.of(1, 2));
    await expect(spectralDensity(operator, { style: 'pyhessian', kappa: 2 })).rejects.toThrow("style 'pyhessian' must come without");
    await expect(spectralDensity(operator, { style: 'pyhessian', scale: 'log' })).rejects.toThrow("scale must be 'linear' in style 'pyhessian'");
  });
});

describe('style papyan', () => {
  test('by hand: two nodes on the padded, mapped grid; not renormalised', () => {
    const settings = { scale: 'linear', kappa: 3, epsilon: 1e-5 } as const;
    const { grid, density, width } = papyanKernels(half, [0, 1], settings);
    expect([grid.length, grid[0], grid[1023]]).toEqual([1024, -0.05, 1.05]);
    // Half width 0.55, sigma 2 / 1 / sqrt(8 ln 3) there.
    const sigma = 0.55 * 2 / Math.sqrt(8 * Math.log(3));
    expect(width).toBeCloseTo(sigma, 14);
    const normal = (x: number): number => Math.exp(-0.5 * (x / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));
    for (const i of [0, 100, 511, 1023]) expect(density[i]).toBeCloseTo(0.5 * normal(grid[i]) + 0.5 * normal(grid[i] - 1), 12);
    expect(area(grid, density)).toBeLessThan(0.9);
  });

  test('the logarithmic one by hand: of ln(|A| + epsilon), per unit of eigenvalue', () => {
    const settings = { scale: 'log', kappa: 1.04, epsilon: 1e-5 } as const;
    const rule = { nodes: Float64Array.of(-1, 0.01), weights: Float64Array.of(0.25, 0.75) };
    const { grid, density } = papyanKernels(rule, [0.01, 1], settings);
    const [low, high] = [Math.log(0.01 + 1e-5), Math.log(1 + 1e-5)];
    const [from, to] = [low - 0.05 * (high - low), high + 0.05 * (high - low)];
    expect(grid[0]).toBeCloseTo(Math.exp(from), 14);
    expect(grid[1023]).toBeCloseTo(Math.exp(to), 14);
    const sigma = ((to - from) / 2) * (2 / Math.sqrt(8 * Math.log(1.04)));
    const normal = (u: number): number => Math.exp(-0.5 * (u / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));
    for (const i of [0, 400, 1023]) expect(density[i] * grid[i]).toBeCloseTo(0.25 * normal(Math.log(grid[i]) - high) + 0.75 * normal(Math.log(grid[i]) - low), 12);
  });

  test('golden: without reorthogonalisation five outliers become tens of Ritz values, whose weights are still the outliers\'', async () => {
    const values = [...Array.from({ length: 595 }, (_, i) => (0.1 * (i - 297)) / 297), 10, 8, 6, 4, 2];
    const operator = rotatedByReflection(values);
    const [papyan, ours] = [await spectralDensity(operator, { style: 'papyan', steps: 100 }), await spectralDensity(operator, { steps: 100, probes: 1 })];
    const outliers = (nodes: Float64Array): number => nodes.filter((x) => x > 0.5).length;
    expect(outliers(papyan.probes[0].nodes)).toBeGreaterThan(20);
    expect(outliers(ours.probes[0].nodes)).toBe(5);
    const { nodes, weights } = papyan.probes[0];
    expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 10);
    const mass = weights.reduce((sum, w, i) => sum + (nodes[i] > 0.5 ? w : 0), 0);
    expect(mass).toBeGreaterThan(0);
    expect(mass).toBeLessThan(0.05);
    expect(papyan.warnings.join()).toMatch(/no eigenvalue counts/);
    // 100 for the quadrature; the ends of the spectrum cost the rest.
    expect(papyan.cost.products).toBeGreaterThan(100);
    expect(papyan.grid[0]).toBeLessThan(-0.1 - 0.04 * 10.1);
  });

  test('ends that are given are used; the same key gives the same bits; logarithms need no sign', async () => {
    const { operator } = rotated(bulkAndOutliers(40, [2, -3]));
    const run = (seed: number) => spectralDensity(operator, { style: 'papyan', scale: 'log', steps: 20, probes: 2, boundaries: [1e-3, 3], key: key(seed) });
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a.density).toEqual(b.density);
    expect(a.density).not.toEqual(c.density);
    expect(a.cost.products).toBe(40);
    expect(a.grid[0]).toBeGreaterThan(0);
    expect(a.coordinate[5]).toBeCloseTo(Math.log(a.grid[5]), 14);
    expect((await spectralDensity(operator, { style: 'papyan', scale: 'log', steps: 20 })).warnings.join()).toMatch(/smallest absolute Ritz value/);
    await expect(spectralDensity(operator, { style: 'papyan', scale: 'symlog' })).rejects.toThrow("'linear' or 'log'");
    await expect(spectralDensity(matrixOperator(Float64Array.of(1, 0, 0, 1), 2), { style: 'papyan', steps: 2, boundaries: [0, 2] })).rejects.toThrow('divides by zero');
  });
});

/** H diag(values) H with a Householder reflection: dense eigenvectors at the cost of a vector. */
function rotatedByReflection(values: readonly number[]) {
  const n = values.length;
  const v = Float64Array.from({ length: n }, (_, i) => Math.sin(i + 1));
  const square = v.reduce((sum, x) => sum + x * x, 0);
  const matrix = new Float64Array(n * n);
  const product = values.reduce((sum, x, i) => sum + x * v[i] * v[i], 0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) matrix[i * n + j] = (i === j ? values[i] : 0) - (2 / square) * v[i] * v[j] * (values[i] + values[j]) + (4 / square ** 2) * product * v[i] * v[j];
  }
  return matrixOperator(matrix.map((x, at) => (x + matrix[(at % n) * n + Math.floor(at / n)]) / 2), n);
}
