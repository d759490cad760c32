/** Muon: momentum orthogonalised by Newton-Schulz iterations (Jordan et al. 2024, kellerjordan.github.io/posts/muon). @module */
import type { Shape } from '../core/ndarray.ts';
import { sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, div, JORDAN_QUINTIC, mul, newtonSchulz, reshape, type Quintic } from '../ops/index.ts';
import { flatten } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { flag, fraction, nonNegative, oneOf, option, positive, positiveInteger } from '../util/options.ts';
import { requireInteger } from '../util/require.ts';
import { scaleByAdam } from './adam.ts';
import { descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { biasCorrection, oneMinus, requireDecay, movingAverages, zerosOf } from './moments.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { decoupledDecay, epsilonOption } from './shared-options.ts';

/** Which parameters are orthogonalised: by leaf path and shape. */
export type MatrixChoice = (name: string, shape: Shape) => boolean;

/**
 * What the orthogonalised matrix is multiplied by: sqrt(max(1, outputs / inputs)) (`width`; Jordan, PyTorch's `original`, optax),
 * 0.2 sqrt(max(outputs, inputs)) (`rms`: steps as large as Adam's; Liu et al. 2025, PyTorch's `match_rms_adamw`), or one.
 */
export type MuonScale = 'width' | 'rms' | 'none';

export interface OrthogonalizeMomentumOptions {
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.95. */
  readonly momentum?: Scalar;
  /** Look ahead along the mean. Default true. */
  readonly nesterov?: boolean;
  /** Correct the mean for its start at zero, as optax does; it matters with `nesterov` alone, whose mixture it changes. Default false (Jordan, PyTorch). */
  readonly biasCorrected?: boolean;
  /** Newton-Schulz steps. Default 5. */
  readonly steps?: number;
  /** Coefficients of a step. Default Jordan's. */
  readonly coefficients?: Quintic;
  /** Added to the norm that the mean is divided by. Default 1e-7 (PyTorch; optax 1e-8). */
  readonly epsilon?: Scalar;
  /** Default `width`. */
  readonly scale?: MuonScale;
}

/** The mean shaped like the parameters. */
export interface MuonState {
  readonly firstMoment: unknown;
}

/** A parameter as a matrix: [inputs, outputs] as it stands; kernels [outputs, inputs, ...window] with all but the first axis as inputs. */
function asMatrix(shape: Shape): { rows: number; columns: number; inputs: number; outputs: number } {
  const [first] = shape;
  const rest = sizeOf(shape.slice(1));
  return { rows: first, columns: rest, ...(shape.length === 2 ? { inputs: first, outputs: rest } : { inputs: rest, outputs: first }) };
}

function factorOf(scale: MuonScale, { inputs, outputs }: { readonly inputs: number; readonly outputs: number }): number {
  if (scale === 'none') return 1;
  return scale === 'width' ? Math.sqrt(Math.max(1, outputs / inputs)) : 0.2 * Math.sqrt(Math.max(inputs, outputs));
}

/**
 * `m <- momentum m + (1 - momentum) g`; the direction is the matrix with the singular vectors of m (with `nesterov` of
 * `momentum m + (1 - momentum) g`) and singular values near one, times the scale of its shape. Leaves of fewer than two axes are
 * given their mean. In float32 throughout (PyTorch and Jordan orthogonalise in bfloat16).
 *
 * @throws ArgumentError when an option is out of range.
 */
export function orthogonalizeMomentum({ momentum = 0.95, nesterov = true, biasCorrected = false, steps = 5, coefficients = JORDAN_QUINTIC, epsilon = 1e-7, scale = 'width' }: OrthogonalizeMomentumOptions = {}): UpdateRule<MuonState> {
  requireDecay('orthogonalizeMomentum', 'momentum', momentum);
  requireScalar('orthogonalizeMomentum', 'epsilon', epsilon, 0);
  requireInteger('orthogonalizeMomentum', 'steps', steps, 1);
  if (!['width', 'rms', 'none'].includes(scale)) throw new ArgumentError({ operation: 'orthogonalizeMomentum', required: "scale must be 'width', 'rms' or 'none'", received: `'${String(scale)}'` });
  const orthogonal = (x: Tensor): Tensor => {
    if (x.rank < 2) return x;
    const matrix = asMatrix(x.shape);
    return mul(reshape(newtonSchulz(reshape(x, [matrix.rows, matrix.columns]), { steps, coefficients, epsilon }), x.shape), factorOf(scale, matrix));
  };
  return {
    name: 'muon',
    init: (params) => ({ firstMoment: zerosOf(params) }),
    update<P>(direction: P, { firstMoment }: MuonState, { step }: { readonly step: Tensor }) {
      const next = movingAverages(momentum, firstMoment, direction);
      const [means, gradients] = [flatten<Tensor>(next).leaves, flatten<Tensor>(direction)];
      const corrected = (x: Tensor, count: number): Tensor => (biasCorrected ? div(x, biasCorrection(momentum, add(step, count))) : x);
      const ahead = (m: Tensor, g: Tensor): Tensor => (nesterov ? add(mul(momentum, corrected(m, 2)), mul(oneMinus(momentum), corrected(g, 1))) : corrected(m, 1));
      return { direction: gradients.structure.rebuild(means.map((m, i) => orthogonal(ahead(m, gradients.leaves[i])))) as P, state: { firstMoment: next } };
    },
  };
}

export interface MuonOptions extends OrthogonalizeMomentumOptions {
  /** Decoupled weight decay of the matrices. Default 0 (optax; PyTorch 0.1). */
  readonly weightDecay?: Scalar;
  /** Which parameters are orthogonalised; `others` takes the rest. Jordan leaves embeddings and the output layer to AdamW too. Default: all of at least two axes. */
  readonly matrices?: MatrixChoice;
  /** The rule of the other parameters. Default `scaleByAdam()` (optax: Adam with Nesterov's momentum). */
  readonly others?: UpdateRule;
  /** Their rate over that of the matrices. Default 1. */
  readonly othersRate?: Scalar;
  /** Their decoupled weight decay. Default: that of the matrices (optax 0). */
  readonly othersWeightDecay?: Scalar;
}

/**
 * Muon for matrices, AdamW for all other parameters: see `orthogonalizeMomentum`. Usual rate: 0.02 with scale `width`, that of AdamW
 * with `rms`.
 *
 * @throws ArgumentError when an option is out of range, or `matrices` chooses a parameter of fewer than two axes.
 */
export function muon({ weightDecay = 0, matrices = (_, shape) => shape.length >= 2, others = scaleByAdam() as UpdateRule, othersRate = 1, othersWeightDecay = weightDecay, ...options }: MuonOptions = {}): Optimizer {
  requireScalar('muon', 'weightDecay', weightDecay, 0);
  requireScalar('muon', 'othersWeightDecay', othersWeightDecay, 0);
  requireScalar('muon', 'othersRate', othersRate, 0);
  const orthogonalized = orthogonalizeMomentum(options);
  const partsOf = <P>(tree: P): { parts: [Tensor[], Tensor[]]; join: (parts: [Tensor[], Tensor[]]) => P } => {
    const { leaves, structure } = flatten<Tensor>(tree);
    const isMatrix = leaves.map(({ shape }, i) => matrices(structure.paths[i], shape));
    const odd = leaves.findIndex(({ rank }, i) => isMatrix[i] && rank < 2);
    if (odd >= 0) throw new ArgumentError({ operation: 'muon', required: 'matrices must choose parameters of at least two axes', received: `'${structure.paths[odd]}' of shape [${leaves[odd].shape.join(',')}]` });
    const join = ([first, second]: [Tensor[], Tensor[]]): P => {
      const next = [0, 0];
      return structure.rebuild(leaves.map((_, i) => (isMatrix[i] ? first[next[0]++] : second[next[1]++]))) as P;
    };
    return { parts: [leaves.filter((_, i) => isMatrix[i]), leaves.filter((_, i) => !isMatrix[i])], join };
  };
  const rule: UpdateRule<{ readonly muon: MuonState; readonly others: unknown }> = {
    name: 'muon',
    ...(others.draws && { draws: others.draws }),
    init(params) {
      const [first, second] = partsOf(params).parts;
      return { muon: orthogonalized.init(first), others: others.init(second) };
    },
    update<P>(direction: P, state: { readonly muon: MuonState; readonly others: unknown }, context: UpdateContext<P>) {
      const { parts: [first, second], join } = partsOf(direction);
      const params = partsOf(context.params).parts;
      const one = orthogonalized.update(first, state.muon, context as never);
      const two = others.update(second, state.others, context as never);
      const decayed = (directions: Tensor[], weights: Tensor[], decay: Scalar): Tensor[] => (decay === 0 ? directions : directions.map((d, i) => add(d, mul(decay, weights[i]))));
      const slow = decayed(two.direction, params[1], othersWeightDecay).map((d) => (othersRate === 1 ? d : mul(d, othersRate)));
      return { direction: join([decayed(one.direction, params[0], weightDecay), slow]), state: { muon: one.state, others: two.state } };
    },
  };
  return descend('muon', rule);
}

/** The entry of the registry. */
export const muonEntry = optimizerEntry({
  description: 'Muon: orthogonalised momentum for matrices, AdamW for the rest (Jordan et al. 2024)',
  rate: 0.02,
  options: {
    momentum: option(fraction, 'decay rate of the mean of gradients, below 1', 0.95),
    nesterov: option(flag, 'look ahead along the mean', true),
    biasCorrected: option(flag, 'correct the mean for its start at zero, as optax', false),
    steps: option(positiveInteger, 'Newton-Schulz steps', 5),
    epsilon: epsilonOption(1e-7),
    scale: option(oneOf(['width', 'rms', 'none']), 'what the orthogonal matrix is multiplied by', 'width'),
    weightDecay: decoupledDecay(0),
    othersRate: option(positive, 'rate of AdamW over that of Muon', 1),
    othersWeightDecay: option(nonNegative, 'decoupled weight decay of AdamW (default: that of the matrices)'),
  },
  make: (values) => muon(values),
});
