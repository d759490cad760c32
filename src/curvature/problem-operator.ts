/** Curvature matrices of a problem: products over its data in chunks, compiled once, bound to a point. @module */
import type { Graph } from '../core/graph.ts';
import { placeholder, type Tensor } from '../core/tensor.ts';
import { allocate, NDArray, sizeOf, type DType, type Shape } from '../core/ndarray.ts';
import { subset, type Split } from '../data/index.ts';
import { DEFAULT_MEMORY_BUDGET, planChunks } from '../problem/chunk-plan.ts';
import { rows } from '../problem/chunked.ts';
import {
  chunkedSum, examplesOf, ParameterSpace, pointOf, predict, type ChunkedSum, type ChunkedSumOptions, type ChunkOptions, type Examples, type ParameterFilter,
  type Point, type PointTensors, type Problem,
} from '../problem/index.ts';
import { compile, vmap, type Host } from '../transforms/index.ts';
import { flatten, leaves, unflatten } from '../tree/index.ts';
import { requireAgreement } from './determinism.ts';
import { linearOperator, type LinearOperator } from './operator.ts';

/** Which block of a curvature matrix, over which examples, within what memory. */
export interface CurvatureOptions extends ChunkOptions {
  /** The block of these parameters only; the others are constants. Default: all. */
  readonly parameters?: ParameterFilter;
  /** The examples; default: the problem's training split. */
  readonly data?: Split;
  /** The first so many examples of the split; default all. */
  readonly samples?: number;
  /** Vectors multiplied at once when several are given. Default 4. */
  readonly block?: number;
  /** Compute the first product twice more, alone and in a block, and refuse the operator unless they agree. Default false. */
  readonly check?: boolean;
}

/** What a curvature matrix is: its product with `vector`, summed over the examples of a batch, with respect to chosen leaves. */
export type CurvatureProduct<P, State> = (context: ProductContext<P, State>, chosen: Tensor[], vector: Tensor[], companion: Tensor[]) => Tensor[];

/** What a curvature product is taken over. */
export interface ProductContext<P, State> {
  readonly problem: Problem<P, State>;
  readonly state: State;
  readonly batch: Examples;
  /** Further arrays with the batch's examples along axis 0, by name. */
  readonly extra: Readonly<Record<string, Tensor>>;
  /** The full tree of parameters with other values for the chosen leaves. */
  readonly paramsAt: (chosen: Tensor[]) => P;
}

/** Memory of a product, predicted from its graph before anything runs. */
export interface PredictedMemory {
  readonly examples: number;
  /** Examples of a full chunk. */
  readonly chunk: number;
  readonly chunks: number;
  /** Chunks whose residuals are kept between products. */
  readonly kept: number;
  /** Bytes of all kept residuals. */
  readonly residualBytes: number;
  /** Bytes alive while a chunk runs. */
  readonly workingBytes: number;
}

/** An operator over a problem's data. */
export interface ProblemOperator extends LinearOperator {
  /** What a product with one vector will take; known before the first. */
  readonly predicted: PredictedMemory;
}

// Measured on the MLP 784-128-64-10 at 10,000 examples, 2 cores: 46 to 50 ms a vector alone, 42 to 45 in fours, 42 to 46 in
// eights, the same at chunks of 1,000, 2,000 and 10,000 examples.
export const BLOCK = 4;

/** A traced function of the examples of a batch, of chosen leaves and of what changes from call to call. */
export type ProblemFunction<P, State, Call extends unknown[], Out> = (context: ProductContext<P, State>, chosen: Tensor[], ...call: Call) => Out;

/** A function of a problem at a point, ready to be evaluated over its examples. */
export interface ProblemSum<Call extends unknown[], Out> {
  readonly name: string;
  readonly space: ParameterSpace;
  readonly split: Split;
  readonly total: ChunkedSum<Call, Out>;
  /** Memory of a call with arguments of these types. */
  predict(...call: Host<Call>): PredictedMemory;
}

/** Arrays with the split's examples along axis 0, besides inputs and targets. */
export type ExtraArrays = Readonly<Record<string, NDArray>>;

/**
 * Prepares a function of a problem's examples at a point for evaluation in chunks. Its results are sums over the examples, or,
 * visited by `total.each`, anything a chunk. Model in eval mode.
 * @throws ArgumentError when no parameter or more samples than there are are chosen; DtypeError when parameters mix types.
 */
export function problemSum<P, State, Call extends unknown[], Out>(
  kind: string, problem: Problem<P, State>, point: Point<P, State>, f: ProblemFunction<P, State, Call, Out>,
  options: CurvatureOptions & Pick<ChunkedSumOptions, 'bind'> = {}, extra: ExtraArrays = {},
): ProblemSum<Call, Out> {
  const { parameters, data = problem.train, samples = data.size, chunk, memoryBudget, executor, bind = true } = options;
  const space = new ParameterSpace(point.params, parameters);
  const split = subset(data, samples);
  const name = `${kind} of ${problem.name}`;
  type Batch = Examples & { extra: Record<string, Tensor> };
  const traced = ({ params, state }: PointTensors<P, State>, { extra: others, ...batch }: Batch, ...call: Call): Out =>
    f({ problem, state, batch, extra: others, paramsAt: (chosen) => space.replace(params, chosen) as P }, space.pick<Tensor>(params), ...call);
  const fixed = pointOf(point);
  const batch = { ...examplesOf(split, space.dtype), extra } as unknown as Host<Batch>;
  const chunking = { ...(chunk !== undefined && { chunk }), ...(memoryBudget !== undefined && { memoryBudget }), ...(executor && { executor }) };
  return {
    name, space, split,
    total: chunkedSum<PointTensors<P, State>, Batch, Call, Out>(traced, fixed, batch, { ...chunking, bind, name }),
    predict(...call) {
      const whole = compile(traced as never, { name }) as unknown as { graph(...args: unknown[]): Graph };
      const plan = planChunks({
        size: split.size, chunk, memoryBudget: memoryBudget ?? DEFAULT_MEMORY_BUDGET, bound: bind ? leaves([fixed, batch]).length : undefined,
        graphAt: (examples) => whole.graph(fixed, rows(batch, 0, examples), ...(call as unknown[])),
      });
      return { examples: split.size, chunk: plan.chunk, chunks: plan.chunks, kept: plan.kept, residualBytes: plan.kept * plan.residualBytes, workingBytes: plan.workingBytes };
    },
  };
}

/** A number of a fixed shape that goes with each vector into a product: what must be known of the vector beforehand. */
export interface Companion {
  readonly shape: Shape;
  of(vector: Float64Array): Float64Array | Promise<Float64Array>;
}

/** What an operator may have besides its product. */
export interface ProblemOperatorParts {
  readonly extra?: ExtraArrays;
  readonly companion?: Companion;
}

/** A symmetric operator: the mean over the examples of a product of second derivatives. Model in eval mode. */
export function problemOperator<P, State>(
  kind: string, problem: Problem<P, State>, point: Point<P, State>, product: CurvatureProduct<P, State>, options: CurvatureOptions = {}, parts: ProblemOperatorParts = {},
): ProblemOperator {
  const { block = BLOCK, check = false } = options;
  const rank = new ParameterSpace(point.params, options.parameters).ranges[0].shape.length;
  // One compiled function for single vectors and for stacks of them.
  const any: ProblemFunction<P, State, [Tensor[], Tensor[]], Tensor[]> = (context, chosen, vector, companion) =>
    (vector[0].rank === rank
      ? product(context, chosen, vector, companion)
      : vmap((v: Tensor[], c: Tensor[]) => product(context, chosen, v, c))(vector, companion));
  const prepared = problemSum(kind, problem, point, any, options, parts.extra);
  const { name, space, split, total } = prepared;
  const multiply = async (vectors: readonly Float64Array[]): Promise<Float64Array[]> => {
    const stacked = vectors.length > 1;
    const means = vectors.map(() => new Float64Array(space.size));
    await total.each([space.split(vectors, stacked), await companions(parts.companion, vectors, stacked, space.dtype)], (arrays, { start, count }) =>
      addRows(space, arrays, means, start + count === split.size ? split.size : 1));
    return means;
  };
  const compared = { name, precision: space.dtype, space, model: { ...problem.model, state: point.state, inputShape: [1, ...split.inputs.shape.slice(1)] } };
  let checked = !check;
  const operator = linearOperator({
    name, size: space.size, precision: space.dtype, block, space,
    async apply(vectors) {
      const results = await multiply(vectors);
      if (!checked) {
        requireAgreement(compared, results, await multiply(vectors), 'twice');
        requireAgreement(compared, [results[0]], await multiply([vectors[0], vectors[0]]), 'in a block');
        checked = true;
      }
      return results;
    },
    chunks: () => total.cost,
    dispose: () => total.dispose(),
  });
  let predicted: PredictedMemory | undefined;
  return Object.defineProperty(operator, 'predicted', {
    enumerable: true,
    get: () => (predicted ??= prepared.predict(space.split([new Float64Array(space.size)], false), parts.companion ? [zeros(parts.companion.shape, space.dtype)] : [])),
  }) as ProblemOperator;
}

const zeros = (shape: Shape, dtype: DType): NDArray => new NDArray(allocate(dtype, sizeOf(shape)), shape, dtype);

async function companions(companion: Companion | undefined, vectors: readonly Float64Array[], stacked: boolean, dtype: DType): Promise<NDArray[]> {
  if (companion === undefined) return [];
  const array = zeros(stacked ? [vectors.length, ...companion.shape] : companion.shape, dtype);
  for (const [row, vector] of vectors.entries()) array.data.set(await companion.of(vector), row * sizeOf(companion.shape));
  return [array];
}

/** Adds stacked leaves, row by row, to flat vectors, and divides by `divisor`. */
export function addRows(space: ParameterSpace, arrays: readonly NDArray[], vectors: readonly Float64Array[], divisor: number): void {
  space.ranges.forEach(({ offset, size }, i) => {
    vectors.forEach((vector, row) => {
      const from = arrays[i].data.subarray(row * size, (row + 1) * size);
      const to = vector.subarray(offset, offset + size);
      for (let j = 0; j < size; j++) to[j] = (to[j] + from[j]) / divisor;
    });
  });
}

/** The model's outputs on placeholders: what can be known of them without running anything. */
export interface TracedOutputs<P = unknown, State = unknown> {
  readonly params: P;
  readonly state: State;
  /** Parameters, in the tree's order. */
  readonly leaves: readonly Tensor[];
  readonly inputs: Tensor;
  /** [examples, ...] */
  readonly outputs: Tensor;
}

/** Traces the model on a batch of `examples` of the split. */
export function traceOutputs<P, State>(problem: Problem<P, State>, point: Point<P, State>, split: Split, dtype: DType, examples = 1): TracedOutputs<P, State> {
  const { inputs } = examplesOf({ ...split, inputs: rows(split.inputs, 0, Math.min(examples, split.size)) }, dtype);
  const tensors = flatten<NDArray>(point.params).leaves.map((leaf) => placeholder(leaf));
  const state = unflatten(point.state, flatten<NDArray>(point.state).leaves.map((leaf) => placeholder(leaf))) as State;
  const batch = placeholder({ shape: [examples, ...inputs.shape.slice(1)], dtype: inputs.dtype });
  const params = unflatten(point.params, tensors) as P;
  return { params, state, leaves: tensors, inputs: batch, outputs: predict(problem, params, state, batch) };
}
