/** Natural gradient with the whole Fisher matrix, for small models (Amari 1998). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, eye, mul, narrow, pad, reshape, solvePositiveDefinite, transpose } from '../ops/index.ts';
import { scan, vmap } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { oneOf, option, positive } from '../util/options.ts';
import { gramAlong } from './axis-factors.ts';
import { chain, descend } from './chain.ts';
import { optimizerEntry } from './entry.ts';
import { flatSpace } from './flat.ts';
import type { Optimizer, Scalar, UpdateContext, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';
import { coupledDecay } from './shared-options.ts';
import { addDecayedWeights } from './weight-decay.ts';

export interface ScaleByFisherOptions {
  /** Multiple of the identity that is added to the matrix. Default 1e-3. */
  readonly damping?: Scalar;
  /**
   * `exact`: the Fisher matrix of the batch, as its Gauss-Newton matrix, which is the same for the package's cross-entropies and squared
   * error. `empirical`: the second moment of the examples' gradients. Default `exact`.
   */
  readonly fisher?: 'exact' | 'empirical';
}

/** Parameters that a dense matrix is made for. */
const LARGEST = 4096;
/** Columns of the matrix that are computed at once. */
const BLOCK = 64;

/** The batch's Fisher matrix, [n, n]. */
function fisherMatrix<P>(context: UpdateContext<P>, kind: 'exact' | 'empirical'): Tensor {
  const space = flatSpace(context.params);
  if (kind === 'empirical') {
    const gradients = vmap((one: P) => space.vector(one))(context.perExampleGrad());
    return mul(gramAlong(gradients, 1), 1 / context.batchSize);
  }
  const n = space.size;
  const blocks = Math.ceil(n / BLOCK);
  const column = (unit: Tensor): Tensor => space.vector(context.ggnvp(space.tree(unit)));
  const units = eye(n, leaves<Tensor>(context.params)[0].dtype);
  if (blocks === 1) return vmap(column)(units);
  const padded = reshape(pad(units, [0, 0], [blocks * BLOCK - n, 0]), [blocks, BLOCK, n]);
  const [, columns] = scan((carry: Tensor[], block: Tensor): [Tensor[], Tensor] => [carry, vmap(column)(block)], [], padded);
  return narrow(reshape(columns, [blocks * BLOCK, n]), 0, 0, n);
}

/**
 * The direction (F + damping I)^-1 d with F the Fisher matrix of the batch, dense, solved by its Cholesky factor. Without damping it does
 * not depend on how the model is parametrised, to first order in the rate. Cost: as many products with F as there are parameters.
 *
 * @throws ArgumentError when an option is out of range, or there are more than 4096 parameters.
 */
export function scaleByFisher({ damping = 1e-3, fisher = 'exact' }: ScaleByFisherOptions = {}): UpdateRule<Record<string, never>> {
  requireScalar('scaleByFisher', 'damping', damping, 0);
  if (fisher !== 'exact' && fisher !== 'empirical') throw new ArgumentError({ operation: 'scaleByFisher', required: "fisher must be 'exact' or 'empirical'", received: `'${String(fisher)}'` });
  return {
    name: 'natural gradient',
    init(params) {
      const { size } = flatSpace(params);
      if (size > LARGEST) throw new ArgumentError({ operation: 'scaleByFisher', required: `a model of at most ${LARGEST} parameters`, received: String(size), remedy: 'use kfac' });
      return {};
    },
    update<P>(direction: P, state: Record<string, never>, context: UpdateContext<P>) {
      const space = flatSpace(context.params);
      const matrix = fisherMatrix(context, fisher);
      const damped = add(mul(add(matrix, transpose(matrix)), 0.5), mul(eye(space.size, matrix.dtype), damping));
      return { direction: space.tree(solvePositiveDefinite(damped, space.vector(direction))), state };
    },
  };
}

export interface NaturalGradientOptions extends ScaleByFisherOptions {
  /** Coupled weight decay. Default 0. */
  readonly weightDecay?: Scalar;
}

/**
 * Natural gradient descent: see `scaleByFisher`. Usual rate: 0.1 to 1.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function naturalGradient({ weightDecay = 0, ...options }: NaturalGradientOptions = {}): Optimizer {
  return descend('natural gradient', chain(addDecayedWeights(weightDecay), scaleByFisher(options)));
}

/** The entry of the registry. */
export const naturalGradientEntry = optimizerEntry({
  description: 'natural gradient with the whole Fisher matrix, up to 4096 parameters (Amari 1998)',
  rate: 0.3,
  options: {
    damping: option(positive, 'multiple of the identity added to the matrix', 1e-3),
    fisher: option(oneOf(['exact', 'empirical']), 'which matrix', 'exact'),
    weightDecay: coupledDecay,
  },
  make: (values) => naturalGradient(values),
});
