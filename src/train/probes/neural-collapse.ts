/** Neural collapse, watched. @module */
import { neuralCollapse as collapseOf } from '../../analysis/index.ts';
import type { BesideProbe } from '../probe.ts';
import { featureProbe, type FeatureProbeOptions } from './feature-probe.ts';

/**
 * The four properties of Papyan, Han, Donoho (2020) of the penultimate features of the first `samples` (default 2,000) examples: `nc1`
 * (variability), `nc2-equinorm`, `nc2-equiangular`, `nc2-angle`, and where they exist `nc3` (self-duality) and `nc4` (disagreement with
 * the nearest class mean). All tend to zero. Definitions and errors: see `neuralCollapse`.
 */
export const neuralCollapse = (options: FeatureProbeOptions = {}): BesideProbe => featureProbe('neural-collapse', options, (features) => {
  const { variability, equinorm, equiangular, maximalAngle, selfDuality, nearestMeanDisagreement } = collapseOf(features);
  return {
    nc1: variability, 'nc2-equinorm': equinorm, 'nc2-equiangular': equiangular, 'nc2-angle': maximalAngle,
    ...(selfDuality && { nc3: selfDuality }), ...(nearestMeanDisagreement && { nc4: nearestMeanDisagreement }),
  };
});
