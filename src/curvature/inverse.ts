/** Inverses as operators: each product solves a linear system to a stated tolerance. @module */
import { solve } from '../linalg/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import { conjugateGradient, type ConjugateGradientOptions } from './conjugate-gradient.ts';
import { residualsOf, solutionOf, type LinearSolution } from './inverse-solution.ts';
import { lsmr } from './lsmr.ts';
import { neumannInverse, type NeumannOptions } from './neumann.ts';
import { denseMatrix, linearOperator, matrixMap, type BlockProduct, type LinearOperator } from './operator.ts';
import { transposed } from './algebra.ts';

/** How products with an inverse are computed. */
export interface InverseOptions extends ConjugateGradientOptions, NeumannOptions {
  /**
   * `conjugate gradient` for positive definite operators, `lsmr` for any (least squares where singular), `neumann` for a fixed
   * cheap approximation, `dense` by an LU decomposition of `size` products. Default: dense up to 300 coordinates, then
   * conjugate gradients where the operator is symmetric and LSMR where it is not.
   */
  readonly method?: 'conjugate gradient' | 'lsmr' | 'neumann' | 'dense';
  /** What a product does when a system was not solved to the tolerance. Default `throw`. */
  readonly unconverged?: 'throw' | 'accept';
}

/** An inverse, and how well its latest products were solved. */
export interface InverseOperator extends LinearOperator {
  /** Of the latest block of vectors; empty before the first product. */
  readonly latest: readonly LinearSolution[];
}

const DENSE_UP_TO = 300;

/**
 * (A + damping I)^-1 as an operator. Its products hold to `tolerance` as relative residuals, measured: a system that is not
 * solved that well throws. `products` counts solves; the operator counts the products they cost.
 * With `lsmr`, damping follows least squares instead: (A'A + damping^2 I)^-1 A'.
 *
 * @throws ArgumentError when the method does not fit the operator; by products, when a system is not solved.
 */
export function inverse(operator: LinearOperator, options: InverseOptions = {}): InverseOperator {
  const { size, precision, block, space, symmetric, name } = operator;
  const method = options.method ?? (size <= DENSE_UP_TO ? 'dense' : symmetric ? 'conjugate gradient' : 'lsmr');
  if (method === 'conjugate gradient' && !symmetric) throw new ArgumentError({ operation: 'inverse', required: 'conjugate gradients need a symmetric operator', received: `'${name}', which is not`, remedy: "method 'lsmr'" });
  let latest: readonly LinearSolution[] = [];
  let dense: Promise<DenseInverse> | undefined;
  const solveAll = async (right: readonly Float64Array[], map: LinearOperator): Promise<readonly LinearSolution[]> => {
    if (method === 'dense') return (await (dense ??= denseInverse(operator, options)))(right, map !== operator);
    const { solutions } = await (method === 'conjugate gradient' ? conjugateGradient : method === 'lsmr' ? lsmr : neumannInverse)(map, right, options);
    return solutions;
  };
  const product = (map: LinearOperator): BlockProduct => async (vectors) => {
    latest = await solveAll(vectors, map);
    const worst = latest.find(({ stopped }) => stopped !== 'converged');
    if (worst !== undefined && (options.unconverged ?? 'throw') === 'throw') throw unsolved(name, worst);
    return latest.map(({ solution }) => solution);
  };
  const map = linearOperator({
    name: `inverse of ${name}`, size, precision, block, symmetric, ...(space && { space }),
    apply: product(operator), ...(!symmetric && { applyTransposed: product(transposed(operator)) }),
  });
  return Object.defineProperties(Object.defineProperty({}, 'latest', { get: () => latest, enumerable: true }), Object.getOwnPropertyDescriptors(map)) as InverseOperator;
}

function unsolved(name: string, { relativeResidual, iterations, stopped }: LinearSolution): ArgumentError {
  return new ArgumentError({
    operation: `inverse of ${name}`, required: 'the system must be solved to the tolerance', received: `a relative residual of ${relativeResidual.toPrecision(3)} after ${iterations} iterations (${stopped})`,
    remedy: "damping, more iterations, a larger tolerance, or unconverged: 'accept'",
  });
}

/** Solutions by a matrix inverted once; transposed when asked. */
type DenseInverse = (right: readonly Float64Array[], transpose: boolean) => Promise<readonly LinearSolution[]>;

async function denseInverse(operator: LinearOperator, { damping = 0, tolerance = 1e-5 }: InverseOptions): Promise<DenseInverse> {
  requireNumber('inverse', 'damping', damping, 0);
  const { size, name } = operator;
  const matrix = await denseMatrix(operator);
  const identity = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    matrix[i * size + i] += damping;
    identity[i * size + i] = 1;
  }
  const forward = matrixMap(matrix, size, size, name);
  const back = matrixMap(solve(matrix, size, identity, size), size, size, `inverse of ${name}`);
  return async (right, transpose) => {
    const [map, solver] = transpose ? [transposed(forward), transposed(back)] : [forward, back];
    const solutions = await solver.multiply(right);
    const residuals = await residualsOf(map, solutions, right);
    return solutions.map((solution, i) => {
      const solved = solutionOf(solution, residuals[i], right[i], 1, 'converged');
      return solved.relativeResidual <= tolerance ? solved : { ...solved, stopped: 'stagnated' };
    });
  };
}
