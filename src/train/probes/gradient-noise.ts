/** How noisy the gradients of batches are, watched. @module */
import type { NDArray } from '../../core/ndarray.ts';
import { noiseStatistics } from '../../curvature/index.ts';
import { ParameterSpace } from '../../problem/index.ts';
import { requireInteger } from '../../util/require.ts';
import type { BesideProbe } from '../probe.ts';
import { evaluatedOf, movingGradient, type ExampleOptions } from './points.ts';

export interface GradientNoiseProbeOptions extends ExampleOptions {
  /** Default 100. */
  readonly every?: number | undefined;
  /** Groups of examples, whose gradients are kept during a measurement. Default 50, or the number of examples. */
  readonly groups?: number | undefined;
}

/**
 * The simple noise scale tr(Sigma) / |G|^2 (``; McCandlish et al. 2018) with its two parts (`covariance-trace`, `squared-norm`) over the
 * first `samples` (default 2,000) examples: `gradientNoise`, with programs kept. Standard errors by the jackknife over groups.
 */
export const gradientNoise = ({ every = 100, groups = 50, samples = 2000, ...examples }: GradientNoiseProbeOptions = {}): BesideProbe => ({
  where: 'beside', name: 'gradient-noise', every,
  prepare(setting) {
    const evaluated = evaluatedOf(setting, { samples, ...examples });
    const space = new ParameterSpace(setting.start.params);
    const count = requireInteger('gradientNoise', 'groups', Math.min(groups, evaluated.split.size), 2);
    const size = Math.floor(evaluated.split.size / count);
    const gradients = movingGradient(evaluated, size);
    return {
      async measure(moment) {
        const start = performance.now();
        const kept: Float64Array[] = [];
        await gradients.each(moment, (part, _, examplesOfPart) => {
          if (examplesOfPart === size && kept.length < count) kept.push(space.join(part as unknown as NDArray[]).map((x) => x / size));
        });
        const { noiseScale, covarianceTrace, squaredNorm } = noiseStatistics(kept, size);
        return { '': { ...noiseScale, cost: { products: 0, seconds: (performance.now() - start) / 1000 } }, 'covariance-trace': covarianceTrace, 'squared-norm': squaredNorm };
      },
      dispose: () => gradients.dispose(),
    };
  },
});
