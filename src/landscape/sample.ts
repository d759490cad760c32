/** The loss at points of an affine subspace of parameter space. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import type { Executor } from '../core/backend.ts';
import { array, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Split } from '../data/index.ts';
import { add, at, mul, square, sum } from '../ops/index.ts';
import { chunkedSum, correctSum, examplesOf, ParameterSpace, predict, type Examples, type Point, type Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { flatten, mapTree, requireSameStructure } from '../tree/index.ts';

/** How points of a landscape are evaluated; progress is counted in points. */
export interface SampleOptions {
  readonly executor?: Executor;
  /** Examples a chunk; default: chosen by the memory budget. */
  readonly chunk?: number;
  /** Bytes for kept products and the running chunk together; default 512 MiB. */
  readonly memoryBudget?: number;
  /**
   * Whether products of the inputs with the parameters and directions of the first layer are formed once and kept, so that
   * a point costs additions there. Default true; without it the same numbers up to rounding, in less memory.
   */
  readonly distribute?: boolean;
  /** Stops before the next point. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Loss and accuracy at one point; NaN where the loss is not finite or was not reached. */
export interface LandscapeSample {
  readonly loss: number;
  /** Standard error of the loss over the examples, as an estimate of the mean over their source. */
  readonly standardError: number;
  /** Share of correct labels; NaN for targets that are not labels. */
  readonly accuracy: number;
}

const UNKNOWN: LandscapeSample = { loss: NaN, standardError: NaN, accuracy: NaN };

interface Sums<A = Tensor> { readonly loss: A; readonly squares: A; readonly correct?: A }
interface Fixed<P, State> { readonly params: P; readonly state: State; readonly directions: readonly P[] }

/**
 * Evaluates the mean loss at `params + sum_i c_i directions[i]` for each list of coefficients, in evaluation mode, over all
 * examples of a split. Interrupted, it returns NaN for the rest.
 *
 * @throws TreeError when a direction is not shaped like the parameters; ShapeError when a point has too few coefficients.
 */
export async function sampleLandscape<P, State>(
  problem: Problem<P, State>, { params, state }: Point<P, State>, directions: readonly Host<P>[], points: readonly (readonly number[])[], data: Split, options: SampleOptions = {},
): Promise<LandscapeSample[]> {
  requireDirections(params, directions);
  requireCoefficients(points, directions.length);
  const { dtype } = new ParameterSpace(params);
  const { executor, chunk, memoryBudget, distribute = true, signal, onProgress } = options;
  const fixed = { params, state, directions } as unknown as Host<Fixed<P, State>>;
  const total = chunkedSum<Fixed<P, State>, Examples, [Tensor], Sums>(sumsAt(problem), fixed, examplesOf(data, dtype), { executor, chunk, memoryBudget, distribute, name: `landscape of ${problem.name}` });
  const samples: LandscapeSample[] = [];
  try {
    for (const coefficients of points) {
      if (signal?.aborted === true) break;
      samples.push(summarize(await total.evaluate(array(coefficients, [coefficients.length], dtype)) as Sums<NDArray>, data.size));
      onProgress?.(samples.length, points.length);
    }
  } finally {
    await total.dispose();
  }
  return points.map((_, i) => samples[i] ?? UNKNOWN);
}

function requireDirections(params: unknown, directions: readonly unknown[]): void {
  if (directions.length === 0) throw new ArgumentError({ operation: 'sampleLandscape', required: 'at least one direction', received: 'none' });
  const { leaves: values, structure } = flatten<NDArray>(params);
  for (const direction of directions) {
    const other = flatten<NDArray>(direction);
    requireSameStructure('sampleLandscape', structure, other.structure);
    const odd = other.leaves.findIndex((leaf, i) => String(leaf) !== String(values[i]));
    if (odd >= 0) throw new ShapeError({ operation: 'sampleLandscape', required: `a direction must hold ${values[odd]} at '${structure.paths[odd]}'`, received: String(other.leaves[odd]) });
  }
}

function requireCoefficients(points: readonly (readonly number[])[], count: number): void {
  const odd = points.find((point) => point.length !== count);
  if (odd !== undefined) throw new ShapeError({ operation: 'sampleLandscape', required: `each point must have ${count} coefficients`, received: String(odd.length) });
}

function sumsAt<P, State>(problem: Problem<P, State>) {
  return ({ params, state, directions }: Fixed<P, State>, { inputs, targets }: Examples, coefficients: Tensor): Sums => {
    const moved = directions.reduce<P>((point, direction, i) => mapTree((p: Tensor, d: Tensor) => add(p, mul(at(coefficients, i), d)), point, direction) as P, params);
    const outputs = predict(problem, moved, state, inputs);
    const each = problem.loss(outputs, targets);
    // Two-class models with one output have no largest output.
    const labelled = targets.dtype === 'int32' && targets.rank === 1 && outputs.rank === 2 && outputs.shape[1] > 1;
    return { loss: sum(each), squares: sum(square(each)), ...(labelled && { correct: correctSum(outputs, targets) }) };
  };
}

function summarize({ loss, squares, correct }: Sums<NDArray>, n: number): LandscapeSample {
  const mean = loss.item() / n;
  if (!Number.isFinite(mean)) return UNKNOWN;
  // A loss may be finite where its square is not.
  const variance = Math.max(0, squares.item() / n - mean * mean);
  return { loss: mean, standardError: Number.isFinite(variance) && n > 1 ? Math.sqrt(variance / (n - 1)) : NaN, accuracy: correct === undefined ? NaN : correct.item() / n };
}

/** `n` evenly spaced numbers from `-radius` to `radius`; an odd `n` has zero in the middle. */
export function symmetricRange(radius: number, n: number): number[] {
  requireNumber('symmetricRange', 'radius', radius, Number.MIN_VALUE);
  requireInteger('symmetricRange', 'n', n, 2);
  // From both ends, so that the middle is exactly zero and the range exactly symmetric.
  return Array.from({ length: n }, (_, i) => (radius * (2 * i - (n - 1))) / (n - 1));
}
