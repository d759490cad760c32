/** Datasets: a train and a test split of typed arrays, with what must be known to use and to cite them. @module */
import { allocate, NDArray, type Shape } from '../core/ndarray.ts';
import { ArgumentError, DtypeError, ShapeError } from '../util/errors.ts';
import { choice, key, split as splitKey } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';

/** Examples along the first axis. */
export interface Split {
  /** [size, ...]: float32 features, or int32 tokens. */
  readonly inputs: NDArray;
  /** [size] int32 labels, or [size, k] float32 targets. */
  readonly targets: NDArray;
  readonly size: number;
}

/** What the targets are: labels, numbers, or labels of token sequences. It decides the default loss. */
export type DatasetKind = 'classification' | 'regression' | 'sequence';

/** A train and a test split with what a model must know of them, and their origin. */
export interface Dataset {
  readonly name: string;
  /** `sequence`: inputs are int32 tokens below `vocabulary`, targets int32 labels. */
  readonly kind: DatasetKind;
  readonly train: Split;
  readonly test: Split;
  /** Names of the labels 0, 1, ...; absent in regression. */
  readonly classes?: readonly string[];
  /** Number of distinct tokens; only for sequences. */
  readonly vocabulary?: number;
  /** Shape of one example as a model may see it: MNIST has inputs [size, 784] and the input shape [1, 28, 28]. */
  readonly inputShape: Shape;
  readonly licence: string;
  /** Where the data come from: a citation. */
  readonly source: string;
}

/** A checked split. @throws ShapeError when inputs and targets differ in length; DtypeError when a dtype is not float32 or int32. */
export function makeSplit(inputs: NDArray, targets: NDArray): Split {
  for (const [name, values] of [['inputs', inputs], ['targets', targets]] as const) {
    if (values.dtype !== 'float32' && values.dtype !== 'int32') {
      throw new DtypeError({ operation: 'makeSplit', required: `${name} must be float32 or int32`, received: values.toString() });
    }
    if (values.shape.length === 0) {
      throw new ShapeError({ operation: 'makeSplit', required: `${name} must have an axis of examples`, received: values.toString() });
    }
  }
  if (inputs.shape[0] !== targets.shape[0]) {
    throw new ShapeError({
      operation: 'makeSplit', required: 'inputs and targets must have as many examples', received: `${inputs} and ${targets}`,
    });
  }
  return { inputs, targets, size: inputs.shape[0] };
}

function takeRowsOf(values: NDArray, indices: ArrayLike<number>): NDArray {
  const width = values.shape[0] === 0 ? 0 : values.size / values.shape[0];
  const data = allocate(values.dtype, indices.length * width);
  for (let i = 0; i < indices.length; i++) data.set(values.data.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
  return new NDArray(data, [indices.length, ...values.shape.slice(1)], values.dtype);
}

/** The examples at the indices, in their order; an index may occur twice. @throws ArgumentError when one is out of range. */
export function takeRows(split: Split, indices: ArrayLike<number>): Split {
  for (let i = 0; i < indices.length; i++) requireInteger('takeRows', `indices[${i}]`, indices[i], 0, split.size - 1);
  return { inputs: takeRowsOf(split.inputs, indices), targets: takeRowsOf(split.targets, indices), size: indices.length };
}

/** How many examples each label has: index = label. @throws DtypeError when targets are not labels. */
export function labelCounts(split: Split): Int32Array {
  requireLabels('labelCounts', split);
  let largest = -1;
  for (const label of split.targets.data) largest = Math.max(largest, label);
  const counts = new Int32Array(largest + 1);
  for (const label of split.targets.data) counts[label]++;
  return counts;
}

const hasLabels = (split: Split): boolean => split.targets.dtype === 'int32' && split.targets.shape.length === 1;

function requireLabels(operation: string, split: Split): void {
  if (hasLabels(split)) return;
  throw new DtypeError({ operation, required: 'targets must be labels, i32[n]', received: split.targets.toString() });
}

/**
 * n examples of a split: the first n, or with a seed a random choice in which every label keeps its share (largest
 * remainders), in the original order. @throws ArgumentError when n is more than the split holds.
 */
export function subset(split: Split, n: number, seed?: number): Split {
  requireInteger('subset', 'n', n, 0, split.size);
  if (n === split.size) return split;
  if (seed === undefined) return takeRows(split, Int32Array.from({ length: n }, (_, i) => i));
  return takeRows(split, stratifiedIndices(split, n, seed));
}

/** Ascending indices of a random choice of n examples in which every label keeps its share; regression has one stratum. */
export function stratifiedIndices(split: Split, n: number, seed: number): Int32Array {
  requireInteger('stratifiedIndices', 'n', n, 0, split.size);
  const strata = new Map<number, number[]>();
  const labels = hasLabels(split);
  for (let i = 0; i < split.size; i++) {
    const label = labels ? split.targets.data[i] : 0;
    if (!strata.has(label)) strata.set(label, []);
    strata.get(label)!.push(i);
  }
  const names = [...strata.keys()].sort((a, b) => a - b);
  const quotas = largestRemainders(names.map((name) => strata.get(name)!.length), n);
  const chosen = names.flatMap((name, at) => {
    const members = strata.get(name)!;
    return Array.from(choice(splitKey(key(seed), 'stratum', name), members.length, quotas[at]), (i) => members[i]);
  });
  return Int32Array.from(chosen).sort();
}

/** Integers in proportion to the counts that sum to n and never exceed a count. */
function largestRemainders(counts: readonly number[], n: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const quotas = counts.map((count) => Math.floor((n * count) / Math.max(total, 1)));
  const remainder = (i: number): number => (n * counts[i]) / total - quotas[i];
  const order = counts.map((_, i) => i).sort((a, b) => remainder(b) - remainder(a) || a - b);
  let left = n - quotas.reduce((sum, quota) => sum + quota, 0);
  for (const i of order) {
    if (left === 0) break;
    if (quotas[i] === counts[i]) continue;
    quotas[i]++;
    left--;
  }
  return quotas;
}

/** Deals a split into two disjoint ones: a seeded, stratified choice of n examples, and the rest. @throws ArgumentError */
export function divide(split: Split, n: number, seed: number): { chosen: Split; rest: Split } {
  if (n > split.size) {
    throw new ArgumentError({ operation: 'divide', required: `n must be at most the split's ${split.size} examples`, received: String(n) });
  }
  const indices = stratifiedIndices(split, n, seed);
  const taken = new Set(indices);
  const others = Int32Array.from({ length: split.size }, (_, i) => i).filter((i) => !taken.has(i));
  return { chosen: takeRows(split, indices), rest: takeRows(split, others) };
}
