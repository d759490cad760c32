/** The effective rank of each weight matrix, watched. @module */
import type { NDArray } from '../../core/ndarray.ts';
import { spectrumSolver, weightMatrices } from '../../analysis/index.ts';
import { rounded, type Measurement } from '../../problem/index.ts';
import { flatten } from '../../tree/index.ts';
import type { BesideProbe } from '../probe.ts';

export interface WeightRankOptions {
  /** Default 200. */
  readonly every?: number | undefined;
}

/** exp of the entropy of the singular values' shares (Roy, Vetterli 2007); 1 to the smaller side; NaN for a matrix of zeros. */
function effectiveRank(squares: Float64Array): number {
  const singular = squares.map(Math.sqrt);
  const total = singular.reduce((sum, x) => sum + x, 0);
  return Math.exp(singular.reduce((entropy, x) => (x > 0 ? entropy - (x / total) * Math.log(x / total) : entropy), total > 0 ? 0 : NaN));
}

/** The rank with the difference that the rounding of the squared singular values makes to it. */
function measuredRank(squares: Float64Array, error: number): Measurement {
  const value = effectiveRank(squares);
  const [more, fewer] = [effectiveRank(squares.map((x) => x + error)), effectiveRank(squares.map((x) => Math.max(0, x - error)))];
  return rounded(value, Math.max(Math.abs(more - value), Math.abs(fewer - value)));
}

/**
 * Effective rank of each parameter with two axes or more, by its name: exp of the entropy of the shares of its singular values (Roy,
 * Vetterli 2007). Kernels of convolutions are matrices [outputs, inputs x window]. Cost: a Gram matrix and its eigenvalues each.
 */
export const weightRank = ({ every = 200 }: WeightRankOptions = {}): BesideProbe => ({
  where: 'beside', name: 'weight-rank', every,
  prepare({ executor, start, signal }) {
    const solver = spectrumSolver({ ...(executor && { executor }), pause: () => Promise.resolve(signal?.throwIfAborted()) });
    const { leaves, structure } = flatten<NDArray>(start.params);
    const plans = leaves.flatMap(({ shape }, leaf) => weightMatrices(structure.paths[leaf], shape, { convolutions: ['reshaped'] }).map((plan) => ({ leaf, plan })));
    return {
      async measure({ params }) {
        const arrays = flatten<NDArray>(params).leaves;
        const out: Record<string, Measurement> = {};
        for (const { leaf, plan } of plans) {
          const { eigenvalues, error } = await solver.solve(plan.matrix(0, arrays[leaf]));
          out[plan.tensor] = measuredRank(eigenvalues, error);
        }
        return out;
      },
      dispose: () => solver.dispose(),
    };
  },
});
