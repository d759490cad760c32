/** How many directions features use: RankMe, the decay of their spectrum, the participation ratio. @module */
import { symmetricEigenvalues } from '../../linalg/index.ts';
import type { Measurement } from '../../problem/index.ts';
import type { FeatureSet } from './collect.ts';
import { groupSums, meanOfAll, merged, withSamplingError, type FeatureSums } from './moments.ts';

/** Effective dimensions of features. Errors are those of the examples as a sample, by a jackknife over 10 groups. */
export interface FeatureRank {
  /** exp of the entropy of the singular values' shares (Garrido et al. 2023), features not centred. */
  readonly rankMe: Measurement;
  /** Exponent of the decay of the covariance's eigenvalues with their rank (alpha-ReQ, Agrawal et al. 2022); NaN where fewer than three eigenvalues lie in the range. */
  readonly decay: Measurement;
  /** (sum of eigenvalues)^2 / sum of squares, of the covariance. */
  readonly participationRatio: Measurement;
  /** Eigenvalues of the covariance, descending. */
  readonly eigenvalues: Float64Array;
  /** Ranks that the decay was fitted over, from 1. */
  readonly range: readonly [number, number];
}

/** RankMe's offset of each share. */
const SHARE_OFFSET = 1e-7;
/** Eigenvalues below this share of the largest are rounding. */
const FLOOR = 1e-12;
/** The decay is fitted from here on: the first few are classes and means. */
const FIRST_RANK = 5;
const LAST_RANK = 500;

export interface FeatureRankOptions {
  /** Ranks over which the decay is fitted. Default: 5 to half of the eigenvalues that are not rounding, at most 500. */
  readonly range?: readonly [number, number];
}

/** Effective ranks of features. Eleven eigenvalue problems of the features' size, twice: 2 s at 512. @throws NonFiniteError, ArgumentError */
export function featureRank(features: FeatureSet, options: FeatureRankOptions = {}): FeatureRank {
  const { size } = features;
  const { groups } = groupSums({ ...features, labels: undefined });
  const eigenvalues = covarianceEigenvalues(merged(groups), size);
  const positive = eigenvalues.filter((x) => x > eigenvalues[0] * FLOOR).length;
  const range = options.range ?? [FIRST_RANK, Math.min(LAST_RANK, Math.floor(positive / 2))] as const;
  // One decomposition of each subset of groups serves both numbers of the covariance.
  const known = new Map<string, Float64Array>();
  const spectrumOf = (subset: readonly FeatureSums[]): Float64Array => {
    const name = subset.map((group) => groups.indexOf(group)).join(' ');
    let spectrum = known.get(name);
    if (spectrum === undefined) known.set(name, (spectrum = covarianceEigenvalues(merged(subset), size)));
    return spectrum;
  };
  return {
    rankMe: withSamplingError(groups, (subset) => rankMeOf(merged(subset), size)),
    decay: withSamplingError(groups, (subset) => decayOf(spectrumOf(subset), range)),
    participationRatio: withSamplingError(groups, (subset) => participation(spectrumOf(subset))),
    eigenvalues, range,
  };
}

const descending = (values: Float64Array): Float64Array => values.map((x) => Math.max(0, x)).reverse();

function covarianceEigenvalues(sums: FeatureSums, size: number): Float64Array {
  const { examples, mean } = meanOfAll(sums);
  const covariance = sums.products.map((x, at) => x / examples - mean[Math.floor(at / size)] * mean[at % size]);
  return descending(symmetricEigenvalues(covariance, size, { overwrite: true }));
}

function rankMeOf({ products }: FeatureSums, size: number): number {
  const singular = descending(symmetricEigenvalues(products, size)).map(Math.sqrt);
  const total = singular.reduce((a, b) => a + b, 0);
  return Math.exp(-singular.reduce((sum, x) => {
    const share = x / total + SHARE_OFFSET;
    return sum + share * Math.log(share);
  }, 0));
}

/** Slope of ln eigenvalue against ln rank, weighted by 1 / rank so that every factor of ranks counts alike. */
function decayOf(eigenvalues: Float64Array, [first, last]: readonly [number, number]): number {
  let [weight, meanX, meanY] = [0, 0, 0];
  const points = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i).filter((rank) => eigenvalues[rank - 1] > 0);
  if (points.length < 3) return NaN;
  for (const rank of points) {
    weight += 1 / rank;
    meanX += Math.log(rank) / rank;
    meanY += Math.log(eigenvalues[rank - 1]) / rank;
  }
  meanX /= weight;
  meanY /= weight;
  let [covariance, variance] = [0, 0];
  for (const rank of points) {
    covariance += ((Math.log(rank) - meanX) * (Math.log(eigenvalues[rank - 1]) - meanY)) / rank;
    variance += (Math.log(rank) - meanX) ** 2 / rank;
  }
  return -covariance / variance;
}

const participation = (eigenvalues: Float64Array): number =>
  eigenvalues.reduce((a, b) => a + b, 0) ** 2 / eigenvalues.reduce((sum, x) => sum + x * x, 0);
