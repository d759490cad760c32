/** The mean increase of the loss under random perturbations, and the largest noise that a target increase allows. @module */
import { norm as euclidean, scaleBy } from '../../curvature/basis.ts';
import { estimated, type Measurement, type Point, type Problem } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { normal, split } from '../../util/random/index.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { requireFiniteLoss, sharpnessObjective, type Objective, type Sharpness, type SharpnessOptions } from './objective.ts';

/** Size and kind of random perturbations. */
export interface AverageOptions extends SharpnessOptions {
  /** rho: the deviation of d / c, or its length on the sphere. */
  readonly radius: number;
  /** `normal`: d_i ~ N(0, rho^2 c_i^2) (Andriushchenko et al. 2023); `sphere`: d / c uniform on the sphere of radius rho. Default `normal`. */
  readonly distribution?: 'normal' | 'sphere';
  /** c, the unit of each coordinate: `constant` 1, `elementwise` |w|. Default `constant`. */
  readonly scale?: 'constant' | 'elementwise';
  /** Pairs of perturbations d and -d, whose mean is one draw: terms of odd order cancel. Default 32. */
  readonly draws?: number;
}

/** A mean increase of the loss with its standard error over the draws. */
export interface AverageSharpness extends Sharpness {
  /** Loss at the point. */
  readonly loss: number;
}

/** A standard normal vector of the draw with this number: common to all sizes of noise. */
const noise = (objective: Objective, draw: number): Float64Array => normal(split(objective.key, 'perturbation', draw), objective.centre.length, { dtype: 'float64' });

/** The mean of a function at centre + d and centre - d. */
async function paired(objective: Objective, of: (vector: Float64Array) => Promise<number>, perturbation: Float64Array): Promise<number> {
  const up = await of(objective.centre.map((w, i) => w + perturbation[i]));
  return (up + (await of(objective.centre.map((w, i) => w - perturbation[i])))) / 2;
}

/**
 * E L(w + d) - L(w) over random d, in pairs d, -d: to second order in rho it is rho^2 tr(C H C) / 2 with C = diag(c) (`sphere`: divided
 * by the number of parameters). Infinite where the loss overflows in a draw. Cost: 2 draws + 1 losses.
 * @throws NonFiniteError when the loss is not finite at the point; ArgumentError for options out of range.
 */
export async function averageSharpness<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: AverageOptions): Promise<AverageSharpness> {
  const { distribution = 'normal', scale = 'constant', onProgress } = options;
  const radius = requireNumber('averageSharpness', 'radius', options.radius, Number.MIN_VALUE);
  const draws = requireInteger('averageSharpness', 'draws', options.draws ?? 32, 1);
  for (const [name, value, allowed] of [['distribution', distribution, ['normal', 'sphere']], ['scale', scale, ['constant', 'elementwise']]] as const) {
    if (!(allowed as readonly string[]).includes(value)) throw new ArgumentError({ operation: 'averageSharpness', required: `${name} must be '${allowed.join("' or '")}'`, received: `'${String(value)}'` });
  }
  const objective = sharpnessObjective(problem, point, options);
  try {
    const loss = await objective.lossAt(objective.centre);
    requireFiniteLoss('averageSharpness', loss);
    const samples: number[] = [];
    while (samples.length < draws) {
      const vector = noise(objective, samples.length);
      scaleBy(vector, distribution === 'sphere' ? radius / euclidean(vector) : radius);
      if (scale === 'elementwise') objective.centre.forEach((w, i) => { vector[i] *= Math.abs(w); });
      samples.push((await paired(objective, objective.lossAt, vector)) - loss);
      onProgress?.(samples.length, draws);
    }
    return { ...estimated(samples), loss, measure: `${scale === 'elementwise' ? 'adaptive ' : ''}average sharpness`, rescaling: scale === 'elementwise' ? 'invariant' : 'changes', cost: objective.cost() };
  } finally {
    await objective.dispose();
  }
}

/** What a flatness by noise is allowed to do. */
export interface PacBayesOptions extends SharpnessOptions {
  /** Allowed mean increase of the metric. Default 0.1, as in Jiang et al. 2020. */
  readonly target?: number;
  /** `loss`, or the share of wrong labels (`error`, as in Jiang et al. 2020). Default `loss`. */
  readonly metric?: 'loss' | 'error';
  /** Deviation sqrt(sigma^2 w_i^2 + floor^2) instead of sigma for every parameter. Default false. */
  readonly magnitudeAware?: boolean;
  /** Deviation that also parameters of zero have, where magnitude-aware. Default 1e-3 (Jiang et al. 2020); with 0 the measure is invariant under rescaling of layers. */
  readonly floor?: number;
  /** Pairs of perturbations; the same normal vectors for every sigma. Default 16. */
  readonly draws?: number;
  /** Width of the last bracket relative to sigma. Default 1e-3. */
  readonly tolerance?: number;
}

/** The largest noise within the target: `value` is sigma. */
export interface PacBayesFlatness extends Sharpness {
  /** 1 / sigma^2: the measure that PAC-Bayes bounds hold (larger is sharper), with its error. */
  readonly inverseSquare: Measurement;
  /** Mean increase at the sigma returned, over the draws. */
  readonly increase: Measurement;
  /** `unbounded`: no sigma up to 2^20 times the first reached the target; `value` is infinite then. `zero`: none is small enough. */
  readonly stopped: 'converged' | 'unbounded' | 'zero';
}

const MOST_DOUBLINGS = 20;

/**
 * The largest sigma with E L(w + u) - L(w) <= target for Gaussian u (Neyshabur et al. 2017; Dziugaite, Roy 2017; Jiang et al. 2020, appendix C), by
 * bisection with common random numbers: the same draws at every sigma, so that the increase is one smooth function of it. The
 * standard error is that of the increase over the draws, divided by its slope, with half the last bracket added in squares. The
 * first crossing that doubling (or halving) from 0.1 meets is found: the increase need not be monotone.
 * Cost: about 2 draws * 15 losses. @throws ArgumentError when there are no labels for the metric `error`.
 */
export async function pacBayesFlatness<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: PacBayesOptions = {}): Promise<PacBayesFlatness> {
  const { metric = 'loss', magnitudeAware = false, onProgress } = options;
  const target = requireNumber('pacBayesFlatness', 'target', options.target ?? 0.1, Number.MIN_VALUE);
  const floor = requireNumber('pacBayesFlatness', 'floor', options.floor ?? 1e-3, 0);
  const tolerance = requireNumber('pacBayesFlatness', 'tolerance', options.tolerance ?? 1e-3, 1e-12);
  const draws = requireInteger('pacBayesFlatness', 'draws', options.draws ?? 16, 1);
  const objective = sharpnessObjective(problem, point, options);
  const of = metric === 'error' ? objective.errorAt : objective.lossAt;
  try {
    const base = await of(objective.centre);
    requireFiniteLoss('pacBayesFlatness', base);
    const expected = 2 + Math.ceil(Math.log2(1 / tolerance));
    const tried: Trial[] = [];
    const trial = async (sigma: number): Promise<Trial> => {
      const deviation = (w: number): number => (magnitudeAware ? Math.hypot(sigma * w, floor) : sigma);
      const samples: number[] = [];
      while (samples.length < draws) samples.push((await paired(objective, of, noise(objective, samples.length).map((z, i) => z * deviation(objective.centre[i])))) - base);
      const increase = estimated(samples);
      // An overflow is an increase beyond every target.
      tried.push({ sigma, increase: Number.isFinite(increase.value) ? increase : { ...increase, value: Infinity, error: NaN } });
      onProgress?.(Math.min(tried.length, expected), Math.max(expected, tried.length));
      return tried[tried.length - 1];
    };
    const about = { measure: `${magnitudeAware ? 'magnitude-aware ' : ''}PAC-Bayes flatness (sigma)`, rescaling: magnitudeAware && floor === 0 ? 'invariant' : 'changes' } as const;
    const bracket = await bracketed(trial, target);
    if ('stopped' in bracket) {
      const value = bracket.stopped === 'unbounded' ? Infinity : 0;
      const none = (number: number): Measurement => ({ value: number, error: NaN, kind: 'standard error', samples: draws });
      return { ...none(value), ...about, ...bracket, inverseSquare: none(1 / value ** 2), cost: objective.cost() };
    }
    let [low, high] = bracket.ends;
    while (high.sigma - low.sigma > tolerance * low.sigma) {
      const middle = await trial((low.sigma + high.sigma) / 2);
      if (middle.increase.value <= target) low = middle;
      else high = middle;
    }
    const error = Math.hypot(low.increase.error / slopeAt(tried, low.sigma), (high.sigma - low.sigma) / 2);
    const sampled = (value: number, own: number): Measurement => ({ value, error: own, kind: 'standard error', samples: draws });
    return {
      ...sampled(low.sigma, error), ...about, increase: low.increase, inverseSquare: sampled(low.sigma ** -2, (2 * error) / low.sigma ** 3), stopped: 'converged', cost: objective.cost(),
    };
  } finally {
    await objective.dispose();
  }
}

interface Trial { readonly sigma: number; readonly increase: Measurement }

/** Doubles or halves sigma from 0.1 until the target lies between two. */
async function bracketed(trial: (sigma: number) => Promise<Trial>, target: number): Promise<{ readonly ends: readonly [Trial, Trial] } | Pick<PacBayesFlatness, 'increase' | 'stopped'>> {
  let last = await trial(0.1);
  const factor = last.increase.value <= target ? 2 : 0.5;
  for (let i = 0; i < MOST_DOUBLINGS; i++) {
    const next = await trial(last.sigma * factor);
    if (factor === 2 ? next.increase.value > target : next.increase.value <= target) return { ends: factor === 2 ? [last, next] : [next, last] };
    last = next;
  }
  return { increase: last.increase, stopped: factor === 2 ? 'unbounded' : 'zero' };
}

/** The slope of the increase between trials at least a tenth below and above sigma: nearer ones may differ by the steps of an error rate only. */
function slopeAt(tried: readonly Trial[], sigma: number): number {
  const finite = tried.filter(({ increase }) => Number.isFinite(increase.value)).sort((a, b) => a.sigma - b.sigma);
  const below = finite.filter((entry) => entry.sigma <= 0.9 * sigma).at(-1) ?? finite[0];
  const above = finite.find((entry) => entry.sigma >= 1.1 * sigma) ?? finite[finite.length - 1];
  return (above.increase.value - below.increase.value) / (above.sigma - below.sigma);
}
