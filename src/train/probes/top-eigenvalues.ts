/** The largest eigenvalues of the Hessian, watched. @module */
import type { BesideProbe } from '../probe.ts';
import { hessianProbe } from './hessian-probe.ts';
import { movingSearch } from './moving-search.ts';
import type { SharpnessProbeOptions } from './sharpness.ts';

export interface TopEigenvaluesOptions extends SharpnessProbeOptions {
  /** How many. Default 5. */
  readonly count?: number | undefined;
}

/** The `count` algebraically largest eigenvalues of the Hessian every 100 steps, as `sharpness` finds one: columns `1`, `2`, ... */
export const topEigenvalues = ({ every = 100, tolerance = 1e-2, count = 5, ...examples }: TopEigenvaluesOptions = {}): BesideProbe => ({
  where: 'beside', name: 'top-eigenvalues', every,
  prepare: (setting) => hessianProbe(setting, examples, () => {
    const search = movingSearch({ ...setting, count, tolerance });
    return {
      search,
      async measure({ operator, moment, replica }) {
        const { largest, cost } = await search.find(operator, replica, moment.step);
        return Object.fromEntries(largest.map(({ value, error, kind }, i) => [String(i + 1), { value, error, kind, ...(i === 0 && { cost }) }]));
      },
    };
  }),
});
