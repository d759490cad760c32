/** What solvers of linear systems return, and the residual that all of them measure last. @module */
import type { Cost } from '../problem/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { addScaled, norm } from './basis.ts';
import type { LinearMap } from './operator.ts';

/** Why a solver ended. */
export type SolveStop =
  /** The residual asked for was reached, as measured by a product with the very solution returned. */
  | 'converged'
  /** No more products allowed. */
  | 'budget'
  | 'aborted'
  /** Further steps no longer lower the measured residual: the products' rounding, or a singular system that has no solution. */
  | 'stagnated'
  /** A direction d with d'(A + damping I) d <= 0 was met: the operator is not positive definite. */
  | 'indefinite';

/** The solution of one linear system. */
export interface LinearSolution {
  /** [columns] */
  readonly solution: Float64Array;
  /** |b - A x - damping x| (of `lsmr`: |b - A x|), by one more product with the solution, in float64 between products. */
  readonly residual: number;
  /** The residual as a part of |b|; 0 for b = 0. */
  readonly relativeResidual: number;
  readonly iterations: number;
  readonly stopped: SolveStop;
}

/** Solutions of systems with one matrix, in the order of the right-hand sides. */
export interface LinearSolutions {
  readonly solutions: readonly LinearSolution[];
  readonly cost: Cost;
}

/** b - A x - damping x for each pair. One product each. */
export async function residualsOf(map: LinearMap, solutions: readonly Float64Array[], right: readonly Float64Array[], damping = 0): Promise<Float64Array[]> {
  const images = await map.multiply(solutions);
  return images.map((image, i) => {
    const residual = right[i].slice();
    addScaled(residual, -1, image);
    if (damping !== 0) addScaled(residual, -damping, solutions[i]);
    return residual;
  });
}

/** @throws ArgumentError when there is no right-hand side; ShapeError when one has another length. */
export function requireRight(operation: string, map: LinearMap, right: readonly Float64Array[]): void {
  if (right.length === 0) throw new ArgumentError({ operation, required: 'at least one right-hand side must be given', received: 'none' });
  right.forEach((vector, i) => {
    if (vector.length !== map.rows) throw new ShapeError({ operation, required: `right-hand side ${i} must have ${map.rows} entries`, received: String(vector.length) });
  });
}

/** Puts a solution together from what was measured of it. */
export function solutionOf(solution: Float64Array, residual: Float64Array, right: Float64Array, iterations: number, stopped: SolveStop): LinearSolution {
  const [left, whole] = [norm(residual), norm(right)];
  return { solution, residual: left, relativeResidual: whole === 0 ? 0 : left / whole, iterations, stopped };
}
