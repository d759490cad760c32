/** Neural collapse, watched. @module */
import { featureCollector, neuralCollapse as collapseOf } from '../../analysis/index.ts';
import type { BesideProbe } from '../probe.ts';
import type { FeatureProbeOptions } from './feature-rank.ts';
import { evaluatedOf } from './points.ts';

/**
 * The four properties of Papyan, Han, Donoho (2020) of the penultimate features of the first `samples` (default 2,000) examples: `nc1`
 * (variability), `nc2-equinorm`, `nc2-equiangular`, `nc2-angle`, and where they exist `nc3` (self-duality) and `nc4` (disagreement with
 * the nearest class mean). All tend to zero. Definitions and errors: see `neuralCollapse`.
 */
export const neuralCollapse = ({ every = 200, samples = 2000, ...examples }: FeatureProbeOptions = {}): BesideProbe => ({
  where: 'beside', name: 'neural-collapse', every,
  prepare(setting) {
    const { problem, executor, split } = evaluatedOf(setting, { samples, ...examples });
    const collector = featureCollector(problem, setting.start, { split, ...(executor && { executor }) });
    return {
      async measure(moment) {
        const { variability, equinorm, equiangular, maximalAngle, selfDuality, nearestMeanDisagreement } = collapseOf(await collector.collect(moment));
        return {
          nc1: variability, 'nc2-equinorm': equinorm, 'nc2-equiangular': equiangular, 'nc2-angle': maximalAngle,
          ...(selfDuality && { nc3: selfDuality }), ...(nearestMeanDisagreement && { nc4: nearestMeanDisagreement }),
        };
      },
      dispose: () => collector.dispose(),
    };
  },
});
