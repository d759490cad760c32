import { describe, expect, test } from 'vitest';
import { array, NDArray } from '../core/ndarray.ts';
import { svd } from '../linalg/index.ts';
import { normal, key } from '../util/random/index.ts';
import { axisCosines, vectorOf } from './axes.ts';
import { projectPath, trajectoryAxes } from './trajectory.ts';

const pointOf = (x: ArrayLike<number>): { w: NDArray; b: NDArray } => ({ w: array([...Array.from(x)].slice(0, 6), [2, 3], 'float64'), b: array([...Array.from(x)].slice(6), [2], 'float64') });
/** Twelve points of a random walk in eight dimensions. */
const walk = (() => {
  const steps = normal(key(3), [12, 8], { dtype: 'float64' });
  const at = new Float64Array(8);
  return Array.from({ length: 12 }, (_, i) => { for (let j = 0; j < 8; j++) at[j] += steps[i * 8 + j]; return pointOf(at); });
})();
const rowsOf = (center: 'mean' | 'final'): Float64Array => {
  const last = vectorOf(walk[11]);
  const rows = walk.map((point) => vectorOf(point).map((x, i) => x - last[i]));
  const mean = last.map((_, j) => (center === 'mean' ? rows.reduce((sum, row) => sum + row[j] / 12, 0) : 0));
  return Float64Array.from(rows.flatMap((row) => [...row.map((x, j) => x - mean[j])]));
};

describe('axes of a path', () => {
  test.each(['mean', 'final'] as const)('are its right singular vectors about the %s, with their shares of variance', (center) => {
    const { values, v } = svd(rowsOf(center), 12, 8);
    const { axes, explainedVariance } = trajectoryAxes(walk, { count: 3, center });
    const total = values.reduce((sum, x) => sum + x * x, 0);
    axes.forEach(({ direction, provenance }, k) => {
      const vector = vectorOf(direction);
      const inner = vector.reduce((sum, x, i) => sum + x * v[i * 8 + k], 0);
      expect(Math.abs(inner)).toBeCloseTo(1, 10);
      expect(explainedVariance[k]).toBeCloseTo(values[k] ** 2 / total, 12);
      expect(Math.max(...vector)).toBe(Math.max(...vector.map(Math.abs)));
      expect(provenance.details).toMatchObject({ component: k + 1, center, points: 12 });
    });
    const cosines = axisCosines(axes);
    expect(Math.max(Math.abs(cosines[0][1]), Math.abs(cosines[0][2]), Math.abs(cosines[1][2]))).toBeLessThan(1e-14);
  });

  test('go through the final point, and every point keeps its distance from the plane', () => {
    const { projection, origin, axes } = trajectoryAxes(walk);
    expect(projection.coordinates[11]).toEqual([0, 0]);
    expect(projection.residuals[11]).toBe(0);
    walk.forEach((point, i) => {
      const offset = vectorOf(point).map((x, j) => x - vectorOf(origin)[j]);
      const drawn = axes.map(({ direction }) => vectorOf(direction).reduce((sum, x, j) => sum + x * offset[j], 0));
      drawn.forEach((x, k) => expect(projection.coordinates[i][k]).toBeCloseTo(x, 12));
      expect(projection.residuals[i] ** 2 + drawn[0] ** 2 + drawn[1] ** 2).toBeCloseTo(projection.distances[i] ** 2, 10);
    });
    expect(Math.max(...projection.residuals)).toBeGreaterThan(0.1);
  });

  test('of a path in a plane explain it all, and leave no residual', () => {
    const path = [[0, 0], [1, 3], [2, 4], [5, 4.5]].map(([a, b]) => pointOf([a, 2 * a, 0, b, 0, -b, a - b, 1]));
    const { explainedVariance, projection } = trajectoryAxes(path);
    expect(explainedVariance[0] + explainedVariance[1]).toBeCloseTo(1, 12);
    projection.residuals.forEach((residual) => expect(residual).toBeLessThan(1e-9));
    expect(() => trajectoryAxes(path, { count: 3 })).toThrow(/a path of at least 3 dimensions, got 2/);
  });

  test('without biases are no longer of unit length; cosine and least squares then differ', () => {
    const exact = trajectoryAxes(walk, { ignoreBiases: true });
    const cosine = trajectoryAxes(walk, { ignoreBiases: true, method: 'cosine' });
    const [axis] = exact.axes;
    expect([...(axis.direction as { b: NDArray }).b.data]).toEqual([0, 0]);
    expect(axis.provenance.norm).toBeLessThan(1);
    const offset = vectorOf(walk[0]).map((x, j) => x - vectorOf(walk[11])[j]);
    const inner = vectorOf(axis.direction).reduce((sum, x, j) => sum + x * offset[j], 0);
    expect(cosine.projection.coordinates[0][0]).toBeCloseTo(inner / axis.provenance.norm, 12);
    // The nearest point of the plane is never farther than where the cosine puts it.
    exact.projection.residuals.forEach((residual, i) => expect(residual).toBeLessThanOrEqual(cosine.projection.residuals[i] + 1e-12));
    expect(exact.projection.residuals[0]).toBeLessThan(cosine.projection.residuals[0]);
  });
});

test('a path is projected onto axes that are neither orthogonal nor of unit length', () => {
  const origin = pointOf([1, 1, 1, 1, 1, 1, 1, 1]);
  const axes = [{ direction: pointOf([2, 0, 0, 0, 0, 0, 0, 0]) }, { direction: pointOf([1, 1, 0, 0, 0, 0, 0, 0]) }];
  const { coordinates, residuals } = projectPath([pointOf([4, 4, 1, 1, 1, 1, 1, 3])], origin, axes);
  expect(coordinates[0][0]).toBeCloseTo(0, 12);
  expect(coordinates[0][1]).toBeCloseTo(3, 12);
  expect(residuals[0]).toBeCloseTo(2, 12);
});
