/** The largest eigenvalue of the tangent kernel, watched. @module */
import { matrixOperator } from '../../curvature/index.ts';
import { ntkEvaluator, type EmpiricalKernel } from '../../kernels/index.ts';
import type { BesideProbe, Measured, Moment, PreparedProbe, ProbeSetting } from '../probe.ts';
import { movingSearch } from './moving-search.ts';
import { evaluatedOf, type ExampleOptions } from './points.ts';

export interface KernelEigenvalueOptions extends ExampleOptions {
  /** Default 100. */
  readonly every?: number | undefined;
  /** The kernel of all pairs of outputs, or its mean over outputs. Default `full`. */
  readonly outputs?: 'full' | 'mean' | undefined;
}

/** A kernel [n, n, o, o] as a matrix over pairs of example and output [n o, n o]; [n, n] as it is. */
function kernelMatrix({ values, shape: [n, , o = 1] }: EmpiricalKernel): Float64Array {
  if (o === 1) return values;
  const side = n * o;
  const matrix = new Float64Array(side * side);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) for (let a = 0; a < o; a++) for (let b = 0; b < o; b++) {
    matrix[(i * o + a) * side + j * o + b] = values[((i * n + j) * o + a) * o + b];
  }
  return matrix;
}

/**
 * lambda_max of the empirical tangent kernel J J' between the first `samples` (default 64) examples. The error bounds the distance to an
 * eigenvalue: the residual of the search and the rounding of the kernel's entries. With mean squared error over n examples and o
 * outputs, 2 lambda / (n o) is the largest eigenvalue of the Gauss-Newton matrix.
 */
export const kernelEigenvalue = ({ every = 100, outputs = 'full', samples = 64, ...examples }: KernelEigenvalueOptions = {}): BesideProbe => ({
  where: 'beside', name: 'kernel-eigenvalue', every,
  prepare<P, State>(setting: ProbeSetting<P, State>): PreparedProbe<P, State> {
    const { problem, executor, split } = evaluatedOf(setting, { samples, ...examples });
    const evaluator = ntkEvaluator(problem, setting.start, split.inputs, undefined, { outputs, ...(executor && { executor }), ...(setting.signal && { signal: setting.signal }) });
    const search = movingSearch({ ...setting, count: 1, tolerance: 1e-4 });
    const measure = async (moment: Moment<P, State>): Promise<Measured> => {
      const kernel = await evaluator.evaluate(moment);
      const matrix = kernelMatrix(kernel);
      const side = Math.sqrt(matrix.length);
      const { largest: [{ value, error }] } = await search.find(matrixOperator(matrix, side, 'tangent kernel'), 0, moment.step);
      // Entries are off by rounding * sqrt(K_ii K_jj): the Frobenius norm of that is rounding * trace.
      const trace = Array.from({ length: side }, (_, i) => matrix[i * side + i]).reduce((sum, x) => sum + x, 0);
      return { '': { value, error: error + kernel.rounding * trace, kind: 'bound', cost: { products: 0, seconds: kernel.seconds } } };
    };
    return { measure, save: () => search.save(), restore: (memory) => search.restore(memory), dispose: () => evaluator.dispose() };
  },
});
