/** How much the curvature of single examples varies along a direction. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, mul, reshape, square, sub, sum } from '../ops/index.ts';
import { lossSum, meanOf, moments, type Cost, type Measurement, type Moments, type Point, type Problem } from '../problem/index.ts';
import { hvp, vmap } from '../transforms/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { norm, scaleBy } from './basis.ts';
import type { EstimatorOptions } from './estimator.ts';
import { problemSum, type CurvatureOptions, type ProblemFunction } from './problem-operator.ts';

/** Options of `curvatureVariance`. */
export interface CurvatureVarianceOptions extends Omit<CurvatureOptions, 'block' | 'check'>, Pick<EstimatorOptions, 'signal'> {}

/** Second moments over examples i of (H_i - H) v, H their mean and v a unit vector; errors are standard errors over the examples. */
export interface CurvatureVariance {
  /** Mean of |(H_i - H) v|^2 less that along v: what turns v away. */
  readonly transverse: Measurement;
  /** Mean of (v'(H_i - H) v)^2: the variance of the curvature along v. */
  readonly along: Measurement;
  /** Mean of v'H_i v, the curvature along v. */
  readonly curvature: Measurement;
  /** Examples used. */
  readonly samples: number;
  readonly cost: Cost;
}

/** [sum of H_i v, moments of v'H_i v, of (v'd_i)^2 and of |d_i|^2 - (v'd_i)^2, with d_i = H_i v - mean]. */
type Sums<A = Tensor> = readonly [products: A[], curvature: Moments<A>, along: Moments<A>, transverse: Moments<A>];

/**
 * Second moments of the curvature of single examples along a direction, by one Hessian-vector product an example. With v the
 * leading eigenvector of H, eigenvalue lambda, second-order perturbation theory gives for the Hessian of a batch with effective size b the
 * expected eigenvalue lambda + (1/b) sum_j Var_i(v_j'H_i v) / (lambda - lambda_j) over the other eigenvectors, which is at
 * least lambda + transverse / (b lambda) where no lambda_j is negative: what stands for P sigma^2 in the law of Granziol, Zohren & Roberts (JMLR
 * 2022, arXiv 2006.09092) where elements are not independent. `vector` need not be of unit length.
 *
 * @param vector [size], not zero
 * @throws ArgumentError when there are fewer than two examples or the vector is zero; ShapeError when it has another length; the
 * signal's reason when it comes before the end.
 */
export async function curvatureVariance<P, State>(problem: Problem<P, State>, point: Point<P, State>, vector: Float64Array, options: CurvatureVarianceOptions = {}): Promise<CurvatureVariance> {
  const started = performance.now();
  const { signal, ...rest } = options;
  const alone = (x: Tensor): Tensor => reshape(x, [1, ...x.shape]);
  const inner = (a: readonly Tensor[], b: readonly Tensor[]): Tensor => a.map((x, i) => sum(mul(x, b[i]))).reduce((total, x) => add(total, x));
  const f: ProblemFunction<P, State, [Tensor[], Tensor[]], Sums> = ({ batch, state, paramsAt }, chosen, direction, mean) => {
    const each = vmap((input: Tensor, target: Tensor) => {
      const product = hvp((at: Tensor[]) => lossSum(problem, paramsAt(at), state, { inputs: alone(input), targets: alone(target) }))(chosen, direction);
      const difference = product.map((x, i) => sub(x, mean[i]));
      const along = square(inner(difference, direction));
      return [product, inner(product, direction), along, sub(inner(difference, difference), along)] as [Tensor[], Tensor, Tensor, Tensor];
    })(batch.inputs, batch.targets) as unknown as [Tensor[], Tensor, Tensor, Tensor];
    return [each[0].map((x) => sum(x, 0)), moments(each[1]), moments(each[2]), moments(each[3])];
  };
  const { space, split, total } = problemSum<P, State, [Tensor[], Tensor[]], Sums>('curvature variance', problem, point, f, { ...rest, bind: false });
  try {
    const samples = requireInteger('curvatureVariance', 'samples', split.size, 2);
    const unit = vector.slice();
    const length = norm(unit);
    if (vector.length !== space.size) throw new ShapeError({ operation: 'curvatureVariance', required: `vector must have ${space.size} entries`, received: String(vector.length) });
    if (!(length > 0)) throw new ArgumentError({ operation: 'curvatureVariance', required: 'vector must not be zero', received: `length ${length}` });
    scaleBy(unit, 1 / length);
    const at = async (mean: Float64Array): Promise<Sums<NDArray>> => {
      signal?.throwIfAborted();
      return await total.evaluate(space.split([unit], false) as never, space.split([mean], false) as never) as unknown as Sums<NDArray>;
    };
    // The mean first, so that nothing cancels in the second pass.
    const mean = space.join((await at(new Float64Array(space.size)))[0]).map((x) => x / samples);
    const [, curvature, along, transverse] = await at(mean);
    const measured = ({ sum: all, squares }: Moments<NDArray>): Measurement => meanOf({ sum: all.item(), squares: squares.item() }, samples);
    return { transverse: measured(transverse), along: measured(along), curvature: measured(curvature), samples, cost: { products: 2 * samples, seconds: (performance.now() - started) / 1000 } };
  } finally {
    await total.dispose();
  }
}
