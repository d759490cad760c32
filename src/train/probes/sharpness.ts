/** The largest eigenvalue of the Hessian, watched. @module */
import type { BesideProbe } from '../probe.ts';
import { hessianProbe, type HessianProbeOptions } from './hessian-probe.ts';
import { movingSearch } from './moving-search.ts';

export interface SharpnessProbeOptions extends HessianProbeOptions {
  /** Residual norm asked for, relative to the eigenvalue. Default 1e-3. */
  readonly tolerance?: number | undefined;
}

/**
 * lambda_max(H) of the mean loss over the first `samples` examples (default: all) every 20 steps, in eval mode: Lanczos, started from the
 * last measurement's vector. The error bounds the distance to an eigenvalue of that Hessian.
 */
export const sharpness = ({ every = 20, tolerance = 1e-3, ...examples }: SharpnessProbeOptions = {}): BesideProbe => ({
  where: 'beside', name: 'sharpness', every,
  prepare: (setting) => hessianProbe(setting, examples, () => {
    const search = movingSearch({ ...setting, count: 1, tolerance });
    return {
      search,
      async measure({ operator, moment, replica }) {
        const { largest: [{ value, error, kind }], cost } = await search.find(operator, replica, moment.step);
        return { '': { value, error, kind, cost } };
      },
    };
  }),
});
