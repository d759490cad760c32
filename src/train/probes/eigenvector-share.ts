/** On which weights the Hessian's top eigenvector lies. @module */
import type { BesideProbe } from '../probe.ts';
import { hessianProbe } from './hessian-probe.ts';
import { movingSearch } from './moving-search.ts';
import type { SharpnessProbeOptions } from './sharpness.ts';

export interface EigenvectorShareOptions extends SharpnessProbeOptions {
  /** Whether a weight belongs: by the name of its parameter (`layers.0.weight`) and its place in it, row-major. */
  readonly belongs: (name: string, index: number) => boolean;
}

/**
 * sum_{i in part} v_i^2 of the Hessian's unit top eigenvector v, every 20 steps (``), with the largest eigenvalue itself (`eigenvalue`), searched
 * as `sharpness` does. The error of the share bounds what the eigenvector's own error does; it supposes a simple eigenvalue.
 */
export const eigenvectorShare = ({ belongs, every = 20, tolerance = 1e-3, ...examples }: EigenvectorShareOptions): BesideProbe => ({
  where: 'beside', name: 'eigenvector-share', every,
  prepare: (setting) => hessianProbe(setting, examples, (_, space) => {
    // Two pairs: without a second eigenvalue nothing bounds the angle to the first one's vector.
    const search = movingSearch({ ...setting, count: 2, tolerance });
    const isPart = space.ranges.flatMap(({ name, size }) => Array.from({ length: size }, (_, index) => belongs(name, index)));
    return {
      search,
      async measure({ operator, moment, replica }) {
        const { largest: [{ value, error, kind, vector, vectorError }], cost } = await search.find(operator, replica, moment.step);
        const share = vector.reduce((sum, x, i) => (isPart[i] ? sum + x * x : sum), 0);
        // The share is |P v|^2 of a projection P: an angle t between v and the truth changes it by at most sin t.
        return { '': { value: share, error: vectorError, kind: 'bound' }, eigenvalue: { value, error, kind, cost } };
      },
    };
  }),
});
