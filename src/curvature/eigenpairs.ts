/** Extreme eigenpairs of a symmetric operator, each with a bound of its error. @module */
import { symmetricEigen } from '../linalg/index.ts';
import { bounded, type Cost, type Measurement } from '../problem/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { split, type Key } from '../util/random/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { addScaled, dot, norm, scaleBy } from './basis.ts';
import { keyOf, meter, randomUnit, type EstimatorOptions } from './estimator.ts';
import type { RowType } from './basis-rows.ts';
import { KrylovSpace, type RitzValue } from './lanczos.ts';
import { lobpcg, type RitzPair } from './lobpcg.ts';
import { denseMatrix, requireSymmetric, type LinearOperator } from './operator.ts';
import { requirePreconditioner, type Preconditioner } from './preconditioned.ts';

/** An eigenvalue: a true one lies within `error` of `value`. */
export interface Eigenpair extends Measurement {
  /** Unit vector [size]. */
  readonly vector: Float64Array;
  /** |A v - value v|, from one more product with the vector (`verify`) or by the relation of the search; `error` adds the product's rounding. */
  readonly residual: number;
  /**
   * Bound of the sine of the angle between `vector` and the eigenvector: error / gap (Davis and Kahan 1970), the gap being the
   * distance to the nearest other eigenvalue found, less that one's residual. Certain where all are found (`dense`, or a
   * Krylov space of everything), else it supposes that none was missed in between. NaN where no other is known or the gap is not
   * positive: then the vector is only known to lie near the span of its cluster.
   */
  readonly vectorError: number;
}

/** The eigenpairs asked for, and how they were found. */
export interface Eigenpairs {
  /** Descending. */
  readonly largest: readonly Eigenpair[];
  /** Ascending. */
  readonly smallest: readonly Eigenpair[];
  /** By descending absolute value. */
  readonly magnitude: readonly Eigenpair[];
  readonly method: 'dense' | 'lanczos' | 'lobpcg';
  /** `converged`: all residuals are within the tolerance; otherwise why the search ended, and errors say how far it came. */
  readonly stopped: 'converged' | 'budget' | 'aborted';
  /** Estimated rounding error of one product with a unit vector along the first pair, included twofold in the errors. */
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
  /**
   * `dense`: exact, `size` products and size^2 numbers; `lanczos`: fewest products; `lobpcg`: one end at a time, products in
   * blocks, no more than three blocks held (and their images), and a preconditioner; small operators are made dense all the same. Default `auto`: dense where that is cheap, else Lanczos.
   */
  readonly method?: 'auto' | 'dense' | 'lanczos' | 'lobpcg';
  /**
   * For `lanczos`: guesses of the vectors wanted, such as those of the same matrix a while ago. The search begins from their sum and a
   * tenth as much of a random vector, and takes at least 8 products, so that an eigenvalue that has overtaken theirs is found.
   */
  readonly start?: readonly Float64Array[];
  /** For `lobpcg`: approximates the operator (or its absolute value) near the end searched. */
  readonly preconditioner?: Preconditioner;
  /** Checks each pair by a product with its vector. Default true; false takes residuals from the search, and two products remain. */
  readonly verify?: boolean;
  /** Most products spent, those that check the residuals apart. Default 1000. */
  readonly maxProducts?: number;
  /**
   * Most basis vectors held; default: enough for most problems, within 512 MiB at 8 bytes a coordinate. Where those are too few, a float32
   * operator's are kept in float32, within 768 MiB.
   */
  readonly basis?: number;
  /** Vectors in a Lanczos block: above 1 for eigenvalues of that multiplicity. Default 1. */
  readonly block?: number;
  /** Operators up to this size are made dense and decomposed exactly. Default 300, or 6 times the pairs wanted, at most 1000. */
  readonly denseUpTo?: number;
}

type Wanted = Required<Pick<EigenOptions, 'largest' | 'smallest' | 'magnitude'>>;
type Chosen<T> = Record<keyof Wanted, T[]>;

/** Eigenvalues below this part of the largest are asked for relative to it. */
const SMALL = 0.01;
/** What the rounding estimate is multiplied with: it was 0.7 to 1 times the error against float64 products of an MLP. */
const ROUNDING_SAFETY = 2;
const BASIS_BYTES = 512 * 2 ** 20;
/** Of a basis in float32. With a handful of vectors a search restarts every few products: ten million parameters would have six. */
const SHORT_BASIS_BYTES = 768 * 2 ** 20;
/** Bytes of vectors and images that are checked at once. */
const CHECK_BYTES = 256 * 2 ** 20;
/** Steps between looks at the Ritz values, where those cost more than a step's work on vectors: below so many coordinates by dimension squared. */
const CHECK_EVERY = 4;
const CHEAP_CHECK = 10;
// Measured on the MLP 784-128-64-10: a product with `size` unit vectors at 300, the decomposition of 1000 takes seconds.
const DENSE_UP_TO = 300;
const DENSE_AT_MOST = 1000;
const DENSE_PER_PAIR = 6;
/** Length of the random part of a vector that a search is started from, relative to a guess, and the least products from there. */
const RANDOM_SHARE = 0.1;
const LEAST_FROM_GUESSES = 8;
/** Coordinates a vector iterated. */
const LOBPCG_FROM = 5;

/**
 * The largest, smallest or largest-in-magnitude eigenpairs, several ends in one call: by block Lanczos with full
 * reorthogonalisation and thick restarts or by LOBPCG to the tolerance, or exactly for small operators. Each error bounds the
 * distance to a true eigenvalue: the residual norm of the pair, computed in float64 from a product with the very vector
 * returned, plus twice the product's estimated rounding.
 *
 * @throws ArgumentError when the operator is not symmetric, counts exceed its size, or the method cannot do what is asked.
 */
export async function topEigenpairs(operator: LinearOperator, options: EigenOptions = {}): Promise<Eigenpairs> {
  requireSymmetric('topEigenpairs', operator);
  const wanted = wantedOf(operator, options);
  requireNumber('topEigenpairs', 'tolerance', options.tolerance ?? 1e-3, 0);
  requirePreconditioner('topEigenpairs', operator, options.preconditioner);
  const method = methodOf(operator, wanted, options);
  if (method === 'dense') return denseEigenpairs(operator, wanted, options);
  return method === 'lobpcg' ? lobpcgEigenpairs(operator, wanted, options) : lanczosEigenpairs(operator, wanted, options);
}

/** Vectors that LOBPCG iterates beyond those wanted, so that the last of them converges as well as the first. */
const guards = (count: number): number => Math.max(2, Math.ceil(count / 4));

const countOf = ({ largest, smallest, magnitude }: Wanted): number => largest + smallest + magnitude;

function methodOf({ size }: LinearOperator, wanted: Wanted, { method = 'auto', denseUpTo, maxProducts = 1000, preconditioner }: EigenOptions): Eigenpairs['method'] {
  if (preconditioner !== undefined && method !== 'lobpcg') throw new ArgumentError({ operation: 'topEigenpairs', required: "preconditioner needs method 'lobpcg'", received: `'${method}'`, remedy: 'for the eigenvalues of P^-1 H: preconditioned(operator, preconditioner)' });
  if (method === 'lobpcg' && wanted.magnitude > 0) throw new ArgumentError({ operation: 'topEigenpairs', required: "method 'lobpcg' searches `largest` or `smallest`", received: 'magnitude', remedy: "method 'lanczos'" });
  const count = countOf(wanted);
  // The basis of LOBPCG must stay well below the whole space, as it must at both ends.
  if (method === 'lobpcg' && size < LOBPCG_FROM * (count + 2 * guards(count))) return 'dense';
  if (method !== 'auto') return method;
  const small = denseUpTo ?? Math.max(DENSE_UP_TO, Math.min(DENSE_AT_MOST, DENSE_PER_PAIR * count));
  return size <= Math.min(small, maxProducts) ? 'dense' : 'lanczos';
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
  // What the mean of the two triangles leaves out of the matrix that the products gave.
  const asymmetry = norm(matrix.map((x, at) => x - mean[at]));
  const all = Array.from(values, (value, k) => ({ value, k }));
  const chosen = distinct(choose(all, wanted));
  const found = chosen.map(({ value, k }): RitzPair => ({ value, residual: asymmetry, vector: Float64Array.from({ length: size }, (_, i) => vectors[i * size + k]) }));
  const others = all.filter((pair) => !chosen.includes(pair)).map(({ value }) => ({ value, residual: asymmetry }));
  return finish(operator, wanted, found, options, { method: 'dense', stopped: 'converged', measure, others, complete: true });
}

async function lanczosEigenpairs(operator: LinearOperator, wanted: Wanted, options: EigenOptions): Promise<Eigenpairs> {
  const measure = meter(operator);
  const { tolerance = 1e-3, maxProducts = 1000, block = 1, signal, onProgress } = options;
  requireInteger('topEigenpairs', 'block', block, 1, operator.size);
  const count = Math.min(operator.size, countOf(wanted));
  const { limit, type } = basisLimit(operator, count, block, options.basis);
  signal?.throwIfAborted();
  const guesses = options.start ?? [];
  const space = new KrylovSpace(operator, keyOf(options), block, limit, startBlock(operator, guesses, block, keyOf(options)), type);
  const least = Math.max(count, guesses.length === 0 ? 0 : Math.min(LEAST_FROM_GUESSES, limit - block));
  let stopped: Eigenpairs['stopped'] = 'budget';
  let ritz: RitzValue[];
  for (let step = 1; ; step++) {
    await space.extend();
    const full = space.complete || space.dimension + block > limit;
    const exhausted = measure().products + block > maxProducts;
    if (signal?.aborted === true) stopped = 'aborted';
    const look = space.dimension >= least && (step % CHECK_EVERY === 0 || operator.size >= CHEAP_CHECK * space.dimension ** 2);
    if (!full && !exhausted && signal?.aborted !== true && !look) continue;
    ritz = space.ritz();
    const now = distinct(choose(ritz, wanted));
    const scale = scaleOf(ritz);
    const done = now.filter(({ value, residual }) => residual <= allowed(tolerance, value, scale)).length;
    onProgress?.({ done, total: count, unit: 'eigenpairs' });
    if (space.complete || (done === now.length && space.dimension >= least)) stopped = 'converged';
    if (stopped !== 'budget' || exhausted) break;
    if (full) space.restart(keptAtRestart(ritz, wanted, limit - block));
  }
  const chosen = distinct(choose(ritz, wanted));
  const { asymmetry } = space;
  const found = space.vectors(chosen).map((vector, i): RitzPair => ({ vector, value: chosen[i].value, residual: Math.hypot(chosen[i].residual, asymmetry) }));
  const others = ritz.filter((pair) => !chosen.includes(pair));
  return finish(operator, wanted, found, options, { method: 'lanczos', stopped, measure, others, complete: space.complete });
}

/** Guesses in turn into the vectors of a block, with some of everything else. */
function startBlock({ name, size }: LinearOperator, guesses: readonly Float64Array[], block: number, key: Key): Float64Array[] {
  const odd = guesses.find(({ length }) => length !== size);
  if (odd !== undefined) throw new ShapeError({ operation: 'topEigenpairs', required: `vectors of start must have the ${size} entries that '${name}' takes`, received: String(odd.length) });
  return Array.from({ length: Math.min(block, guesses.length) }, (_, j) => {
    const vector = randomUnit(split(key, 'guess', j), size);
    scaleBy(vector, RANDOM_SHARE);
    guesses.forEach((guess, i) => { if (i % block === j) addScaled(vector, 1 / norm(guess), guess); });
    return vector;
  });
}

async function lobpcgEigenpairs(operator: LinearOperator, wanted: Wanted, options: EigenOptions): Promise<Eigenpairs> {
  const measure = meter(operator);
  const { tolerance = 1e-3, maxProducts = 1000, preconditioner, signal, onProgress } = options;
  signal?.throwIfAborted();
  let stopped: Eigenpairs['stopped'] = 'converged';
  const found: RitzPair[] = [];
  const others: RitzPair[] = [];
  let reach = 0;
  const settled = ({ value, residual }: Pick<RitzPair, 'value' | 'residual'>, scale: number): boolean => residual <= allowed(tolerance, value, scale);
  for (const end of ['largest', 'smallest'] as const) {
    const count = wanted[end];
    if (count === 0) continue;
    const block = Math.min(operator.size, count + guards(count));
    const pairs = await lobpcg(operator, {
      end, block, preconditioner, settled, key: split(keyOf(options), end),
      done(now, scale) {
        reach = Math.max(reach, scale);
        const done = now.slice(0, count).filter((pair) => settled(pair, scale)).length;
        onProgress?.({ done: found.length + done, total: countOf(wanted), unit: 'eigenpairs' });
        if (done === count) return true;
        if (signal?.aborted === true) stopped = 'aborted';
        else if (measure().products + block > maxProducts) stopped = 'budget';
        else return false;
        return true;
      },
    });
    found.push(...pairs.slice(0, count));
    others.push(...pairs.slice(count));
  }
  return finish(operator, wanted, found, options, { method: 'lobpcg', stopped, measure, others, reach, complete: false });
}

const scaleOf = (pairs: readonly { readonly value: number }[]): number => pairs.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
const allowed = (tolerance: number, value: number, scale: number): number => tolerance * Math.max(Math.abs(value), SMALL * scale);

/** Room for the wanted pairs, as many that help them converge, and a Krylov sequence of useful length; and how vectors are kept. */
function basisLimit({ size, precision }: LinearOperator, count: number, block: number, wish: number | undefined): { limit: number; type: RowType } {
  const least = Math.min(size, count + 2 * block);
  if (wish !== undefined) return { limit: requireInteger('topEigenpairs', 'basis', wish, least), type: 'float64' };
  const usual = Math.min(size, Math.max(3 * count + 4 * block, 96));
  const room = (bytes: number, width: number): number => Math.max(Math.min(usual, Math.floor(bytes / (width * size))), least);
  const limit = room(BASIS_BYTES, 8);
  return limit < usual && precision === 'float32' ? { limit: room(SHORT_BASIS_BYTES, 4), type: 'float32' } : { limit, type: 'float64' };
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
  /** Ritz values next to those wanted. */
  readonly others: readonly Pick<RitzPair, 'value' | 'residual'>[];
  /** The largest absolute value that tolerances were taken relative to; default: of the others. */
  readonly reach?: number;
  /** Whether the wanted ones and the others are all there are. */
  readonly complete: boolean;
}

/** Products with the vectors themselves give Rayleigh quotients, residuals and, scaled by a number, the rounding. */
async function finish(operator: LinearOperator, wanted: Wanted, found: readonly RitzPair[], options: EigenOptions, { method, stopped, measure, others, reach = scaleOf(others), complete }: Outcome): Promise<Eigenpairs> {
  const { tolerance = 1e-3, verify = true } = options;
  found.forEach(({ vector }) => scaleBy(vector, 1 / norm(vector)));
  const checked: RitzPair[] = [];
  let rounding = 0;
  // A block at a time, of one vector for large operators: images of all would take as much memory as the vectors.
  const width = 16 * operator.size * operator.block > CHECK_BYTES ? 1 : operator.block;
  for (let start = 0; start < (verify ? found.length : 1); start += width) {
    const block = found.slice(start, verify ? start + width : 1);
    const images = await operator.multiply(block.map(({ vector }) => vector));
    if (start === 0) rounding = await productRounding(operator, found[0].vector, images[0]);
    block.forEach(({ vector }, i) => checked.push(quotient(vector, images[i])));
  }
  checked.push(...found.slice(checked.length));
  const pairs = checked.map((pair, i): Eigenpair => {
    const error = pair.residual + ROUNDING_SAFETY * rounding;
    const rest = [...checked.filter((_, j) => j !== i), ...others];
    return { ...bounded(pair.value, error), vector: pair.vector, residual: pair.residual, vectorError: angleBound(pair.value, error, rest, complete) };
  });
  pairs.sort((a, b) => a.value - b.value);
  const scale = Math.max(reach, scaleOf(pairs));
  const settled = pairs.every(({ residual, value }) => residual <= allowed(tolerance, value, scale) + ROUNDING_SAFETY * rounding);
  return { ...choose(pairs, wanted), method, stopped: stopped === 'converged' && !settled ? 'budget' : stopped, rounding, cost: measure() };
}

function quotient(vector: Float64Array, image: Float64Array): RitzPair {
  const value = dot(vector, image);
  const left = image.slice();
  addScaled(left, -value, vector);
  return { value, residual: norm(left), vector };
}

/** error / gap; NaN where no gap is known. */
function angleBound(value: number, error: number, rest: readonly Pick<RitzPair, 'value' | 'residual'>[], complete: boolean): number {
  if (rest.length === 0) return complete ? 0 : NaN;
  const gap = rest.reduce((least, other) => Math.min(least, Math.abs(value - other.value) - other.residual), Infinity);
  return gap > 0 ? Math.min(1, error / gap) : NaN;
}

/**
 * Rounding error of a product, from one more product with the vector multiplied by a number that is no power of two: the
 * same result in exact arithmetic, rounded differently everywhere.
 */
export async function productRounding(operator: LinearOperator, vector: Float64Array, image: Float64Array): Promise<number> {
  const factor = 1.37;
  const longer = vector.slice();
  scaleBy(longer, factor);
  const [scaled] = await operator.multiply([longer]);
  scaleBy(scaled, 1 / factor);
  addScaled(scaled, -1, image);
  return norm(scaled);
}
