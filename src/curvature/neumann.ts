/** The truncated Neumann series of an inverse. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { addScaled, norm } from './basis.ts';
import { requireSolveOptions, type SolveOptions } from './conjugate-gradient.ts';
import { topEigenpairs } from './eigenpairs.ts';
import { meter } from './estimator.ts';
import { requireRight, residualsOf, solutionOf, type LinearSolutions, type SolveStop } from './inverse-solution.ts';
import type { LinearOperator } from './operator.ts';

/** How many terms, of what step. */
export interface NeumannOptions extends Omit<SolveOptions, 'maxIterations'> {
  /** Terms at most, a product each. Default 100. */
  readonly terms?: number;
  /**
   * s of the series: it converges where all eigenvalues of I - s (A + damping I) are below 1 in absolute value, for positive
   * definite ones where s < 2 / largest. Default: 1 / the largest eigenvalue, found by Lanczos to 1 % (some 10 products more).
   */
  readonly scale?: number;
}

// A series of a matrix that is not normal may grow for a while and converge all the same; this much is divergence.
const TRANSIENT_GROWTH = 1e3;

/**
 * Approximates (A + damping I)^-1 b by s sum_{k < terms} (I - s (A + damping I))^k b for each right-hand side [k][size]. The next
 * term over s is the residual, so the error of truncation is known at every step; it stops at the tolerance.
 * Cost: terms + 1 products a right-hand side.
 *
 * @throws ArgumentError when the series diverges, naming the growth, and for a missing scale of an operator that is not symmetric.
 */
export async function neumannInverse(operator: LinearOperator, right: readonly Float64Array[], options: NeumannOptions = {}): Promise<LinearSolutions> {
  requireRight('neumannInverse', operator, right);
  const { tolerance, damping } = requireSolveOptions('neumannInverse', options);
  const terms = requireInteger('neumannInverse', 'terms', options.terms ?? 100, 1);
  options.signal?.throwIfAborted();
  const measure = meter(operator);
  const scale = requireNumber('neumannInverse', 'scale', options.scale ?? await defaultScale(operator, damping));
  const goals = right.map((b) => tolerance * norm(b));
  const solutions = right.map((b) => b.map((x) => scale * x));
  const residuals = right.map((b) => b.slice());
  const lengths = right.map(norm);
  const counts = right.map(() => 1);
  let stop: SolveStop = 'budget';
  let active = right.map((_, i) => i).filter((i) => lengths[i] > 0);
  for (;;) {
    if (options.signal?.aborted === true) stop = 'aborted';
    if (active.length === 0 || stop === 'aborted') break;
    const images = await operator.multiply(active.map((i) => residuals[i]));
    active.forEach((i, at) => {
      const factor = 1 - scale * damping;
      const image = images[at];
      residuals[i] = residuals[i].map((x, j) => factor * x - scale * image[j]);
      lengths[i] = requireDecay(operator, residuals[i], lengths[i], norm(right[i]), scale, counts[i]);
    });
    active = active.filter((i) => lengths[i] > goals[i] && counts[i] < terms);
    active.forEach((i) => {
      addScaled(solutions[i], scale, residuals[i]);
      counts[i]++;
    });
    options.onProgress?.({ done: measure().products, total: terms * right.length, unit: 'products' });
  }
  const true_ = await residualsOf(operator, solutions, right, damping);
  return {
    solutions: solutions.map((x, i) => solutionOf(x, true_[i], right[i], counts[i], norm(true_[i]) <= goals[i] ? 'converged' : lengths[i] <= goals[i] ? 'stagnated' : stop)),
    cost: measure(),
  };
}

async function defaultScale(operator: LinearOperator, damping: number): Promise<number> {
  if (!operator.symmetric) throw new ArgumentError({ operation: 'neumannInverse', required: 'scale must be given for an operator that is not symmetric', received: 'none' });
  const { largest: [{ value, error }] } = await topEigenpairs(operator, { largest: 1, tolerance: 0.01 });
  const bound = value + error + damping;
  if (!(bound > 0)) throw new ArgumentError({ operation: 'neumannInverse', required: 'the operator must be positive definite', received: `a largest eigenvalue of ${value} and damping ${damping}` });
  return 1 / bound;
}

/** The norm of the new residual. @throws ArgumentError when the series diverges. */
function requireDecay(operator: LinearOperator, residual: Float64Array, before: number, first: number, scale: number, terms: number): number {
  const now = norm(residual);
  // For symmetric A the norms of (I - s A)^k b are log-convex in k: once they grow they grow for ever (rounding apart).
  const diverges = operator.symmetric ? now > before * (1 + 1e-3) && now > 1e-3 * first : now > TRANSIENT_GROWTH * first;
  if (diverges || !Number.isFinite(now)) {
    throw new ArgumentError({
      operation: 'neumannInverse', required: 'the series must converge: eigenvalues of I - scale A within (-1, 1)', received: `a term of ${terms + 1} times ${now / before} the norm of the one before, at scale ${scale}`,
      remedy: 'a scale below 2 / largest eigenvalue; damping where eigenvalues are negative; or conjugateGradient',
    });
  }
  return now;
}
