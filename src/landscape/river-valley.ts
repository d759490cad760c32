/** A steep valley with a slowly falling river in it: the smallest landscape on which learning-rate schedules differ. @module */
import { normal, split, type Key } from '../util/random/index.ts';
import { ArgumentError, NonFiniteError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';

/** Options of `riverValley`. */
export interface RiverValleyOptions {
  /** g: curvature across the valley. */
  readonly curvature: number;
  /** a of the river's course y = a sin(x); 0, the default, for a straight river. */
  readonly bend?: number;
  /** b of the river's height c(x) = -b x. */
  readonly descent: number;
}

/** L(x, y) = (g / 2) (y - a sin x)^2 - b x, split into its two parts. */
export interface RiverValley extends Required<RiverValleyOptions> {
  /** (g / 2) (y - a sin x)^2: how high a point is above the river. */
  hill(x: number, y: number): number;
  /** -b x: how high the river is. */
  river(x: number): number;
  /** dL/dx, dL/dy. */
  gradient(x: number, y: number): readonly [number, number];
}

/** The river valley of Wen, Li, Wang, Hall, Liang, Ma (2024) in two dimensions. @throws ArgumentError when an option is out of range. */
export function riverValley({ curvature, bend = 0, descent }: RiverValleyOptions): RiverValley {
  requireNumber('riverValley', 'curvature', curvature, Number.MIN_VALUE);
  requireNumber('riverValley', 'bend', bend);
  requireNumber('riverValley', 'descent', descent);
  const above = (x: number, y: number): number => (bend === 0 ? y : y - bend * Math.sin(x));
  return {
    curvature, bend, descent,
    hill: (x, y) => 0.5 * curvature * above(x, y) ** 2,
    river: (x) => -descent * x,
    gradient(x, y) {
      const slope = curvature * above(x, y);
      return [bend === 0 ? -descent : -slope * bend * Math.cos(x) - descent, slope];
    },
  };
}

/**
 * Mean hill loss of gradient descent at a constant rate eta with noise N(0, sigma^2) in dL/dy, in the stationary state of a straight river: y is
 * autoregressive of order one, and (g / 2) E y^2 = eta sigma^2 / (2 (2 - eta g)). Infinite from eta g = 2 on.
 */
export function stationaryHill(curvature: number, rate: number, noise: number): number {
  return rate * curvature < 2 ? rate * noise ** 2 / (2 * (2 - rate * curvature)) : Infinity;
}

/** Options of `descendValley`. */
export interface ValleyDescentOptions {
  readonly steps: number;
  /** Particles, all from (0, 0) on, each with noise of its own. */
  readonly particles: number;
  /** sigma: standard deviation of the noise in dL/dy. */
  readonly noise: number;
  readonly key: Key;
  /** Steps done at which means are taken, ascending. */
  readonly record: readonly number[];
  /** Of so many particles, the first ones, positions are kept at these steps. Default 0. */
  readonly kept?: number;
}

/** What particles did under one schedule. */
export interface ValleyDescent {
  /** At the recorded steps: means over the particles. Their sum is the mean loss. */
  readonly hill: Float64Array;
  readonly river: Float64Array;
  /** At each recorded step, positions of the first particles: [kept]. */
  readonly positions: readonly { readonly x: Float64Array; readonly y: Float64Array }[];
}

/** Steps whose noise is drawn at a time. */
const BLOCK = 64;

/**
 * Gradient descent in a river valley with noise across it alone, under several learning rates, functions of the step: each particle meets the same
 * noise under all of them, so that differences between schedules are those of the schedules. In float64 on the host.
 *
 * @throws ArgumentError when an option is out of range; NonFiniteError when a particle leaves the numbers (eta g above 2).
 */
export function descendValley(valley: RiverValley, rates: readonly ((step: number) => number)[], options: ValleyDescentOptions): ValleyDescent[] {
  const { steps, particles, noise, key, record, kept = 0 } = options;
  requireInteger('descendValley', 'steps', steps, 1);
  requireInteger('descendValley', 'particles', particles, 1);
  requireNumber('descendValley', 'noise', noise, 0);
  requireInteger('descendValley', 'kept', kept, 0, particles);
  record.forEach((step, i) => requireInteger('descendValley', `record[${i}]`, step, i === 0 ? 0 : record[i - 1] + 1, steps));
  if (rates.length === 0) throw new ArgumentError({ operation: 'descendValley', required: 'rates must have at least one schedule', received: 'none' });
  const runs = rates.map((rate) => ({ rate, x: new Float64Array(particles), y: new Float64Array(particles), hill: new Float64Array(record.length), river: new Float64Array(record.length), positions: [] as { x: Float64Array; y: Float64Array }[] }));
  let draws: Float64Array = new Float64Array(0);
  for (let step = 0, row = 0; step <= steps; step++) {
    if (record[row] === step) {
      for (const { x, y, hill, river, positions } of runs) {
        positions.push({ x: x.slice(0, kept), y: y.slice(0, kept) });
        for (let p = 0; p < particles; p++) {
          hill[row] += valley.hill(x[p], y[p]) / particles;
          river[row] += valley.river(x[p]) / particles;
        }
        if (!Number.isFinite(hill[row] + river[row])) throw new NonFiniteError({ operation: 'descendValley', required: 'particles must stay finite', received: `a mean loss of ${hill[row] + river[row]} after ${step} steps`, remedy: 'rates below 2 / curvature' });
      }
      row++;
    }
    if (step === steps) break;
    if (step % BLOCK === 0) draws = normal(split(key, 'noise', step / BLOCK), [BLOCK, particles], { deviation: noise, dtype: 'float64' });
    for (const { rate, x, y } of runs) advance(valley, rate(step), x, y, draws.subarray((step % BLOCK) * particles));
  }
  return runs.map(({ hill, river, positions }) => ({ hill, river, positions }));
}

function advance(valley: RiverValley, rate: number, x: Float64Array, y: Float64Array, noise: Float64Array): void {
  for (let p = 0; p < x.length; p++) {
    const [along, across] = valley.gradient(x[p], y[p]);
    x[p] -= rate * along;
    y[p] -= rate * (across + noise[p]);
  }
}
