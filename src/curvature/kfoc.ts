/** The Kronecker product nearest to each layer's block. @module */
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { einsum, mul, reshape } from '../ops/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { kfac, kroneckerMaps, type Kfac, type KroneckerFactors } from './kfac.ts';
import { kfacProgram, type KfacOptions, type KfacProgram } from './kfac-programs.ts';
import { problemSum, type ProblemFunction } from './problem-operator.ts';

/** Which block is approximated, and how closely its best factors are found. */
export interface KfocOptions extends Omit<KfacOptions, 'sharing'> {
  /** Iteration ends when no block's output factor, scaled to norm one, moves by more. Default 1e-8 in float64, 1e-5 in float32. */
  readonly tolerance?: number;
  /** Power iterations at most; each takes two passes over the data. Default 100. */
  readonly maxIterations?: number;
  /** Ends the work between passes by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The approximation, used as KFAC's, and how its iteration ended. */
export interface Kfoc extends Kfac {
  /** Frobenius norm of the approximation of each block: the largest singular value of the rearranged block. */
  readonly norms: readonly number[];
  readonly iterations: number;
  /** By how much the output factors moved in the last iteration: the largest of the blocks, of factors of norm one. */
  readonly change: number;
  readonly converged: boolean;
}

/**
 * KFOC (Schnaus, Lee, Triebel 2021): of all Kronecker products A (x) G the one nearest in the Frobenius norm to each layer's block
 * (1/N) sum_n sum_k vec(grad_nk) vec(grad_nk)', gradients as matrices [inputs, outputs], summed over positions. Rearranged (Van Loan,
 * Pitsianis 1993) it is the best matrix of rank one, found by power iteration without forming the block:
 * A <- E[grad G grad'] / |G|^2 and G <- E[grad' A grad] / |A|^2. It starts from KFAC's G and each half step is the best for the factor
 * held, so it is never farther from the block than KFAC, converged or not. Factors are symmetric and positive semi-definite; A has the
 * trace of KFAC's (only the product is determined). All blocks are iterated together until the last has converged.
 * Where a weight is used at several positions each example's gradient is formed, so memory grows with the layer.
 * @throws as `kfac`; ArgumentError when tolerance is negative or maxIterations no positive integer; the signal's reason.
 */
export async function kfoc<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: KfocOptions = {}): Promise<Kfoc> {
  const start = performance.now();
  const { maxIterations = 100, signal, ...others } = options;
  requireInteger('kfoc', 'maxIterations', maxIterations, 1);
  signal?.throwIfAborted();
  const { factors: initial, space, uncovered } = await kfac(problem, point, others);
  const tolerance = requireNumber('kfoc', 'tolerance', options.tolerance ?? (space.dtype === 'float64' ? 1e-8 : 1e-5), 0);
  const program = kfacProgram(problem, point, others);
  const sums = (['inputs', 'outputs'] as const).map((side) => problemSum(`KFOC (${side})`, problem, point, contractedSums(program, side), others, program.extra));
  const [inputSum, outputSum] = sums;
  const asArrays = (matrices: readonly Float64Array[]): NDArray[] => matrices.map((values) => {
    const n = Math.sqrt(values.length);
    return new NDArray(space.dtype === 'float64' ? values : Float32Array.from(values), [n, n], space.dtype);
  });
  const contract = async ({ total, split }: typeof inputSum, held: readonly Float64Array[]): Promise<Float64Array[]> => {
    signal?.throwIfAborted();
    return ((await total.evaluate(asArrays(held))) as unknown as NDArray[]).map(({ data }) => symmetrised(data, split.size));
  };
  let right = initial.map(({ outputFactor }) => unit(outputFactor));
  let left: Float64Array[] = [];
  let norms: number[] = [];
  let change = Infinity;
  let iterations = 0;
  try {
    while (iterations < maxIterations && change > tolerance) {
      left = (await contract(inputSum, right)).map(unit);
      const images = await contract(outputSum, left);
      norms = images.map(norm);
      const next = images.map(unit);
      change = Math.max(...next.map((matrix, i) => norm(matrix.map((x, at) => x - right[i][at]))));
      right = next;
      iterations++;
    }
  } finally {
    for (const { total } of sums) await total.dispose();
  }
  const factors = initial.map((block, i) => rescaled(block, left[i], right[i], norms[i]));
  return {
    ...kroneckerMaps(`KFOC of ${problem.name}`, space, factors), factors, space, uncovered, norms, iterations, change, converged: change <= tolerance,
    cost: { products: 0, seconds: (performance.now() - start) / 1000 },
  };
}

/** Sums over a batch of grad G grad' (`inputs`, G given) or grad' A grad (`outputs`, A given), for each block. */
function contractedSums<P, State>(program: KfacProgram<P, State>, side: 'inputs' | 'outputs'): ProblemFunction<P, State, [Tensor[]], Tensor[]> {
  return (context, chosen, held) => program.rows(context, chosen).map(({ inputs, slopes }, i) => {
    const [examples, positions] = inputs.shape;
    if (positions > 1) {
      const gradients = einsum('nri,cnro->cnio', inputs, slopes);
      if (side === 'inputs') return einsum('cnip,cnjp->ij', einsum('cnio,op->cnip', gradients, held[i]), gradients);
      return einsum('cnjo,cnjp->op', einsum('cnio,ij->cnjo', gradients, held[i]), gradients);
    }
    // With one position a gradient is a s', so that grad G grad' = (s' G s) a a': no gradient is formed.
    if (side === 'inputs') {
      const weights = einsum('cnrp,cnrp->n', einsum('cnro,op->cnrp', slopes, held[i]), slopes);
      return einsum('nri,nrj->ij', mul(inputs, reshape(weights, [examples, 1, 1])), inputs);
    }
    const weights = einsum('nrj,nrj->n', einsum('nri,ij->nrj', inputs, held[i]), inputs);
    return einsum('cnro,cnrp->op', mul(slopes, reshape(weights, [1, examples, 1, 1])), slopes);
  });
}

const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

/** Scaled to norm one; zero stays zero. */
function unit(values: Float64Array): Float64Array {
  // Small gradients must not vanish in squares.
  const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (largest === 0) return values;
  const scaled = values.map((x) => x / largest);
  const length = norm(scaled);
  return scaled.map((x) => x / length);
}

/** A sum over `count` examples as a mean that is symmetric to the last bit. */
function symmetrised(sum: ArrayLike<number>, count: number): Float64Array {
  const n = Math.sqrt(sum.length);
  return Float64Array.from(sum, (x, at) => (x + sum[(at % n) * n + Math.floor(at / n)]) / (2 * count));
}

/** `length` left (x) right of norm-one factors, with the trace of the block's own input factor on the left. */
function rescaled(block: KroneckerFactors, left: Float64Array, right: Float64Array, length: number): KroneckerFactors {
  const trace = (matrix: Float64Array): number => matrix.reduce((sum, x, at) => (at % (block.inputs + 1) === 0 ? sum + x : sum), 0);
  const scale = length === 0 ? 0 : trace(block.inputFactor) / trace(left);
  return { ...block, inputFactor: left.map((x) => x * scale), outputFactor: right.map((x) => (scale === 0 ? 0 : (x * length) / scale)) };
}
