/** Axes that tell groups of points apart. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { cholesky, symmetricEigen } from '../linalg/index.ts';
import { addScaled, combinations, dot } from '../curvature/basis.ts';
import type { Host } from '../transforms/index.ts';
import { vectorAxis, vectorOf, type Axis } from './axes.ts';
import { positiveAtPeak } from './axes-curvature.ts';
import { principalVectors } from './axes-principal.ts';

/** How many axes, and how much shrinkage. */
export interface GroupAxesOptions {
  /** How many; at most one fewer than groups. Default: that many, at most 2. */
  readonly count?: number;
  /** Part of the mean variance within groups that is added to every direction's, so that few points do not fit noise. Default 0.1. */
  readonly shrinkage?: number;
}

/**
 * Axes along which groups of points (checkpoints of several runs, minima of two optimizers) lie apart relative to their spread:
 * linear discriminant analysis (Fisher 1936; Rao 1948) within the span of the points, with the covariance within groups shrunk
 * towards a multiple of the identity. Unit length; `details.separation` is the ratio of variance between groups to that within.
 * @throws ArgumentError when there are fewer than two groups, an empty one, or all points are one.
 */
export function groupAxes<P>(groups: readonly (readonly Host<P>[])[], { count, shrinkage = 0.1 }: GroupAxesOptions = {}): Axis<P>[] {
  const sizes = groups.map((group) => group.length);
  if (groups.length < 2 || sizes.includes(0)) throw new ArgumentError({ operation: 'groupAxes', required: 'at least two groups of at least one point', received: `groups of ${sizes.join(', ') || 'none'}` });
  requireNumber('groupAxes', 'shrinkage', shrinkage, 0, 1);
  const wanted = requireInteger('groupAxes', 'count', count ?? Math.min(2, groups.length - 1), 1, groups.length - 1);
  const points = groups.flat().map(vectorOf);
  const { basis, coordinates } = spanOf(points);
  const r = basis.length;
  const { within, between } = scatter(coordinates, sizes, r);
  const ridge = (shrinkage * trace(within, r)) / r;
  // Without any spread within groups the axes are those of the means.
  const floor = ridge > 0 ? ridge : Math.max(trace(within, r), trace(between, r)) * 1e-9;
  for (let i = 0; i < r; i++) within[i * r + i] += floor;
  const { values, vectors } = whitenedEigen(between, within, r);
  return Array.from({ length: wanted }, (_, k) => {
    const direction = positiveAtPeak(combinations(basis, [vectors[k]])[0]);
    return vectorAxis<P>(groups[0][0], direction, { kind: 'between groups', unit: '1 = Euclidean distance 1', details: { separation: values[k], groups: groups.length, points: points.length, shrinkage } });
  });
}

/** An orthonormal basis of the differences of points, and the points' coordinates about their mean. */
function spanOf(points: readonly Float64Array[]): { basis: Float64Array[]; coordinates: Float64Array[] } {
  const mean = new Float64Array(points[0].length);
  for (const point of points) addScaled(mean, 1 / points.length, point);
  const centred = points.map((point) => point.map((x, i) => x - mean[i]));
  const { basis } = principalVectors(centred, centred.length - 1);
  if (basis.length === 0) throw new ArgumentError({ operation: 'groupAxes', required: 'points that differ', received: 'equal ones' });
  return { basis, coordinates: centred.map((point) => Float64Array.from(basis, (unit) => dot(unit, point))) };
}

/** Mean products within groups about the groups' means, and of the means, both [r, r]. */
function scatter(coordinates: readonly Float64Array[], sizes: readonly number[], r: number): { within: Float64Array; between: Float64Array } {
  const within = new Float64Array(r * r);
  const between = new Float64Array(r * r);
  const addOuter = (to: Float64Array, x: Float64Array, weight: number): void => { for (let i = 0; i < r; i++) for (let j = 0; j < r; j++) to[i * r + j] += weight * x[i] * x[j]; };
  let start = 0;
  for (const size of sizes) {
    const members = coordinates.slice(start, start + size);
    const mean = new Float64Array(r);
    for (const x of members) addScaled(mean, 1 / size, x);
    for (const x of members) addOuter(within, x.map((value, i) => value - mean[i]), 1 / coordinates.length);
    addOuter(between, mean, size / coordinates.length);
    start += size;
  }
  return { within, between };
}

const trace = (matrix: Float64Array, n: number): number => Array.from({ length: n }, (_, i) => matrix[i * n + i]).reduce((sum, x) => sum + x, 0);

/** Solutions of A x = lambda B x, largest first, for symmetric A and positive definite B = L L^T, by the eigenvectors of L^-1 A L^-T. */
function whitenedEigen(a: Float64Array, b: Float64Array, n: number): { values: number[]; vectors: Float64Array[] } {
  const lower = cholesky(b, n);
  const half = solveLower(lower, a, n); // L^-1 A
  const whitened = solveLower(lower, transposed(half, n), n); // L^-1 (L^-1 A)^T
  const { values, vectors } = symmetricEigen(whitened.map((x, at) => (x + whitened[(at % n) * n + Math.floor(at / n)]) / 2), n);
  const order = Array.from({ length: n }, (_, k) => n - 1 - k);
  return {
    values: order.map((k) => values[k]),
    vectors: order.map((k) => {
      const x = Float64Array.from({ length: n }, (_, i) => vectors[i * n + k]);
      for (let i = n - 1; i >= 0; i--) { // L^T x = y, from below
        for (let j = i + 1; j < n; j++) x[i] -= lower[j * n + i] * x[j];
        x[i] /= lower[i * n + i];
      }
      return x;
    }),
  };
}

function solveLower(lower: Float64Array, right: Float64Array, n: number): Float64Array {
  const x = right.slice();
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < n; c++) {
      for (let j = 0; j < i; j++) x[i * n + c] -= lower[i * n + j] * x[j * n + c];
      x[i * n + c] /= lower[i * n + i];
    }
  }
  return x;
}

const transposed = (matrix: Float64Array, n: number): Float64Array => matrix.map((_, at) => matrix[(at % n) * n + Math.floor(at / n)]);
