/** The largest increase of the loss within a ball or box: SAM, adaptive and Keskar's sharpness. @module */
import { dot, norm as euclidean, scaleBy } from '../../curvature/basis.ts';
import type { Point, Problem } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { normal, split } from '../../util/random/index.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { requireFiniteLoss, sharpnessObjective, type Objective, type Sharpness, type SharpnessOptions } from './objective.ts';

/** Region and effort of a worst-case sharpness. */
export interface WorstCaseOptions extends SharpnessOptions {
  /** rho: the perturbation d fulfils |d / c| <= rho. */
  readonly radius: number;
  /** 2: a ball; Infinity: a box. Default 2. */
  readonly norm?: 2 | typeof Infinity;
  /** c, the unit of each coordinate: `constant` 1, `elementwise` |w|. Default `constant`. */
  readonly scale?: 'constant' | 'elementwise';
  /** Added to c, default 0 (0.01 in the code of Kwon et al. 2021). With `elementwise` it lets zeros move, and ends the invariance. */
  readonly offset?: number;
  /** Ascent steps. 1, the default: the single step of Foret et al. 2021. */
  readonly steps?: number;
  /** Searches: the first along the gradient, others from random points of the region's surface; the best counts. Default 1. */
  readonly starts?: number;
}

/** A worst-case sharpness: the increase attained at a perturbation. */
export interface WorstCaseSharpness extends Sharpness {
  /** Loss at the point. */
  readonly loss: number;
  /** The perturbation that attains the increase, [parameters]. */
  readonly perturbation: Float64Array;
  /** What a linear model of the loss at the end would still gain within the region: 0 where no first-order ascent is left. */
  readonly gap: number;
}

/** A place in the region: coordinates u = d / c, the loss there and its gradient with respect to u. */
interface Place {
  readonly u: Float64Array;
  readonly loss: number;
  readonly slope: Float64Array;
}

/**
 * max of L(w + d) - L(w) over |d / c|_p <= rho by projected ascent along normalised gradients in u = d / c: steps of length rho,
 * halved whenever the loss does not rise; the best place counts. The first step from the centre is the closed form of the
 * linearised problem: rho g / |g| for c = 1, p = 2 (SAM, Foret et al. 2021, equation 2), rho c^2 g / |c g| (ASAM, Kwon et al. 2021,
 * equation 8). With `steps: 1` its increase is returned as it is, even when negative; with more it is at least 0. Where the
 * gradient is zero the first step is random.
 *
 * The value is attained, so it is a lower bound of the maximum; the error is rounding only. Cost: starts * (steps + 1) gradients.
 * @throws NonFiniteError when the loss is not finite at the point; ArgumentError for a radius or counts out of range.
 */
export async function worstCaseSharpness<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: WorstCaseOptions): Promise<WorstCaseSharpness> {
  const { scale = 'constant', offset = 0 } = options;
  if (scale !== 'constant' && scale !== 'elementwise') throw new ArgumentError({ operation: 'worstCaseSharpness', required: "scale must be 'constant' or 'elementwise'", received: `'${String(scale)}'` });
  requireNumber('worstCaseSharpness', 'offset', offset, 0);
  const objective = sharpnessObjective(problem, point, options);
  try {
    const units = objective.centre.map((w) => (scale === 'elementwise' ? Math.abs(w) : 1) + offset);
    const name = `${scale === 'elementwise' ? 'adaptive ' : ''}worst-case sharpness`;
    return { ...(await ascend(objective, units, options)), measure: name, rescaling: scale === 'elementwise' && offset === 0 ? 'invariant' : 'changes' };
  } finally {
    await objective.dispose();
  }
}

async function ascend(objective: Objective, units: Float64Array, options: WorstCaseOptions): Promise<Omit<WorstCaseSharpness, 'measure' | 'rescaling'>> {
  const { norm = 2, onProgress } = options;
  const radius = requireNumber('worstCaseSharpness', 'radius', options.radius, Number.MIN_VALUE);
  const steps = requireInteger('worstCaseSharpness', 'steps', options.steps ?? 1, 1);
  const starts = requireInteger('worstCaseSharpness', 'starts', options.starts ?? 1, 1);
  if (norm !== 2 && norm !== Infinity) throw new ArgumentError({ operation: 'worstCaseSharpness', required: 'norm must be 2 or Infinity', received: String(norm) });
  const region = { radius, norm };
  const visit = async (u: Float64Array): Promise<Place> => {
    const { loss, gradient } = await objective.gradientAt(objective.centre.map((w, i) => w + units[i] * u[i]));
    onProgress?.(objective.cost().gradients, starts * steps + 1);
    return { u, loss, slope: gradient.map((g, i) => units[i] * g) };
  };
  const centre = await visit(new Float64Array(units.length));
  requireFiniteLoss('worstCaseSharpness', centre.loss);
  let best: Place | undefined;
  for (let start = 0; start < starts; start++) {
    const first = start === 0 && euclidean(centre.slope) > 0 ? centre.slope : normal(split(objective.key, 'start', start), units.length, { dtype: 'float64' });
    const found = await climb(centre, first, region, steps, visit);
    if (best === undefined || found.loss > best.loss) best = found;
  }
  const { u, loss, slope } = best!;
  return {
    value: loss - centre.loss, error: objective.rounding(loss, centre.loss), kind: 'rounding', loss: centre.loss, perturbation: u.map((x, i) => units[i] * x),
    gap: Math.max(0, radius * dualNorm(slope, norm) - dot(slope, u)), cost: objective.cost(),
  };
}

interface Region { readonly radius: number; readonly norm: number }

async function climb(centre: Place, first: Float64Array, region: Region, steps: number, visit: (u: Float64Array) => Promise<Place>): Promise<Place> {
  let step = region.radius;
  let slope = first;
  let best = centre;
  for (let taken = 0; taken < steps; taken++) {
    const place = await visit(moved(best.u, slope, step, region));
    if (steps === 1) return place;
    // A loss that is not finite counts as no ascent: overflow is no maximum.
    if (place.loss > best.loss && place.loss < Infinity) { best = place; slope = place.slope; }
    else step /= 2;
    if (euclidean(slope) === 0) break;
  }
  return best;
}

/** u + step times the unit direction of steepest ascent in the norm, back into the region. */
function moved(u: Float64Array, slope: Float64Array, step: number, { radius, norm }: Region): Float64Array {
  if (norm === Infinity) return u.map((x, i) => Math.max(-radius, Math.min(radius, x + step * Math.sign(slope[i]))));
  const length = euclidean(slope);
  const next = u.map((x, i) => x + (step / length) * slope[i]);
  const size = euclidean(next);
  if (size > radius) scaleBy(next, radius / size);
  return next;
}

const dualNorm = (slope: Float64Array, norm: number): number => (norm === 2 ? euclidean(slope) : slope.reduce((sum, x) => sum + Math.abs(x), 0));

/** Options of `samSharpness`: the ball has radius 0.05 unless told, as in the paper's CIFAR experiments. */
export type SamOptions = Omit<WorstCaseOptions, 'radius' | 'norm' | 'scale' | 'offset'> & Partial<Pick<WorstCaseOptions, 'radius'>>;

/** SAM sharpness (Foret, Kleiner, Mobahi, Neyshabur 2021): the increase of the loss at the worst point of an L2 ball, by one ascent step or more. */
export async function samSharpness<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: SamOptions = {}): Promise<WorstCaseSharpness> {
  const result = await worstCaseSharpness(problem, point, { radius: 0.05, ...options, norm: 2, scale: 'constant', offset: 0 });
  return { ...result, measure: `SAM sharpness, ${options.steps ?? 1} step${(options.steps ?? 1) === 1 ? '' : 's'}` };
}

/** Options of `adaptiveSharpness`: radius 0.5 unless told, as in the paper's CIFAR experiments. */
export type AdaptiveOptions = Omit<WorstCaseOptions, 'radius' | 'scale'> & Partial<Pick<WorstCaseOptions, 'radius'>>;

/**
 * Adaptive sharpness (Kwon, Kim, Park, Choi 2021): the worst case where each coordinate moves in units of |w|. With `norm` and
 * `logitNormalized` the worst-case measures of Andriushchenko et al. 2023. Invariant under rescaling of layers for `offset` 0.
 */
export const adaptiveSharpness = <P, State>(problem: Problem<P, State>, point: Point<P, State>, options: AdaptiveOptions = {}): Promise<WorstCaseSharpness> =>
  worstCaseSharpness(problem, point, { radius: 0.5, ...options, scale: 'elementwise' });

/** Options of `keskarSharpness`. */
export interface KeskarOptions extends SharpnessOptions, Pick<WorstCaseOptions, 'steps' | 'starts'> {
  /** Half the width of the box in units of |w| + 1. Default 1e-3. */
  readonly epsilon?: number;
}

/**
 * epsilon-sharpness (Keskar, Mudigere, Nocedal, Smelyanskiy, Tang 2017, metric 2.1) in the full space: 100 (max L - L(w)) / (1 + L(w)) over the
 * box |d_i| <= epsilon (|w_i| + 1). The paper maximises by ten iterations of L-BFGS-B; here by `steps` (default 10) of projected
 * ascent. In per cent.
 */
export async function keskarSharpness<P, State>(problem: Problem<P, State>, point: Point<P, State>, { epsilon = 1e-3, steps = 10, ...options }: KeskarOptions = {}): Promise<WorstCaseSharpness> {
  requireNumber('keskarSharpness', 'epsilon', epsilon, Number.MIN_VALUE);
  const result = await worstCaseSharpness(problem, point, { ...options, radius: epsilon, norm: Infinity, scale: 'elementwise', offset: 1, steps });
  const factor = 100 / (1 + result.loss);
  return { ...result, value: factor * result.value, error: factor * result.error, gap: factor * result.gap, measure: 'epsilon-sharpness (per cent)' };
}
