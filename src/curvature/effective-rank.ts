/** How many directions a spectrum has, in the senses that are in use. @module */
import { estimated, jackknifed, type Cost, type Measurement } from '../problem/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { dot } from './basis.ts';
import { topEigenpairs } from './eigenpairs.ts';
import { forEachProbe, meter, type EstimatorOptions } from './estimator.ts';
import { requireSymmetric, type LinearOperator } from './operator.ts';
import { shrinkage, type QuadratureError } from './spectral-function.ts';
import { spectralTraceOf, type SpectralTrace, type SpectralTraceOptions } from './spectral-function-trace.ts';
import { changeByFewerSteps, integrate, lanczosQuadratures, type QuadratureOptions, type QuadratureRule } from './spectral-quadrature.ts';

/** What the eigenvalues are compared with. */
export interface EffectiveDimensionOptions extends SpectralTraceOptions {
  /** The constant c of l / (l + c), above 0: a prior precision or a weight decay, in the units of the eigenvalues. */
  readonly damping: number;
}

/**
 * The effective dimension sum_i l_i / (l_i + c): directions that the data determine against a prior of precision c (MacKay 1992;
 * Maddox, Benton, Wilson 2020). Meant for positive semi-definite operators; negative eigenvalues count as zero, and the
 * error of quadrature is bounded with `spectrum: [0, Infinity]` only. Cost: probes * steps products.
 */
export async function effectiveDimension(operator: LinearOperator, options: EffectiveDimensionOptions): Promise<SpectralTrace> {
  const damping = requireNumber('effectiveDimension', 'damping', options.damping, Number.MIN_VALUE);
  return spectralTraceOf('effectiveDimension', operator, await lanczosQuadratures('effectiveDimension', operator, options), shrinkage(damping), options.spectrum);
}

/** Two ranks that count eigenvalues by their share. */
export interface EffectiveRank {
  /** exp(-sum p_i ln p_i), p_i = |l_i| / sum |l_j| (Roy and Vetterli 2007). */
  readonly entropy: Measurement & { readonly quadrature: QuadratureError };
  /** Participation ratio (sum l_i)^2 / sum l_i^2: of positive semi-definite operators between 1 and the rank. No error of quadrature from two steps on. */
  readonly participation: Measurement;
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

const absolute = (x: number): number => Math.abs(x);
const entropyTerm = (x: number): number => (x === 0 ? 0 : Math.abs(x) * Math.log(Math.abs(x)));

/**
 * The effective rank by entropy and the participation ratio, both from one stochastic Lanczos quadrature. They are functions of
 * means over probes, so bias and standard error come from the jackknife over probes. Cost: probes * steps products.
 */
export async function effectiveRank(operator: LinearOperator, options: QuadratureOptions = {}): Promise<EffectiveRank> {
  const { probes, stopped, cost } = await lanczosQuadratures('effectiveRank', operator, { probes: 16, ...options });
  const { size } = operator;
  const entropyOf = (rules: readonly QuadratureRule[]): number => {
    const sum = (f: (x: number) => number): number => (size * rules.reduce((total, rule) => total + integrate(rule, f), 0)) / rules.length;
    const mass = sum(absolute);
    // -sum p ln p = ln S - sum |l| ln |l| / S
    return Math.exp(Math.log(mass) - sum(entropyTerm) / mass);
  };
  const exact = probes.every((probe) => probe.exact);
  const quadrature: QuadratureError = exact ? { error: 0, kind: 'bound', method: 'exact' }
    : { error: changeByFewerSteps(probes, entropyOf), kind: 'estimate', method: 'fewer steps' };
  const moments = probes.map((probe) => [size * probe.firstMoment, size * integrate(probe, (x) => x * x)] as const);
  return { entropy: { ...jackknifed(probes, entropyOf), quadrature }, participation: jackknifed(moments, participationOf), stopped, cost };
}

function participationOf(moments: readonly (readonly [number, number])[]): number {
  const [first, second] = [0, 1].map((k) => moments.reduce((sum, moment) => sum + moment[k], 0) / moments.length);
  return first ** 2 / second;
}

/** Effort of `stableRank`. */
export interface StableRankOptions extends EstimatorOptions {
  /** Random vectors. Default 32. */
  readonly probes?: number;
  /** The spectral norm where it is known; default: from `topEigenpairs`. */
  readonly spectralNorm?: Measurement;
}

/** Ranks relative to the largest eigenvalue. */
export interface StableRank {
  /** |A|_F^2 / |A|_2^2: at least 1, at most the rank. */
  readonly stableRank: Measurement;
  /** tr A / |A|_2, the intrinsic dimension of positive semi-definite operators (Tropp 2015); of a covariance, Bartlett's effective rank r_0. */
  readonly intrinsicDimension: Measurement;
  /** Largest absolute eigenvalue, with its bound. */
  readonly spectralNorm: Measurement;
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

/**
 * The stable rank |A|_F^2 / |A|_2^2 and the intrinsic dimension tr A / |A|_2 of a symmetric operator. Numerators are means of |A z|^2
 * and z' A z over the same random signs; standard errors are theirs, with the bound of the spectral norm added in quadrature.
 * WeightWatcher's "stable rank" of a weight matrix W is the intrinsic dimension of W'W. Cost: probes products and those of the top pair.
 */
export async function stableRank(operator: LinearOperator, options: StableRankOptions = {}): Promise<StableRank> {
  requireSymmetric('stableRank', operator);
  const probes = requireInteger('stableRank', 'probes', options.probes ?? 32, 1);
  const measure = meter(operator);
  options.signal?.throwIfAborted();
  const top = options.spectralNorm ?? await topNorm(operator, options);
  const norm = { ...top, value: Math.abs(top.value) };
  const [squares, forms]: [number[], number[]] = [[], []];
  const report = (): void => options.onProgress?.({ done: squares.length, total: probes, unit: 'products' });
  await forEachProbe(operator, options, { count: probes, onBlock: report }, (vector, image) => {
    squares.push(dot(image, image) / norm.value ** 2);
    forms.push(dot(vector, image) / norm.value);
  });
  const ratio = (samples: readonly number[], power: number): Measurement => {
    const estimate = estimated(samples);
    return { ...estimate, error: Math.hypot(estimate.error, (power * Math.abs(estimate.value) * norm.error) / norm.value) };
  };
  return { stableRank: ratio(squares, 2), intrinsicDimension: ratio(forms, 1), spectralNorm: norm, stopped: squares.length < probes ? 'aborted' : 'converged', cost: measure() };
}

async function topNorm(operator: LinearOperator, { key, signal }: StableRankOptions): Promise<Measurement> {
  const { magnitude: [{ value, error, kind }] } = await topEigenpairs(operator, { ...(key && { key }), ...(signal && { signal }), magnitude: 1 });
  return { value, error, kind };
}
