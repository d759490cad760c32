import { expect, test } from 'vitest';
import { array } from '../../src/core/ndarray.ts';
import { differenceOf } from './compare.ts';

test('eigenvalues differ by the worst of them, relative to itself', () => {
  expect(differenceOf('eigenpairs', { values: array([10, -5.05]) }, { values: array([10, -5]) })).toBeCloseTo(0.01, 6);
  expect(differenceOf('eigenpairs', { values: array([10, 5]) }, { values: array([10, -5]) })).toBeCloseTo(2, 6);
});

test('densities differ by the weight that lies elsewhere', () => {
  const density = (weight: number) => ({ nodes: array([[0, 1]]), weights: array([[1 - weight, weight]]) });
  expect(differenceOf('density', density(0.5), density(0.5))).toBe(0);
  expect(differenceOf('density', density(0.5), density(0.3))).toBeCloseTo(0.2, 3);
  const twice = { nodes: array([[0, 1], [0, 1]]), weights: array([[0.4, 0.6], [0.6, 0.4]]) };
  expect(differenceOf('density', twice, density(0.5))).toBeCloseTo(0, 6);
});

test('traces are compared by their means, however many samples there are', () => {
  expect(differenceOf('trace', { samples: array([3]) }, { samples: array([2, 3, 4]) })).toBe(0);
  expect(differenceOf('trace', { samples: array([3.3]) }, { samples: array([3]) })).toBeCloseTo(0.1, 6);
});

test('grids and kernels are compared by the norm of the difference', () => {
  expect(differenceOf('plane', { loss: array([[3, 4]]) }, { loss: array([[0, 4]]) })).toBeCloseTo(3 / 4, 12);
  expect(differenceOf('ntk', { kernel: array([[3, 4]]) }, { kernel: array([[3, 5]]) })).toBeCloseTo(1 / Math.sqrt(34), 6);
});
