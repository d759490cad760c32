/** How far the gradient points along the Hessian's sharpest directions. @module */
import type { NDArray } from '../../core/ndarray.ts';
import { dot, norm } from '../../curvature/basis.ts';
import type { BesideProbe } from '../probe.ts';
import { hessianProbe } from './hessian-probe.ts';
import { movingSearch } from './moving-search.ts';
import { movingGradient } from './points.ts';
import type { SharpnessProbeOptions } from './sharpness.ts';

export interface GradientAlignmentOptions extends SharpnessProbeOptions {
  /** Eigenvectors whose span `share` looks at. Default 1. */
  readonly count?: number | undefined;
}

/**
 * |cos| of the gradient and the Hessian's top eigenvector, both of the mean loss over the chosen examples (``), and the share of |g|^2
 * within the span of the top `count` of them (`share`; Gur-Ari, Roberts, Dyer 2018). Errors bound what the eigenvectors' own errors do.
 */
export const gradientAlignment = ({ every = 20, tolerance = 1e-3, count = 1, ...examples }: GradientAlignmentOptions = {}): BesideProbe => ({
  where: 'beside', name: 'gradient-alignment', every,
  prepare: (setting) => hessianProbe(setting, examples, (evaluated, space) => {
    const search = movingSearch({ ...setting, count, tolerance });
    const gradients = movingGradient(evaluated);
    return {
      search,
      async measure({ operator, moment, replica }) {
        const gradient = space.join((await gradients.at(moment)) as unknown as NDArray[]);
        const length = norm(gradient);
        const { largest, cost } = await search.find(operator, replica, moment.step);
        const cosines = largest.map(({ vector }) => Math.abs(dot(gradient, vector)) / length);
        // Unit vectors at an angle t are |2 sin(t / 2)| <= sqrt 2 sin t apart; a span turns by at most the angles of its vectors together.
        const errors = largest.map(({ vectorError }) => Math.SQRT2 * vectorError);
        return {
          '': { value: cosines[0], error: errors[0], kind: 'bound', cost },
          share: { value: cosines.reduce((sum, x) => sum + x * x, 0), error: Math.min(1, 2 * errors.reduce((sum, x) => sum + x, 0)), kind: 'bound' },
        };
      },
      dispose: () => gradients.dispose(),
    };
  }),
});
