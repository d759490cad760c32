/** How many directions the penultimate features use, watched. @module */
import { featureCollector, featureRank as rankOf } from '../../analysis/index.ts';
import type { BesideProbe } from '../probe.ts';
import { evaluatedOf, type ExampleOptions } from './points.ts';

export interface FeatureProbeOptions extends ExampleOptions {
  /** Default 200. */
  readonly every?: number | undefined;
}

/**
 * RankMe (`rankme`), the decay exponent of the covariance's spectrum (`decay`, alpha-ReQ) and the participation ratio (`participation`) of
 * what the last product with a parameter reads, on the first `samples` (default 2,000) examples. Errors: see `featureRank`.
 */
export const featureRank = ({ every = 200, samples = 2000, ...examples }: FeatureProbeOptions = {}): BesideProbe => ({
  where: 'beside', name: 'feature-rank', every,
  prepare(setting) {
    const { problem, executor, split } = evaluatedOf(setting, { samples, ...examples });
    const collector = featureCollector(problem, setting.start, { split, ...(executor && { executor }) });
    return {
      async measure(moment) {
        const { rankMe, decay, participationRatio } = rankOf(await collector.collect(moment));
        return { rankme: rankMe, decay, participation: participationRatio };
      },
      dispose: () => collector.dispose(),
    };
  },
});
