/** KFAC with corrected eigenvalues. @module */
import { NDArray } from '../core/ndarray.ts';
import type { Cost, ParameterSpace, Point, Problem } from '../problem/index.ts';
import { requireNumber } from '../util/require.ts';
import { blockOperator, eigenbases, kfac, reciprocal, spectralMap, type Eigenbases } from './kfac.ts';
import { kfacProgram, squaredSums, type KfacOptions } from './kfac-programs.ts';
import type { LinearOperator } from './operator.ts';
import { problemSum } from './problem-operator.ts';

/** A layer's block in the eigenvectors of its Kronecker factors. */
export interface CorrectedBlock extends Eigenbases {
  /** [inputs, outputs]: the mean squared gradient along each pair of eigenvectors. */
  readonly eigenvalues: Float64Array;
}

/** The approximation as an operator, its blocks and its inverse. */
export interface Ekfac {
  readonly operator: LinearOperator;
  readonly blocks: readonly CorrectedBlock[];
  readonly space: ParameterSpace;
  /** Parameters outside of all blocks, whose curvature counts as zero. */
  readonly uncovered: readonly string[];
  /** (this + damping I)^-1. @throws ArgumentError when damping is negative, or zero where the approximation is singular. */
  inverse(options: { readonly damping: number }): LinearOperator;
  readonly cost: Cost;
}

/**
 * EKFAC (George et al. 2018): the eigenvectors of KFAC's factors, with the eigenvalues that are best in that basis, the mean
 * squares of the gradients (or of the columns J' S of the exact matrix) along each pair. So its distance from the true block, in
 * the Frobenius norm, is the least of all matrices with those eigenvectors, KFAC among them. A second pass over the data; for
 * weights used at several positions each example's gradient is formed, so memory grows with the layer.
 * @throws as `kfac`.
 */
export async function ekfac<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: KfacOptions = {}): Promise<Ekfac> {
  const start = performance.now();
  const { factors, space, uncovered } = await kfac(problem, point, options);
  const bases = factors.map(eigenbases);
  const program = kfacProgram(problem, point, options);
  const { total, split } = problemSum('EKFAC', problem, point, squaredSums(program), { ...options, bind: false }, program.extra);
  const asArray = (values: Float64Array, n: number): NDArray => new NDArray(space.dtype === 'float64' ? values : Float32Array.from(values), [n, n], space.dtype);
  try {
    const call = bases.map(({ inputVectors, outputVectors, inputs, outputs }) => ({ inputs: asArray(inputVectors, inputs), outputs: asArray(outputVectors, outputs) }));
    const sums = (await total.evaluate(call)) as unknown as NDArray[];
    const blocks = bases.map((basis, i) => ({ ...basis, eigenvalues: Float64Array.from(sums[i].data, (x) => x / split.size) }));
    const name = `EKFAC of ${problem.name}`;
    return {
      blocks, space, uncovered,
      operator: blockOperator(name, space, blocks, (block) => spectralMap(block, (i, o) => block.eigenvalues[i * block.outputs + o])),
      inverse({ damping }) {
        requireNumber('ekfac', 'damping', damping, 0);
        return blockOperator(`inverse of ${name}`, space, blocks, (block) => spectralMap(block, (i, o) => reciprocal(block.eigenvalues[i * block.outputs + o] + damping)), uncovered.length > 0 ? reciprocal(damping) : 0);
      },
      cost: { products: 0, seconds: (performance.now() - start) / 1000 },
    };
  } finally {
    await total.dispose();
  }
}
