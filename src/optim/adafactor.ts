/** Adafactor (Shazeer & Stern 2018, arXiv 1804.04235). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, maximum, mean, mul, neg, pow, sqrt, square, sub, zeros } from '../ops/index.ts';
import { leaves, mapTree, unflatten } from '../tree/index.ts';
import { fraction, nonNegative, option, positive, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { leafScalars, movingAverages, requireDecay, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { decoupledDecay } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByAdafactorOptions {
  /** Exponent of the decay of the mean of squares: 1 - t^-decayExponent at step t. Default 0.8 (paper, PyTorch, optax). */
  readonly decayExponent?: Scalar;
  /** Root mean square that a leaf's update is clipped to. Default 1 (paper, PyTorch, optax). */
  readonly clipping?: Scalar;
  /** Added to squared gradients. Default 1e-30 (paper, optax). */
  readonly epsilon?: Scalar;
  /** Smallest root mean square of its parameters that a leaf's steps are scaled with. Default 0.001 (paper, PyTorch, optax). */
  readonly smallestScale?: Scalar;
  /** Leaves whose two largest axes have at least this extent keep means of rows and of columns only. Default 128 (optax; paper: all matrices). */
  readonly factoredFrom?: number;
  /** Decay rate of a mean of the updates, in [0, 1). Default 0 (paper, PyTorch, optax): none, and no state for it. */
  readonly beta1?: Scalar;
}

/** Trees shaped like that of the parameters. */
export interface AdafactorState {
  /** Mean of the squares of all elements; of a factored leaf the mean over its largest axis, which is kept with extent one. */
  readonly rows: unknown;
  /** Of a factored leaf the mean over its second largest axis, kept; of another a scalar that is not used. */
  readonly columns: unknown;
  /** What the last update of a leaf was multiplied with after the division, []. */
  readonly factors: unknown;
  /** Mean of updates, with `beta1`. */
  readonly firstMoment?: unknown;
}

/** Second largest and largest axis, if both have the extent; of equal axes the later counts as larger. */
function factoredAxes(shape: readonly number[], factoredFrom: number): readonly [second: number, largest: number] | undefined {
  const [largest, second] = shape.map((_, axis) => axis).sort((a, b) => shape[b] - shape[a] || b - a);
  return shape.length < 2 || shape[second] < factoredFrom ? undefined : [second, largest];
}

/** Means of squares of one leaf, as the state has them. */
interface LeafSquares {
  readonly rows: Tensor;
  readonly columns: Tensor;
}

function initialSquares({ shape, dtype }: Tensor, factoredFrom: number): LeafSquares {
  const axes = factoredAxes(shape, factoredFrom);
  if (axes === undefined) return { rows: zeros(shape, dtype), columns: zeros([], dtype) };
  const without = (axis: number): Tensor => zeros(shape.map((extent, i) => (i === axis ? 1 : extent)), dtype);
  return { rows: without(axes[1]), columns: without(axes[0]) };
}

/** Mean of squares of every element of a leaf. */
function meanSquares({ rows, columns }: LeafSquares): Tensor {
  if (columns.rank === 0) return rows;
  const second = columns.shape.findIndex((extent, axis) => extent === 1 && rows.shape[axis] > 1);
  // Divided first: the product of two small squares would vanish in float32.
  return mul(div(rows, mean(rows, second, { keepDims: true })), columns);
}

const rootMeanSquare = (x: Tensor): Tensor => sqrt(mean(square(x)));

/**
 * `V <- b V + (1 - b) (g^2 + epsilon)` with b = 1 - t^-decayExponent; of a factored leaf only the means R of its rows and C of its columns
 * are kept, and V = R C / mean(R). The direction is `max(smallestScale, rms(p)) u / max(1, rms(u) / clipping)` with `u = g / sqrt(V)`
 * (Shazeer & Stern 2018, algorithms 4 and 5), or its moving average with `beta1`. The paper's rate is min(0.01, 1 / sqrt(t)): a schedule here.
 * As in optax, axes other than the two largest are kept whole; PyTorch factors the last two axes of every leaf.
 *
 * The preconditioner is sqrt(V) over the factor of u at the last step.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByAdafactor(options: ScaleByAdafactorOptions = {}): UpdateRule<AdafactorState> {
  const { decayExponent, clipping, epsilon, smallestScale, factoredFrom, beta1 } = checked(options);
  const nextSquares = (last: LeafSquares, g: Tensor, decay: Tensor): LeafSquares => {
    const now = add(square(g), epsilon);
    const averaged = (previous: Tensor, value: Tensor): Tensor => add(mul(decay, previous), mul(sub(1, decay), value));
    const axes = factoredAxes(g.shape, factoredFrom);
    if (axes === undefined) return { rows: averaged(last.rows, now), columns: last.columns };
    return { rows: averaged(last.rows, mean(now, axes[1], { keepDims: true })), columns: averaged(last.columns, mean(now, axes[0], { keepDims: true })) };
  };
  return {
    name: 'adafactor',
    init(params) {
      const initial = (part: keyof LeafSquares): unknown => mapTree((p: Tensor) => initialSquares(p, factoredFrom)[part], params);
      return { rows: initial('rows'), columns: initial('columns'), factors: leafScalars(params, 1), ...(beta1 !== 0 && { firstMoment: zerosOf(params) }) };
    },
    update<P>(direction: P, last: AdafactorState, { step, params }: UpdateContext<P>) {
      const decay = sub(1, pow(add(step, 1), typeof decayExponent === 'number' ? -decayExponent : neg(decayExponent)));
      const [oldRows, oldColumns, parameters] = [leaves<Tensor>(last.rows), leaves<Tensor>(last.columns), leaves<Tensor>(params)];
      const next = leaves<Tensor>(direction).map((g, i) => {
        const kept = nextSquares({ rows: oldRows[i], columns: oldColumns[i] }, g, decay);
        const update = div(g, sqrt(meanSquares(kept)));
        const factor = div(maximum(rootMeanSquare(parameters[i]), smallestScale), maximum(div(rootMeanSquare(update), clipping), 1));
        return { ...kept, factor, update: mul(factor, update) };
      });
      const tree = (part: keyof (typeof next)[number]): unknown => unflatten(direction, next.map((leaf) => leaf[part]));
      const state = { rows: tree('rows'), columns: tree('columns'), factors: tree('factor') };
      if (last.firstMoment === undefined) return { direction: tree('update') as P, state };
      const firstMoment = movingAverages(beta1, last.firstMoment, tree('update'));
      return { direction: firstMoment as P, state: { ...state, firstMoment } };
    },
    preconditioner: <P>({ rows, columns, factors }: AdafactorState): P =>
      mapTree((r: Tensor, c: Tensor, factor: Tensor) => div(sqrt(meanSquares({ rows: r, columns: c })), factor), rows, columns, factors) as P,
  };
}

function checked({ decayExponent = 0.8, clipping = 1, epsilon = 1e-30, smallestScale = 1e-3, factoredFrom = 128, beta1 = 0 }: ScaleByAdafactorOptions): Required<ScaleByAdafactorOptions> {
  for (const [name, value] of Object.entries({ decayExponent, clipping, epsilon, smallestScale })) requireScalar('scaleByAdafactor', name, value, 0);
  requireInteger('scaleByAdafactor', 'factoredFrom', factoredFrom, 2);
  return { decayExponent, clipping, epsilon, smallestScale, factoredFrom, beta1: requireDecay('scaleByAdafactor', 'beta1', beta1) };
}

export interface AdafactorOptions extends ScaleByAdafactorOptions {
  /** Decoupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Adafactor: see `scaleByAdafactor` for the equations. Usual rate: 0.01, as a share of the size of a leaf's parameters.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function adafactor({ weightDecay = 0, ...options }: AdafactorOptions = {}): Optimizer {
  return descend('adafactor', chain(scaleByAdafactor(options), addDecayedWeights(weightDecay)));
}

/** The entry of the registry. */
export const adafactorEntry = optimizerEntry({
  description: 'Adafactor: squares of gradients kept as rows and columns, steps in proportion to the parameters (Shazeer & Stern 2018)',
  rate: 0.01,
  options: {
    decayExponent: option(nonNegative, 'exponent of the decay of the mean of squares', 0.8),
    clipping: option(positive, 'root mean square that updates are clipped to', 1),
    epsilon: option(nonNegative, 'added to squared gradients', 1e-30),
    smallestScale: option(nonNegative, 'smallest scale of the parameters that steps are in proportion to', 0.001),
    factoredFrom: option(positiveInteger, 'extent from which on two axes are factored', 128),
    beta1: option(fraction, 'decay rate of a mean of the updates, below 1', 0),
    weightDecay: decoupledDecay(0),
  },
  make: (values) => adafactor(values),
});
