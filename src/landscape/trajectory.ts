/** The plane that a path of parameters moves in, and where the path lies relative to a plane. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { solve } from '../linalg/index.ts';
import { addScaled, dot, norm } from '../curvature/basis.ts';
import { ParameterSpace } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { vectorAxis, vectorOf, type Axis } from './axes.ts';
import { principalVectors } from './axes-principal.ts';

/**
 * How coordinates are read off: `least squares`, the nearest point of the plane; `cosine`, the inner product with an axis over its
 * length (`cos` of Li et al.'s code), the same only where axes are orthogonal and of unit length.
 */
export type ProjectionMethod = 'least squares' | 'cosine';

/** A path as seen from a plane. */
export interface PathProjection {
  readonly method: ProjectionMethod;
  /** [points][axes] */
  readonly coordinates: readonly (readonly number[])[];
  /** Euclidean distance of each point of the path from the spot of the plane where it is drawn. */
  readonly residuals: readonly number[];
  /** Euclidean distance of each point of the path from the origin. */
  readonly distances: readonly number[];
}

/**
 * Coordinates of points in a plane (or line, or box) through `origin`, with what is lost: a point drawn at its coordinates is
 * `residual` away from there, and the loss at that spot of the plane is not the loss of the point.
 * @throws ArgumentError for axes that are linearly dependent.
 */
export function projectPath<P>(path: readonly Host<P>[], origin: Host<P>, axes: readonly Pick<Axis<P>, 'direction'>[], method: ProjectionMethod = 'least squares'): PathProjection {
  const k = axes.length;
  if (k === 0) throw new ArgumentError({ operation: 'projectPath', required: 'at least one axis', received: 'none' });
  const from = vectorOf(origin);
  const directions = axes.map(({ direction }) => vectorOf(direction));
  const gram = Float64Array.from({ length: k * k }, (_, at) => dot(directions[Math.floor(at / k)], directions[at % k]));
  const points = path.map((params) => {
    const offset = vectorOf(params);
    if (offset.length !== from.length) throw new ShapeError({ operation: 'projectPath', required: `points must hold ${from.length} parameters`, received: String(offset.length) });
    addScaled(offset, -1, from);
    const distance = norm(offset);
    const along = Float64Array.from(directions, (direction) => dot(direction, offset));
    const coordinates = method === 'cosine' ? along.map((x, i) => x / Math.sqrt(gram[i * k + i])) : solve(gram, k, along);
    directions.forEach((direction, i) => addScaled(offset, -coordinates[i], direction));
    return { coordinates: [...coordinates], residual: norm(offset), distance };
  });
  return { method, coordinates: points.map((point) => point.coordinates), residuals: points.map((point) => point.residual), distances: points.map((point) => point.distance) };
}

/** How a path is summarised. */
export interface TrajectoryOptions {
  /** Axes wanted. Default 2. */
  readonly count?: number;
  /**
   * What the variance is about: `mean`, as scikit-learn's PCA does with the differences to the final point (Li et al. 2018,
   * section 7); `final`, the final point itself, through which the plane is drawn anyway. Default `mean`.
   */
  readonly center?: 'mean' | 'final';
  /** Whether entries of biases and normalisation parameters are zeroed in the axes afterwards, which then are no longer of unit length. Default false. */
  readonly ignoreBiases?: boolean;
  /** Default `least squares`. */
  readonly method?: ProjectionMethod;
}

/** A path with the axes it varies along most. */
export interface TrajectoryAxes<P> {
  readonly axes: readonly Axis<P>[];
  /** The final point of the path: where all coordinates are zero. */
  readonly origin: Host<P>;
  /** Share of the path's variance (about `center`) along each axis. */
  readonly explainedVariance: readonly number[];
  readonly projection: PathProjection;
}

/**
 * Principal components of a path of parameters, as axes through its final point: rows w_i - w_final, centred (see `center`). The entry of
 * largest magnitude of each axis is positive, as in scikit-learn 1.5. Needs memory for the path in float64.
 *
 * The variance explained is high for any random walk (Antognini and Sohl-Dickstein 2018, arXiv 1806.08805): read the residuals too.
 * @throws ArgumentError when the path has fewer dimensions than axes are asked for.
 */
export function trajectoryAxes<P>(path: readonly Host<P>[], options: TrajectoryOptions = {}): TrajectoryAxes<P> {
  const { count = 2, center = 'mean', ignoreBiases = false, method = 'least squares' } = options;
  requireInteger('trajectoryAxes', 'count', count, 1);
  if (path.length < 2) throw new ArgumentError({ operation: 'trajectoryAxes', required: 'a path of at least two points', received: String(path.length) });
  const origin = path[path.length - 1];
  const last = vectorOf(origin);
  const rows = path.map((params) => {
    const row = vectorOf(params);
    addScaled(row, -1, last);
    return row;
  });
  if (center === 'mean') subtractMean(rows);
  const { basis, variances } = principalVectors(rows, count);
  if (basis.length < count) throw new ArgumentError({ operation: 'trajectoryAxes', required: `a path of at least ${count} dimensions`, received: String(basis.length), remedy: 'fewer axes, or more points' });
  const total = variances.reduce((sum, x) => sum + x, 0);
  const explainedVariance = variances.slice(0, count).map((variance) => variance / total);
  const space = new ParameterSpace(origin);
  const axes = basis.map((vector, i) => {
    if (ignoreBiases) for (const { offset, size, shape } of space.ranges) if (shape.length < 2) vector.fill(0, offset, offset + size);
    const details = { component: i + 1, explainedVariance: explainedVariance[i], center, points: path.length };
    return vectorAxis<P>(origin, vector, { kind: 'trajectory PCA', unit: '1 = Euclidean distance 1', ...(ignoreBiases && { biases: 'zero' as const }), details });
  });
  return { axes, origin, explainedVariance, projection: projectPath<P>(path, origin, axes, method) };
}

function subtractMean(rows: readonly Float64Array[]): void {
  const mean = new Float64Array(rows[0].length);
  for (const row of rows) addScaled(mean, 1 / rows.length, row);
  for (const row of rows) addScaled(row, -1, mean);
}
