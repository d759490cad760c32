import { describe, expect, test } from 'vitest';
import { array, NDArray, type DType } from '../core/ndarray.ts';
import { cnn, mlp } from '../nn/index.ts';
import { leaves, leavesWithPaths } from '../tree/index.ts';
import { key, normal } from '../util/random/index.ts';
import { filterNormalizedDirection, randomPlane } from './directions.ts';

const join = (tree: unknown): number[] => leaves<NDArray>(tree).flatMap(({ data }) => [...data]);
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Norms of the columns of a dense weight, or of a kernel's slices along its first axis. */
function filterNorms({ data, shape }: NDArray): number[] {
  if (shape.length === 2) return Array.from({ length: shape[1] }, (_, column) => Math.hypot(...data.filter((_, i) => i % shape[1] === column)));
  const size = data.length / shape[0];
  return Array.from({ length: shape[0] }, (_, filter) => Math.hypot(...data.subarray(filter * size, (filter + 1) * size)));
}

describe('filter normalisation', () => {
  const network = cnn({ inputShape: [2, 12, 12], channels: [3, 4], hidden: [12, 8], classes: 5 }).init(key(3)).params;

  test('gives every column of a dense weight and every kernel of a convolution the norm of the parameters, and leaves biases alone', () => {
    const direction = new Map(leavesWithPaths(filterNormalizedDirection(network, key(0))) as [string, NDArray][]);
    const ranks = new Set<number>();
    for (const [path, value] of leavesWithPaths(network) as [string, NDArray][]) {
      const moved = direction.get(path)!;
      ranks.add(value.shape.length);
      expect(moved.shape).toEqual(value.shape);
      if (value.shape.length < 2) expect(moved.data.every((x) => x === 0), path).toBe(true);
      const wanted = value.shape.length < 2 ? [] : filterNorms(value);
      wanted.forEach((norm, i) => expect(filterNorms(moved)[i], `${path}, filter ${i}`).toBeCloseTo(norm, 5));
    }
    expect([...ranks].sort()).toEqual([1, 2, 4]);
  });

  test('of a filter of zeros is zero', () => {
    const [{ data }] = leaves<NDArray>(filterNormalizedDirection({ w: array([[0, 1], [0, 2]]) }, key(0)));
    expect([data[0], data[2]].every((x) => x === 0)).toBe(true);
    expect(Math.hypot(data[1], data[3])).toBeCloseTo(Math.sqrt(5), 6);
  });

  test.each(['float32', 'float64'] as const)('keeps the type %s', (dtype: DType) => {
    const params = { w: array(normal(key(1), 12), [3, 4], dtype), b: array([1, 2, 3, 4], [4], dtype) };
    expect(leaves<NDArray>(filterNormalizedDirection(params, key(0))).map((leaf) => leaf.dtype)).toEqual([dtype, dtype]);
  });
});

describe('a random plane', () => {
  const { params } = mlp({ sizes: [20, 30, 5] }).init(key(0));

  test('is a function of its seed', () => {
    expect(join(randomPlane(params, 5))).toEqual(join(randomPlane(params, 5)));
    expect(join(randomPlane(params, 5))).not.toEqual(join(randomPlane(params, 6)));
  });

  test('has two nearly orthogonal axes', () => {
    for (let seed = 0; seed < 10; seed++) {
      const [a, b] = randomPlane(params, seed).map(join);
      expect(Math.abs(dot(a, b)) / Math.sqrt(dot(a, a) * dot(b, b))).toBeLessThan(5 / Math.sqrt(a.length));
    }
  });
});
