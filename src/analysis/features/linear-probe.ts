/** A linear classifier on frozen features, in closed form. @module */
import { symmetricEigen } from '../../linalg/index.ts';
import type { Measurement } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { wilsonInterval } from '../../util/wilson-interval.ts';
import type { FeatureSet } from './collect.ts';
import { groupSums, meanOfAll, merged } from './moments.ts';

/** A share of examples with its 95 % score interval (Wilson 1927), which is honest near zero and one. */
export interface Accuracy extends Measurement {
  readonly interval: readonly [number, number];
}

/** A fitted probe and how well it does. */
export interface LinearProbe {
  /** On the features it was fitted to. */
  readonly trainAccuracy: Accuracy;
  /** On features it has not seen, where given. */
  readonly testAccuracy?: Accuracy;
  /** The penalty used, relative to the mean variance of the features (standardised, where they are). */
  readonly ridge: number;
  /** Directions that the penalty leaves free. */
  readonly degreesOfFreedom: number;
  /** Weights [classes, size] and intercepts [classes] on the features as they are. */
  readonly weights: Float64Array;
  readonly intercepts: Float64Array;
}

export interface LinearProbeOptions {
  /** Features that are only predicted. */
  readonly test?: FeatureSet;
  /** Penalty relative to the mean variance (of the standardised features, where they are). Default: the one of 10^-6 ... 10^2 with the least generalised cross-validation error. */
  readonly ridge?: number;
  /** Divides each feature by its standard deviation over the train examples first, so that the penalty is the same for all; constant ones count nothing. Default false. */
  readonly standardize?: boolean;
}

/** Features that vary by less of their size than this are constant. */
const CONSTANT = 1e-12;

/** Relative penalties tried: half decades. */
const PENALTIES = Array.from({ length: 17 }, (_, i) => 10 ** (-6 + i / 2));

/**
 * Ridge regression of the one-hot labels on centred features (Golub, Heath, Wahba 1979, for the choice of the penalty), read by its largest output.
 * One eigendecomposition of the features' size: 2 s at 512. @throws ArgumentError without labels, or when test features have another size; NonFiniteError.
 */
export function linearProbe(train: FeatureSet, { test, ridge, standardize = false }: LinearProbeOptions = {}): LinearProbe {
  const { labels, size } = train;
  const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'linearProbe', required, received }); };
  if (labels === undefined) return refuse('features must have labels', 'none');
  if (test !== undefined && (test.size !== size || test.labels === undefined)) return refuse(`test features must have labels and size ${size}`, `size ${test.size}`);
  if (ridge !== undefined && !(ridge >= 0)) return refuse('ridge must be at least 0', String(ridge));
  const { groups, classes } = groupSums(train);
  const sums = merged(groups);
  const { examples, mean } = meanOfAll(sums);
  const covariance = new Float64Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) covariance[i * size + j] = covariance[j * size + i] = sums.products[i * size + j] / examples - mean[i] * mean[j];
  const factors = Float64Array.from({ length: size }, (_, i) => {
    const variance = covariance[i * size + i];
    return !standardize ? 1 : variance > CONSTANT * (variance + mean[i] ** 2) ? 1 / Math.sqrt(variance) : 0;
  });
  covariance.forEach((x, at) => { covariance[at] = x * factors[Math.floor(at / size)] * factors[at % size]; });
  const { values, vectors } = symmetricEigen(covariance, size);
  const shares = sums.counts.map((count) => count / examples);
  // Cross-covariance of features and centred one-hot labels, in the eigenbasis: [size, classes].
  const cross = new Float64Array(size * classes);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < classes; c++) {
      const x = factors[i] * (sums.classSums[c * size + i] / examples - mean[i] * shares[c]);
      for (let k = 0; k < size; k++) cross[k * classes + c] += vectors[i * size + k] * x;
    }
  }
  const scale = Math.max(0, values.reduce((a, b) => a + b, 0) / size);
  const total = shares.reduce((sum, p) => sum + p * (1 - p), 0);
  const positive = values.map((x) => Math.max(0, x));
  const ofPenalty = (relative: number): { relative: number; error: number; freedom: number } => {
    const penalty = relative * scale;
    let freedom = 1;
    let residual = total;
    for (let k = 0; k < size; k++) {
      const inverse = positive[k] + penalty > 0 ? 1 / (positive[k] + penalty) : 0;
      freedom += positive[k] * inverse;
      for (let c = 0; c < classes; c++) residual -= cross[k * classes + c] ** 2 * (2 * inverse - positive[k] * inverse ** 2);
    }
    return { relative, freedom, error: freedom < examples ? residual / (1 - freedom / examples) ** 2 : Infinity };
  };
  const best = ridge === undefined ? PENALTIES.map(ofPenalty).reduce((a, b) => (b.error < a.error ? b : a)) : ofPenalty(ridge);
  const weights = new Float64Array(classes * size);
  for (let k = 0; k < size; k++) {
    const denominator = positive[k] + best.relative * scale;
    // Without a penalty, directions in which the features do not vary get no weight.
    if (denominator <= 1e-14 * positive[size - 1]) continue;
    for (let c = 0; c < classes; c++) for (let i = 0; i < size; i++) weights[c * size + i] += (factors[i] * vectors[i * size + k] * cross[k * classes + c]) / denominator;
  }
  const intercepts = shares.map((share, c) => share - mean.reduce((sum, x, i) => sum + x * weights[c * size + i], 0));
  return {
    trainAccuracy: accuracyOf(train, weights, intercepts), ...(test && { testAccuracy: accuracyOf(test, weights, intercepts) }),
    ridge: best.relative, degreesOfFreedom: best.freedom, weights, intercepts,
  };
}

function accuracyOf({ features, examples, size, labels }: FeatureSet, weights: Float64Array, intercepts: Float64Array): Accuracy {
  let correct = 0;
  for (let example = 0; example < examples; example++) {
    let best = 0;
    let largest = -Infinity;
    for (let c = 0; c < intercepts.length; c++) {
      let output = intercepts[c];
      for (let i = 0; i < size; i++) output += weights[c * size + i] * features[example * size + i];
      if (output > largest) [best, largest] = [c, output];
    }
    if (best === labels![example]) correct++;
  }
  return shareOf(correct, examples);
}

/** So many of so many, as a measurement. */
export function shareOf(correct: number, examples: number): Accuracy {
  const value = correct / examples;
  return { value, error: examples > 1 ? Math.sqrt((value * (1 - value)) / (examples - 1)) : NaN, kind: 'standard error', samples: examples, interval: wilsonInterval(correct, examples) };
}
