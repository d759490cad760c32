/** Functions of eigenvalues, with what bounds the error of their Gauss quadratures. @module */
import { requireNumber } from '../util/require.ts';
import { changeByFewerSteps, integrate, radau, type Quadrature, type QuadratureRule } from './spectral-quadrature.ts';

/** A function of eigenvalues. With `derivativeSign` or `modulus` the error of quadrature can be bounded, else it is estimated. */
export interface SpectralFunction {
  readonly name: string;
  readonly value: (eigenvalue: number) => number;
  /** Open interval on which the function is analytic and `derivativeSign` holds. Default: everywhere. */
  readonly domain?: readonly [number, number];
  /** Sign of the derivative of an order above 1, the same all over the domain. */
  readonly derivativeSign?: (order: number) => -1 | 0 | 1;
  /** Most of |f(x + iy)| over all x and |y| <= `imaginary`; infinite from the nearest pole on. */
  readonly modulus?: (imaginary: number) => number;
}

const alternating = (order: number): -1 | 1 => (order % 2 === 0 ? -1 : 1);

/** ln(l + shift); the shift 0 unless given. Quadratures are bounded on both sides where a lower end of the spectrum above -shift is known. */
export const logarithm = (shift = 0): SpectralFunction =>
  ({ name: 'logarithm', value: (x) => Math.log(x + shift), domain: [-requireNumber('logarithm', 'shift', shift), Infinity], derivativeSign: alternating });

/** exp(scale l); the scale 1 unless given. */
export const exponential = (scale = 1): SpectralFunction =>
  ({ name: 'exponential', value: (x) => Math.exp(scale * x), derivativeSign: (order) => (requireNumber('exponential', 'scale', scale) >= 0 || order % 2 === 0 ? 1 : -1) });

/** (l + shift)^exponent; the shift 0 unless given. Integer exponents of at least 0 take any sign of l. */
export function power(exponent: number, shift = 0): SpectralFunction {
  requireNumber('power', 'exponent', exponent);
  requireNumber('power', 'shift', shift);
  // exponent (exponent - 1) ... (exponent - order + 1)
  const derivativeSign = (order: number): -1 | 0 | 1 => {
    let sign = 1;
    for (let j = 0; j < order; j++) sign *= Math.sign(exponent - j);
    return sign as -1 | 0 | 1;
  };
  // A polynomial of degree p has the derivatives' signs on both sides of its zero only above order p, where they vanish.
  const polynomial = Number.isInteger(exponent) && exponent >= 0;
  return { name: 'power', value: (x) => (x + shift) ** exponent, ...(!polynomial && { domain: [-shift, Infinity] as const }), derivativeSign: polynomial ? (order) => (order > exponent ? 0 : derivativeSign(order)) : derivativeSign };
}

/** l / (l + damping), what an eigenvalue adds to the effective dimension; negative eigenvalues count as zero. The damping is above 0. */
export function shrinkage(damping: number): SpectralFunction {
  requireNumber('shrinkage', 'damping', damping, Number.MIN_VALUE);
  return { name: 'shrinkage', value: (x) => (x > 0 ? x / (x + damping) : 0), domain: [0, Infinity], derivativeSign: alternating };
}

/** 1 / (1 + exp((l - at) / width)): counts eigenvalues below `at` (default 0), those within a few widths in part. */
export function smoothedStep(width: number, at = 0): SpectralFunction {
  requireNumber('smoothedStep', 'width', width, Number.MIN_VALUE);
  requireNumber('smoothedStep', 'at', at);
  // |1 + exp(x + iy)| is least 1 for |y| up to pi / 2, then sin y; the pole is at pi.
  const modulus = (imaginary: number): number => {
    const y = imaginary / width;
    return y <= Math.PI / 2 ? 1 : y < Math.PI ? 1 / Math.sin(y) : Infinity;
  };
  return { name: 'smoothed step', value: (x) => 1 / (1 + Math.exp((x - at) / width)), modulus };
}

/** How far quadratures are from what they stand for, the probes given. */
export interface QuadratureError {
  readonly error: number;
  /** `bound`: nothing but rounding is added to it, provided that the spectrum lies where it was said to. */
  readonly kind: 'bound' | 'estimate';
  /**
   * `exact`: all Krylov spaces were invariant. `gauss-radau`: between Gauss and Gauss-Radau rules, which err on opposite sides where
   * derivatives keep their signs (Golub and Meurant 1994). `ellipse`: 4 M / ((r - 1) r^(2 steps - 1)) with M the most of |f| in
   * an ellipse of Bernstein (Trefethen 2013, chapter 19, with unit mass), at the best r. `moment`: exact for polynomials of
   * this degree. `chebyshev-markov-stieltjes`: see `eigenvalueCount`. `fewer steps`: the largest
   * difference to a half, three quarters and all but one of the steps.
   */
  readonly method: 'exact' | 'gauss-radau' | 'ellipse' | 'moment' | 'chebyshev-markov-stieltjes' | 'fewer steps';
}

/**
 * The error of the mean over probes of `integrate(probe, f)`. With the ends of the spectrum (-Infinity and Infinity where unknown)
 * a bound is tried, else it is estimated from fewer steps.
 */
export function quadratureError(probes: readonly Quadrature[], f: SpectralFunction, spectrum?: readonly [number, number]): QuadratureError {
  if (probes.every(({ exact }) => exact)) return { error: 0, kind: 'bound', method: 'exact' };
  if (spectrum !== undefined) {
    const bound = radauBound(probes, f, spectrum) ?? ellipseBound(probes, f, spectrum);
    if (bound !== undefined) return bound;
  }
  const mean = (rules: readonly QuadratureRule[]): number => rules.reduce((sum, rule) => sum + integrate(rule, f.value), 0) / rules.length;
  return { error: changeByFewerSteps(probes, mean), kind: 'estimate', method: 'fewer steps' };
}

function radauBound(probes: readonly Quadrature[], { value, domain = [-Infinity, Infinity], derivativeSign }: SpectralFunction, [low, high]: readonly [number, number]): QuadratureError | undefined {
  if (derivativeSign === undefined || low < domain[0] || high > domain[1]) return undefined;
  let [below, above] = [0, 0];
  let method: QuadratureError['method'] = 'moment';
  for (const probe of probes) {
    if (probe.exact) continue;
    const steps = probe.diagonal.length;
    const [even, odd] = [derivativeSign(2 * steps), derivativeSign(2 * steps + 1)];
    if (even === 0) continue;
    method = 'gauss-radau';
    // f - rule has the sign of the even derivative for Gauss, of the odd one for Radau at the low end, of minus that at the high end.
    const end = odd === -even ? low : high;
    const rule = Number.isFinite(end) ? radau(probe, end) : undefined;
    const gap = rule === undefined ? NaN : integrate(rule, value) - integrate(probe, value);
    if (!Number.isFinite(gap)) return undefined;
    if (even > 0) above += Math.max(0, gap) / probes.length;
    else below += Math.max(0, -gap) / probes.length;
  }
  return { error: Math.max(below, above), kind: 'bound', method };
}

function ellipseBound(probes: readonly Quadrature[], { modulus }: SpectralFunction, [low, high]: readonly [number, number]): QuadratureError | undefined {
  const half = (high - low) / 2;
  if (modulus === undefined || !Number.isFinite(half)) return undefined;
  const steps = probes.filter(({ exact }) => !exact).reduce((least, { diagonal }) => Math.min(least, diagonal.length), Infinity);
  let best = Infinity;
  for (let exponent = -4; exponent <= 3; exponent += 0.01) {
    const excess = 10 ** exponent;
    const radius = 1 + excess;
    const most = modulus((half * (radius - 1 / radius)) / 2);
    best = Math.min(best, (4 * most) / (excess * radius ** (2 * steps - 1)));
  }
  // The mean over all probes errs no more than the worst of them; exact ones not at all.
  return { error: best * (probes.filter(({ exact }) => !exact).length / probes.length), kind: 'bound', method: 'ellipse' };
}
