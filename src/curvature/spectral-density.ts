/** The eigenvalue density of a symmetric operator by stochastic Lanczos quadrature. @module */
import { estimated, type Cost, type Measurement } from '../problem/index.ts';
import { requireNumber } from '../util/require.ts';
import { coordinateOf, gaussianMixture, kernelWidth, linearGrid, type DensityScale } from './kernel-density.ts';
import type { LinearOperator } from './operator.ts';
import { papyanDensity, pyhessianDensity, type DensityStyle } from './spectral-density-peers.ts';
import { lanczosQuadratures, shortened, type Quadrature, type QuadratureOptions, type QuadratureRule } from './spectral-quadrature.ts';

/** A density with its errors, and the quadratures it was drawn from. */
export interface SpectralDensity {
  /** Eigenvalue axis, increasing, [points]; on the scale `log`, |eigenvalue| + epsilon. */
  readonly grid: Float64Array;
  /** What the density is per unit of, increasing, [points]: the grid itself, ln(|l| + epsilon) or asinh(l / epsilon). */
  readonly coordinate: Float64Array;
  /**
   * Mean over probes of the density of eigenvalues, each counted 1 / size: over the coordinate it integrates to one. [points]
   * (style `papyan`: per unit of the grid also on the scale `log`, not renormalised.)
   */
  readonly density: Float64Array;
  /** Standard error of that mean across probes, [points]; NaN with one probe. */
  readonly standardError: Float64Array;
  /**
   * How far the density is from that after half of the Lanczos steps, at the same width, [points]: an estimate, mostly too large,
   * of what the finite number of steps does. Zero where the quadratures are exact.
   */
  readonly quadratureError: Float64Array;
  /** Standard deviation of the Gaussian that stands for each quadrature node, in units of the coordinate. */
  readonly width: number;
  readonly scale: DensityScale;
  readonly style: DensityStyle;
  /** What a reader of the picture should know; empty when nothing is wrong. */
  readonly warnings: readonly string[];
  readonly probes: readonly Quadrature[];
  /** size times the mean first moment: Hutchinson's estimate from the same products. */
  readonly trace: Measurement;
  /** Fraction of negative eigenvalues by quadrature, with its standard error across probes. */
  readonly negative: Measurement;
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

/** Effort and picture of a spectral density. */
export interface DensityOptions extends QuadratureOptions {
  /**
   * `thalweg` (default): see `spectralDensity`. `pyhessian` and `papyan` repeat those programs step by step, their defaults
   * included: see `docs/measurements/spectral-density.md`.
   */
  readonly style?: DensityStyle;
  /** Default `linear`; `pyhessian` has no other, `papyan` also `log`. */
  readonly scale?: DensityScale;
  /** Where a logarithmic scale turns: default 1e-5 of the largest absolute Ritz value; 1e-5 itself in the style `papyan`. */
  readonly epsilon?: number;
  /** Ripple of the kernel, above 1: larger is narrower. Default 3; 1.04 for style `papyan` on the scale `log`. Not for `pyhessian`. */
  readonly kappa?: number;
  /** Kernel width in units of the coordinate; default: see `kernelWidth`. Style `thalweg` only. */
  readonly width?: number;
  /** Eigenvalues (|eigenvalue| + epsilon for `log`) of the density; default: from end to end in steps of at most a third of the width. Style `thalweg` only. */
  readonly grid?: Float64Array;
  /** Ends of the spectrum (of |A| for `log`) where they are known. Style `papyan` only. */
  readonly boundaries?: readonly [number, number];
}

const RELATIVE_EPSILON = 1e-5;

/**
 * Stochastic Lanczos quadrature (Golub and Meurant 1994; Ubaru, Chen, Saad 2017; for neural networks Ghorbani, Krishnan, Xiao
 * 2019): from each probe, a random vector of signs, `steps` Lanczos steps with full reorthogonalisation give nodes and weights;
 * the density is the mean of Gaussians at the nodes. Invariants are checked at every probe: weights sum to one, the first
 * moment is v' A v, and Lanczos vectors are orthogonal. Cost: probes * steps products.
 *
 * @throws ArgumentError for a non-symmetric operator or an option that the style does not have; ThalwegError `INVARIANT` when a
 * quadrature fails its check.
 */
export async function spectralDensity(operator: LinearOperator, options: DensityOptions = {}): Promise<SpectralDensity> {
  const { style = 'thalweg', scale = 'linear' } = options;
  for (const name of ['width', 'epsilon'] as const) if (options[name] !== undefined) requireNumber('spectralDensity', name, options[name], Number.MIN_VALUE);
  if (options.kappa !== undefined) requireNumber('spectralDensity', 'kappa', options.kappa, 1 + 1e-12);
  if (style === 'pyhessian') return withSummary(operator, await pyhessianDensity(operator, options));
  if (style === 'papyan') return withSummary(operator, await papyanDensity(operator, options));
  const { probes, steps, stopped, cost } = await lanczosQuadratures('spectralDensity', operator, options);
  const largest = probes.reduce((most, { nodes }) => nodes.reduce((m, x) => Math.max(m, Math.abs(x)), most), 0);
  const { of, inverse } = coordinateOf(scale, options.epsilon ?? (largest > 0 ? RELATIVE_EPSILON * largest : RELATIVE_EPSILON));
  const [low, high] = probes.reduce(([least, most], { nodes }) => nodes.reduce(([a, b], x) => [Math.min(a, of(x)), Math.max(b, of(x))], [least, most]), [Infinity, -Infinity]);
  const width = options.width ?? kernelWidth(low, high, steps, options.kappa);
  const coordinate = options.grid ? (scale === 'log' ? options.grid.map(Math.log) : options.grid.map(of)) : linearGrid(low, high, width);
  const curve = ({ nodes, weights }: QuadratureRule): Float64Array => gaussianMixture(coordinate, nodes.map(of), weights, width);
  const curves = probes.map(curve);
  const { mean, standardError } = across(curves);
  const before = across(probes.map((probe, i) => (probe.exact ? curves[i] : curve(shortened(probe, Math.ceil(probe.diagonal.length / 2)))))).mean;
  return withSummary(operator, {
    grid: options.grid ?? (scale === 'linear' ? coordinate : coordinate.map(inverse)), coordinate, density: mean, standardError,
    quadratureError: mean.map((y, i) => Math.abs(y - before[i])), width, scale, style, warnings: [], probes, stopped, cost,
  });
}

/** Mean of curves with its standard error, point by point. */
function across(curves: readonly Float64Array[]): { mean: Float64Array; standardError: Float64Array } {
  const points = Array.from(curves[0], (_, i) => estimated(curves.map((curve) => curve[i])));
  return { mean: Float64Array.from(points, ({ value }) => value), standardError: Float64Array.from(points, ({ error }) => error) };
}

function withSummary(operator: LinearOperator, density: Omit<SpectralDensity, 'trace' | 'negative'>): SpectralDensity {
  const { probes, cost } = density;
  return {
    ...density,
    trace: estimated(probes.map(({ firstMoment }) => operator.size * firstMoment), cost),
    negative: estimated(probes.map(({ nodes, weights }) => weights.reduce((sum, w, i) => sum + (nodes[i] < 0 ? w : 0), 0))),
  };
}
