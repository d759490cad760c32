/** The inverse of a low-rank update of a matrix whose inverse is known. @module */
import { solve } from '../linalg/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import { addCombination, projections } from './basis.ts';
import { scaled, identityOperator } from './algebra.ts';
import { linearOperator, requireSymmetric, type LinearOperator } from './operator.ts';

/**
 * (B + U diag(weights) U')^-1 for symmetric B, by its inverse and vectors U [rank][size] (Sherman, Morrison, Woodbury):
 * B^-1 - B^-1 U (I + W U' B^-1 U)^-1 W U' B^-1. `base` is B^-1, or a number d for B = d I (damping). Weights of zero and of
 * either sign are fine while the sum is nonsingular. Cost: rank products with B^-1 now, one a product later; rank^2 numbers.
 *
 * Direct: its error is rounding, about the condition of B + U W U' and of the small matrix times the precision; `residualsOf` measures it.
 * @throws ShapeError when lengths do not fit; ArgumentError when the update is singular, or d is not positive.
 */
export async function inverseOfLowRankUpdate(base: LinearOperator | number, vectors: readonly Float64Array[], weights: Float64Array = new Float64Array(vectors.length).fill(1)): Promise<LinearOperator> {
  const operation = 'inverseOfLowRankUpdate';
  if (vectors.length === 0 || weights.length !== vectors.length) throw new ShapeError({ operation, required: 'vectors and weights must be as many, at least one', received: `${vectors.length} and ${weights.length}` });
  const rank = vectors.length;
  const inverse = typeof base === 'number' ? scaledIdentity(operation, base, vectors[0].length) : base;
  requireSymmetric(operation, inverse);
  // Scaling by the inverse's rounding of U twice would not pay: the images of U are kept, rank vectors.
  const images = await inverse.multiply(vectors);
  const small = new Float64Array(rank * rank);
  images.forEach((image, j) => projections(vectors, image).forEach((x, i) => { small[i * rank + j] = weights[i] * x + (i === j ? 1 : 0); }));
  const middle = solve(small, rank, Float64Array.from({ length: rank * rank }, (_, at) => (at % rank === Math.floor(at / rank) ? weights[at % rank] : 0)), rank);
  const { size, precision, block, space } = inverse;
  return linearOperator({
    name: `inverse of a rank-${rank} update`, size, precision, block, ...(space && { space }),
    async apply(block_) {
      const through = await inverse.multiply(block_);
      return through.map((first, k) => {
        const out = first.slice();
        // U' B^-1 v = (B^-1 U)' v: exactly symmetric with the images on both sides.
        const parts = projections(images, block_[k]);
        addCombination(out, Float64Array.from({ length: rank }, (_, i) => -parts.reduce((sum, x, j) => sum + (middle[i * rank + j] + middle[j * rank + i]) / 2 * x, 0)), images);
        return out;
      });
    },
  });
}

function scaledIdentity(operation: string, damping: number, size: number): LinearOperator {
  requireNumber(operation, 'base', damping);
  if (damping === 0) throw new ArgumentError({ operation, required: 'base must not be zero', received: '0', remedy: 'damping above zero: a low-rank matrix has no inverse' });
  return scaled(identityOperator(size), 1 / damping);
}
