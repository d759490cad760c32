/** Stochastic estimates of the trace. @module */
import { estimated, type Cost, type Group, type Measurement } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { rademacher, split } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import { orthogonalise, scaleBy } from './basis.ts';
import { keyOf, meter, type EstimatorOptions } from './estimator.ts';
import type { LinearOperator } from './operator.ts';

/** Effort and parts of a trace estimate. */
export interface TraceOptions extends EstimatorOptions {
  /** Random vectors. Default 32. */
  readonly probes?: number;
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
  readonly stopped: 'converged' | 'aborted';
}

/** Sums of u_i (A u)_i over all coordinates and over each group. */
function sums(vector: Float64Array, image: Float64Array, groups: readonly Group[]): Float64Array {
  const over = (start: number, end: number): number => {
    let sum = 0;
    for (let i = start; i < end; i++) sum += vector[i] * image[i];
    return sum;
  };
  return Float64Array.of(over(0, vector.length), ...groups.map(({ start, end }) => over(start, end)));
}

/**
 * The trace by vectors of random signs (Hutchinson 1989): the mean of z' A z, with its standard error across probes; the traces
 * of groups of coordinates by the same products. `deflate` takes known directions Q out: tr Q'AQ + mean of u' A u with
 * u = (I - QQ') z. Cost: probes (and deflated vectors) products.
 */
export async function hutchinsonTrace(operator: LinearOperator, options: TraceOptions = {}): Promise<TraceEstimate> {
  const { groups = [], deflate = [], signal, onProgress } = options;
  const probes = requireInteger('hutchinsonTrace', 'probes', options.probes ?? 32, 1);
  requireGroups(operator, groups);
  const measure = meter(operator);
  signal?.throwIfAborted();
  const total = probes + deflate.length;
  const exact = new Float64Array(groups.length + 1);
  const samples: Float64Array[] = [];
  for (let at = 0; at < deflate.length; at += operator.block) {
    const part = deflate.slice(at, at + operator.block);
    (await operator.multiply(part)).forEach((image, i) => sums(part[i], image, groups).forEach((x, g) => { exact[g] += x; }));
    onProgress?.({ done: measure().products, total, unit: 'products' });
  }
  while (samples.length < probes && (samples.length === 0 || signal?.aborted !== true)) {
    const vectors = Array.from({ length: Math.min(operator.block, probes - samples.length) }, (_, i) => {
      const vector = rademacher(split(keyOf(options), 'probe', samples.length + i), operator.size, { dtype: 'float64' });
      orthogonalise(deflate, vector);
      return vector;
    });
    const images = await operator.multiply(vectors);
    samples.push(...vectors.map((vector, i) => sums(vector, images[i], groups)));
    onProgress?.({ done: measure().products, total, unit: 'products' });
  }
  const part = (g: number): Measurement => {
    const random = estimated(samples.map((sample) => sample[g]));
    return { ...random, value: random.value + exact[g] };
  };
  return {
    ...part(0), cost: measure(), groups: Object.fromEntries(groups.map(({ name }, g) => [name, part(g + 1)])),
    stopped: samples.length < probes ? 'aborted' : 'converged',
  };
}

function requireGroups(operator: LinearOperator, groups: readonly Group[]): void {
  const odd = groups.find(({ start, end }) => !(start >= 0 && start < end && end <= operator.size));
  if (odd !== undefined) throw new ArgumentError({ operation: 'hutchinsonTrace', required: `groups must lie within the operator's ${operator.size} coordinates`, received: `'${odd.name}' from ${odd.start} to ${odd.end}`, remedy: 'take them from the space of this operator' });
}

/**
 * Hutch++ (Meyer, Musco, Musco, Woodruff 2021): a third of the products finds a basis of the dominant range, a third its exact
 * share, a third the rest by random signs. For matrices whose spectrum falls off; the error is that of the random part.
 * Cost: 3 * probes products.
 */
export async function hutchPlusPlus(operator: LinearOperator, options: Omit<TraceOptions, 'deflate'> = {}): Promise<TraceEstimate> {
  const probes = requireInteger('hutchPlusPlus', 'probes', options.probes ?? 16, 1, Math.max(1, Math.floor(operator.size / 2)));
  const key = keyOf(options);
  const measure = meter(operator);
  options.signal?.throwIfAborted();
  const sketch = Array.from({ length: probes }, (_, i) => rademacher(split(key, 'sketch', i), operator.size, { dtype: 'float64' }));
  const range: Float64Array[] = [];
  for (const image of await operator.multiply(sketch)) {
    const before = Math.sqrt(image.reduce((sum, x) => sum + x * x, 0));
    const { norm } = orthogonalise(range, image);
    // A direction that the others contain adds nothing but rounding.
    if (norm <= 1e-10 * before) continue;
    scaleBy(image, 1 / norm);
    range.push(image);
  }
  const result = await hutchinsonTrace(operator, { ...options, probes, deflate: range });
  return { ...result, cost: measure() };
}
