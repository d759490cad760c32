/** Where a sampled bowl has its bottom: parabolas through losses on a line or a grid of settings. @module */
import { symmetricEigen } from '../linalg/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { linearRegression } from './regression.ts';

/** The lowest point of losses on a line of settings. */
export interface LineOptimum {
  /** The vertex of the parabola through the lowest loss and its two neighbours; that setting itself where it is the first or last. */
  readonly at: number;
  /** The lowest of the losses. */
  readonly loss: number;
  /** Second derivative of the parabola; NaN where there is none. */
  readonly curvature: number;
  /** The lowest loss is the first or last: the true optimum may lie beyond. */
  readonly isAtEnd: boolean;
}

/**
 * The optimum of a line of settings: the vertex of the parabola through the lowest point and its neighbours, which lies between these.
 * Losses that are not finite count as infinite: runs that diverged.
 *
 * @throws ShapeError when the lists differ in length; ArgumentError when settings do not ascend or no loss is finite.
 */
export function lineOptimum(settings: ArrayLike<number>, losses: ArrayLike<number>): LineOptimum {
  requireGridAxis('lineOptimum', 'settings', settings);
  if (settings.length !== losses.length) throw new ShapeError({ operation: 'lineOptimum', required: 'there must be a loss for each setting', received: `${losses.length} losses of ${settings.length} settings` });
  const values = Array.from(losses, (loss) => (Number.isFinite(loss) ? loss : Infinity));
  const best = values.reduce((low, loss, i) => (loss < values[low] ? i : low), 0);
  if (values[best] === Infinity) throw new ArgumentError({ operation: 'lineOptimum', required: 'some loss must be finite', received: 'none' });
  const end = { at: settings[best], loss: values[best], curvature: NaN, isAtEnd: best === 0 || best === values.length - 1 };
  // Beside a run that diverged there is no parabola; the setting itself is as good as can be told.
  if (end.isAtEnd || values[best - 1] === Infinity || values[best + 1] === Infinity) return end;
  const [left, right] = [settings[best - 1] - settings[best], settings[best + 1] - settings[best]];
  const [up, down] = [(values[best + 1] - values[best]) / right, (values[best - 1] - values[best]) / left];
  const second = (up - down) / (right - left);
  return { at: settings[best] - (second === 0 ? 0 : (up - second * right) / (2 * second)), loss: values[best], curvature: 2 * second, isAtEnd: false };
}

/**
 * The smallest second difference losses[i - spacing] - 2 losses[i] + losses[i + spacing] among triples of losses up to `within` times the
 * lowest: positive where losses on an even line are convex there. Infinity where no triple is low enough; losses that are not finite are left out.
 *
 * @throws ArgumentError when spacing is not a positive integer, or `within` below 1.
 */
export function leastSecondDifference(losses: ArrayLike<number>, { spacing = 1, within = Infinity }: { readonly spacing?: number; readonly within?: number } = {}): number {
  requireInteger('leastSecondDifference', 'spacing', spacing, 1);
  if (!(within >= 1)) throw new ArgumentError({ operation: 'leastSecondDifference', required: 'within must be at least 1', received: String(within) });
  const values = Array.from(losses);
  const high = within === Infinity ? Infinity : within * Math.min(...values.filter(Number.isFinite));
  let least = Infinity;
  for (let i = spacing; i + spacing < values.length; i++) {
    const triple = [values[i - spacing], values[i], values[i + spacing]];
    if (triple.every((loss) => Number.isFinite(loss) && loss <= high)) least = Math.min(least, triple[0] - 2 * triple[1] + triple[2]);
  }
  return least;
}

/** A quadratic fit to the low part of a grid of losses. */
export interface QuadraticOptimum {
  /** Where its gradient vanishes. */
  readonly at: readonly [x: number, y: number];
  /** Value there. */
  readonly value: number;
  /** Second derivatives [[xx, xy], [xy, yy]]. */
  readonly hessian: readonly [readonly [number, number], readonly [number, number]];
  /** Of the Hessian, ascending: both positive for a bowl. */
  readonly eigenvalues: readonly [number, number];
  readonly rSquared: number;
  /** Cells that were fitted. */
  readonly cells: number;
  /** Whether `at` lies within the grid; far outside it is an extrapolation. */
  readonly isInside: boolean;
}

/**
 * Least squares of losses on {1, x, y, x^2, xy, y^2} over the cells whose loss is at most `within` times the lowest: a bowl is
 * quadratic near its bottom alone.
 *
 * @param losses - a row for each x, a number for each y; not finite: a run that diverged, left out.
 * @throws ShapeError when losses do not match the axes; ArgumentError when axes do not ascend, or fewer than six independent cells are low enough.
 */
export function quadraticOptimum(x: ArrayLike<number>, y: ArrayLike<number>, losses: readonly ArrayLike<number>[], { within = 1.05 }: { readonly within?: number } = {}): QuadraticOptimum {
  requireNumber('quadraticOptimum', 'within', within, 1);
  const low = lowCells('quadraticOptimum', x, y, losses, within);
  if (low.length < 6) throw new ArgumentError({ operation: 'quadraticOptimum', required: `at least 6 cells must have a loss within ${within} of the lowest`, received: String(low.length), remedy: 'a finer grid, or a larger `within`' });
  // Centred, so that squares and slopes are not nearly the same columns.
  const [meanX, meanY] = [low.reduce((sum, cell) => sum + cell.x, 0) / low.length, low.reduce((sum, cell) => sum + cell.y, 0) / low.length];
  const [u, v] = [low.map((cell) => cell.x - meanX), low.map((cell) => cell.y - meanY)];
  const { intercept, slopes: [cx, cy, cxx, cxy, cyy], rSquared } = linearRegression([u, v, u.map((a) => a * a), u.map((a, i) => a * v[i]), v.map((b) => b * b)], low.map(({ loss }) => loss));
  const determinant = 4 * cxx * cyy - cxy * cxy;
  const [dx, dy] = [(cxy * cy - 2 * cyy * cx) / determinant, (cxy * cx - 2 * cxx * cy) / determinant];
  const at = [meanX + dx, meanY + dy] as const;
  const { values } = symmetricEigen(Float64Array.of(2 * cxx, cxy, cxy, 2 * cyy), 2);
  return {
    at, value: intercept + (cx * dx + cy * dy) / 2, hessian: [[2 * cxx, cxy], [cxy, 2 * cyy]],
    eigenvalues: [Math.min(values[0], values[1]), Math.max(values[0], values[1])], rSquared, cells: low.length,
    isInside: at[0] >= x[0] && at[0] <= x[x.length - 1] && at[1] >= y[0] && at[1] <= y[y.length - 1],
  };
}

/** The settings of a grid that are nearly as good as the best. */
export interface Plateau {
  /** Share of all cells. */
  readonly share: number;
  /** Smallest and largest setting among them. */
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/**
 * The cells whose loss is at most `within` times the lowest, and the range of settings that they span.
 * @throws ShapeError | ArgumentError as `quadraticOptimum`.
 */
export function plateau(x: ArrayLike<number>, y: ArrayLike<number>, losses: readonly ArrayLike<number>[], { within = 1.01 }: { readonly within?: number } = {}): Plateau {
  requireNumber('plateau', 'within', within, 1);
  const low = lowCells('plateau', x, y, losses, within);
  const range = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];
  return { share: low.length / (x.length * y.length), x: range(low.map((cell) => cell.x)), y: range(low.map((cell) => cell.y)) };
}

function lowCells(operation: string, x: ArrayLike<number>, y: ArrayLike<number>, losses: readonly ArrayLike<number>[], within: number): { readonly x: number; readonly y: number; readonly loss: number }[] {
  requireGridAxis(operation, 'x', x);
  requireGridAxis(operation, 'y', y);
  if (losses.length !== x.length || losses.some((row) => row.length !== y.length)) {
    throw new ShapeError({ operation, required: `losses must be ${x.length} rows of ${y.length}`, received: `${losses.length} rows of ${[...new Set(losses.map((row) => row.length))].join(', ')}` });
  }
  const cells = losses.flatMap((row, i) => Array.from(row, (loss, j) => ({ x: x[i], y: y[j], loss }))).filter(({ loss }) => Number.isFinite(loss));
  if (cells.length === 0) throw new ArgumentError({ operation, required: 'some loss must be finite', received: 'none' });
  const lowest = Math.min(...cells.map(({ loss }) => loss));
  if (!(lowest > 0)) throw new ArgumentError({ operation, required: 'losses must be positive, as `within` is a factor', received: String(lowest) });
  return cells.filter(({ loss }) => loss <= within * lowest);
}

function requireGridAxis(operation: string, name: string, values: ArrayLike<number>): void {
  const odd = Array.from(values).findIndex((value, i) => !Number.isFinite(value) || (i > 0 && value <= values[i - 1]));
  if (values.length === 0 || odd >= 0) throw new ArgumentError({ operation, required: `${name} must be finite numbers that ascend`, received: values.length === 0 ? 'none' : `${values[odd]} at ${odd}` });
}
