/** Neural collapse: do features of a class shrink to a point, and the points to a simplex? @module */
import { symmetricEigen } from '../../linalg/index.ts';
import type { Measurement } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import type { FeatureSet } from './collect.ts';
import { groupSums, merged, withSamplingError, type FeatureSums } from './moments.ts';

/** The four properties of Papyan, Han, Donoho (2020), each zero at full collapse. Errors by a jackknife over 10 groups of examples. */
export interface NeuralCollapse {
  /** NC1: tr(within-class covariance x pseudo-inverse of the between-class covariance) / classes. */
  readonly variability: Measurement;
  /** NC2: coefficient of variation of the lengths of the centred class means. */
  readonly equinorm: Measurement;
  /** NC2: standard deviation of the cosines between centred class means. */
  readonly equiangular: Measurement;
  /** NC2: mean of |cosine + 1 / (classes - 1)|: distance from the largest possible angles. */
  readonly maximalAngle: Measurement;
  /** NC3: squared distance between the normalised weights of the last layer and the normalised class means; absent without such weights. */
  readonly selfDuality?: Measurement;
  /** NC4: share of examples that the model and the nearest class mean put into different classes; absent without predictions. */
  readonly nearestMeanDisagreement?: Measurement;
}

/** Eigenvalues of the Gram matrix of class means below this share of the largest are the direction that centring removes. */
const NULL_SHARE = 1e-10;

/**
 * The neural-collapse numbers of features with labels. Class means are centred by the mean of the class means, which for classes of one size is the
 * global mean. @throws ArgumentError without labels, or when a class has no example in some nine tenths of the data; NonFiniteError.
 */
export function neuralCollapse(set: FeatureSet): NeuralCollapse {
  const { labels, size, classifier, predicted } = set;
  const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'neuralCollapse', required, received }); };
  if (labels === undefined) return refuse('features must have labels', 'none');
  const { groups, classes } = groupSums(set);
  if (classes < 2) return refuse('there must be at least two classes', String(classes));
  groups.forEach((left) => {
    const { counts } = merged(groups.filter((group) => group !== left || groups.length === 1));
    const empty = counts.findIndex((count) => count === 0);
    if (empty >= 0) refuse('every class must have examples in every nine tenths of the data', `too few of class ${empty}`);
  });
  const measured = (statistic: (means: ClassMeans, sums: FeatureSums) => number): Measurement =>
    withSamplingError(groups, (subset) => {
      const sums = merged(subset);
      return statistic(classMeans(sums, size), sums);
    });
  const whole = classMeans(merged(groups), size);
  const fits = classifier !== undefined && classifier.length === classes * size;
  return {
    variability: measured((means, sums) => variability(means, sums, size)),
    equinorm: measured(({ gram }) => variation(norms(gram, classes))),
    equiangular: measured(({ gram }) => deviation(cosines(gram, classes))),
    maximalAngle: measured(({ gram }) => mean(cosines(gram, classes).map((x) => Math.abs(x + 1 / (classes - 1))))),
    ...(fits && { selfDuality: measured(({ centred }) => normalisedDistance(classifier, centred)) }),
    ...(predicted && { nearestMeanDisagreement: disagreement(set, whole, predicted) }),
  };
}

interface ClassMeans {
  /** [classes, size] */
  readonly means: Float64Array;
  /** Minus their mean. */
  readonly centred: Float64Array;
  /** Inner products of the centred means, [classes, classes]. */
  readonly gram: Float64Array;
}

function classMeans({ classSums, counts }: FeatureSums, size: number): ClassMeans {
  const classes = counts.length;
  const means = classSums.map((x, at) => x / counts[Math.floor(at / size)]);
  const center = new Float64Array(size);
  means.forEach((x, at) => { center[at % size] += x / classes; });
  const centred = means.map((x, at) => x - center[at % size]);
  const gram = new Float64Array(classes * classes);
  for (let a = 0; a < classes; a++) for (let b = 0; b < classes; b++) for (let i = 0; i < size; i++) gram[a * classes + b] += centred[a * size + i] * centred[b * size + i];
  return { means, centred, gram };
}

/**
 * With M the centred means as columns, the between-class covariance is M M^T / classes and its pseudo-inverse classes M G^+ G^+ M^T with
 * G = M^T M: only products of the within-class covariance with the means are needed.
 */
function variability({ means, centred, gram }: ClassMeans, { products, counts }: FeatureSums, size: number): number {
  const classes = counts.length;
  const examples = counts.reduce((a, b) => a + b, 0);
  // M^T S M for S = sum h h^T, from its lower triangle.
  const applied = new Float64Array(classes * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const x = products[i * size + j];
      for (let c = 0; c < classes; c++) {
        applied[c * size + i] += x * centred[c * size + j];
        if (i !== j) applied[c * size + j] += x * centred[c * size + i];
      }
    }
  }
  const inner = (a: Float64Array, i: number, b: Float64Array, j: number): number => {
    let sum = 0;
    for (let at = 0; at < size; at++) sum += a[i * size + at] * b[j * size + at];
    return sum;
  };
  const within = new Float64Array(classes * classes);
  for (let a = 0; a < classes; a++) {
    for (let b = 0; b < classes; b++) {
      let between = 0;
      for (let c = 0; c < classes; c++) between += counts[c] * inner(centred, a, means, c) * inner(centred, b, means, c);
      within[a * classes + b] = (inner(centred, a, applied, b) - between) / examples;
    }
  }
  const { values, vectors } = symmetricEigen(gram, classes);
  const largest = values[classes - 1];
  let trace = 0;
  for (let k = 0; k < classes; k++) {
    if (values[k] <= largest * NULL_SHARE) continue;
    let quadratic = 0;
    for (let a = 0; a < classes; a++) for (let b = 0; b < classes; b++) quadratic += vectors[a * classes + k] * within[a * classes + b] * vectors[b * classes + k];
    trace += quadratic / values[k] ** 2;
  }
  // tr(Sigma_W Sigma_B^+) = classes x this.
  return trace;
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const deviation = (values: readonly number[]): number => Math.sqrt(mean(values.map((x) => (x - mean(values)) ** 2)));
const variation = (values: readonly number[]): number => deviation(values) / mean(values);

const norms = (gram: Float64Array, classes: number): number[] => Array.from({ length: classes }, (_, c) => Math.sqrt(gram[c * classes + c]));

function cosines(gram: Float64Array, classes: number): number[] {
  const lengths = norms(gram, classes);
  return lengths.flatMap((length, a) => lengths.slice(0, a).map((other, b) => gram[a * classes + b] / (length * other)));
}

function normalisedDistance(a: Float64Array, b: Float64Array): number {
  const length = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  const [lengthA, lengthB] = [length(a), length(b)];
  return a.reduce((sum, x, i) => sum + (x / lengthA - b[i] / lengthB) ** 2, 0);
}

function disagreement({ features, examples, size }: FeatureSet, { means }: ClassMeans, predicted: Int32Array): Measurement {
  const classes = means.length / size;
  let differing = 0;
  for (let example = 0; example < examples; example++) {
    let nearest = 0;
    let least = Infinity;
    for (let c = 0; c < classes; c++) {
      let distance = 0;
      for (let i = 0; i < size; i++) distance += (features[example * size + i] - means[c * size + i]) ** 2;
      if (distance < least) [nearest, least] = [c, distance];
    }
    if (nearest !== predicted[example]) differing++;
  }
  const value = differing / examples;
  return { value, error: examples > 1 ? Math.sqrt((value * (1 - value)) / (examples - 1)) : NaN, kind: 'standard error', samples: examples };
}
