/** The trace of the Hessian, watched. @module */
import { hutchinsonTrace } from '../../curvature/index.ts';
import type { BesideProbe } from '../probe.ts';
import { hessianProbe, type HessianProbeOptions } from './hessian-probe.ts';

export interface HessianTraceOptions extends HessianProbeOptions {
  /** Random vectors, a product each. Default 16. */
  readonly vectors?: number | undefined;
}

/**
 * tr H by Hutchinson's estimate every 100 steps, with its standard error over the random vectors. These are the same at every measurement, so
 * that differences in time are less noisy than the values.
 */
export const hessianTrace = ({ every = 100, vectors = 16, ...examples }: HessianTraceOptions = {}): BesideProbe => ({
  where: 'beside', name: 'hessian-trace', every,
  prepare: (setting) => hessianProbe(setting, examples, () => ({
    async measure({ operator }) {
      const { value, error, kind, samples, cost } = await hutchinsonTrace(operator, { probes: vectors, key: setting.key, ...(setting.signal && { signal: setting.signal }) });
      return { '': { value, error, kind, ...(samples !== undefined && { samples }), cost } };
    },
  })),
});
