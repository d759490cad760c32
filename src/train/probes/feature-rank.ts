/** How many directions the penultimate features use, watched. @module */
import { featureRank as rankOf } from '../../analysis/index.ts';
import type { BesideProbe } from '../probe.ts';
import { featureProbe, type FeatureProbeOptions } from './feature-probe.ts';

/**
 * RankMe (`rankme`), the decay exponent of the covariance's spectrum (`decay`, alpha-ReQ) and the participation ratio (`participation`) of
 * what the last product with a parameter reads, on the first `samples` (default 2,000) examples. Errors: see `featureRank`.
 */
export const featureRank = (options: FeatureProbeOptions = {}): BesideProbe => featureProbe('feature-rank', options, (features) => {
  const { rankMe, decay, participationRatio } = rankOf(features);
  return { rankme: rankMe, decay, participation: participationRatio };
});
