/** Kronecker-factored approximate curvature: a block for each layer, as the product of two small matrices. @module */
import type { NDArray } from '../core/ndarray.ts';
import { cholesky, solveCholesky, symmetricEigen } from '../linalg/index.ts';
import type { Cost, ParameterSpace, Point, Problem } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import { factorSums, kfacProgram, type KfacOptions, type KroneckerBlock } from './kfac-programs.ts';
import { linearOperator, type LinearOperator } from './operator.ts';
import { problemSum } from './problem-operator.ts';

/** A layer's block and its two factors: the block is `inputFactor` (x) `outputFactor`, coordinates as in `positions`. */
export interface KroneckerFactors extends KroneckerBlock {
  /** Second moment of the layer's inputs, [inputs, inputs]. */
  readonly inputFactor: Float64Array;
  /** Second moment of the slopes at the layer's outputs, [outputs, outputs]. */
  readonly outputFactor: Float64Array;
}

/** How an inverse is damped. */
export interface KroneckerInverseOptions {
  /** Multiple of the identity that is added to the curvature; positive unless both factors are definite. */
  readonly damping: number;
  /**
   * `exact`: (A (x) G + damping I)^-1, through eigenvectors. `split`: (A + pi sqrt(damping) I)^-1 (x) (G + sqrt(damping) / pi I)^-1
   * with pi^2 the ratio of mean eigenvalues of A and G (Martens, Grosse 2015, section 6.3); what optimisers do. Default `exact`.
   */
  readonly form?: 'exact' | 'split';
}

/** The approximation as an operator, its factors and its inverse. */
export interface Kfac {
  readonly operator: LinearOperator;
  readonly factors: readonly KroneckerFactors[];
  readonly space: ParameterSpace;
  /** Parameters outside of all blocks, whose curvature counts as zero. */
  readonly uncovered: readonly string[];
  /** @throws ArgumentError when damping is negative, or zero where the approximation is singular. */
  inverse(options: KroneckerInverseOptions): LinearOperator;
  /** Of computing the factors. */
  readonly cost: Cost;
}

/**
 * KFAC (Martens, Grosse 2015; convolutions: Grosse, Martens 2016; shared weights: Eschenhagen et al. 2023) of the mean loss: each
 * layer's block of the Fisher matrix, GGN or empirical Fisher as A (x) G, with A = (1/N R) sum a a' over inputs at the R positions
 * of an example and G = (1/N) sum g g' over slopes of the loss at the layer's outputs. Layers are found in the traced model: any
 * product of a parameter with data. One pass over the data, with a backward pass for each output (`exact`) or draw.
 *
 * Exact, not approximate, for one example, and for deep linear networks with squared error, where slopes do not depend on inputs.
 * Block-diagonal: what correlates two layers is left out.
 *
 * @throws ArgumentError when parameters lie in no dense or convolution layer (see `uncovered`), or the loss is no likelihood.
 */
export async function kfac<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: KfacOptions = {}): Promise<Kfac> {
  const start = performance.now();
  const { sharing = 'expand' } = options;
  if (sharing !== 'expand' && sharing !== 'reduce') throw new ArgumentError({ operation: 'kfac', required: "sharing must be 'expand' or 'reduce'", received: `'${String(sharing)}'` });
  const program = kfacProgram(problem, point, options);
  const { space, blocks, uncovered } = program;
  const { total, split } = problemSum('KFAC', problem, point, factorSums(program, sharing), { ...options, bind: false }, program.extra);
  try {
    const sums = (await total.evaluate()) as unknown as { inputs: NDArray; outputs: NDArray }[];
    const meanOf = ({ data }: NDArray): Float64Array => Float64Array.from(data, (x) => x / split.size);
    const factors = blocks.map((block, i) => ({ ...block, inputFactor: meanOf(sums[i].inputs), outputFactor: meanOf(sums[i].outputs) }));
    return {
      ...kroneckerMaps(`KFAC of ${problem.name}`, space, factors), factors, space, uncovered,
      cost: { products: 0, seconds: (performance.now() - start) / 1000 },
    };
  } finally {
    await total.dispose();
  }
}

/** What is done to a block of a vector, as a matrix [inputs, outputs]. */
export type BlockMap = (values: Float64Array) => Float64Array;

/** The operator that maps each block of a vector by itself; coordinates outside of all blocks are multiplied by `outside`. */
export function blockOperator<B extends KroneckerBlock>(name: string, space: ParameterSpace, blocks: readonly B[], mapOf: (block: B) => BlockMap, outside = 0): LinearOperator {
  const maps = blocks.map(mapOf);
  const apply = (vector: Float64Array): Float64Array => {
    const out = outside === 0 ? new Float64Array(space.size) : vector.map((x) => x * outside);
    blocks.forEach(({ positions }, i) => {
      const image = maps[i](Float64Array.from(positions, (at) => vector[at]));
      positions.forEach((at, k) => { out[at] = image[k]; });
    });
    return out;
  };
  return linearOperator({ name, size: space.size, precision: space.dtype, space, apply: (vectors) => vectors.map(apply) });
}

/** What any Kronecker factors give: the operator of their blocks, and its inverse. */
export function kroneckerMaps(name: string, space: ParameterSpace, factors: readonly KroneckerFactors[]): Pick<Kfac, 'operator' | 'inverse'> {
  return {
    operator: blockOperator(name, space, factors, ({ inputFactor, outputFactor, inputs, outputs }) => (v) =>
      product(product(inputFactor, v, inputs, inputs, outputs), outputFactor, inputs, outputs, outputs)),
    inverse: (how) => inverse(name, space, factors, how),
  };
}

function inverse(name: string, space: ParameterSpace, factors: readonly KroneckerFactors[], { damping, form = 'exact' }: KroneckerInverseOptions): LinearOperator {
  requireNumber('kfac', 'damping', damping, 0);
  const covered = factors.reduce((sum, { positions }) => sum + positions.length, 0);
  if (damping === 0 && covered < space.size) throw new ArgumentError({ operation: 'kfac', required: 'damping must be positive where parameters have zero curvature', received: '0' });
  const outside = damping === 0 ? 0 : 1 / damping;
  if (form === 'split') return blockOperator(`split inverse of ${name}`, space, factors, (block) => splitInverse(block, damping), outside);
  if (form !== 'exact') throw new ArgumentError({ operation: 'kfac', required: "form must be 'exact' or 'split'", received: `'${String(form)}'` });
  return blockOperator(`inverse of ${name}`, space, factors, (block) => {
    const bases = eigenbases(block);
    return spectralMap(bases, (i, o) => reciprocal(bases.inputValues[i] * bases.outputValues[o] + damping));
  }, outside);
}

/** @throws ArgumentError when the eigenvalue is not positive. */
export function reciprocal(eigenvalue: number): number {
  if (eigenvalue > 0) return 1 / eigenvalue;
  throw new ArgumentError({ operation: 'kfac', required: 'the damped approximation must be positive definite', received: `an eigenvalue of ${eigenvalue}`, remedy: 'a larger damping' });
}

function splitInverse({ inputFactor, outputFactor, inputs, outputs }: KroneckerFactors, damping: number): BlockMap {
  const meanDiagonal = (matrix: Float64Array, n: number): number => Array.from({ length: n }, (_, i) => matrix[i * n + i] / n).reduce((sum, x) => sum + x, 0);
  const ratio = Math.sqrt(meanDiagonal(inputFactor, inputs) / meanDiagonal(outputFactor, outputs));
  // A factor that is zero leaves nothing to balance.
  const pi = Number.isFinite(ratio) && ratio > 0 ? ratio : 1;
  const damped = (matrix: Float64Array, n: number, shift: number): Float64Array => matrix.map((x, at) => (at % (n + 1) === 0 ? x + shift : x));
  const left = cholesky(damped(inputFactor, inputs, pi * Math.sqrt(damping)), inputs);
  const right = cholesky(damped(outputFactor, outputs, Math.sqrt(damping) / pi), outputs);
  return (values) => transposedMatrix(solveCholesky(right, outputs, transposedMatrix(solveCholesky(left, inputs, values, outputs), inputs, outputs), inputs), outputs, inputs);
}

/** Eigenvectors (columns) and eigenvalues of the factors. */
export interface Eigenbases extends KroneckerBlock {
  readonly inputVectors: Float64Array;
  readonly inputValues: Float64Array;
  readonly outputVectors: Float64Array;
  readonly outputValues: Float64Array;
}

export function eigenbases(factors: KroneckerFactors): Eigenbases {
  const left = symmetricEigen(factors.inputFactor, factors.inputs);
  const right = symmetricEigen(factors.outputFactor, factors.outputs);
  const { names, layer, part, inputs, outputs, positions } = factors;
  // Second moments have no negative eigenvalues but by rounding.
  const positive = (values: Float64Array): Float64Array => values.map((x) => Math.max(0, x));
  return { names, layer, part, inputs, outputs, positions, inputVectors: left.vectors, inputValues: positive(left.values), outputVectors: right.vectors, outputValues: positive(right.values) };
}

/** Multiplies by a number for each pair of eigenvectors: U_A [(U_A' V U_G) * factor] U_G'. */
export function spectralMap({ inputVectors, outputVectors, inputs, outputs }: Eigenbases, factor: (input: number, output: number) => number): BlockMap {
  const factors = Float64Array.from({ length: inputs * outputs }, (_, at) => factor(Math.floor(at / outputs), at % outputs));
  const inputRows = transposedMatrix(inputVectors, inputs, inputs);
  const outputRows = transposedMatrix(outputVectors, outputs, outputs);
  return (values) => {
    const turned = product(product(inputRows, values, inputs, inputs, outputs), outputVectors, inputs, outputs, outputs).map((x, at) => x * factors[at]);
    return product(product(inputVectors, turned, inputs, inputs, outputs), outputRows, inputs, outputs, outputs);
  };
}

/** A B of A [rows, inner] and B [inner, columns]. */
function product(a: Float64Array, b: Float64Array, rows: number, inner: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = a[i * inner + k];
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) out[i * columns + j] += factor * b[k * columns + j];
    }
  }
  return out;
}

function transposedMatrix(a: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j];
  return out;
}
