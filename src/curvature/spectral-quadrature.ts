/** Gauss quadratures of a symmetric operator's spectrum, from Lanczos runs at random vectors. @module */
import { tridiagonalEigenEnds } from '../linalg/index.ts';
import type { Cost } from '../problem/index.ts';
import { ThalwegError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { dot, scaleBy } from './basis.ts';
import { RowBasis } from './basis-rows.ts';
import { meter, probeVector, type EstimatorOptions } from './estimator.ts';
import { requireSymmetric, type LinearOperator } from './operator.ts';

/** Nodes, ascending, and non-negative weights that sum to one. */
export interface QuadratureRule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** Gauss quadrature of one probe v: sum_i weights[i] f(nodes[i]) approximates v' f(A) v, and equals it for polynomials of degree 2 steps - 1. */
export interface Quadrature extends QuadratureRule {
  /** Ritz values, ascending. */
  readonly nodes: Float64Array;
  /** Non-negative; sum to one. */
  readonly weights: Float64Array;
  /** v' A v */
  readonly firstMoment: number;
  /** Diagonal of the Lanczos matrix, [steps]. */
  readonly diagonal: Float64Array;
  /** Its off-diagonal, [steps]; the last one leads out of the Krylov space. */
  readonly coupling: Float64Array;
  /** Whether the Krylov space is invariant: the quadrature is then exact for every function. */
  readonly exact: boolean;
}

/** Effort of stochastic Lanczos quadrature. */
export interface QuadratureOptions extends EstimatorOptions {
  /** Lanczos steps a probe. Default 64. */
  readonly steps?: number;
  /** Random start vectors. Default 6. */
  readonly probes?: number;
  /** Most bytes of Lanczos vectors (kept in the operator's precision): probes run side by side while they fit. Default 256 MiB. */
  readonly memoryBudget?: number;
}

/** The quadratures of a run. */
export interface Quadratures {
  readonly probes: readonly Quadrature[];
  /** Lanczos steps asked for: at most the operator's size. */
  readonly steps: number;
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

// Below this part of the largest coefficient a new direction is rounding, and the quadrature is exact.
const BREAKDOWN = 1e-12;
const INVARIANT = 1e-8;
/** Lanczos vectors are orthonormal to this, by how they are stored: rounding of the last bit is 6e-8 in float32. */
const ORTHONORMAL = { float32: 1e-6, float64: 1e-8 };
/** A prescribed node that comes out farther off, relative to the largest, was lost to rounding. */
const PRESCRIBED = 1e-9;

/**
 * Stochastic Lanczos quadrature (Golub and Meurant 1994; Ubaru, Chen, Saad 2017): from each probe, a random vector of signs, `steps`
 * Lanczos steps with full reorthogonalisation in float64; vectors are kept in the operator's precision, as its products take them.
 * Checked at every probe: the weights sum to one, the first moment is v' A v, and the last Lanczos vector is orthogonal to all
 * others (so no eigenvalue is found twice). Cost: probes * steps products.
 *
 * @throws ArgumentError for a non-symmetric operator; ThalwegError `INVARIANT` when a quadrature fails its check.
 */
export async function lanczosQuadratures(operation: string, operator: LinearOperator, options: QuadratureOptions = {}): Promise<Quadratures> {
  requireSymmetric(operation, operator);
  const { memoryBudget = 256 * 2 ** 20 } = options;
  const steps = Math.min(operator.size, requireInteger(operation, 'steps', options.steps ?? 64, 1));
  const count = requireInteger(operation, 'probes', options.probes ?? 6, 1);
  const measure = meter(operator);
  const bytes = (operator.precision === 'float32' ? 4 : 8) * operator.size * steps;
  const side = Math.max(1, Math.min(operator.block, count, Math.floor(memoryBudget / bytes)));
  const bases = Array.from({ length: side }, () => new RowBasis(operator.size, steps, operator.precision));
  const probes: Quadrature[] = [];
  options.signal?.throwIfAborted();
  while (probes.length < count && (probes.length === 0 || options.signal?.aborted !== true)) {
    const starts = Array.from({ length: Math.min(side, count - probes.length) }, (_, i) => signs(operator, options, probes.length + i));
    const report = (): void => options.onProgress?.({ done: measure().products, total: count * steps, unit: 'products' });
    const runs = await lanczosRuns(operator, bases, starts, steps, report, options.signal);
    // A block cut short counts only where there is nothing else.
    const whole = runs.every((run) => run.finished);
    if (whole || probes.length === 0) probes.push(...runs.map((run) => quadrature(operation, run)));
  }
  return { probes, steps, stopped: probes.length < count || options.signal?.aborted === true ? 'aborted' : 'converged', cost: measure() };
}

function signs(operator: LinearOperator, options: EstimatorOptions, probe: number): Float64Array {
  const vector = probeVector(options, probe, operator.size);
  scaleBy(vector, 1 / Math.sqrt(operator.size));
  return vector;
}

interface Run {
  readonly basis: RowBasis;
  /** The latest vector of the basis: what is multiplied. */
  readonly latest: Float64Array;
  readonly diagonal: number[];
  /** One more than couplings inside: the last leads out. */
  readonly coupling: number[];
  /** Largest absolute coefficient so far. */
  scale: number;
  finished: boolean;
  invariant: boolean;
}

/** Starts a run in a basis that may have served another. */
function startRun(basis: RowBasis, start: Float64Array): Run {
  basis.truncate(0);
  basis.push(start);
  return { basis, latest: basis.row(0, start), diagonal: [], coupling: [], scale: 0, finished: false, invariant: false };
}

/** Lanczos from several vectors, which are overwritten, side by side: one block product a step. */
async function lanczosRuns(operator: LinearOperator, bases: readonly RowBasis[], starts: readonly Float64Array[], steps: number, report: () => void, signal: AbortSignal | undefined): Promise<Run[]> {
  const runs = starts.map((start, i) => startRun(bases[i], start));
  for (let step = 0; step < steps; step++) {
    const active = runs.filter((run) => !run.finished);
    if (active.length === 0 || (step > 0 && signal?.aborted === true)) break;
    const images = await operator.multiply(active.map(({ latest }) => latest));
    active.forEach((run, i) => advance(run, images[i], steps));
    report();
  }
  return runs;
}

function advance(run: Run, image: Float64Array, steps: number): void {
  const { basis, diagonal, coupling } = run;
  const { coefficients, norm } = basis.orthogonalise(image, 2);
  diagonal.push(coefficients[coefficients.length - 1]);
  coupling.push(norm);
  run.scale = Math.max(run.scale, Math.abs(coefficients[coefficients.length - 1]), norm);
  run.invariant = norm <= BREAKDOWN * run.scale;
  if (diagonal.length === steps || run.invariant) {
    run.finished = true;
    return;
  }
  basis.pushRest(1 / norm);
  basis.row(basis.length - 1, run.latest);
}

/** Nodes and weights of a symmetric tridiagonal matrix (Golub and Welsch 1969). */
export function ruleOf(diagonal: ArrayLike<number>, coupling: ArrayLike<number>): QuadratureRule {
  const { values, first } = tridiagonalEigenEnds(diagonal, coupling);
  return { nodes: values, weights: first.map((x) => x * x) };
}

function quadrature(operation: string, { diagonal, coupling, basis, latest, invariant }: Run): Quadrature {
  const steps = diagonal.length;
  const rule = ruleOf(diagonal, coupling.slice(0, steps - 1));
  const [firstMoment] = diagonal;
  requireInvariants(operation, rule, firstMoment);
  // The last vector has unit norm, and nothing in common with the others.
  const common = basis.projections(latest).reduce((most, x, i) => Math.max(most, Math.abs(i === basis.length - 1 ? x - 1 : x)), 0);
  const required = ORTHONORMAL[basis.type];
  if (common > required) throw new ThalwegError('INVARIANT', { operation, required: `Lanczos vectors must be orthonormal to ${required}`, received: `${common}` });
  return { ...rule, firstMoment, diagonal: Float64Array.from(diagonal), coupling: Float64Array.from(coupling), exact: invariant || steps === basis.size };
}

/** @throws ThalwegError `INVARIANT` unless the weights sum to one and give the first moment. */
export function requireInvariants(operation: string, { nodes, weights }: QuadratureRule, firstMoment: number): void {
  const scale = nodes.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const mass = weights.reduce((sum, w) => sum + w, 0);
  if (Math.abs(mass - 1) > INVARIANT || Math.abs(dot(weights, nodes) - firstMoment) > INVARIANT * scale) {
    throw new ThalwegError('INVARIANT', { operation, required: `weights must sum to 1 and the first moment must be ${firstMoment}`, received: `${mass} and ${dot(weights, nodes)}` });
  }
}

/** sum_i weights[i] f(nodes[i]) */
export const integrate = ({ nodes, weights }: QuadratureRule, f: (node: number) => number): number => nodes.reduce((sum, node, i) => sum + (weights[i] > 0 ? weights[i] * f(node) : 0), 0);

/** The quadrature after fewer steps; itself when it is exact or has no more. */
export function shortened(quadrature: Quadrature, steps: number): QuadratureRule {
  const { diagonal, coupling, exact } = quadrature;
  return exact || steps >= diagonal.length ? quadrature : ruleOf(diagonal.subarray(0, steps), coupling.subarray(0, steps - 1));
}

/**
 * How far `f` of the quadratures is from itself after a half, three quarters and all but one of the steps, the most of the three: an
 * estimate of the error of a finite number of steps. Several, because convergence goes up and down with the parity of the steps.
 */
export function changeByFewerSteps(probes: readonly Quadrature[], f: (rules: readonly QuadratureRule[]) => number): number {
  const most = probes.reduce((steps, { diagonal }) => Math.max(steps, diagonal.length), 1);
  const value = f(probes);
  const fewer = [Math.ceil(most / 2), Math.floor((3 * most) / 4), most - 1].filter((steps) => steps > 0);
  return fewer.reduce((change, steps) => Math.max(change, Math.abs(value - f(probes.map((probe) => shortened(probe, steps))))), 0);
}

/**
 * The Gauss-Radau rule with a prescribed node and one point more, exact to degree 2 steps (Golub 1973): T is extended by the
 * coupling that leads out and the diagonal entry that makes `node` an eigenvalue. Undefined where the quadrature is exact or the
 * node is a Ritz value, to rounding.
 */
export function radau({ diagonal, coupling, exact }: Quadrature, node: number): QuadratureRule | undefined {
  if (exact) return undefined;
  let pivot = diagonal[0] - node;
  for (let j = 1; j < diagonal.length; j++) pivot = diagonal[j] - node - coupling[j - 1] ** 2 / pivot;
  const extra = node + coupling[coupling.length - 1] ** 2 / pivot;
  if (!Number.isFinite(extra)) return undefined;
  const rule = ruleOf([...diagonal, extra], coupling);
  // What is prescribed is known without rounding: it may be a pole.
  const at = nearest(rule.nodes, node);
  const scale = rule.nodes.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (Math.abs(rule.nodes[at] - node) > PRESCRIBED * scale) return undefined;
  rule.nodes[at] = node;
  return rule;
}

/** Index of the node nearest to a number. */
export const nearest = (nodes: Float64Array, to: number): number => nodes.reduce((best, x, i) => (Math.abs(x - to) < Math.abs(nodes[best] - to) ? i : best), 0);
