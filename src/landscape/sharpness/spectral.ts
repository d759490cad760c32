/** Sharpness read off the Hessian's spectrum: largest eigenvalue, trace, and how much of it is negative. @module */
import { hutchinsonTrace, topEigenpairs, type EigenOptions, type LinearOperator, type TraceOptions } from '../../curvature/index.ts';
import { estimated, jackknifed, type Measurement } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { requireNumber } from '../../util/require.ts';
import type { Sharpness } from './objective.ts';

/** Effort of the two estimates. */
export interface HessianSharpnessOptions extends Pick<EigenOptions, 'tolerance' | 'maxProducts' | 'denseUpTo' | 'key' | 'signal'>, Pick<TraceOptions, 'probes'> {}

/** Largest eigenvalue (with its residual bound) and trace (with its standard error) of a Hessian as sharpnesses; both change when layers are rescaled. */
export async function hessianSharpness(operator: LinearOperator, options: HessianSharpnessOptions = {}): Promise<{ readonly largest: Sharpness; readonly trace: Sharpness }> {
  const { probes, key, signal, ...eigen } = options;
  const common = { ...(key && { key }), ...(signal && { signal }) };
  const pairs = await topEigenpairs(operator, { ...eigen, ...common, largest: 1 });
  const { value, error, kind } = pairs.largest[0];
  const trace = await hutchinsonTrace(operator, { ...common, ...(probes !== undefined && { probes }) });
  const none = { losses: 0, gradients: 0 };
  return {
    largest: { value, error, kind, measure: 'largest eigenvalue', rescaling: 'changes', cost: { ...pairs.cost, ...none } },
    trace: { value: trace.value, error: trace.error, kind: trace.kind, samples: trace.samples, measure: 'trace', rescaling: 'changes', cost: { ...trace.cost, ...none } },
  };
}

/** Nodes and weights of one probe, as `spectralDensity(...).probes` holds them. */
export interface SpectrumRule {
  readonly nodes: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/** How much of a spectrum is negative. */
export interface NegativeCurvature {
  /** r_e: the mean over probes of |smallest / largest node| (Gabdullin 2024). */
  readonly extremes: Measurement;
  /** K_H^n: the mean over probes of sum over negative nodes of (|l| w)^n, over the same of positive ones (Gabdullin 2024). Grows with the Lanczos steps for n < 1. */
  readonly nodeRatio: Measurement;
  /** The integral of |l|^m over the negative part of the spectrum, divided by that over the positive part: weights enter linearly. */
  readonly massRatio: Measurement;
}

/** Exponents of the ratios. */
export interface NegativeCurvatureOptions {
  /** n of K_H^n. Default 0.5. */
  readonly power?: number;
  /** m of the mass ratio. Default 1. */
  readonly moment?: number;
}

/** Sums over the nodes below and above zero. */
function halves({ nodes, weights }: SpectrumRule, term: (size: number, weight: number) => number): readonly [number, number] {
  const sums: [number, number] = [0, 0];
  for (let i = 0; i < nodes.length; i++) if (nodes[i] !== 0) sums[nodes[i] < 0 ? 0 : 1] += term(Math.abs(nodes[i]), weights[i]);
  return sums;
}

/**
 * Three readings of how negative a spectrum is, from the quadratures of stochastic Lanczos. `extremes` and `nodeRatio` are the r_e and
 * K_H^n of Loss Landscape Analysis (Gabdullin 2024, arXiv 2412.10146), which takes 100 steps and n = 0.5. K_H^n is a sum over *nodes* of
 * a concave function: it depends on how many nodes a run has, so only runs with equal steps compare. `massRatio` is
 *
 *     integral_{l<0} |l|^m dmu(l)  /  integral_{l>0} l^m dmu(l)
 *
 * of the spectral measure mu: splitting a node in two of half the weight changes nothing, and as the steps grow it converges to
 * the ratio of the sums of |eigenvalue|^m. For m = 1 it is the negative over the positive part of the trace. It is the ratio of
 * the means over probes, with the jackknife's bias correction and error; the others are means over probes with their standard
 * error (NaN for one probe). Infinite when no node is positive.
 *
 * @throws ArgumentError when there is no probe or no node.
 */
export function negativeCurvature(probes: readonly SpectrumRule[], options: NegativeCurvatureOptions = {}): NegativeCurvature {
  const power = requireNumber('negativeCurvature', 'power', options.power ?? 0.5, Number.MIN_VALUE);
  const moment = requireNumber('negativeCurvature', 'moment', options.moment ?? 1, Number.MIN_VALUE);
  if (probes.length === 0 || probes.some(({ nodes }) => nodes.length === 0)) throw new ArgumentError({ operation: 'negativeCurvature', required: 'every probe must have nodes, and there must be one', received: `${probes.length} probes`, remedy: 'pass spectralDensity(...).probes' });
  const ratio = ([negative, positive]: readonly [number, number]): number => negative / positive;
  const extremes = probes.map(({ nodes }) => Math.abs(Math.min(...Array.from(nodes)) / Math.max(...Array.from(nodes))));
  const masses = probes.map((probe) => halves(probe, (size, weight) => weight * size ** moment));
  return {
    extremes: estimated(extremes),
    nodeRatio: estimated(probes.map((probe) => ratio(halves(probe, (size, weight) => (size * weight) ** power)))),
    massRatio: jackknifed(masses, (some) => ratio(some.reduce<readonly [number, number]>(([a, b], [x, y]) => [a + x, b + y], [0, 0]))),
  };
}
