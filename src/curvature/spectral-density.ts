/** The eigenvalue density of a symmetric operator by stochastic Lanczos quadrature. @module */
import { tridiagonalEigenEnds } from '../linalg/index.ts';
import { estimated, type Cost, type Measurement } from '../problem/index.ts';
import { ThalwegError } from '../util/errors.ts';
import { rademacher, split } from '../util/random/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { dot, orthogonalise, scaleBy } from './basis.ts';
import { keyOf, meter, type EstimatorOptions } from './estimator.ts';
import { gaussianMixture, kernelWidth, linearGrid } from './kernel-density.ts';
import { requireSymmetric, type LinearOperator } from './operator.ts';

/** Gauss quadrature of one probe v: sum_i weights[i] f(nodes[i]) approximates v' f(A) v. */
export interface Quadrature {
  /** Ritz values, ascending. */
  readonly nodes: Float64Array;
  /** Non-negative; sum to one. */
  readonly weights: Float64Array;
  /** v' A v */
  readonly firstMoment: number;
}

/** A density with its error, and the quadratures it was drawn from. */
export interface SpectralDensity {
  /** Eigenvalue axis, increasing, [points]. */
  readonly grid: Float64Array;
  /** Mean over probes of the density of eigenvalues, each counted 1 / size: it integrates to one. [points] */
  readonly density: Float64Array;
  /** Standard error of that mean across probes, [points]; NaN with one probe. */
  readonly standardError: Float64Array;
  /** Standard deviation of the Gaussian that stands for each quadrature node. */
  readonly width: number;
  readonly probes: readonly Quadrature[];
  /** size times the mean first moment: Hutchinson's estimate from the same products. */
  readonly trace: Measurement;
  /** Fraction of negative eigenvalues by quadrature, with its standard error across probes. */
  readonly negative: Measurement;
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

/** Effort and picture of a spectral density. */
export interface DensityOptions extends EstimatorOptions {
  /** Lanczos steps a probe. Default 64. */
  readonly steps?: number;
  /** Random start vectors. Default 6. */
  readonly probes?: number;
  /** Kernel width; default: see `kernelWidth`. */
  readonly width?: number;
  /** Points of the density; default: from end to end in steps of at most a third of the width. */
  readonly grid?: Float64Array;
  /** Most bytes of Lanczos vectors: probes run side by side while they fit. Default 256 MiB. */
  readonly memoryBudget?: number;
}

// Below this part of the largest coefficient a new direction is rounding, and the quadrature is exact.
const BREAKDOWN = 1e-12;
const INVARIANT = 1e-8;

/**
 * Stochastic Lanczos quadrature (Golub and Meurant 1994; Ubaru, Chen, Saad 2017; for neural networks Ghorbani, Krishnan, Xiao
 * 2019): from each probe, a random vector of signs, `steps` Lanczos steps with full reorthogonalisation give nodes and weights;
 * the density is the mean of Gaussians at the nodes. Invariants are checked at every probe: weights sum to one, the first
 * moment is v' A v. Cost: probes * steps products.
 *
 * @throws ArgumentError for a non-symmetric operator; ThalwegError `INVARIANT` when a quadrature fails its check.
 */
export async function spectralDensity(operator: LinearOperator, options: DensityOptions = {}): Promise<SpectralDensity> {
  requireSymmetric('spectralDensity', operator);
  const { memoryBudget = 256 * 2 ** 20 } = options;
  const steps = Math.min(operator.size, requireInteger('spectralDensity', 'steps', options.steps ?? 64, 1));
  const count = requireInteger('spectralDensity', 'probes', options.probes ?? 6, 1);
  if (options.width !== undefined) requireNumber('spectralDensity', 'width', options.width, Number.MIN_VALUE);
  const measure = meter(operator);
  const side = Math.max(1, Math.min(operator.block, count, Math.floor(memoryBudget / (8 * operator.size * steps))));
  const probes: Quadrature[] = [];
  options.signal?.throwIfAborted();
  while (probes.length < count && (probes.length === 0 || options.signal?.aborted !== true)) {
    const starts = Array.from({ length: Math.min(side, count - probes.length) }, (_, i) => signs(operator, options, probes.length + i));
    const report = (): void => options.onProgress?.({ done: measure().products, total: count * steps, unit: 'products' });
    const runs = await lanczosRuns(operator, starts, steps, report, options.signal);
    // A block cut short counts only where there is nothing else.
    const whole = runs.every((run) => run.finished);
    if (whole || probes.length === 0) probes.push(...runs.map(quadrature));
  }
  return summary(operator, probes, steps, options, { stopped: probes.length < count || options.signal?.aborted === true ? 'aborted' : 'converged', cost: measure() });
}

function signs(operator: LinearOperator, options: EstimatorOptions, probe: number): Float64Array {
  const vector = rademacher(split(keyOf(options), 'probe', probe), operator.size, { dtype: 'float64' });
  scaleBy(vector, 1 / Math.sqrt(operator.size));
  return vector;
}

interface Run {
  readonly basis: Float64Array[];
  readonly diagonal: number[];
  /** One more than couplings inside: the last leads out. */
  readonly coupling: number[];
  finished: boolean;
}

/** Lanczos from several vectors side by side: one block product a step. */
async function lanczosRuns(operator: LinearOperator, starts: readonly Float64Array[], steps: number, report: () => void, signal: AbortSignal | undefined): Promise<Run[]> {
  const runs = starts.map((start): Run => ({ basis: [start], diagonal: [], coupling: [], finished: false }));
  for (let step = 0; step < steps; step++) {
    const active = runs.filter((run) => !run.finished);
    if (active.length === 0 || (step > 0 && signal?.aborted === true)) break;
    const images = await operator.multiply(active.map(({ basis }) => basis[step]));
    active.forEach((run, i) => advance(run, images[i], steps));
    report();
  }
  return runs;
}

function advance(run: Run, image: Float64Array, steps: number): void {
  const { coefficients, norm } = orthogonalise(run.basis, image, 2);
  run.diagonal.push(coefficients[coefficients.length - 1]);
  run.coupling.push(norm);
  const scale = [...run.diagonal, ...run.coupling].reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (run.diagonal.length === steps || norm <= BREAKDOWN * scale) {
    run.finished = true;
    return;
  }
  scaleBy(image, 1 / norm);
  run.basis.push(image);
}

/** Nodes and weights of the tridiagonal matrix (Golub and Welsch 1969), checked. */
function quadrature({ diagonal, coupling, basis }: Run): Quadrature {
  const { values, first } = tridiagonalEigenEnds(diagonal, coupling.slice(0, diagonal.length - 1));
  const weights = first.map((x) => x * x);
  const [firstMoment] = diagonal;
  const scale = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const mass = weights.reduce((sum, w) => sum + w, 0);
  if (Math.abs(mass - 1) > INVARIANT || Math.abs(dot(weights, values) - firstMoment) > INVARIANT * scale || Math.abs(dot(basis[0], basis[0]) - 1) > INVARIANT) {
    throw new ThalwegError('INVARIANT', { operation: 'spectralDensity', required: `weights must sum to 1 and the first moment must be ${firstMoment}`, received: `${mass} and ${dot(weights, values)}` });
  }
  return { nodes: values, weights, firstMoment };
}

function summary(operator: LinearOperator, probes: readonly Quadrature[], steps: number, options: DensityOptions, outcome: Pick<SpectralDensity, 'stopped' | 'cost'>): SpectralDensity {
  const low = probes.reduce((least, { nodes }) => Math.min(least, nodes[0]), Infinity);
  const high = probes.reduce((most, { nodes }) => Math.max(most, nodes[nodes.length - 1]), -Infinity);
  const width = options.width ?? kernelWidth(low, high, steps);
  const grid = options.grid ?? linearGrid(low, high, width);
  const curves = probes.map(({ nodes, weights }) => gaussianMixture(grid, nodes, weights, width));
  const points = Array.from(grid, (_, i) => estimated(curves.map((curve) => curve[i])));
  return {
    grid, density: Float64Array.from(points, ({ value }) => value), standardError: Float64Array.from(points, ({ error }) => error), width, probes,
    trace: estimated(probes.map(({ firstMoment }) => operator.size * firstMoment), outcome.cost),
    negative: estimated(probes.map(({ nodes, weights }) => weights.reduce((sum, w, i) => sum + (nodes[i] < 0 ? w : 0), 0))), ...outcome,
  };
}
