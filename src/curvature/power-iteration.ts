/** Power iteration with deflation: what PyHessian reports, and what that number is good to. @module */
import { bounded, type Cost, type Measurement } from '../problem/index.ts';
import { normal, split, type Key } from '../util/random/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { addScaled, dot, norm, orthogonalise, scaleBy } from './basis.ts';
import { keyOf, meter, type EstimatorOptions } from './estimator.ts';
import { requireSymmetric, roundoff, type LinearOperator } from './operator.ts';

/** One eigenvalue by power iteration. */
export interface PowerPair extends Measurement {
  /** Where the iteration ended [size]; of unit length up to the style's epsilon. */
  readonly vector: Float64Array;
  /** Products of the iteration: one each. */
  readonly iterations: number;
  /** Whether the style's own test ended it, rather than `maxIterations`. */
  readonly settled: boolean;
}

/** Eigenvalues in the order found: by magnitude, where the iteration went far enough. */
export interface PowerIteration {
  readonly pairs: readonly PowerPair[];
  readonly style: 'pyhessian' | 'residual';
  readonly stopped: 'converged' | 'budget' | 'aborted';
  readonly cost: Cost;
}

/** How many, and by whose rules. */
export interface PowerIterationOptions extends EstimatorOptions {
  /** Eigenvalues, largest magnitude first. Default 1. */
  readonly count?: number;
  /**
   * `pyhessian` (default): its rules to the letter. Vectors are divided by norm + 1e-6; the iteration ends when the Rayleigh quotient
   * changes by less than `tolerance` of the one before + 1e-6, and the one *before* is reported. `residual`: unit vectors,
   * and it ends when the residual norm, off the vectors
   * found before, is below `tolerance` times the eigenvalue.
   */
  readonly style?: 'pyhessian' | 'residual';
  /** Products an eigenvalue at most. Default 100. */
  readonly maxIterations?: number;
  /** Default 1e-3. */
  readonly tolerance?: number;
}

/** PyHessian adds this to norms and to divisors. */
const EPSILON = 1e-6;
// Rounding of a float32 product of a network was 5 to 20 units of the image norm.
const ROUNDING_FACTOR = 64;

/**
 * Largest eigenvalues in magnitude by power iteration, each next one orthogonal to the vectors before (PyHessian,
 * Yao et al. 2020). Kept for comparison with published numbers: `topEigenpairs` takes fewer products, and its stopping test looks at
 * residuals, where a quotient that changes slowly looks settled long before it is.
 *
 * `error` bounds the distance from `value` to a true eigenvalue: the residual norm, by one more product with the final vector,
 * (|A u - value u| of the unit vector, whatever number is reported), plus a rounding allowance in float32. Which eigenvalue that is, is
 * not bounded.
 *
 * @throws ArgumentError when the operator is not symmetric or an option is out of range.
 */
export async function powerIteration(operator: LinearOperator, options: PowerIterationOptions = {}): Promise<PowerIteration> {
  requireSymmetric('powerIteration', operator);
  const { style = 'pyhessian', signal, onProgress } = options;
  const count = requireInteger('powerIteration', 'count', options.count ?? 1, 1, operator.size);
  const maxIterations = requireInteger('powerIteration', 'maxIterations', options.maxIterations ?? 100, 1);
  const tolerance = requireNumber('powerIteration', 'tolerance', options.tolerance ?? 1e-3, 0);
  signal?.throwIfAborted();
  const measure = meter(operator);
  const iterate = style === 'pyhessian' ? pyHessianIteration : residualIteration;
  const pairs: PowerPair[] = [];
  while (pairs.length < count && (pairs.length === 0 || signal?.aborted !== true)) {
    const found = pairs.map(({ vector }) => vector);
    const { value, vector, iterations, settled } = await iterate(operator, split(keyOf(options), 'start', pairs.length), found, { maxIterations, tolerance, signal });
    pairs.push({ ...bounded(value, await distance(operator, value, vector)), vector, iterations, settled });
    onProgress?.({ done: pairs.length, total: count, unit: 'eigenpairs' });
  }
  const stopped = signal?.aborted === true ? 'aborted' : pairs.every(({ settled }) => settled) ? 'converged' : 'budget';
  return { pairs, style, stopped, cost: measure() };
}

interface Limits {
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly signal?: AbortSignal | undefined;
}

type Outcome = Pick<PowerPair, 'value' | 'vector' | 'iterations' | 'settled'>;

/** `normalization` of PyHessian: divided by norm + 1e-6. */
function normaliseLikePyHessian(vector: Float64Array): void {
  scaleBy(vector, 1 / (norm(vector) + EPSILON));
}

/** `hessian.eigenvalues` of PyHessian for one of top_n: same order of operations. */
async function pyHessianIteration(operator: LinearOperator, key: Key, found: readonly Float64Array[], { maxIterations, tolerance, signal }: Limits): Promise<Outcome> {
  let vector = normal(key, operator.size, { dtype: 'float64' });
  normaliseLikePyHessian(vector);
  let value = NaN;
  for (let iterations = 1; ; iterations++) {
    // `orthnormal`: one pass, one vector after the other.
    for (const other of found) addScaled(vector, -dot(vector, other), other);
    normaliseLikePyHessian(vector);
    const [image] = await operator.multiply([vector]);
    const quotient = dot(image, vector);
    vector = image.slice();
    normaliseLikePyHessian(vector);
    const settled = iterations > 1 && Math.abs(value - quotient) / (Math.abs(value) + EPSILON) < tolerance;
    if (!settled) value = quotient;
    if (settled || iterations >= maxIterations || signal?.aborted === true) return { value, vector, iterations, settled };
  }
}

/** The textbook iteration: unit vectors, twice orthogonalised, ended by the residual. */
async function residualIteration(operator: LinearOperator, key: Key, found: readonly Float64Array[], { maxIterations, tolerance, signal }: Limits): Promise<Outcome> {
  let vector = normal(key, operator.size, { dtype: 'float64' });
  scaleBy(vector, 1 / orthogonalise(found, vector).norm);
  for (let iterations = 1; ; iterations++) {
    const [image] = await operator.multiply([vector]);
    const value = dot(image, vector);
    const next = image.slice();
    const { norm: length } = orthogonalise(found, next);
    const left = next.slice();
    addScaled(left, -value, vector);
    // Off the vectors found: what those lack in accuracy cannot be iterated away here, and is part of the error.
    const settled = norm(left) <= tolerance * Math.abs(value);
    if (settled || length === 0 || iterations >= maxIterations || signal?.aborted === true) return { value, vector, iterations, settled: settled || length === 0 };
    scaleBy(next, 1 / length);
    vector = next;
  }
}

/** How far an eigenvalue is from `value` at most. */
async function distance(operator: LinearOperator, value: number, vector: Float64Array): Promise<number> {
  const length = norm(vector);
  // A vector of zeros (of a zero operator) says nothing about a direction; every product with it is exact.
  const unit = length === 0 ? unitVector(operator.size) : vector.map((x) => x / length);
  const [image] = await operator.multiply([unit]);
  const left = image.slice();
  addScaled(left, -value, unit);
  // |A u - value u| bounds the distance to the spectrum for any number `value`.
  return norm(left) + ROUNDING_FACTOR * roundoff(operator) * norm(image);
}

function unitVector(size: number): Float64Array {
  const unit = new Float64Array(size);
  unit[0] = 1;
  return unit;
}
