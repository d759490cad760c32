/** Stochastic estimates of the trace: Hutchinson's and Hutch++. @module */
import { dot as dotRange } from '../linalg/vector.ts';
import { estimated, type Cost, type Group, type Measurement } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { orthogonalise, scaleBy } from './basis.ts';
import { forEachProbe, meter, probeVector, type EstimatorOptions, type ProbeDistribution } from './estimator.ts';
import type { LinearOperator } from './operator.ts';

/**
 * When enough random vectors were drawn. `probes`: at their number. `standard error`: when the standard error is at most
 * `tolerance` times the mean, looked at after eight and then after every block. `pyhessian`: PyHessian's rule, when one more
 * vector changes the mean by less than `tolerance`, relative to the mean before it (which is 0 before the first) plus 1e-6.
 */
export type TraceStopping = 'probes' | 'standard error' | 'pyhessian';

/** Effort and parts of a trace estimate. */
export interface TraceOptions extends EstimatorOptions {
  /** Random vectors; the most of them where a rule stops earlier. Default 32; 100 for `pyhessian`, 1000 for `standard error`. */
  readonly probes?: number;
  /** Default `probes`. */
  readonly stopping?: TraceStopping;
  /** What the stopping rule compares with. Default 1e-3 for `pyhessian`, 0.01 for `standard error`. */
  readonly tolerance?: number;
  /** Default `rademacher`. */
  readonly distribution?: ProbeDistribution;
  /** Parts of the diagonal whose traces are estimated from the same products (`space.groups('layer')`). */
  readonly groups?: readonly Group[];
  /**
   * Orthonormal vectors whose share is computed exactly, a product each, and taken out of the random part: with the leading
   * eigenvectors the variance falls to that of the rest of the spectrum.
   */
  readonly deflate?: readonly Float64Array[];
}

/** A trace with its error and those of its parts. */
export interface TraceEstimate extends Measurement {
  readonly cost: Cost;
  /** By name of the group; they add up to the whole when the groups cover it. */
  readonly groups: Readonly<Record<string, Measurement>>;
  /** `budget`: the stopping rule was not met by the last vector. */
  readonly stopped: 'converged' | 'budget' | 'aborted';
}

const MOST: Readonly<Record<TraceStopping, number>> = { probes: 32, pyhessian: 100, 'standard error': 1000 };
const TOLERANCE: Readonly<Record<TraceStopping, number>> = { probes: 0, pyhessian: 1e-3, 'standard error': 0.01 };
/** Standard errors of fewer samples are too uncertain to stop at. */
const LEAST = 8;

/** Sums of u_i (A u)_i over all coordinates and over each group. */
function sums(vector: Float64Array, image: Float64Array, groups: readonly Group[]): Float64Array {
  const over = (start: number, end: number): number => dotRange(vector, start, image, start, end - start);
  return Float64Array.of(over(0, vector.length), ...groups.map(({ start, end }) => over(start, end)));
}

/**
 * The trace by random vectors (Hutchinson 1989): the mean of z' A z, with its standard error across probes; the traces of groups
 * of coordinates by the same products. `deflate` takes known directions Q out: tr Q'AQ + mean of u' A u with u = (I - QQ') z.
 * Unbiased when the number of vectors is fixed; a rule that stops at what it sees (`stopping`) biases slightly.
 * Cost: probes (and deflated vectors) products.
 *
 * @throws ArgumentError for groups outside of the operator.
 */
export async function hutchinsonTrace(operator: LinearOperator, options: TraceOptions = {}): Promise<TraceEstimate> {
  const { groups = [], deflate = [], stopping = 'probes', distribution, signal, onProgress } = options;
  const probes = requireInteger('hutchinsonTrace', 'probes', options.probes ?? MOST[stopping], 1);
  const tolerance = requireNumber('hutchinsonTrace', 'tolerance', options.tolerance ?? TOLERANCE[stopping], 0);
  requireGroups(operator, groups);
  const measure = meter(operator);
  signal?.throwIfAborted();
  const total = probes + deflate.length;
  const report = (): void => onProgress?.({ done: measure().products, total, unit: 'products' });
  const exact = new Float64Array(groups.length + 1);
  for (let at = 0; at < deflate.length; at += operator.block) {
    const part = deflate.slice(at, at + operator.block);
    (await operator.multiply(part)).forEach((image, i) => sums(part[i], image, groups).forEach((x, g) => { exact[g] += x; }));
    report();
  }
  const samples: Float64Array[] = [];
  const enough = stoppingRule(stopping, tolerance, exact[0]);
  let met = stopping === 'probes';
  await forEachProbe(operator, options, {
    // PyHessian looks after every vector: further vectors of a block would be wasted.
    count: probes, distribution, ...(stopping === 'pyhessian' && { block: 1 }), ...(deflate.length > 0 && { prepare: (vector: Float64Array) => { orthogonalise(deflate, vector); } }), onBlock: report,
  }, (vector, image) => {
    samples.push(sums(vector, image, groups));
    if (!enough(samples)) return true;
    met = true;
    report();
    return false;
  });
  const part = (g: number): Measurement => {
    const random = estimated(samples.map((sample) => sample[g]));
    return { ...random, value: random.value + exact[g] };
  };
  const early = samples.length < probes;
  return {
    ...part(0), cost: measure(), groups: Object.fromEntries(groups.map(({ name }, g) => [name, part(g + 1)])),
    stopped: met && (!early || stopping !== 'probes') ? 'converged' : early ? 'aborted' : 'budget',
  };
}

/** Whether the samples so far (their entry 0) are enough; `exact` is added to their mean. */
function stoppingRule(stopping: TraceStopping, tolerance: number, exact: number): (samples: readonly Float64Array[]) => boolean {
  let before = 0;
  return (samples) => {
    if (stopping === 'probes') return false;
    const { value, error } = estimated(samples.map(([x]) => x));
    const mean = value + exact;
    if (stopping === 'standard error') return samples.length >= LEAST && error <= tolerance * Math.abs(mean);
    const done = Math.abs(mean - before) / (Math.abs(before) + 1e-6) < tolerance;
    before = mean;
    return done;
  };
}

function requireGroups(operator: LinearOperator, groups: readonly Group[]): void {
  const odd = groups.find(({ start, end }) => !(start >= 0 && start < end && end <= operator.size));
  if (odd !== undefined) throw new ArgumentError({ operation: 'hutchinsonTrace', required: `groups must lie within the operator's ${operator.size} coordinates`, received: `'${odd.name}' from ${odd.start} to ${odd.end}`, remedy: 'take them from the space of this operator' });
}

/**
 * Hutch++ (Meyer, Musco, Musco, Woodruff 2021): `probes` products find a basis of the dominant range, as many its exact share, as
 * many the rest by random vectors; tr(Q'AQ) + mean of z'(I - QQ')A(I - QQ')z. For matrices whose spectrum falls off; the error
 * is that of the random part. Cost: 3 * probes products (fewer when the rank is smaller).
 */
export async function hutchPlusPlus(operator: LinearOperator, options: Omit<TraceOptions, 'deflate' | 'stopping' | 'tolerance'> = {}): Promise<TraceEstimate> {
  const probes = requireInteger('hutchPlusPlus', 'probes', options.probes ?? Math.min(16, Math.max(1, Math.floor(operator.size / 2))), 1, Math.max(1, Math.floor(operator.size / 2)));
  const measure = meter(operator);
  options.signal?.throwIfAborted();
  const sketch = Array.from({ length: probes }, (_, i) => probeVector(options, i, operator.size, options.distribution, 'sketch'));
  const { range } = orthonormalRange(await operator.multiply(sketch));
  const result = await hutchinsonTrace(operator, { ...options, probes, deflate: range });
  return { ...result, cost: measure() };
}

// A direction that the others contain, to this part of its length, adds nothing but rounding.
const DEPENDENT = 1e-10;

/**
 * Gram-Schmidt of vectors, which are overwritten: an orthonormal basis of their span, and their coordinates in it (each as long as
 * the basis). Vectors that the earlier ones contain to 1e-10 of their length add no direction.
 */
export function orthonormalRange(vectors: readonly Float64Array[]): { range: Float64Array[]; coordinates: Float64Array[] } {
  const range: Float64Array[] = [];
  const parts = vectors.map((vector) => {
    let before = 0;
    for (let i = 0; i < vector.length; i++) before += vector[i] * vector[i];
    const { coefficients, norm } = orthogonalise(range, vector);
    if (norm <= DEPENDENT * Math.sqrt(before)) return [...coefficients];
    scaleBy(vector, 1 / norm);
    range.push(vector);
    return [...coefficients, norm];
  });
  return { range, coordinates: parts.map((part) => Float64Array.from({ length: range.length }, (_, i) => part[i] ?? 0)) };
}
