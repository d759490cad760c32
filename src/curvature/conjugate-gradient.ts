/** Conjugate gradients for symmetric positive definite operators, several right-hand sides at once. @module */
import { requireInteger, requireNumber } from '../util/require.ts';
import { addScaled, dot, norm, scaleBy } from './basis.ts';
import { meter, type EstimatorOptions } from './estimator.ts';
import { requireRight, residualsOf, solutionOf, type LinearSolution, type LinearSolutions, type SolveStop } from './inverse-solution.ts';
import { requireSymmetric, type LinearOperator } from './operator.ts';
import { requirePreconditioner, type Preconditioner } from './preconditioned.ts';

/** How well to solve, and with what help. */
export interface SolveOptions extends Omit<EstimatorOptions, 'key'> {
  /** Residual norm asked for, as a part of that of the right-hand side. Default 1e-5. */
  readonly tolerance?: number;
  /** Solves with A + damping I. Default 0. */
  readonly damping?: number;
  /** Most iterations a right-hand side, a product each. Default 1000. */
  readonly maxIterations?: number;
}

/** The same of conjugate gradients. */
export interface ConjugateGradientOptions extends SolveOptions {
  /** Approximates A + damping I: its inverse is applied once an iteration. */
  readonly preconditioner?: Preconditioner;
  /** Where to start, one a right-hand side. Default: zero. */
  readonly start?: readonly Float64Array[];
}

/** One right-hand side on its way. */
interface Track {
  readonly right: Float64Array;
  readonly goal: number;
  readonly x: Float64Array;
  /** b - A x, by recurrence since the last measurement. */
  r: Float64Array;
  direction: Float64Array;
  /** r' P^-1 r */
  energy: number;
  /** The residual norm when it was last measured. */
  measured: number;
  iterations: number;
  phase: 'descending' | 'measuring' | SolveStop;
}

/** A correction from a measured residual that leaves more than this part of it is not worth another. */
const WORTH = 0.5;

/**
 * Solves (A + damping I) x = b for each right-hand side [k][size] by (preconditioned) conjugate gradients (Hestenes and Stiefel 1952), in
 * step, so that products go in blocks. When the recurrence reaches the tolerance the residual is measured by a product; if
 * it is larger, the iteration starts again from it (iterative refinement) while that helps.
 * Cost: iterations + 1 products a right-hand side. Errors of the solution are at most residual / (smallest eigenvalue + damping).
 *
 * @throws ArgumentError when the operator is not symmetric; ShapeError when sizes do not fit.
 */
export async function conjugateGradient(operator: LinearOperator, right: readonly Float64Array[], options: ConjugateGradientOptions = {}): Promise<LinearSolutions> {
  requireSymmetric('conjugateGradient', operator);
  requireRight('conjugateGradient', operator, right);
  const { tolerance, damping, maxIterations } = requireSolveOptions('conjugateGradient', options);
  const { preconditioner, signal, onProgress, start } = options;
  requirePreconditioner('conjugateGradient', operator, preconditioner);
  if (start) requireRight('conjugateGradient', operator, start);
  signal?.throwIfAborted();
  const measure = meter(operator);
  const tracks = right.map((b, i): Track => ({
    right: b, goal: Math.max(tolerance, Number.EPSILON) * norm(b), x: start?.[i]?.slice() ?? new Float64Array(operator.size),
    r: b, direction: b, energy: 0, measured: Infinity, iterations: 0, phase: start ? 'measuring' : 'descending',
  }));
  // The residual of a zero solution is known: b.
  if (!start) await begin(tracks, preconditioner);
  for (;;) {
    await measureResiduals(operator, tracks.filter(({ phase }) => phase === 'measuring'), damping, preconditioner);
    const active = tracks.filter(({ phase }) => phase === 'descending');
    if (active.length === 0) break;
    if (signal?.aborted === true || active[0].iterations >= maxIterations) {
      active.forEach((track) => { track.phase = signal?.aborted === true ? 'aborted' : 'budget'; });
      break;
    }
    await step(operator, active, damping, preconditioner);
    onProgress?.({ done: measure().products, total: maxIterations * right.length, unit: 'products' });
  }
  return { solutions: await measured(operator, tracks, damping), cost: measure() };
}

/** @throws ArgumentError naming the option that is out of range. */
export function requireSolveOptions(operation: string, { tolerance = 1e-5, damping = 0, maxIterations = 1000 }: SolveOptions): Required<Pick<SolveOptions, 'tolerance' | 'damping' | 'maxIterations'>> {
  requireNumber(operation, 'tolerance', tolerance, 0);
  requireNumber(operation, 'damping', damping, 0);
  requireInteger(operation, 'maxIterations', maxIterations, 1);
  return { tolerance, damping, maxIterations };
}

/** Takes the residuals as measured and starts descending along them. */
async function begin(tracks: readonly Track[], preconditioner: Preconditioner | undefined): Promise<void> {
  const through = preconditioner ? await preconditioner.inverse.multiply(tracks.map(({ r }) => r)) : tracks.map(({ r }) => r);
  tracks.forEach((track, i) => {
    track.measured = norm(track.r);
    track.phase = track.measured <= track.goal ? 'converged' : 'descending';
    track.r = track.r.slice();
    track.direction = through[i].slice();
    track.energy = dot(track.r, through[i]);
  });
}

async function measureResiduals(operator: LinearOperator, tracks: readonly Track[], damping: number, preconditioner: Preconditioner | undefined): Promise<void> {
  if (tracks.length === 0) return;
  const residuals = await residualsOf(operator, tracks.map(({ x }) => x), tracks.map(({ right }) => right), damping);
  const before = tracks.map(({ measured: last }) => last);
  tracks.forEach((track, i) => { track.r = residuals[i]; });
  await begin(tracks, preconditioner);
  tracks.forEach((track, i) => {
    if (track.phase === 'descending' && track.measured > WORTH * before[i]) track.phase = 'stagnated';
  });
}

async function step(operator: LinearOperator, tracks: readonly Track[], damping: number, preconditioner: Preconditioner | undefined): Promise<void> {
  const images = await operator.multiply(tracks.map(({ direction }) => direction));
  const moved: Track[] = [];
  tracks.forEach((track, i) => {
    const { x, r, direction, energy } = track;
    const image = images[i];
    const curvature = dot(direction, image) + (damping === 0 ? 0 : damping * dot(direction, direction));
    track.iterations++;
    if (!(curvature > 0)) {
      track.phase = 'indefinite';
      return;
    }
    const length = energy / curvature;
    addScaled(x, length, direction);
    addScaled(r, -length, image);
    if (damping !== 0) addScaled(r, -length * damping, direction);
    moved.push(track);
  });
  const through = preconditioner && moved.length > 0 ? await preconditioner.inverse.multiply(moved.map(({ r }) => r)) : moved.map(({ r }) => r);
  moved.forEach((track, i) => {
    const before = track.energy;
    track.energy = dot(track.r, through[i]);
    scaleBy(track.direction, track.energy / before);
    addScaled(track.direction, 1, through[i]);
    if (norm(track.r) <= track.goal) track.phase = 'measuring';
  });
}

/** Measures what moved since it was measured last. */
async function measured(operator: LinearOperator, tracks: readonly Track[], damping: number): Promise<LinearSolution[]> {
  const moved = tracks.filter(({ phase }) => phase !== 'converged' && phase !== 'stagnated');
  const residuals = await residualsOf(operator, moved.map(({ x }) => x), moved.map(({ right }) => right), damping);
  moved.forEach((track, i) => { track.r = residuals[i]; });
  return tracks.map(({ x, r, right, iterations, phase }) => solutionOf(x, r, right, iterations, phase as SolveStop));
}
