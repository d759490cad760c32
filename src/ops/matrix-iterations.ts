/** Functions of dense matrices by iterated products: orthogonal factors and inverse roots. @module */
import type { Tensor } from '../core/tensor.ts';
import { whileLoop } from '../transforms/control.ts';
import type { Operand } from './broadcasting.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { abs, add, and, div, greater, less, minimum, mul, or, pow, sub } from './elementwise.ts';
import { requireSquare, unitOf } from './matrix.ts';
import { matmul } from './products.ts';
import { max, norm, sum } from './reductions.ts';
import { eye, full, transpose } from './shaping.ts';

/** Coefficients of an odd quintic a s + b s^3 + c s^5. */
export type Quintic = readonly [number, number, number];

/** Jordan's coefficients (2024): singular values end near one, between 0.7 and 1.2, five steps from as little as 0.01. */
export const JORDAN_QUINTIC: Quintic = [3.4445, -4.775, 2.0315];
/** The quintic with its first three derivatives right at one (Higham 2008, section 8.3): converges to the orthogonal factor, slowly from small singular values. */
export const CONVERGENT_QUINTIC: Quintic = [15 / 8, -10 / 8, 3 / 8];

export interface NewtonSchulzOptions {
  /** Applications of the polynomial. Default 5. */
  readonly steps?: number;
  /** One for all steps. Default: Jordan's, which ends near an orthogonal matrix, not at one. */
  readonly coefficients?: Quintic;
  /** Added to the Frobenius norm that x is divided by. Default 1e-8. */
  readonly epsilon?: Operand;
}

/**
 * Takes the singular values of x [m, n] towards one and keeps its singular vectors: x / |x| is put into an odd polynomial,
 * X <- a X + b (X X') X + c (X X')^2 X, several times over (Björck & Bowie 1971; with Jordan's coefficients the orthogonalisation of
 * Muon, 2024). Costs two products of the smaller side squared times the larger, and one of the smaller side cubed, a step. Differentiable.
 *
 * @throws ShapeError when `x` is not a matrix; ArgumentError when `steps` is not positive.
 */
export function newtonSchulz(x: Tensor, { steps = 5, coefficients: [a, b, c] = JORDAN_QUINTIC, epsilon = 1e-8 }: NewtonSchulzOptions = {}): Tensor {
  requireInteger('newtonSchulz', 'steps', steps, 1);
  if (x.rank !== 2) throw new ShapeError({ operation: 'newtonSchulz', required: 'a matrix [m, n]', received: String(x), remedy: 'use vmap for a stack of matrices' });
  const isTall = x.shape[0] > x.shape[1];
  let current = div(isTall ? transpose(x) : x, add(norm(x), epsilon));
  for (let step = 0; step < steps; step++) {
    const gram = matmul(current, transpose(current));
    current = add(mul(a, current), matmul(add(mul(b, gram), mul(c, matmul(gram, gram))), current));
  }
  return isTall ? transpose(current) : current;
}

export interface InverseRootOptions {
  /** Added to the diagonal, times a bound of the largest eigenvalue (the smaller of Frobenius norm and largest row sum). Default 1e-6. */
  readonly ridge?: Operand;
  /** Most iterations. Default 100. */
  readonly iterations?: number;
}

/**
 * A^(-1/p) of a symmetric positive semi-definite matrix [n, n] with a ridge, by the coupled Newton iteration (Guo & Higham 2006,
 * equation 3.10; as in distributed Shampoo, Shi et al. 2023): M <- ((1 + 1/p) I - M / p)^p M, X <- X ((1 + 1/p) I - M / p), from
 * M = z A, X = z^(1/p) I until M is the identity or nearer comes no more. About ln(condition) iterations of 2 + log2(p) products. A
 * whole number p of at least 1. Differentiable in forward mode. Zero matrices give that of the smallest ridge that numbers hold.
 *
 * @throws ShapeError when `a` is not square; DtypeError when it is not floating-point; ArgumentError when `p` or an option is out of range.
 */
export function inverseRoot(a: Tensor, p: number, { ridge = 1e-6, iterations = 100 }: InverseRootOptions = {}): Tensor {
  const n = requireSquare('inverseRoot', a);
  requireInteger('inverseRoot', 'p', p, 1);
  requireInteger('inverseRoot', 'iterations', iterations, 1);
  if (typeof ridge === 'number' && !(ridge >= 0)) throw new ArgumentError({ operation: 'inverseRoot', required: 'ridge must be at least 0', received: String(ridge) });
  const accuracy = 4 * unitOf('inverseRoot', a);
  const unit = eye(n, a.dtype);
  const bound = add(minimum(norm(a), max(sum(abs(a), 1))), 1e-30);
  const damped = add(a, mul(unit, mul(bound, ridge)));
  const scale = div((1 + p) / 2, mul(bound, typeof ridge === 'number' ? 1 + ridge : add(1, ridge)));
  const distance = (m: Tensor): Tensor => max(abs(sub(m, unit)));
  const start = mul(damped, scale);
  type Carry = { m: Tensor; x: Tensor; error: Tensor; last: Tensor; step: Tensor };
  const { x } = whileLoop<Carry>(
    // Once near, errors are squared at each step; when one is not halved, rounding is all that is left.
    ({ error, last, step }) => and(less(step, iterations), and(greater(error, accuracy), or(greater(error, 0.1), less(error, mul(last, 0.5))))),
    ({ m, x: root, error, step }) => {
      const factor = sub(mul(unit, 1 + 1 / p), mul(m, 1 / p));
      const next = matmul(powerOf(factor, p), m);
      return { m: next, x: matmul(root, factor), error: distance(next), last: error, step: add(step, 1) };
    },
    { m: start, x: mul(unit, pow(scale, 1 / p)), error: distance(start), last: distance(start), step: full([], 0, a.dtype) },
  );
  return mul(add(x, transpose(x)), 0.5);
}

/** A whole power of a matrix by squaring. */
function powerOf(x: Tensor, p: number): Tensor {
  if (p === 1) return x;
  const half = powerOf(x, Math.floor(p / 2));
  const squared = matmul(half, half);
  return p % 2 === 0 ? squared : matmul(squared, x);
}
