/** K-FAC (Martens & Grosse 2015, arXiv 1503.05671; convolutions: Grosse & Martens 2016, arXiv 1602.01407). @module */
import { sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { abs, add, clip, diagonal, div, eye, inversePositiveDefinite, matmul, maximum, mean, minimum, mul, narrow, pad, sqrt, sub, vdot, zeros } from '../ops/index.ts';
import { flatten } from '../tree/index.ts';
import { fraction, nonNegative, oneOf, option, positive, positiveInteger } from '../util/options.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import type { Draw, LayerFactors, Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { periodically } from './periodic.ts';
import { requireScalar } from './scalar.ts';
import { optionalMomentum } from './sgd.ts';
import { coupledDecay, momentumOption } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByKfacOptions {
  /** Multiple of the identity that the curvature is damped by, split between the two factors with the correction pi (paper, section 6.3). Default 0.03. */
  readonly damping?: Scalar;
  /** Decay rate of the factors, in [0, 1); the first counts fully: min(1 - 1/k, decay) for the k-th (paper, section 5). Default 0.95. */
  readonly decay?: Scalar;
  /** Steps between factors. Default 5. */
  readonly factorsEvery?: number;
  /** Steps between inverses. Default 20 (paper). */
  readonly inversesEvery?: number;
  /** Targets that slopes are taken at: drawn from the model (`sampled`: the Fisher matrix), or the data's (`empirical`). Default `sampled`. */
  readonly fisher?: 'sampled' | 'empirical';
  /** Bound of rate^2 <direction, gradient>, about twice the KL divergence of a step: longer directions are shortened (Ba, Grosse & Martens 2017, section 3.1). Default: none. */
  readonly clipping?: Scalar;
  /** Weights with a longer side keep their gradient. Default 4096. */
  readonly largest?: number;
}

/** Of one parameter of at least two axes, as a matrix of its first axis by the rest: second moments along both sides, and damped inverses. */
interface Sides {
  readonly first: Tensor;
  readonly rest: Tensor;
}

/**
 * For each parameter that may be a layer's weight, in the tree's order. Which side is the layer's inputs is known when the model is
 * traced, and so is whether a bias stands in the last row: each side has room for one.
 */
export interface KfacState {
  readonly factors: readonly Sides[];
  readonly inverses: readonly Sides[];
}

/** The factors of a layer on a batch. */
type Factors = Pick<LayerFactors<unknown>, 'inputs' | 'slopes'>;

/** (A + pi root(damping) I)^-1 and (S + root(damping) / pi I)^-1 with pi^2 the ratio of mean eigenvalues. */
function dampedInverses({ inputs, slopes }: Factors, damping: Scalar): Factors {
  const least = (x: Tensor): Tensor => maximum(mean(diagonal(x)), 1e-30);
  // Layers whose factors vanish have no ratio to go by.
  const ratio = clip(sqrt(div(least(inputs), least(slopes))), 1e-6, 1e6);
  const root = typeof damping === 'number' ? Math.sqrt(damping) : sqrt(damping);
  const inverse = (x: Tensor, shift: Tensor): Tensor => inversePositiveDefinite(add(x, mul(eye(x.shape[0], x.dtype), shift)));
  return { inputs: inverse(inputs, mul(ratio, root)), slopes: inverse(slopes, div(root, ratio)) };
}

/** Lengths of the two sides of a parameter, with room for a bias. */
const sidesOf = ({ shape }: Tensor): readonly [number, number] => [shape[0] + 1, sizeOf(shape.slice(1)) + 1];

/** A layer's place in the state: which entry, and which side its inputs are. */
interface Place<P> {
  readonly layer: LayerFactors<P>;
  readonly entry: number;
  readonly inputsSide: keyof Sides;
}

const padded = (x: Tensor, size: number): Tensor => pad(x, [0, 0], [size - x.shape[0], size - x.shape[0]]);
const cut = (x: Tensor, size: number): Tensor => narrow(narrow(x, 0, 0, size), 1, 0, size);

function stored<P>({ inputsSide }: Place<P>, { inputs, slopes }: Factors, [first, rest]: readonly [number, number]): Sides {
  return inputsSide === 'first' ? { first: padded(inputs, first), rest: padded(slopes, rest) } : { first: padded(slopes, first), rest: padded(inputs, rest) };
}

function loaded<P>({ inputsSide, layer }: Place<P>, { first, rest }: Sides): Factors {
  const [inputs, slopes] = inputsSide === 'first' ? [first, rest] : [rest, first];
  return { inputs: cut(inputs, layer.inputs.shape[0]), slopes: cut(slopes, layer.slopes.shape[0]) };
}

/**
 * The gradient times the inverse of the Fisher matrix' blocks, one a layer, each the Kronecker product of the second moments of the
 * layer's inputs and of the slopes at its outputs: for the gradient V of a weight [inputs, outputs] with its bias as last row,
 * (A + pi g I)^-1 V (S + g / pi I)^-1 with g^2 the damping. Layers are found in the traced model; parameters in no dense or
 * convolution layer, and biases of layers whose weight has a factor for each output, keep their gradient. Factors and inverses cost nothing between the steps that renew them. Reports `shortening`, the
 * factor of the direction, when there is a bound.
 *
 * @throws ArgumentError when an option is out of range, or the model has no such layer.
 */
export function scaleByKfac({ damping = 0.03, decay = 0.95, factorsEvery = 5, inversesEvery = 20, fisher = 'sampled', clipping, largest = 4096 }: ScaleByKfacOptions = {}): UpdateRule<KfacState> {
  requireScalar('scaleByKfac', 'damping', damping, 0);
  requireScalar('scaleByKfac', 'decay', decay, 0, 1);
  requireInteger('scaleByKfac', 'factorsEvery', factorsEvery, 1);
  requireInteger('scaleByKfac', 'inversesEvery', inversesEvery, 1);
  requireInteger('scaleByKfac', 'largest', largest, 1);
  if (clipping !== undefined) requireScalar('scaleByKfac', 'clipping', clipping, 0);
  if (fisher !== 'sampled' && fisher !== 'empirical') throw new ArgumentError({ operation: 'scaleByKfac', required: "fisher must be 'sampled' or 'empirical'", received: `'${String(fisher)}'` });
  const draws: readonly Draw[] = fisher === 'sampled' ? [{ kind: 'targets', every: factorsEvery }] : [];
  const isWeight = (x: Tensor): boolean => x.rank >= 2 && sidesOf(x).every((side) => side <= largest + 1);
  return {
    name: 'kfac',
    draws,
    init(params) {
      const zero = (size: number, { dtype }: Tensor): Tensor => zeros([size, size], dtype);
      const empty = flatten<Tensor>(params).leaves.filter(isWeight).map((x) => ({ first: zero(sidesOf(x)[0], x), rest: zero(sidesOf(x)[1], x) }));
      return { factors: empty, inverses: empty };
    },
    update<P>(direction: P, state: KfacState, context: UpdateContext<P>) {
      const { step } = context;
      const { leaves: gradients, structure } = flatten<Tensor>(direction);
      const weights = gradients.map((leaf, i) => ({ leaf, name: structure.paths[i] })).filter(({ leaf }) => isWeight(leaf));
      const placesIn = (layers: readonly LayerFactors<P>[]): Place<P>[] => layers.flatMap((layer) => placeOf(layer, weights));
      // For the layout alone: what is not used is not computed.
      const places = placesIn(context.layerFactors());
      if (places.length === 0) throw new ArgumentError({ operation: 'scaleByKfac', required: `the model must have a dense or a convolution layer, neither side of it longer than largest = ${largest}`, received: 'none' });
      // The k-th factors, counted from one, come at step (k - 1) factorsEvery: 1 - 1/k.
      const share = minimum(div(step, add(step, factorsEvery)), decay);
      const averaged = (old: Tensor, now: Tensor): Tensor => add(mul(share, old), mul(sub(1, share), now));
      const replaced = (all: readonly Sides[], values: readonly Sides[]): readonly Sides[] => all.map((old, entry) => values[places.findIndex((place) => place.entry === entry)] ?? old);
      const factors = periodically('scaleByKfac', step, factorsEvery, () => replaced(state.factors, placesIn(context.layerFactors()).map((place) => {
        const { first, rest } = stored(place, place.layer, sidesOf(weights[place.entry].leaf));
        return { first: averaged(state.factors[place.entry].first, first), rest: averaged(state.factors[place.entry].rest, rest) };
      })), state.factors);
      const inverses = periodically('scaleByKfac', step, inversesEvery, () => replaced(state.inverses, places.map((place) =>
        stored(place, dampedInverses(loaded(place, factors[place.entry]), damping), sidesOf(weights[place.entry].leaf)))), state.inverses);
      const changed = new Map(places.flatMap((place) => {
        const { inputs, slopes } = loaded(place, inverses[place.entry]);
        return Object.entries(place.layer.leaves(matmul(matmul(inputs, place.layer.matrix(direction)), slopes)));
      }));
      const next = { factors, inverses };
      const directions = gradients.map((g, i) => changed.get(structure.paths[i]) ?? g);
      if (clipping === undefined) return { direction: structure.rebuild(directions) as P, state: next };
      const product = directions.map((d, i) => vdot(d, gradients[i])).reduce((total, part) => add(total, part));
      const squared = mul(mul(context.learningRate, context.learningRate), abs(product));
      const shortening = minimum(1, sqrt(div(clipping, maximum(squared, 1e-30))));
      return { direction: structure.rebuild(directions.map((d) => mul(d, shortening))) as P, state: next, report: { shortening } };
    },
  };
}

/** Where a layer's factors are kept; nowhere for a bias by itself, and for weights that are too long. */
function placeOf<P>(layer: LayerFactors<P>, weights: readonly { readonly leaf: Tensor; readonly name: string }[]): Place<P>[] {
  const entry = weights.findIndex(({ name }) => name === layer.names[0]);
  if (entry < 0) return [];
  const [first, rest] = sidesOf(weights[entry].leaf);
  const [inputs, outputs] = [layer.inputs.shape[0], layer.slopes.shape[0]];
  const fits = (inputsSide: number, outputsSide: number): boolean => outputs === outputsSide - 1 && (inputs === inputsSide || inputs === inputsSide - 1);
  if (fits(first, rest)) return [{ layer, entry, inputsSide: 'first' }];
  return fits(rest, first) ? [{ layer, entry, inputsSide: 'rest' }] : [];
}

export interface KfacOptions extends ScaleByKfacOptions {
  /** Of the velocity that directions are added to, in [0, 1). Default 0.9. */
  readonly momentum?: Scalar;
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * K-FAC with momentum: see `scaleByKfac`. Usual rate: 0.01 to 0.1; needs a model, and a loss that is a likelihood unless `fisher` is
 * `empirical`.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function kfac({ momentum = 0.9, weightDecay = 0, ...options }: KfacOptions = {}): Optimizer {
  return descend('kfac', chain(addDecayedWeights(weightDecay), scaleByKfac(options), ...optionalMomentum('kfac', { momentum })));
}

/** The entry of the registry. */
export const kfacEntry = optimizerEntry({
  description: 'K-FAC: Kronecker factors of the Fisher matrix, layer by layer (Martens & Grosse 2015; Grosse & Martens 2016)',
  rate: 0.03,
  options: {
    damping: option(positive, 'multiple of the identity added to the curvature', 0.03),
    decay: option(fraction, 'decay rate of the factors', 0.95),
    factorsEvery: option(positiveInteger, 'steps between factors', 5),
    inversesEvery: option(positiveInteger, 'steps between inverses', 20),
    fisher: option(oneOf(['sampled', 'empirical']), 'targets that slopes are taken at', 'sampled'),
    largest: option(positiveInteger, 'weights with a longer side keep their gradient', 4096),
    clipping: option(nonNegative, 'bound of rate^2 <direction, gradient> (default: none)'),
    momentum: momentumOption(0.9),
    weightDecay: coupledDecay,
  },
  make: (values) => kfac(values),
});
