/** Exact diagonals of curvature matrices. @module */
import { NDArray, sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, expandDims, square, sum, zerosLike } from '../ops/index.ts';
import { predict, type Cost, type ParameterSpace, type Point, type Problem } from '../problem/index.ts';
import { vjp, vmap } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import type { Progress } from './estimator.ts';
import { meter } from './estimator.ts';
import { distributionOf, type DistributionChoice, type DistributionName } from './fisher-distribution.ts';
import { hessian } from './hessian.ts';
import type { LinearOperator } from './operator.ts';
import { problemSum, traceOutputs, type CurvatureOptions } from './problem-operator.ts';

/** A diagonal, without approximation beyond rounding. */
export interface ExactDiagonal {
  readonly values: Float64Array;
  readonly space?: ParameterSpace;
  readonly cost: Cost;
}

/** Limits and watching of `exactDiagonal`. */
export interface ExactDiagonalOptions {
  /** Most products that may be spent. Default 20,000. */
  readonly maxProducts?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * The diagonal of any operator by products with all unit vectors, `size` of them in blocks: for small and medium operators (see
 * the estimators of diagonals for large ones).
 * @throws ArgumentError when the operator needs more than `maxProducts`; the signal's reason when it comes, as part of a diagonal is none.
 */
export async function exactDiagonal(operator: LinearOperator, options: ExactDiagonalOptions = {}): Promise<ExactDiagonal> {
  const { size } = operator;
  const limit = requireInteger('exactDiagonal', 'maxProducts', options.maxProducts ?? 20_000, 1);
  if (size > limit) {
    throw new ArgumentError({
      operation: 'exactDiagonal', required: `the operator must need at most maxProducts = ${limit} products`, received: `${size}, one for each coordinate of '${operator.name}'`,
      remedy: 'choose fewer `parameters`, raise maxProducts, or estimate the diagonal with random vectors',
    });
  }
  const cost = meter(operator);
  const values = new Float64Array(size);
  for (let start = 0; start < size; start += operator.block) {
    options.signal?.throwIfAborted();
    const units = Array.from({ length: Math.min(operator.block, size - start) }, (_, i) => {
      const unit = new Float64Array(size);
      unit[start + i] = 1;
      return unit;
    });
    (await operator.multiply(units)).forEach((image, i) => { values[start + i] = image[start + i]; });
    options.onProgress?.({ done: Math.min(start + operator.block, size), total: size, unit: 'products' });
  }
  return { values, ...(operator.space && { space: operator.space }), cost: cost() };
}

/** The diagonal of the Hessian of the mean loss: one Hessian-vector product for each parameter. @throws as `exactDiagonal`. */
export async function hessianDiagonal<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: CurvatureOptions & ExactDiagonalOptions = {}): Promise<ExactDiagonal> {
  const operator = hessian(problem, point, options);
  try {
    return await exactDiagonal(operator, options);
  } finally {
    await operator.dispose();
  }
}

/** Limits of `ggnDiagonal`. */
export interface GgnDiagonalOptions extends CurvatureOptions {
  /** The distribution behind a loss of one's own. */
  readonly distribution?: DistributionName | DistributionChoice;
  /** Most passes over the data that may be spent: one for each output of an example. Default 1,000. */
  readonly maxPasses?: number;
  readonly signal?: AbortSignal;
}

/**
 * The diagonal of the GGN (the exact Fisher matrix): sums over examples and outputs of the squared entries of J_n' S_n, with S_n S_n'
 * the Hessian of an example's loss in its outputs. One backward pass over single examples for each output, however many parameters
 * there are; chunks hold the gradient of each of their examples.
 * @throws ArgumentError when there are more than `maxPasses` outputs, or the loss is no likelihood (use `exactDiagonal` of the GGN).
 */
export async function ggnDiagonal<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: GgnDiagonalOptions = {}): Promise<ExactDiagonal> {
  const start = performance.now();
  const { maxPasses = 1000, data = problem.train, signal } = options;
  const distribution = distributionOf('ggnDiagonal', problem.loss, options.distribution);
  const { space, split, total } = problemSum('diagonal of the GGN', problem, point, ({ paramsAt, state, batch }, chosen, unit: Tensor) => {
    const ofExample = (input: Tensor): Tensor[] => {
      const [outputs, pull] = vjp((leaves: Tensor[]) => predict(problem, paramsAt(leaves), state, expandDims(input, 0)), chosen);
      return pull(distribution.root(outputs, add(unit, zerosLike(outputs))))[0];
    };
    return vmap(ofExample)(batch.inputs).map((gradients) => sum(square(gradients), 0));
  }, options);
  try {
    const shape = traceOutputs(problem, point, data, space.dtype).outputs.shape.slice(1);
    const outputs = sizeOf(shape);
    if (outputs > maxPasses) {
      throw new ArgumentError({
        operation: 'ggnDiagonal', required: `an example must have at most maxPasses = ${maxPasses} outputs`, received: `${outputs}, one pass over ${split.size} examples each`,
        remedy: 'raise maxPasses, or estimate the diagonal with random vectors',
      });
    }
    const values = new Float64Array(space.size);
    for (let k = 0; k < outputs; k++) {
      signal?.throwIfAborted();
      const unit = space.dtype === 'float64' ? new Float64Array(outputs) : new Float32Array(outputs);
      unit[k] = 1;
      const squares = space.join(await total.evaluate(new NDArray(unit, [1, ...shape], space.dtype)));
      for (let i = 0; i < values.length; i++) values[i] += squares[i] / split.size;
    }
    return { values, space, cost: { products: 0, seconds: (performance.now() - start) / 1000 } };
  } finally {
    await total.dispose();
  }
}
