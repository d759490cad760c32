/** Densities drawn from weighted nodes: a Gaussian at each, on a linear or a logarithmic axis. @module */

// Gaussians of neighbouring nodes at the mean distance merge to a relative ripple given by kappa (Lin, Saad, Yang 2016).
const KAPPA = 3;
/** Where a Gaussian is taken as zero, in widths: beyond, its mass is 6e-7. */
const REACH = 5;
const POINTS_PER_WIDTH = 3;
const LEAST_POINTS = 1024;

/**
 * Width of the Gaussian for `steps` nodes between `low` and `high`: (high - low) / ((steps - 1) sqrt(8 ln kappa)), kappa 3 unless given.
 * It scales with the spectrum, so densities of A and c A are the same picture (Papyan 2019; Lin, Saad, Yang 2016).
 */
export function kernelWidth(low: number, high: number, steps: number, kappa: number = KAPPA): number {
  const range = high - low;
  const size = Math.max(Math.abs(low), Math.abs(high));
  // One point: any width would do; a thousandth of its distance from zero is narrow and still scales.
  if (range <= 1e-9 * size || steps < 2) return size > 0 ? 1e-3 * size : 1e-3;
  return range / ((steps - 1) * Math.sqrt(8 * Math.log(kappa)));
}

/** Equidistant points over all the mass, at most a third of a width apart. */
export function linearGrid(low: number, high: number, width: number): Float64Array {
  const [from, to] = [low - REACH * width, high + REACH * width];
  const count = Math.max(LEAST_POINTS, Math.ceil(((to - from) / width) * POINTS_PER_WIDTH) + 1);
  return equidistant(from, to, count);
}

/** `count` points from `from` to `to`, both included. */
export const equidistant = (from: number, to: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

/** sum_j weights[j] N(x; nodes[j], width^2) at the points of the grid. */
export function gaussianMixture(grid: Float64Array, nodes: Float64Array, weights: Float64Array, width: number): Float64Array {
  const height = 1 / (width * Math.sqrt(2 * Math.PI));
  return grid.map((x) => {
    let sum = 0;
    for (let j = 0; j < nodes.length; j++) {
      const t = (x - nodes[j]) / width;
      sum += weights[j] * Math.exp(-0.5 * t * t);
    }
    return height * sum;
  });
}

/** Which axis a density is over: eigenvalues l; ln(|l| + epsilon), signs dropped; or asinh(l / epsilon), which is linear near zero and logarithmic beyond. */
export type DensityScale = 'linear' | 'log' | 'symlog';

/** A monotone coordinate of eigenvalues: kernels have one width in it, and densities are per unit of it. */
export interface Coordinate {
  readonly of: (eigenvalue: number) => number;
  /** The eigenvalue at a coordinate; |eigenvalue| + epsilon for `log`. */
  readonly inverse: (coordinate: number) => number;
}

/** The coordinate of a scale; `epsilon` in the units of the eigenvalues. */
export function coordinateOf(scale: DensityScale, epsilon: number): Coordinate {
  if (scale === 'log') return { of: (x) => Math.log(Math.abs(x) + epsilon), inverse: Math.exp };
  if (scale === 'symlog') return { of: (x) => Math.asinh(x / epsilon), inverse: (u) => epsilon * Math.sinh(u) };
  return { of: (x) => x, inverse: (u) => u };
}
