/** Shampoo (Gupta, Koren & Singer 2018, arXiv 1802.09568). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, equal, eye, inverseRoot, maximum, mod, mul, norm, ones, or, pow, reshape, sqrt } from '../ops/index.ts';
import { flatten } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { fraction, nonNegative, oneOf, option, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { gramAlong, squaresAlong, timesAlong } from './axis-factors.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { biasCorrection, movingSquares } from './moments.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { lazily } from './periodic.ts';
import { requireScalar } from './scalar.ts';
import { optionalMomentum } from './sgd.ts';
import { coupledDecay, momentumOption } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

/** Whose length a parameter's direction is given: its own, that of the gradient (`sgd`), or that of RMSProp's direction. */
export type Grafting = 'none' | 'sgd' | 'rmsprop';

export interface ScaleByShampooOptions {
  /** Share of the last statistics that is kept at a step, in [0, 1]; 1 is their sum. Default 1 (paper). */
  readonly decay?: Scalar;
  /** Multiple of the identity that the statistics start from. Default 1e-4. */
  readonly initial?: Scalar;
  /** p in the exponent -1/p of each statistic. Default: twice the number of axes (paper): 4 for matrices. */
  readonly root?: number;
  /** Axes longer than this keep the diagonal of their statistic only (paper, section 4.3). Default 1024. */
  readonly largest?: number;
  /** Steps between roots; the first come after 1, 2, 4, ... steps. Statistics are of all steps. Default 10. */
  readonly every?: number;
  /** Ridge of the roots, as in `inverseRoot`. Default 1e-6. */
  readonly ridge?: Scalar;
  /** Default `none` (paper). */
  readonly grafting?: Grafting;
}

/** Statistics and their roots: for each leaf, for each axis, [n, n] or [n]; and mean squares for grafting. */
export interface ShampooState {
  readonly statistics: readonly (readonly Tensor[])[];
  readonly roots: readonly (readonly Tensor[])[];
  readonly squares: readonly Tensor[];
}

/** Scalars are vectors of one entry. */
const shaped = (x: Tensor): Tensor => (x.rank === 0 ? reshape(x, [1]) : x);

/**
 * For each parameter and each of its k axes, S <- decay S + G_i G_i' with G_i the gradient with that axis as rows; the direction is the
 * gradient multiplied by S^(-1/2k) along every axis: for matrices L^(-1/4) G R^(-1/4). (Distributed Shampoo's weighted mean is
 * 1 - decay times S.) Roots are computed when statistics have doubled (after 1, 2, 4, ... steps), then every k steps, and cost
 * nothing in between.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByShampoo({ decay = 1, initial = 1e-4, root, largest = 1024, every = 10, ridge = 1e-6, grafting = 'none' }: ScaleByShampooOptions = {}): UpdateRule<ShampooState> {
  requireScalar('scaleByShampoo', 'decay', decay, 0, 1);
  requireScalar('scaleByShampoo', 'initial', initial, 0);
  requireScalar('scaleByShampoo', 'ridge', ridge, 0);
  requireInteger('scaleByShampoo', 'largest', largest, 1);
  requireInteger('scaleByShampoo', 'every', every, 1);
  if (root !== undefined) requireInteger('scaleByShampoo', 'root', root, 1);
  if (!['none', 'sgd', 'rmsprop'].includes(grafting)) throw new ArgumentError({ operation: 'scaleByShampoo', required: "grafting must be 'none', 'sgd' or 'rmsprop'", received: `'${String(grafting)}'` });
  const exponent = (x: Tensor): number => root ?? 2 * x.rank;
  const isFull = (n: number): boolean => n <= largest;
  const start = (x: Tensor, value: Scalar): Tensor[] => x.shape.map((n) => (isFull(n) ? mul(eye(n, x.dtype), value) : mul(ones([n], x.dtype), value)));
  const rootOf = (statistic: Tensor, p: number): Tensor => (statistic.rank === 2 ? inverseRoot(statistic, p, { ridge }) : pow(maximum(statistic, 1e-30), -1 / p));
  const applied = (x: Tensor, roots: readonly Tensor[]): Tensor => roots.reduce((y, matrix, axis) =>
    (matrix.rank === 2 ? timesAlong(y, axis, matrix) : mul(y, reshape(matrix, y.shape.map((n, i) => (i === axis ? n : 1))))), x);
  return {
    name: 'shampoo',
    init(params) {
      const leaves = flatten<Tensor>(params).leaves.map(shaped);
      return {
        statistics: leaves.map((x) => start(x, initial)), roots: leaves.map((x) => start(x, 1)),
        squares: grafting === 'rmsprop' ? leaves.map((x) => mul(x, 0)) : [],
      };
    },
    update<P>(direction: P, { statistics, roots, squares }: ShampooState, { step }: UpdateContext<P>) {
      const { leaves, structure } = flatten<Tensor>(direction);
      const gradients = leaves.map(shaped);
      const next = gradients.map((g, i) => statistics[i].map((last, axis) =>
        add(decay === 1 ? last : mul(decay, last), last.rank === 2 ? gramAlong(g, axis) : squaresAlong(g, axis))));
      const rootsOf = (): readonly (readonly Tensor[])[] => next.map((all, i) => all.map((statistic) => rootOf(statistic, exponent(gradients[i]))));
      const renewed = every === 1 ? rootsOf() : lazily(isDue(step, every), rootsOf, roots);
      const means = grafting === 'rmsprop' ? movingSquares(RMSPROP_DECAY, squares, gradients) as Tensor[] : [];
      const lengthOf = (g: Tensor, i: number): Tensor => norm(grafting === 'sgd' ? g : div(g, add(sqrt(div(means[i], biasCorrection(RMSPROP_DECAY, add(step, 1)))), 1e-8)));
      const directions = gradients.map((g, i) => {
        const own = applied(g, renewed[i]);
        return reshape(grafting === 'none' ? own : mul(own, div(lengthOf(g, i), maximum(norm(own), 1e-30))), leaves[i].shape);
      });
      return { direction: structure.rebuild(directions) as P, state: { statistics: next, roots: renewed, squares: means } };
    },
  };
}

/** Steps 0, every, 2 every, ..., and the powers of two before the second of them. */
function isDue(step: Tensor, every: number): Tensor {
  const early = Array.from({ length: Math.ceil(Math.log2(every)) }, (_, i) => equal(step, 2 ** i));
  return early.reduce((due, each) => or(due, each), equal(mod(step, every), 0));
}

/** Of the mean squares whose direction lends its length. */
const RMSPROP_DECAY = 0.99;

export interface ShampooOptions extends ScaleByShampooOptions {
  /** Of the velocity that directions are added to, in [0, 1). Default 0.9 (paper). */
  readonly momentum?: Scalar;
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Shampoo with momentum: see `scaleByShampoo`. Its steps are as long as those of Adagrad (with a sum of statistics, falling as
 * 1 / sqrt(step)); with `grafting` they have the length of another method's, whose rate is then the right one. Usual rate: 0.1.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function shampoo({ momentum = 0.9, weightDecay = 0, ...options }: ShampooOptions = {}): Optimizer {
  return descend('shampoo', chain(addDecayedWeights(weightDecay), scaleByShampoo(options), ...optionalMomentum('shampoo', { momentum })));
}

/** The entry of the registry. */
export const shampooEntry = optimizerEntry({
  description: 'Shampoo: roots of second moments along each axis of a gradient (Gupta, Koren & Singer 2018)',
  rate: 0.1,
  options: {
    decay: option(fraction, 'share of the last statistics that is kept; 1: their sum', 1),
    initial: option(nonNegative, 'multiple of the identity that statistics start from', 1e-4),
    root: option(positiveInteger, 'p of the exponents -1/p (default: twice the number of axes)'),
    largest: option(positiveInteger, 'longer axes keep diagonals only', 1024),
    every: option(positiveInteger, 'steps between roots, after those at 1, 2, 4, ...', 10),
    ridge: option(nonNegative, 'ridge of the roots over their largest eigenvalue', 1e-6),
    grafting: option(oneOf(['none', 'sgd', 'rmsprop']), 'whose length a direction has', 'none'),
    momentum: momentumOption(0.9),
    weightDecay: coupledDecay,
  },
  make: (values) => shampoo(values),
});
