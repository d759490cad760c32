/** Inertia: how many eigenvalues are negative, near zero and positive. @module */
import { symmetricEigen } from '../linalg/index.ts';
import type { Cost } from '../problem/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { norm } from './basis.ts';
import { productRounding } from './eigenpairs.ts';
import { keyOf, meter, type EstimatorOptions } from './estimator.ts';
import { KrylovSpace } from './lanczos.ts';
import { denseMatrix, requireSymmetric, roundoff, type LinearOperator } from './operator.ts';

/** A number of eigenvalues, between proven ends; exact where they agree. */
export interface CountRange {
  readonly atLeast: number;
  readonly atMost: number;
}

/** Numbers of eigenvalues by sign; the three true numbers add up to the size. */
export interface Inertia {
  /** Eigenvalues below -zero: the index, the number of independent descent directions of the curvature. */
  readonly negative: CountRange;
  /** Eigenvalues within [-zero, zero]. */
  readonly nearZero: CountRange;
  /** Eigenvalues above zero. */
  readonly positive: CountRange;
  readonly size: number;
  /** The threshold that near zero means. */
  readonly zero: number;
  /** How far the numbers counted may be from eigenvalues: those nearer to a threshold than this widen the ranges. */
  readonly margin: number;
  readonly method: 'dense' | 'lanczos';
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

/** What counts as zero, and how much is spent. */
export interface InertiaOptions extends EstimatorOptions {
  /** Absolute threshold. Default: 1e-6 of the largest absolute eigenvalue (found). */
  readonly zero?: number;
  /** Operators up to this size are made dense: exact numbers. Default 1000. */
  readonly denseUpTo?: number;
  /** Products of the Lanczos search for larger ones. Default 100. */
  readonly products?: number;
  /** Vectors in a Lanczos block. Default 1. */
  readonly block?: number;
}

const ZERO = 1e-6;

/**
 * Inertia of a symmetric operator. Small ones exactly, by all eigenvalues of the dense matrix. Of larger ones, proven bounds: by
 * Cauchy interlacing, a projection on any subspace has no more eigenvalues below a number than the operator has, so Ritz values
 * below -zero (and above zero) are lower bounds of the counts, and what is left of the size gives upper ones. Those are far from the
 * truth where a spectrum is spread; `eigenvalueCount` estimates the numbers then.
 *
 * @throws ArgumentError when the operator is not symmetric.
 */
export async function inertia(operator: LinearOperator, options: InertiaOptions = {}): Promise<Inertia> {
  requireSymmetric('inertia', operator);
  const { size } = operator;
  const { denseUpTo = 1000, zero, signal } = options;
  if (zero !== undefined) requireNumber('inertia', 'zero', zero, 0);
  signal?.throwIfAborted();
  const measure = meter(operator);
  const { values, dominant, error, stopped, method } = size <= denseUpTo ? await denseValues(operator) : await ritzValues(operator, options);
  const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const threshold = zero ?? ZERO * largest;
  const rounding = await productRounding(operator, dominant, (await operator.multiply([dominant]))[0]);
  // Weyl: eigenvalues move by at most the norm of what was added, here rounding of as many products as there are values.
  const margin = error + 2 * rounding * Math.sqrt(values.length) + 16 * roundoff({ precision: 'float64' }) * largest;
  return { ...ranges(values, size, threshold, margin), size, zero: threshold, margin, method, stopped, cost: measure() };
}

interface Values {
  readonly values: readonly number[];
  /** The unit vector of the value largest in magnitude, where products round most. */
  readonly dominant: Float64Array;
  /** What the symmetrised projection leaves out. */
  readonly error: number;
  readonly method: Inertia['method'];
  readonly stopped: Inertia['stopped'];
}

async function denseValues(operator: LinearOperator): Promise<Values> {
  const { size } = operator;
  const matrix = await denseMatrix(operator);
  const mean = matrix.map((x, at) => (x + matrix[(at % size) * size + Math.floor(at / size)]) / 2);
  const { values, vectors } = symmetricEigen(mean, size);
  const at = largestAt(values);
  const dominant = Float64Array.from({ length: size }, (_, i) => vectors[i * size + at]);
  return { values: [...values], dominant, error: norm(matrix.map((x, at) => x - mean[at])), method: 'dense', stopped: 'converged' };
}

async function ritzValues(operator: LinearOperator, options: InertiaOptions): Promise<Values> {
  const { signal, onProgress, block = 1 } = options;
  requireInteger('inertia', 'block', block, 1, operator.size);
  const products = requireInteger('inertia', 'products', options.products ?? 100, block);
  const space = new KrylovSpace(operator, keyOf(options), block, products);
  do {
    await space.extend();
    onProgress?.({ done: space.dimension, total: products, unit: 'products' });
  } while (signal?.aborted !== true && !space.complete && space.dimension + block <= products);
  const ritz = space.ritz();
  const values = ritz.map(({ value }) => value);
  const [dominant] = space.vectors([ritz[largestAt(values)]]);
  return { values, dominant, error: space.asymmetry, method: 'lanczos', stopped: signal?.aborted === true ? 'aborted' : 'converged' };
}

/** Where the absolute value is largest. */
const largestAt = (values: ArrayLike<number>): number => Array.from(values, Math.abs).reduce((best, x, i, all) => (x > all[best] ? i : best), 0);

/** Counts that hold for every eigenvalue within the margin of the values. */
function ranges(values: readonly number[], size: number, zero: number, margin: number): Pick<Inertia, 'negative' | 'nearZero' | 'positive'> {
  const count = (test: (x: number) => boolean): number => values.filter(test).length;
  const negative = count((x) => x < -zero - margin);
  const positive = count((x) => x > zero + margin);
  const complete = values.length === size;
  const nearZero = complete ? count((x) => Math.abs(x) <= zero - margin) : 0;
  return {
    negative: { atLeast: negative, atMost: complete ? count((x) => x < -zero + margin) : size - positive },
    nearZero: { atLeast: nearZero, atMost: size - negative - positive },
    positive: { atLeast: positive, atMost: complete ? count((x) => x > zero - margin) : size - negative },
  };
}
