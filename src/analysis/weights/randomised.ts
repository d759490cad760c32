/** The control: the same entries in random places, so that every correlation is gone. @module */
import type { NDArray } from '../../core/ndarray.ts';
import { permutation, split, type Key } from '../../util/random/index.ts';
import type { Matrix, WeightMatrices } from './matrices.ts';
import { pooled, type SpectrumSolver, type WeightSpectrum } from './spectrum.ts';

/** How the spectrum differs from that of shuffled entries. */
export interface RandomisedControl {
  /** Jensen-Shannon distance (natural logarithm, square root) between both sorted lists of eigenvalues taken as probabilities: WeightWatcher's rand_distance. */
  readonly distance: number;
  /** Largest eigenvalue of the shuffled matrix over the largest: WeightWatcher's ww_softrank. */
  readonly softRank: number;
  /** Eigenvalues above the largest of the shuffled matrix. */
  readonly beyond: number;
  /** Of the shuffled matrix, ascending. */
  readonly eigenvalues: Float64Array;
}

/** The entries of a matrix in a random order that the key determines. */
export function shuffled({ rows, columns, data }: Matrix, key: Key): Matrix {
  const order = permutation(key, data.length);
  return { rows, columns, data: Float64Array.from(order, (at) => data[at]) };
}

/** Compares a spectrum with that of the same matrices, the entries of each shuffled. */
export async function randomisedControl(matrices: WeightMatrices, tensor: NDArray, { eigenvalues }: WeightSpectrum, solver: SpectrumSolver, key: Key): Promise<RandomisedControl> {
  const spectra: WeightSpectrum[] = [];
  for (let i = 0; i < matrices.count; i++) spectra.push(await solver.solve(shuffled(matrices.matrix(i, tensor), split(key, i))));
  const control = pooled(spectra).eigenvalues;
  const largest = control[control.length - 1];
  return {
    distance: jensenShannon(eigenvalues, control), softRank: largest / eigenvalues[eigenvalues.length - 1],
    beyond: eigenvalues.length - lowerBound(eigenvalues, largest), eigenvalues: control,
  };
}

/** Index of the first of ascending values above `limit`. */
function lowerBound(values: Float64Array, limit: number): number {
  let i = values.length;
  while (i > 0 && values[i - 1] > limit) i--;
  return i;
}

/** Jensen-Shannon distance of two lists of non-negative numbers of one length, each divided by its sum. */
export function jensenShannon(a: Float64Array, b: Float64Array): number {
  const total = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0);
  const [sumA, sumB] = [total(a), total(b)];
  let divergence = 0;
  for (let i = 0; i < a.length; i++) {
    const p = a[i] / sumA;
    const q = b[i] / sumB;
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p / 2) * Math.log(p / middle);
    if (q > 0) divergence += (q / 2) * Math.log(q / middle);
  }
  return Math.sqrt(Math.max(0, divergence));
}
