/** Traces of functions of a symmetric operator, and counts of eigenvalues, by stochastic Lanczos quadrature. @module */
import { estimated, type Cost, type Measurement } from '../problem/index.ts';
import { ArgumentError, NonFiniteError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import type { LinearOperator } from './operator.ts';
import { quadratureError, type QuadratureError, type SpectralFunction } from './spectral-function.ts';
import { integrate, lanczosQuadratures, nearest, radau, type Quadrature, type QuadratureOptions, type Quadratures } from './spectral-quadrature.ts';

/** Effort of a spectral trace, and where the spectrum lies. */
export interface SpectralTraceOptions extends QuadratureOptions {
  /**
   * An interval that holds all eigenvalues, infinite ends allowed: with it the error of quadrature is bounded where the function
   * permits. It must be known, not estimated: [0, Infinity] for positive semi-definite operators, wider by a shift.
   */
  readonly spectrum?: readonly [number, number];
}

/** A sum over all eigenvalues. Its error is that of the probes; that of the finite number of steps stands apart. */
export interface SpectralTrace extends Measurement {
  readonly quadrature: QuadratureError;
  readonly probes: readonly Quadrature[];
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

// Ritz values lie within the spectrum but for rounding, of the largest.
const ROUNDING = 1e-9;

/** @throws ArgumentError unless all Ritz values lie within. */
function requireWithin(operation: string, probes: readonly Quadrature[], [low, high]: readonly [number, number], slack: number): void {
  for (const { nodes } of probes) {
    const [least, most] = [nodes[0], nodes[nodes.length - 1]];
    const margin = Math.max(ROUNDING, slack) * Math.max(Math.abs(least), Math.abs(most));
    if (least < low - margin || most > high + margin) throw new ArgumentError({ operation, required: `spectrum must hold the Ritz values from ${least} to ${most}`, received: `[${low}, ${high}]`, remedy: 'leave it out where it is not known' });
  }
}

/** size times the mean over probes, which `f` of the nodes gives, with both errors. */
export function spectralTraceOf(operation: string, operator: LinearOperator, { probes, stopped, cost }: Quadratures, f: SpectralFunction, spectrum?: readonly [number, number]): SpectralTrace {
  if (spectrum) requireWithin(operation, probes, spectrum, operator.precision === 'float32' ? 1e-5 : 0);
  const values = probes.map((probe) => integrate(probe, f.value));
  const odd = values.findIndex((x) => !Number.isFinite(x));
  if (odd >= 0) {
    throw new NonFiniteError({ operation, required: `${f.name} must be finite on the spectrum`, received: `${values[odd]} from Ritz values between ${probes[odd].nodes[0]} and ${probes[odd].nodes.at(-1)}`, remedy: 'a shift that makes all eigenvalues positive, or a function that takes them' });
  }
  const quadrature = quadratureError(probes, f, spectrum);
  return {
    ...estimated(values.map((x) => operator.size * x), cost), quadrature: { ...quadrature, error: operator.size * quadrature.error }, probes, stopped, cost,
  };
}

/**
 * tr f(A) = sum over the eigenvalues of f, by stochastic Lanczos quadrature (Ubaru, Chen, Saad 2017): size times the mean over probes
 * of v' f(A) v. `error` is the standard error across probes; `quadrature` what the finite number of steps adds, a bound where
 * `spectrum` is known and f is one of `logarithm`, `exponential`, `power`, `shrinkage`, `smoothedStep` (or has their
 * properties), else an estimate. Cost: probes * steps products.
 *
 * @throws ArgumentError for a non-symmetric operator or a spectrum that Ritz values contradict; NonFiniteError where f is not
 * finite at a Ritz value.
 */
export async function spectralTrace(operator: LinearOperator, f: SpectralFunction | ((eigenvalue: number) => number), options: SpectralTraceOptions = {}): Promise<SpectralTrace> {
  const known = typeof f === 'function' ? { name: f.name === '' ? 'the function' : f.name, value: f } : f;
  return spectralTraceOf('spectralTrace', operator, await lanczosQuadratures('spectralTrace', operator, options), known, options.spectrum);
}

/** Which eigenvalues are counted. */
export interface CountOptions extends QuadratureOptions {
  /** Eigenvalues below this are counted. Default 0: the negative ones. */
  readonly below?: number;
}

/** A number of eigenvalues, not an integer since it is estimated. */
export interface EigenvalueCount extends SpectralTrace {
  /**
   * Means over probes of the least and the most that may lie below, by the inequalities of Chebyshev, Markov and Stieltjes: the
   * quadrature's part of the uncertainty, to which `error` comes on both sides.
   */
  readonly between: readonly [number, number];
}

/**
 * The number of eigenvalues below a threshold, by default the negative ones (the index of a saddle point): size times the mean
 * weight of lower Ritz values. `quadrature.error` is a bound for the probes drawn: with a node prescribed at the
 * threshold (Gauss-Radau), the weights below it are at most, and together with that node's at least, what truly lies
 * below. It is wide where many eigenvalues crowd at the threshold. Cost: probes * steps products.
 *
 * @throws ArgumentError for a non-symmetric operator.
 */
export async function eigenvalueCount(operator: LinearOperator, options: CountOptions = {}): Promise<EigenvalueCount> {
  const below = requireNumber('eigenvalueCount', 'below', options.below ?? 0);
  const runs = await lanczosQuadratures('eigenvalueCount', operator, options);
  const brackets = runs.probes.map((probe) => bracket(probe, below));
  const mean = (values: readonly number[]): number => (operator.size * values.reduce((sum, x) => sum + x, 0)) / values.length;
  const between = [mean(brackets.map(([low]) => low)), mean(brackets.map(([, high]) => high))] as const;
  const counted = spectralTraceOf('eigenvalueCount', operator, runs, { name: 'the step', value: (x) => (x < below ? 1 : 0) });
  const exact = runs.probes.every((probe) => probe.exact);
  const error = exact ? 0 : Math.max(0, between[1] - counted.value, counted.value - between[0]);
  return { ...counted, quadrature: { error, kind: 'bound', method: exact ? 'exact' : 'chebyshev-markov-stieltjes' }, between };
}

/** What may lie strictly below the threshold, of one probe's unit mass. */
function bracket(probe: Quadrature, below: number): readonly [number, number] {
  const under = integrate(probe, (x) => (x < below ? 1 : 0));
  if (probe.exact) return [under, under];
  const rule = radau(probe, below);
  if (rule !== undefined) {
    const at = nearest(rule.nodes, below);
    const least = rule.weights.slice(0, at).reduce((sum, w) => sum + w, 0);
    return [least, least + rule.weights[at]];
  }
  // The threshold is a Ritz value, or the rule failed by rounding: the inequalities at the neighbouring Ritz values.
  const upper = probe.nodes.findIndex((x) => x >= below);
  const [first, last] = upper < 0 ? [probe.nodes.length - 1, probe.nodes.length - 1] : [Math.max(0, upper - 1), upper];
  const sum = (count: number): number => probe.weights.slice(0, count).reduce((total, w) => total + w, 0);
  return [upper < 0 || upper > 0 ? sum(first) : 0, sum(last + 1)];
}
