import { describe, expect, test } from 'vitest';
import { interval } from '../problem/index.ts';
import { key } from '../util/random/index.ts';
import { gaussianMixture, kernelWidth, linearGrid } from './kernel-density.ts';
import { bulkAndOutliers, inFloat32, rotated } from './known-spectrum.test-helper.ts';
import { diagonalOperator, matrixOperator } from './operator.ts';
import { spectralDensity } from './spectral-density.ts';
import { hutchinsonTrace } from './trace.ts';

const spectrum = bulkAndOutliers(50, [2, 1]);
const { operator, matrix } = rotated(spectrum);
const area = (x: Float64Array, y: Float64Array): number => y.slice(1).reduce((sum, value, i) => sum + ((value + y[i]) / 2) * (x[i + 1] - x[i]), 0);

describe('spectral density by Lanczos quadrature', () => {
  test('nodes and weights reproduce moments of the probe: exactly up to 2 steps - 1', async () => {
    const { probes, trace } = await spectralDensity(operator, { steps: 8, probes: 3 });
    expect(probes).toHaveLength(3);
    for (const { nodes, weights, firstMoment } of probes) {
      expect(nodes).toHaveLength(8);
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(weights.reduce((sum, w, i) => sum + w * nodes[i], 0)).toBeCloseTo(firstMoment, 12);
    }
    expect(trace.value).toBeCloseTo((50 * probes.reduce((sum, { firstMoment }) => sum + firstMoment, 0)) / 3, 12);
  });

  test('with all steps and many probes it is the true density, within its errors', async () => {
    const grid = Float64Array.of(-0.2, -0.1, 0, 0.1, 0.2, 0.6, 1, 1.5, 2);
    const width = 0.05;
    const truth = gaussianMixture(grid, Float64Array.from(spectrum), new Float64Array(50).fill(1 / 50), width);
    let hits = 0;
    let trials = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { density, standardError } = await spectralDensity(operator, { steps: 50, probes: 8, key: key(seed), grid, width });
      // Far from every eigenvalue (at 0.6 and 1.5) density and error underflow together: nothing to cover.
      for (const i of [0, 1, 2, 3, 4, 6, 8]) {
        const [low, high] = interval({ value: density[i], error: standardError[i], kind: 'standard error', samples: 8 });
        trials++;
        if (low <= truth[i] && truth[i] <= high) hits++;
      }
    }
    expect(hits / trials).toBeGreaterThanOrEqual(0.9);
    expect(hits / trials).toBeLessThanOrEqual(0.99);
  });

  test('has unit mass at any scale, and scales with the operator', async () => {
    const scaled = (factor: number) => spectralDensity(matrixOperator(matrix.map((x) => x * factor), 50), { steps: 20, probes: 2 });
    const one = await scaled(1);
    for (const factor of [1, 2 ** -20, 2 ** 17]) {
      const density = await scaled(factor);
      expect(area(density.grid, density.density)).toBeCloseTo(1, 5);
      expect(density.width / factor).toBeCloseTo(one.width, 12);
      expect(density.grid.map((x) => x / factor)).toEqual(one.grid);
      density.density.forEach((y, i) => expect(y * factor).toBeCloseTo(one.density[i], 9));
    }
  });

  test('negative fraction, outliers once each, and standard errors', async () => {
    const result = await spectralDensity(operator, { steps: 30, probes: 6 });
    const fraction = spectrum.filter((x) => x < 0).length / 50;
    expect(Math.abs(result.negative.value - fraction)).toBeLessThan(4 * result.negative.error);
    for (const { nodes } of result.probes) expect(Array.from(nodes).filter((x) => x > 0.8).map((x) => Math.round(x * 1e8) / 1e8)).toEqual([1, 2]);
    expect(result.standardError.every((x) => x >= 0)).toBe(true);
    expect(result.cost.products).toBe(180);
    expect((await spectralDensity(operator, { steps: 5, probes: 1 })).standardError[500]).toBeNaN();
  });

  test('stops early at an invariant subspace, exactly', async () => {
    const { probes, width } = await spectralDensity(diagonalOperator(new Float64Array(30).fill(4)), { probes: 2 });
    probes.forEach(({ nodes, weights }) => { expect(nodes).toHaveLength(1); expect(nodes[0]).toBeCloseTo(4, 14); expect(weights[0]).toBeCloseTo(1, 14); });
    expect(width).toBeCloseTo(0.004, 12);
  });

  test('same key, same bits, also where products round to float32', async () => {
    const run = (seed: number) => spectralDensity(inFloat32(operator), { steps: 20, probes: 3, key: key(seed) });
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect([a.density, a.standardError, a.trace.value]).toEqual([b.density, b.standardError, b.trace.value]);
    expect(a.trace.value).not.toBe(c.trace.value);
  });

  test('its trace is the estimate of Hutchinson from the same probes', async () => {
    const [density, trace] = [await spectralDensity(operator, { steps: 3, probes: 7, key: key(5) }), await hutchinsonTrace(operator, { probes: 7, key: key(5) })];
    expect(density.trace.value).toBeCloseTo(trace.value, 12);
    expect(density.trace.error).toBeCloseTo(trace.error, 12);
  });

  test('probes side by side and one after another agree', async () => {
    const [together, apart] = [await spectralDensity(operator, { steps: 15, probes: 5 }), await spectralDensity(operator, { steps: 15, probes: 5, memoryBudget: 0 })];
    expect(together.density).toEqual(apart.density);
  });

  test.each(['log', 'symlog'] as const)('on the scale %s has unit mass over its coordinate and scales with the operator', async (scale) => {
    const one = await spectralDensity(operator, { scale, steps: 20, probes: 2 });
    expect(area(one.coordinate, one.density)).toBeCloseTo(1, 5);
    expect(one).toMatchObject({ scale, style: 'thalweg', warnings: [] });
    const many = await spectralDensity(matrixOperator(matrix.map((x) => x * 2 ** 15), 50), { scale, steps: 20, probes: 2 });
    expect(many.width).toBeCloseTo(one.width, 9);
    many.density.forEach((y, i) => expect(y).toBeCloseTo(one.density[i], 6));
    expect(many.grid[500] / one.grid[500] / 2 ** 15).toBeCloseTo(1, 9);
    // Coordinate and grid are one axis; kappa sets the width.
    const epsilon = 1e-5 * 2;
    const of = scale === 'log' ? Math.log(one.grid[700]) : Math.asinh(one.grid[700] / epsilon);
    expect(one.coordinate[700]).toBeCloseTo(of, 6);
    expect((await spectralDensity(operator, { scale, steps: 20, probes: 2, kappa: 1.04 })).width / one.width).toBeCloseTo(Math.sqrt(Math.log(3) / Math.log(1.04)), 6);
  });

  test('logarithms show magnitudes where a linear axis shows one peak; symlog keeps signs', async () => {
    const values = [...new Array<number>(20).fill(1e-4), ...new Array<number>(20).fill(1e-2), ...new Array<number>(10).fill(-1)];
    const diagonal = diagonalOperator(Float64Array.from(values));
    const mass = ({ coordinate, density, grid }: Awaited<ReturnType<typeof spectralDensity>>, low: number, high: number): number => {
      const inside = Array.from(grid.keys()).filter((i) => grid[i] >= low && grid[i] < high);
      return area(coordinate.slice(inside[0], inside.at(-1)! + 1), density.slice(inside[0], inside.at(-1)! + 1));
    };
    const log = await spectralDensity(diagonal, { scale: 'log', probes: 3, width: 0.2 });
    expect([mass(log, 1e-5, 1e-3), mass(log, 1e-3, 0.1), mass(log, 0.1, 10)].map((x) => x.toFixed(2))).toEqual(['0.40', '0.40', '0.20']);
    const symlog = await spectralDensity(diagonal, { scale: 'symlog', probes: 3, width: 0.2 });
    expect([mass(symlog, -10, -0.1), mass(symlog, 1e-5, 1e-3), mass(symlog, 1e-3, 0.1)].map((x) => x.toFixed(2))).toEqual(['0.20', '0.40', '0.40']);
    expect(Math.max(...log.quadratureError)).toBe(0);
  });

  test('its quadrature error covers what further steps change', async () => {
    const grid = Float64Array.from({ length: 200 }, (_, i) => -0.4 + i * 0.0125);
    let covered = 0;
    let points = 0;
    for (let seed = 0; seed < 10; seed++) {
      const run = (steps: number) => spectralDensity(operator, { steps, probes: 3, key: key(seed), grid, width: 0.05 });
      const [short, exact] = [await run(16), await run(50)];
      expect(Math.max(...exact.quadratureError)).toBe(0);
      short.density.forEach((y, i) => {
        points++;
        if (Math.abs(y - exact.density[i]) <= short.quadratureError[i] + 1e-3) covered++;
      });
    }
    expect(covered / points).toBeGreaterThan(0.9);
  });

  test('keeps complete probes when stopped; a cut probe only when it is all there is', async () => {
    const stopAt = async (products: number) => {
      const controller = new AbortController();
      return spectralDensity(operator, { steps: 10, probes: 6, memoryBudget: 0, signal: controller.signal, onProgress: ({ done }) => { if (done === products) controller.abort(); } });
    };
    const later = await stopAt(25);
    expect([later.stopped, later.probes.length, later.probes[0].nodes.length]).toEqual(['aborted', 2, 10]);
    const early = await stopAt(4);
    expect([early.stopped, early.probes.length, early.probes[0].nodes.length]).toEqual(['aborted', 1, 4]);
  });
});

test('kernel width by the rule of Lin, Saad and Yang, and a grid that resolves it', () => {
  expect(kernelWidth(-1, 1, 101)).toBeCloseTo(2 / (100 * Math.sqrt(8 * Math.log(3))), 15);
  expect(kernelWidth(-1e5, 1e5, 101)).toBeCloseTo(1e5 * kernelWidth(-1, 1, 101), 8);
  for (const steps of [2, 10, 100, 1000]) {
    const width = kernelWidth(0, 1e5, steps);
    const grid = linearGrid(0, 1e5, width);
    expect(grid[1] - grid[0]).toBeLessThanOrEqual(width / 3 + 1e-9);
    expect(area(grid, gaussianMixture(grid, Float64Array.of(0, 1e5), Float64Array.of(0.5, 0.5), width))).toBeCloseTo(1, 5);
  }
});
