/** Preconditioners, and operators seen through one: the symmetric form of P^-1 H. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import { commonBlock, commonPrecision, gram, transposed } from './algebra.ts';
import { addCombination, projections } from './basis.ts';
import { diagonalOperator, linearOperator, requireSymmetric, type LinearOperator } from './operator.ts';

/** A symmetric positive definite matrix P known by its inverse and a root S of it, S S' = P^-1. */
export interface Preconditioner {
  readonly name: string;
  readonly size: number;
  /** P^-1. */
  readonly inverse: LinearOperator;
  /** S with S S' = P^-1: symmetric (P^-1/2) or not (a transposed Cholesky factor inverted). */
  readonly root: LinearOperator;
}

/**
 * P = diag(diagonal): the divisors of an adaptive method, for Adam sqrt(second moment) + epsilon; or the diagonal of a matrix (Jacobi).
 * @throws ArgumentError when an entry is not positive.
 */
export function diagonalPreconditioner(diagonal: Float64Array, name = 'diagonal'): Preconditioner {
  const at = diagonal.findIndex((x) => !(x > 0 && Number.isFinite(x)));
  if (at >= 0) throw new ArgumentError({ operation: 'diagonalPreconditioner', required: 'diagonal must be positive', received: `${diagonal[at]} at coordinate ${at}`, remedy: 'add damping' });
  return {
    name, size: diagonal.length,
    inverse: diagonalOperator(diagonal.map((x) => 1 / x), `inverse of ${name}`), root: diagonalOperator(diagonal.map((x) => 1 / Math.sqrt(x)), `inverse root of ${name}`),
  };
}

/** P^-1 = S S' of a root S given as an operator: for factored approximations of curvature. */
export const rootPreconditioner = (root: LinearOperator, name = root.name): Preconditioner => ({ name, size: root.size, inverse: gram(transposed(root)), root });

/**
 * P = U diag(values) U' + damping I, U orthonormal vectors [rank][size]: known leading eigenpairs. Conjugate gradients then see
 * the rest of the spectrum only (spectral preconditioning; with approximate pairs: Frangella, Tropp, Udell 2021).
 * @throws ArgumentError unless damping and damping + values are positive.
 */
export function spectralPreconditioner(vectors: readonly Float64Array[], values: ArrayLike<number>, damping: number, name = 'spectral'): Preconditioner {
  requireNumber('spectralPreconditioner', 'damping', damping, 0);
  if (vectors.length === 0 || vectors.length !== values.length) throw new ShapeError({ operation: 'spectralPreconditioner', required: 'vectors and values must be as many, at least one', received: `${vectors.length} and ${values.length}` });
  const total = Float64Array.from(values, (x) => x + damping);
  const odd = [damping, ...total].find((x) => !(x > 0));
  if (odd !== undefined) throw new ArgumentError({ operation: 'spectralPreconditioner', required: 'damping, and values + damping, must be positive', received: String(odd), remedy: 'use the absolute values, or more damping' });
  const size = vectors[0].length;
  const power = (exponent: number, title: string): LinearOperator => {
    const rest = damping ** exponent;
    const factors = total.map((x) => x ** exponent - rest);
    return linearOperator({
      name: title, size, block: 8,
      apply: (block) => block.map((vector) => {
        const out = vector.map((x) => rest * x);
        addCombination(out, projections(vectors, vector).map((x, k) => x * factors[k]), vectors);
        return out;
      }),
    });
  };
  return { name, size, inverse: power(-1, `inverse of ${name}`), root: power(-0.5, `inverse root of ${name}`) };
}

/** S' H S of a preconditioner P^-1 = S S': symmetric, with the eigenvalues of P^-1 H. */
export interface PreconditionedOperator extends LinearOperator {
  readonly preconditioner: Preconditioner;
  /** S y: turns eigenvectors y of this operator into eigenvectors of P^-1 H (of its eigenvalue, not of unit length). [k][size] */
  toOriginal(vectors: readonly Float64Array[]): Promise<Float64Array[]>;
}

/**
 * The operator H as a method sees it that divides by P: S' H S with P^-1 = S S', which is P^-1/2 H P^-1/2 for a symmetric root. It
 * has the eigenvalues of P^-1 H, which bound the step size of the preconditioned method (Cohen et al. 2022 for Adam).
 * @throws ArgumentError when H is not symmetric; ShapeError when sizes differ.
 */
export function preconditioned(operator: LinearOperator, preconditioner: Preconditioner): PreconditionedOperator {
  requireSymmetric('preconditioned', operator);
  requirePreconditioner('preconditioned', operator, preconditioner);
  const { root } = preconditioner;
  const parts = [operator, root];
  const map = linearOperator({
    name: `${operator.name} preconditioned by ${preconditioner.name}`, size: operator.size, precision: commonPrecision(parts), block: commonBlock(parts), ...(operator.space && { space: operator.space }),
    apply: async (vectors) => root.multiplyTransposed(await operator.multiply(await root.multiply(vectors))),
  });
  const more = { preconditioner, toOriginal: (vectors: readonly Float64Array[]) => root.multiply(vectors) };
  return Object.defineProperties(more, Object.getOwnPropertyDescriptors(map)) as PreconditionedOperator;
}

/** @throws ShapeError when the preconditioner is of another size. */
export function requirePreconditioner(operation: string, { size }: LinearOperator, preconditioner: Preconditioner | undefined): void {
  if (preconditioner !== undefined && preconditioner.size !== size) throw new ShapeError({ operation, required: `preconditioner must have the operator's ${size} coordinates`, received: String(preconditioner.size) });
}
