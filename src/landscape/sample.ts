/** The loss at points of an affine subspace of parameter space. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import type { Executor } from '../core/backend.ts';
import { array, NDArray, type DType } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Split } from '../data/index.ts';
import { add, argmax, at, convert, equal, mul, sum, square } from '../ops/index.ts';
import { chunkedSum } from '../problem/chunked.ts';
import type { Problem } from '../problem/problem.ts';
import type { Host } from '../transforms/index.ts';
import { leaves, mapTree, requireSameStructure, flatten } from '../tree/index.ts';

/** How points of a landscape are evaluated: backend, bytes of memory for a chunk of examples, interruption, progress in points. */
export interface SampleOptions {
  readonly executor?: Executor;
  readonly memoryBudget?: number;
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

type Sums = { loss: Tensor; squares: Tensor; correct: Tensor };

/**
 * Evaluates the mean loss at `params + sum_i c_i directions[i]` for each list of coefficients, in evaluation mode, over all
 * examples of a split. Products of the first layer with the directions are done once; the point of all zeros gives the loss
 * at `params` exactly. Interrupted, it returns NaN for the rest.
 *
 * @throws TreeError when a direction is not shaped like the parameters; ShapeError when a point has too few coefficients.
 */
export async function sampleLandscape<P, State>(problem: Problem<P, State>, point: { readonly params: Host<P>; readonly state: Host<State> }, directions: readonly Host<P>[],
  points: readonly (readonly number[])[], data: Split, options: SampleOptions = {}): Promise<LandscapeSample[]> {
  const { params, state } = point;
  directions.forEach((direction) => requireSameStructure('sampleLandscape', flatten(params).structure, flatten(direction).structure));
  if (directions.length === 0) throw new ArgumentError({ operation: 'sampleLandscape', required: 'at least one direction', received: 'none' });
  const short = points.find((point) => point.length !== directions.length);
  if (short !== undefined) throw new ShapeError({ operation: 'sampleLandscape', required: `each point must have ${directions.length} coefficients`, received: String(short.length) });
  const dtype: DType = leaves<NDArray>(params)[0].dtype;
  const fixed = { params, state, directions } as unknown as Host<Fixed<P, State>>;
  const sums = chunkedSum<Fixed<P, State>, Batch, [Tensor], Sums>(sumsAt(problem), fixed, { inputs: data.inputs, targets: data.targets }, {
    executor: options.executor, memoryBudget: options.memoryBudget, distribute: true, name: 'landscape',
  });
  const results: LandscapeSample[] = [];
  for (const coefficients of points) {
    if (options.signal?.aborted === true) break;
    const total = await sums.evaluate(array(coefficients, [coefficients.length], dtype));
    results.push(summarize(total as unknown as Record<keyof Sums, NDArray>, data.size));
    options.onProgress?.(results.length, points.length);
  }
  await sums.dispose();
  return points.map((_, i) => results[i] ?? UNKNOWN);
}

type Batch = { inputs: Tensor; targets: Tensor };
interface Fixed<P, State> { readonly params: P; readonly state: State; readonly directions: readonly P[] }

function sumsAt<P, State>({ model, loss }: Problem<P, State>) {
  return ({ params, state, directions }: Fixed<P, State>, { inputs, targets }: Batch, coefficients: Tensor): Sums => {
    const moved = directions.reduce<P>((sum_, direction, i) => mapTree((p: Tensor, d: Tensor) => add(p, mul(at(coefficients, i), d)), sum_, direction) as P, params);
    const { outputs } = model.apply(moved, inputs, { mode: 'eval', state });
    const each = loss(outputs, targets);
    const isLabelled = targets.dtype === 'int32' && targets.rank === 1;
    const correct = isLabelled ? sum(convert(equal(argmax(outputs, -1), targets), each.dtype)) : sum(mul(each, NaN));
    return { loss: sum(each), squares: sum(square(each)), correct };
  };
}

function summarize({ loss, squares, correct }: Record<keyof Sums, NDArray>, n: number): LandscapeSample {
  const mean = loss.item() / n;
  if (!Number.isFinite(mean)) return UNKNOWN;
  const variance = Math.max(0, squares.item() / n - mean * mean);
  return { loss: mean, standardError: Math.sqrt(variance / Math.max(1, n - 1)), accuracy: correct.item() / n };
}

/** `n` evenly spaced numbers from `-radius` to `radius`; an odd `n` has zero in the middle. */
export function symmetricRange(radius: number, n: number): number[] {
  if (!Number.isInteger(n) || n < 2) throw new ArgumentError({ operation: 'symmetricRange', required: 'n must be an integer of at least 2', received: String(n) });
  // From both ends, so that the middle is exactly zero and the range exactly symmetric.
  return Array.from({ length: n }, (_, i) => (radius * (2 * i - (n - 1))) / (n - 1));
}
