/** SOAP: Adam in the eigenbases of Shampoo's statistics (Vyas, Morwani, Zhao, Shapira, Brandfonbrener, Janson & Kakade 2024, arXiv 2409.11321). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, equal, eye, greater, matmul, maximum, mul, norm, qr, transpose, where, zerosLike } from '../ops/index.ts';
import { scan } from '../transforms/index.ts';
import { flatten, mapTree } from '../tree/index.ts';
import { fraction, option, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { gramAlong, timesAlong } from './axis-factors.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { biasCorrection, correctedRoots, movingAverages, movingSquares, quotients, requireDecay } from './moments.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { lazily, periodically } from './periodic.ts';
import { requireScalar } from './scalar.ts';
import { decoupledDecay, epsilonOption, momentOptions } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleBySoapOptions {
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.95 (paper). */
  readonly beta1?: Scalar;
  /** Decay rate of the mean of squares, in [0, 1). Default 0.95 (paper). */
  readonly beta2?: Scalar;
  /** Decay rate of the statistics, in [0, 1). Default: beta2. */
  readonly statisticsDecay?: Scalar;
  /** Added to the root of the mean of squares. Default 1e-8. */
  readonly epsilon?: Scalar;
  /** Steps between bases; statistics are of all steps. Default 10 (paper). */
  readonly every?: number;
  /** Longer axes keep their own basis. Default 1024 (reference implementation: 10,000). */
  readonly largest?: number;
  /** Orthogonal iterations from the identity that the first bases are found by. Default 10. */
  readonly start?: number;
}

/** For each leaf: statistics and bases [n, n] of the axes that are turned, the mean of gradients, and that of squares in the bases. */
export interface SoapState {
  readonly statistics: readonly (readonly Tensor[])[];
  readonly bases: readonly (readonly Tensor[])[];
  readonly firstMoment: readonly Tensor[];
  readonly secondMoment: readonly Tensor[];
}

// Keeps the columns that orthogonal iteration multiplies independent in float32; the eigenvectors are the same.
const SHIFT = 1e-6;

/** One orthogonal iteration: towards the eigenvectors, in the order of their eigenvalues. */
function iterated(statistic: Tensor, basis: Tensor): Tensor {
  const size = norm(statistic);
  // Without any gradient the basis stays.
  return qr(add(matmul(statistic, basis), mul(basis, where(greater(size, 0), mul(size, SHIFT), 1)))).q;
}

/**
 * Adam in turned coordinates: for each axis of a parameter of at least two axes, S <- decay S + (1 - decay) G_i G_i' with G_i the
 * gradient with that axis as rows, and Q the eigenvectors of S; the means of gradients M and of squares V of turned gradients give the
 * direction Q (M~ / (sqrt(V~) + epsilon)), turned back. Bases are of the statistics before the gradient at hand: as in the reference
 * implementation the first step only makes them, and goes nowhere. Every k steps they are renewed by one orthogonal iteration (power
 * iteration and QR, algorithm 4); the first are found by several from the identity, where the reference takes an eigendecomposition.
 * Axes longer than `largest` are not turned.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleBySoap(options: ScaleBySoapOptions = {}): UpdateRule<SoapState> {
  const { every = 10, largest = 1024, start = 10 } = options;
  const beta1 = requireDecay('scaleBySoap', 'beta1', options.beta1 ?? 0.95);
  const beta2 = requireDecay('scaleBySoap', 'beta2', options.beta2 ?? 0.95);
  const decay = requireDecay('scaleBySoap', 'statisticsDecay', options.statisticsDecay ?? beta2);
  const epsilon = requireScalar('scaleBySoap', 'epsilon', options.epsilon ?? 1e-8, 0);
  requireInteger('scaleBySoap', 'every', every, 1);
  requireInteger('scaleBySoap', 'largest', largest, 1);
  requireInteger('scaleBySoap', 'start', start, 1);
  const axesOf = ({ shape }: Tensor): number[] => (shape.length < 2 ? [] : shape.map((_, axis) => axis).filter((axis) => shape[axis] <= largest));
  const turn = (x: Tensor, bases: readonly Tensor[], change: (basis: Tensor) => Tensor): Tensor => axesOf(x).reduce((y, axis, i) => timesAlong(y, axis, change(bases[i])), x);
  return {
    name: 'soap',
    init(params) {
      const { leaves } = flatten<Tensor>(params);
      const perAxis = (f: (unit: Tensor) => Tensor): Tensor[][] => leaves.map((x) => axesOf(x).map((axis) => f(eye(x.shape[axis], x.dtype))));
      return { statistics: perAxis(zerosLike), bases: perAxis((unit) => unit), firstMoment: leaves.map(zerosLike), secondMoment: leaves.map(zerosLike) };
    },
    update<P>(direction: P, { statistics, bases, firstMoment, secondMoment }: SoapState, { step }: UpdateContext<P>) {
      const { leaves: gradients, structure } = flatten<Tensor>(direction);
      const isFirst = equal(step, 0);
      const grams = gradients.map((g) => axesOf(g).map((axis) => gramAlong(g, axis)));
      const next = movingAverages(decay, statistics, grams) as Tensor[][];
      const renewed = periodically('scaleBySoap', step, every, () => next.map((all, i) => all.map((statistic, k) => iterated(statistic, bases[i][k]))), bases as Tensor[][]);
      const found = lazily(isFirst, () => next.map((all) => all.map((statistic) => scan((basis: Tensor): [Tensor, Tensor[]] => [iterated(statistic, basis), []], eye(statistic.shape[0], statistic.dtype), [], { length: start })[0])), renewed);
      const kept = (last: Tensor, value: Tensor): Tensor => where(isFirst, last, value);
      const t = maximum(step, 1);
      const [c1, c2] = [biasCorrection(beta1, t), biasCorrection(beta2, t)];
      const there = (all: readonly Tensor[]): Tensor[] => all.map((x, i) => turn(x, bases[i], (q) => q));
      const first = mapTree(kept, firstMoment, movingAverages(beta1, firstMoment, gradients)) as Tensor[];
      const second = mapTree(kept, secondMoment, movingSquares(beta2, secondMoment, there(gradients))) as Tensor[];
      const directions = quotients<Tensor[]>(there(first), correctedRoots(second, c1, c2, epsilon)).map((x, i) => turn(x, bases[i], (q) => transpose(q)));
      return { direction: structure.rebuild(directions) as P, state: { statistics: next, bases: found, firstMoment: first, secondMoment: second } };
    },
  };
}

export interface SoapOptions extends ScaleBySoapOptions {
  /** Decoupled weight decay. Default 0 (reference implementation: 0.01). */
  readonly weightDecay?: Scalar;
}

/**
 * SOAP: see `scaleBySoap`. Usual rate: 0.003.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function soap({ weightDecay = 0, ...options }: SoapOptions = {}): Optimizer {
  return descend('soap', chain(scaleBySoap(options), addDecayedWeights(weightDecay)));
}

/** The entry of the registry. */
export const soapEntry = optimizerEntry({
  description: 'SOAP: Adam in the eigenbases of Shampoo (Vyas et al. 2024)',
  rate: 0.003,
  options: {
    ...momentOptions(0.95, 0.95), epsilon: epsilonOption(1e-8), weightDecay: decoupledDecay(0),
    statisticsDecay: option(fraction, 'decay rate of the statistics, below 1 (default: beta2)'),
    every: option(positiveInteger, 'steps between bases', 10),
    largest: option(positiveInteger, 'longer axes are not turned', 1024),
    start: option(positiveInteger, 'orthogonal iterations to the first bases', 10),
  },
  make: (values) => soap(values),
});
