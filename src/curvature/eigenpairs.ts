/** Extreme eigenpairs of a symmetric operator, each with a bound of its error. @module */
import { symmetricEigen } from '../linalg/index.ts';
import { bounded, type Cost, type Measurement } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { addScaled, dot, norm, scaleBy } from './basis.ts';
import { keyOf, meter, type EstimatorOptions } from './estimator.ts';
import { KrylovSpace, type RitzValue } from './lanczos.ts';
import { denseMatrix, requireSymmetric, type LinearOperator } from './operator.ts';

/** An eigenvalue: a true one lies within `error` of `value`. */
export interface Eigenpair extends Measurement {
  /** Unit vector [size]. */
  readonly vector: Float64Array;
  /** |A v - value v|, computed from one more product with the vector; `error` adds the product's rounding. */
  readonly residual: number;
}

/** The eigenpairs asked for, and how they were found. */
export interface Eigenpairs {
  /** Descending. */
  readonly largest: readonly Eigenpair[];
  /** Ascending. */
  readonly smallest: readonly Eigenpair[];
  /** By descending absolute value. */
  readonly magnitude: readonly Eigenpair[];
  readonly method: 'dense' | 'lanczos';
  /** `converged`: all residuals are within the tolerance; otherwise why the search ended, and errors say how far it came. */
  readonly stopped: 'converged' | 'budget' | 'aborted';
  /** Estimated rounding error of one product with a unit vector along the first pair, included in the errors. */
  readonly rounding: number;
  readonly cost: Cost;
}

/** Which eigenpairs, how well, and at what expense. */
export interface EigenOptions extends EstimatorOptions {
  /** How many of the algebraically largest. Default 0; 10 when nothing else is asked for. */
  readonly largest?: number;
  /** How many of the algebraically smallest. Default 0. */
  readonly smallest?: number;
  /** How many of the largest in absolute value. Default 0. */
  readonly magnitude?: number;
  /** Residual norm asked for, relative to the eigenvalue (to a hundredth of the largest for smaller ones). Default 1e-3. */
  readonly tolerance?: number;
  /** Most products spent, those that check the residuals apart. Default 1000. */
  readonly maxProducts?: number;
  /** Most basis vectors held (8 bytes a coordinate each); default: enough for most problems, within 512 MiB. */
  readonly basis?: number;
  /** Vectors in a Lanczos block: above 1 for eigenvalues of that multiplicity. Default 1. */
  readonly block?: number;
  /** Operators up to this size are made dense and decomposed exactly. Default 300. */
  readonly denseUpTo?: number;
}

type Wanted = Required<Pick<EigenOptions, 'largest' | 'smallest' | 'magnitude'>>;
type Chosen<T> = Record<keyof Wanted, T[]>;

/** Eigenvalues below this part of the largest are asked for relative to it. */
const SMALL = 0.01;
/** What the rounding estimate is multiplied with: it was 0.7 to 1 times the error against float64 products of an MLP. */
const ROUNDING_SAFETY = 2;
const BASIS_BYTES = 512 * 2 ** 20;
/** Symmetric eigenvalue problems of the projection cost little next to products of this many coordinates. */
const CHECK_EVERY = 4;

/**
 * The largest, smallest or largest-in-magnitude eigenpairs: by block Lanczos with full reorthogonalisation and thick restarts
 * to the tolerance, or exactly for small operators. Each error bounds the distance to a true eigenvalue: the residual norm
 * of the pair, computed in float64 from a product with the very vector returned, plus twice the product's estimated rounding.
 *
 * @throws ArgumentError when the operator is not symmetric or counts exceed its size.
 */
export async function topEigenpairs(operator: LinearOperator, options: EigenOptions = {}): Promise<Eigenpairs> {
  requireSymmetric('topEigenpairs', operator);
  const wanted = wantedOf(operator, options);
  const { denseUpTo = 300, maxProducts = 1000 } = options;
  requireNumber('topEigenpairs', 'tolerance', options.tolerance ?? 1e-3, 0);
  if (operator.size <= Math.min(denseUpTo, maxProducts)) return denseEigenpairs(operator, wanted, options);
  return lanczosEigenpairs(operator, wanted, options);
}

function wantedOf(operator: LinearOperator, { largest, smallest = 0, magnitude = 0 }: EigenOptions): Wanted {
  const counts = { largest: largest ?? (smallest + magnitude === 0 ? Math.min(10, operator.size) : 0), smallest, magnitude };
  for (const [name, count] of Object.entries(counts)) requireInteger('topEigenpairs', name, count, 0, operator.size);
  if (counts.largest + smallest + magnitude === 0) throw new ArgumentError({ operation: 'topEigenpairs', required: 'at least one eigenpair must be asked for', received: 'none' });
  return counts;
}

/** Picks the wanted ones of a list in ascending order. */
function choose<T extends { readonly value: number }>(ascending: readonly T[], { largest, smallest, magnitude }: Wanted): Chosen<T> {
  const descending = [...ascending].reverse();
  return {
    largest: descending.slice(0, largest), smallest: ascending.slice(0, smallest),
    magnitude: [...descending].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, magnitude),
  };
}

const distinct = <T>({ largest, smallest, magnitude }: Chosen<T>): T[] => [...new Set([...largest, ...smallest, ...magnitude])];

async function denseEigenpairs(operator: LinearOperator, wanted: Wanted, options: EigenOptions): Promise<Eigenpairs> {
  const measure = meter(operator);
  const { size } = operator;
  options.signal?.throwIfAborted();
  const matrix = await denseMatrix(operator);
  const mean = Float64Array.from(matrix, (x, at) => (x + matrix[(at % size) * size + Math.floor(at / size)]) / 2);
  const { values, vectors } = symmetricEigen(mean, size);
  const pairs = Array.from(values, (value, k) => ({ value, vector: Float64Array.from({ length: size }, (_, i) => vectors[i * size + k]) }));
  const chosen = choose(pairs, wanted);
  return finish(operator, wanted, distinct(chosen).map(({ vector }) => vector), options, { method: 'dense', stopped: 'converged', measure });
}

async function lanczosEigenpairs(operator: LinearOperator, wanted: Wanted, options: EigenOptions): Promise<Eigenpairs> {
  const measure = meter(operator);
  const { tolerance = 1e-3, maxProducts = 1000, block = 1, signal, onProgress } = options;
  requireInteger('topEigenpairs', 'block', block, 1, operator.size);
  const count = Math.min(operator.size, wanted.largest + wanted.smallest + wanted.magnitude);
  const limit = basisLimit(operator.size, count, block, options.basis);
  signal?.throwIfAborted();
  const space = new KrylovSpace(operator, keyOf(options), block);
  let stopped: Eigenpairs['stopped'] = 'budget';
  let ritz: RitzValue[];
  for (let step = 1; ; step++) {
    await space.extend();
    const full = space.complete || space.dimension + block > limit;
    const exhausted = measure().products + block > maxProducts;
    if (signal?.aborted === true) stopped = 'aborted';
    if (!full && !exhausted && signal?.aborted !== true && (step % CHECK_EVERY !== 0 || space.dimension < count)) continue;
    ritz = space.ritz();
    const now = distinct(choose(ritz, wanted));
    const scale = scaleOf(ritz);
    const done = now.filter(({ value, residual }) => residual <= allowed(tolerance, value, scale)).length;
    onProgress?.({ done, total: count, unit: 'eigenpairs' });
    if (space.complete || (done === now.length && space.dimension >= count)) stopped = 'converged';
    if (stopped !== 'budget' || exhausted) break;
    if (full) space.restart(keptAtRestart(ritz, wanted, limit - block));
  }
  const vectors = space.vectors(distinct(choose(ritz, wanted)));
  return finish(operator, wanted, vectors, options, { method: 'lanczos', stopped, measure });
}

const scaleOf = (pairs: readonly { readonly value: number }[]): number => pairs.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
const allowed = (tolerance: number, value: number, scale: number): number => tolerance * Math.max(Math.abs(value), SMALL * scale);

/** Room for the wanted pairs, as many that help them converge, and a Krylov sequence of useful length. */
function basisLimit(size: number, count: number, block: number, wish: number | undefined): number {
  const least = Math.min(size, count + 2 * block);
  if (wish !== undefined) return requireInteger('topEigenpairs', 'basis', wish, least);
  const usual = Math.max(3 * count + 4 * block, 96);
  const affordable = Math.floor(BASIS_BYTES / (8 * size));
  return Math.min(size, Math.max(Math.min(usual, affordable), least));
}

/** The wanted Ritz pairs and half of what remains of the basis, from the ends that are wanted. */
function keptAtRestart(ascending: readonly RitzValue[], wanted: Wanted, room: number): RitzValue[] {
  const upper = wanted.largest + wanted.magnitude;
  const lower = wanted.smallest + wanted.magnitude;
  const extra = Math.max(0, Math.floor((Math.min(room, ascending.length - 1) - upper - lower) / 2));
  const top = upper === 0 ? 0 : upper + Math.round((extra * upper) / (upper + lower));
  const bottom = lower === 0 ? 0 : lower + Math.round((extra * lower) / (upper + lower));
  const most = Math.min(room, ascending.length);
  return ascending.filter((_, i) => i < bottom || i >= ascending.length - top).slice(-most);
}

interface Outcome {
  readonly method: Eigenpairs['method'];
  readonly stopped: Eigenpairs['stopped'];
  readonly measure: () => Cost;
}

/** Products with the vectors themselves give Rayleigh quotients, residuals and, scaled by a number, the rounding. */
async function finish(operator: LinearOperator, wanted: Wanted, vectors: readonly Float64Array[], options: EigenOptions, { method, stopped, measure }: Outcome): Promise<Eigenpairs> {
  vectors.forEach((vector) => scaleBy(vector, 1 / norm(vector)));
  const images = await operator.multiply(vectors);
  const rounding = await productRounding(operator, vectors[0], images[0]);
  const pairs = vectors.map((vector, i): Eigenpair => {
    const value = dot(vector, images[i]);
    const image = images[i].slice();
    addScaled(image, -value, vector);
    const residual = norm(image);
    return { ...bounded(value, residual + ROUNDING_SAFETY * rounding), vector, residual };
  });
  pairs.sort((a, b) => a.value - b.value);
  const { tolerance = 1e-3 } = options;
  const scale = scaleOf(pairs);
  const settled = pairs.every(({ residual, value }) => residual <= allowed(tolerance, value, scale) + ROUNDING_SAFETY * rounding);
  return { ...choose(pairs, wanted), method, stopped: stopped === 'converged' && !settled ? 'budget' : stopped, rounding, cost: measure() };
}

/**
 * Rounding error of a product, from one more product with the vector multiplied by a number that is no power of two: the
 * same result in exact arithmetic, rounded differently everywhere.
 */
async function productRounding(operator: LinearOperator, vector: Float64Array, image: Float64Array): Promise<number> {
  const factor = 1.37;
  const [scaled] = await operator.multiply([vector.map((x) => x * factor)]);
  scaleBy(scaled, 1 / factor);
  addScaled(scaled, -1, image);
  return norm(scaled);
}
