/** How far results of the libraries are from each other. @module */
import { gaussianMixture, linearGrid } from '../../src/curvature/index.ts';
import { relativeDifference } from '../shared/statistics.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import type { TaskName } from './cases.ts';

/** A task's results by name. */
export type Results = Readonly<Record<string, NDArray>>;

/**
 * Largest difference that counts as agreement. Eigenvalues: each side's residual is within 1e-3 of the value. Densities: the part of the
 * eigenvalues that lies elsewhere, at a resolution of a hundredth of the range. The others: relative, in float32.
 */
export const TOLERANCES: Readonly<Record<TaskName, number>> = { eigenpairs: 2e-3, density: 0.01, trace: 1e-3, plane: 1e-3, ntk: 1e-3 };

const numbers = ({ data }: NDArray): number[] => [...data];
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Largest relative difference of eigenvalues, in order of magnitude. */
function eigenvalueDifference(values: NDArray, reference: NDArray): number {
  const others = numbers(reference);
  return Math.max(...numbers(values).map((value, i) => Math.abs(value - others[i]) / Math.abs(others[i])));
}

/** Half the integral of |density - reference|: 0 for equal ones, 1 for disjoint ones. */
function densityDifference(results: Results, reference: Results): number {
  const nodes = [results, reference].map(({ nodes: array }) => Float64Array.from(array.data));
  // Weights of each probe sum to one.
  const weights = [results, reference].map(({ weights: array }) => Float64Array.from(array.data, (w) => w / array.shape[0]));
  const low = Math.min(...nodes.map((array) => array.reduce((a, b) => Math.min(a, b))));
  const high = Math.max(...nodes.map((array) => array.reduce((a, b) => Math.max(a, b))));
  const width = (high - low) / 100;
  const grid = linearGrid(low, high, width);
  const [ours, theirs] = nodes.map((array, i) => gaussianMixture(grid, array, weights[i], width));
  return ours.reduce((sum, y, i) => sum + Math.abs(y - theirs[i]), 0) * (grid[1] - grid[0]) / 2;
}

/** The difference of two results of a task, in the unit of its tolerance. */
export function differenceOf(task: TaskName, results: Results, reference: Results): number {
  switch (task) {
    case 'eigenpairs': return eigenvalueDifference(results.values, reference.values);
    case 'density': return densityDifference(results, reference);
    case 'trace': return relativeDifference([[mean(numbers(results.samples))]], [[mean(numbers(reference.samples))]]);
    case 'plane': return relativeDifference([results.loss.data], [reference.loss.data]);
    case 'ntk': return relativeDifference([results.kernel.data], [reference.kernel.data]);
  }
}
