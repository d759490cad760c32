/** Sums over examples from which the geometry of features follows, kept by group for the jackknife. @module */
import { jackknifed, type Measurement } from '../../problem/index.ts';
import { ArgumentError, NonFiniteError } from '../../util/errors.ts';
import type { FeatureSet } from './collect.ts';

/** Sums over the examples of a group. */
export interface FeatureSums {
  /** Sum of h h^T, the lower triangle, [size, size]. */
  readonly products: Float64Array;
  /** Sum of h by class, [classes, size]; one class where there are no labels. */
  readonly classSums: Float64Array;
  /** Examples by class. */
  readonly counts: Float64Array;
}

/** Groups that the jackknife leaves out in turn. */
const GROUPS = 10;

/**
 * Sums of 10 interleaved groups of examples (fewer where there are fewer examples). examples * size^2 / 2 multiplications.
 * @throws NonFiniteError when a feature is not finite; ArgumentError when there are no examples.
 */
export function groupSums({ features, examples, size, labels }: FeatureSet): { groups: FeatureSums[]; classes: number } {
  if (examples === 0 || size === 0) throw new ArgumentError({ operation: 'groupSums', required: 'there must be features', received: `${examples} examples of ${size}` });
  const bad = features.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new NonFiniteError({ operation: 'groupSums', required: 'features must be finite', received: `${features[bad]} at [${Math.floor(bad / size)},${bad % size}]` });
  const classes = labels === undefined ? 1 : labels.reduce((a, b) => Math.max(a, b), 0) + 1;
  const count = Math.min(GROUPS, examples);
  const groups = Array.from({ length: count }, (): FeatureSums => ({ products: new Float64Array(size * size), classSums: new Float64Array(classes * size), counts: new Float64Array(classes) }));
  for (let example = 0; example < examples; example++) {
    const { products, classSums, counts } = groups[example % count];
    const row = features.subarray(example * size, (example + 1) * size);
    const label = labels?.[example] ?? 0;
    counts[label]++;
    for (let i = 0; i < size; i++) {
      const x = row[i];
      classSums[label * size + i] += x;
      // Half of the features of a network with rectifiers are zero.
      if (x !== 0) for (let j = 0; j <= i; j++) products[i * size + j] += x * row[j];
    }
  }
  return { groups, classes };
}

/** The sums of several groups together. */
export function merged(groups: readonly FeatureSums[]): FeatureSums {
  const total = (pick: (group: FeatureSums) => Float64Array): Float64Array => {
    const out = pick(groups[0]).slice();
    for (const group of groups.slice(1)) pick(group).forEach((x, i) => { out[i] += x; });
    return out;
  };
  return { products: total(({ products }) => products), classSums: total(({ classSums }) => classSums), counts: total(({ counts }) => counts) };
}

/** Number of examples and their mean. */
export function meanOfAll({ classSums, counts }: FeatureSums): { examples: number; mean: Float64Array } {
  const size = classSums.length / counts.length;
  const examples = counts.reduce((a, b) => a + b, 0);
  const mean = new Float64Array(size);
  classSums.forEach((x, at) => { mean[at % size] += x / examples; });
  return { examples, mean };
}

/**
 * A statistic of all groups together, as its definition says, with the jackknife's standard error: that of the examples as a sample. The
 * jackknife's correction of bias is not applied, so that the value is the one that other tools compute.
 */
export const withSamplingError = (groups: readonly FeatureSums[], statistic: (groups: readonly FeatureSums[]) => number): Measurement =>
  ({ ...jackknifed(groups, statistic), value: statistic(groups) });
