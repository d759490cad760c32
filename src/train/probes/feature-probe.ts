/** What probes of the penultimate features share. @module */
import { featureCollector, type FeatureSet } from '../../analysis/index.ts';
import type { BesideProbe, Measured } from '../probe.ts';
import { evaluatedOf, type ExampleOptions } from './points.ts';

export interface FeatureProbeOptions extends ExampleOptions {
  /** Default 200. */
  readonly every?: number | undefined;
}

/** A probe of what the last product with a parameter reads, on the first `samples` (default 2,000) examples. */
export const featureProbe = (name: string, { every = 200, samples = 2000, ...examples }: FeatureProbeOptions, measure: (features: FeatureSet) => Measured): BesideProbe => ({
  where: 'beside', name, every,
  prepare(setting) {
    const { problem, executor, split } = evaluatedOf(setting, { samples, ...examples });
    const collector = featureCollector(problem, setting.start, { split, ...(executor && { executor }) });
    return { measure: async (moment) => measure(await collector.collect(moment)), dispose: () => collector.dispose() };
  },
});
