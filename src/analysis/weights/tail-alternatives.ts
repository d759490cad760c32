/** Is the tail a power law, or something lighter? Likelihood ratios against other laws on the same tail. @module */
import { erf } from '../../prims/special.ts';

/** Another law for the tail, compared with the power law. */
export interface TailAlternative {
  readonly law: 'truncated power law' | 'exponential' | 'log-normal';
  /** Log-likelihood of the alternative minus that of the power law: positive values favour the alternative. */
  readonly logLikelihoodRatio: number;
  /** Probability of a ratio at least this far from zero if both laws were equally near (Vuong 1989); for the truncated power law, which contains the power law, if the power law were true (chi-square). */
  readonly p: number;
  /** `alpha`, `rate` (the truncated law's and the exponential's, per unit of x), or `mu`, `sigma` of ln x. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** A density exp(-a y - b s(y)) / Z on y = ln(x / xmin) >= 0: the power law tilted by a convex s. */
interface Tilt {
  s(y: number): number;
  /** Where -a y - b s(y) is largest. */
  peak(a: number, b: number): number;
}

const TRUNCATED: Tilt = { s: (y) => Math.expm1(y), peak: (a, b) => Math.max(0, Math.log(Math.max(1, -a / b))) };
const LOG_NORMAL: Tilt = { s: (y) => y * y, peak: (a, b) => Math.max(0, -a / (2 * b)) };

/** Intervals of Simpson's rule; integrands are smooth and fall to e^-40 at the end. */
const INTERVALS = 400;
const DECAY = 40;

/** ln Z and the mean of y. */
function moments({ s, peak }: Tilt, a: number, b: number): { logZ: number; mean: number } {
  const exponent = (y: number): number => -a * y - b * s(y);
  const top = peak(a, b);
  const height = exponent(top);
  let reach = 1e-6;
  while (exponent(top + reach) > height - DECAY && reach < 1e9) reach *= 2;
  const from = Math.max(0, top - reach);
  const step = (top + reach - from) / INTERVALS;
  let sum = 0;
  let first = 0;
  for (let i = 0; i <= INTERVALS; i++) {
    const y = from + i * step;
    const weight = (i === 0 || i === INTERVALS ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(exponent(y) - height);
    sum += weight;
    first += weight * y;
  }
  return { logZ: height + Math.log((sum * step) / 3), mean: first / sum };
}

/** For fixed b, the a whose mean of y is the sample's: means fall as a grows. */
function matchMean(tilt: Tilt, b: number, mean: number): number {
  let low = -1;
  let high = 1;
  while (moments(tilt, low, b).mean < mean && low > -1e9) low *= 2;
  while (moments(tilt, high, b).mean > mean && high < 1e9) high *= 2;
  for (let i = 0; i < 60 && high - low > 1e-12 * Math.max(1, Math.abs(low)); i++) {
    const middle = (low + high) / 2;
    if (moments(tilt, middle, b).mean > mean) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

interface TiltFit {
  readonly a: number;
  readonly b: number;
  readonly logZ: number;
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** ln b from here (nothing is left of the tilt) to here (nothing else is left). */
const RANGE: readonly [number, number] = [-25, 12];

/** Maximum likelihood in a and b >= 0. The likelihood is concave, so its profile has one peak. */
function fitTilt(tilt: Tilt, ys: Float64Array, mean: number): TiltFit {
  let meanTilt = 0;
  for (const y of ys) meanTilt += tilt.s(y) / ys.length;
  const at = (logB: number): TiltFit & { likelihood: number } => {
    const b = Math.exp(logB);
    const a = matchMean(tilt, b, mean);
    const { logZ } = moments(tilt, a, b);
    return { a, b, logZ, likelihood: -a * mean - b * meanTilt - logZ };
  };
  let [low, high] = RANGE;
  let left = at(high - GOLDEN * (high - low));
  let right = at(low + GOLDEN * (high - low));
  while (high - low > 1e-4) {
    if (left.likelihood >= right.likelihood) {
      high = Math.log(right.b);
      right = left;
      left = at(high - GOLDEN * (high - low));
    } else {
      low = Math.log(left.b);
      left = right;
      right = at(low + GOLDEN * (high - low));
    }
  }
  const best = left.likelihood > right.likelihood ? left : right;
  // The power law itself, b = 0, is the limit of both families.
  return best.likelihood > -1 + Math.log(1 / mean) ? best : { a: 1 / mean, b: 0, logZ: Math.log(mean) };
}

function compared(law: TailAlternative['law'], differences: Float64Array, nested: boolean, parameters: Readonly<Record<string, number>>): TailAlternative {
  const n = differences.length;
  const ratio = differences.reduce((sum, x) => sum + x, 0);
  const deviation = Math.sqrt(differences.reduce((sum, x) => sum + (x - ratio / n) ** 2, 0) / n);
  const p = nested ? 1 - erf(Math.sqrt(Math.max(0, ratio))) : deviation > 0 ? 1 - erf(Math.abs(ratio) / (Math.sqrt(2 * n) * deviation)) : 1;
  return { law, logLikelihoodRatio: ratio, p, parameters };
}

/**
 * Truncated power law x^-alpha e^(-rate x), exponential and log-normal, each fitted by maximum likelihood to the tail x >= xmin and
 * compared with the power law there (Clauset, Shalizi, Newman 2009, section 5). `tail`: values of at least `xmin`.
 */
export function tailAlternatives(tail: ArrayLike<number>, xmin: number): TailAlternative[] {
  const ys = Float64Array.from(tail, (x) => Math.max(0, Math.log(x / xmin)));
  const mean = ys.reduce((sum, y) => sum + y / ys.length, 0);
  if (!(mean > 0)) return [];
  const powerLaw = (y: number): number => -y / mean - Math.log(mean);
  const against = (logDensity: (y: number) => number): Float64Array => ys.map((y) => logDensity(y) - powerLaw(y));
  const tilted = (tilt: Tilt, { a, b, logZ }: TiltFit) => (y: number): number => (b === 0 ? powerLaw(y) : -a * y - b * tilt.s(y) - logZ);
  const truncated = fitTilt(TRUNCATED, ys, mean);
  const logNormal = fitTilt(LOG_NORMAL, ys, mean);
  const excess = ys.reduce((sum, y) => sum + Math.expm1(y) / ys.length, 0);
  const rate = 1 / excess;
  return [
    compared('truncated power law', against(tilted(TRUNCATED, truncated)), true, { alpha: truncated.a + 1, rate: truncated.b / xmin }),
    compared('exponential', against((y) => Math.log(rate) + y - rate * Math.expm1(y)), false, { rate: rate / xmin }),
    compared('log-normal', against(tilted(LOG_NORMAL, logNormal)), false, {
      mu: Math.log(xmin) - logNormal.a / (2 * logNormal.b), sigma: 1 / Math.sqrt(2 * logNormal.b),
    }),
  ];
}
