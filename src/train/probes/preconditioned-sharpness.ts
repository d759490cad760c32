/** The largest eigenvalue of the Hessian as an adaptive method sees it. @module */
import { scalar, type NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { diagonalPreconditioner, preconditioned } from '../../curvature/index.ts';
import { compile } from '../../transforms/index.ts';
import { leaves } from '../../tree/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import type { BesideProbe } from '../probe.ts';
import { hessianProbe } from './hessian-probe.ts';
import { movingSearch } from './moving-search.ts';
import type { SharpnessProbeOptions } from './sharpness.ts';

/**
 * lambda_max(P^-1 H), P the diagonal that the optimizer divides by (`preconditioner`; Cohen et al. 2022), every 20 steps: that of
 * P^-1/2 H P^-1/2, else as `sharpness`. NaN at step 0, where the optimizer has no P yet.
 * @throws ArgumentError (when prepared) if the optimizer does not precondition by a diagonal.
 */
export const preconditionedSharpness = ({ every = 20, tolerance = 1e-3, ...examples }: SharpnessProbeOptions = {}): BesideProbe => ({
  where: 'beside', name: 'preconditioned-sharpness', every,
  prepare(setting) {
    const { optimizer, executor } = setting;
    if (optimizer.preconditioner === undefined) {
      throw new ArgumentError({ operation: 'preconditionedSharpness', required: 'the optimizer must divide gradients by a diagonal', received: `'${optimizer.name}', which has no preconditioner`, remedy: 'sharpness' });
    }
    return hessianProbe(setting, examples, ({ dtype }, space) => {
      const diagonal = compile((memory: unknown, step: Tensor) => leaves<Tensor>(optimizer.preconditioner!(memory, step)), { name: `preconditioner of ${optimizer.name}`, ...(executor && { executor }) });
      const search = movingSearch({ ...setting, count: 1, tolerance });
      return {
        search,
        async measure({ operator, moment: { step, memory }, replica }) {
          if (step === 0) return { '': { value: NaN, error: NaN, kind: 'bound' } };
          const divisors = space.join((await diagonal(memory as never, scalar(step, dtype))) as NDArray[]);
          const { largest: [{ value, error, kind }], cost } = await search.find(preconditioned(operator, diagonalPreconditioner(divisors)), replica, step);
          return { '': { value, error, kind, cost } };
        },
        dispose: () => diagonal.dispose(),
      };
    });
  },
});
