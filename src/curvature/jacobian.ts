/** The Jacobian of a model's outputs, and the neural tangent kernel as an operator. @module */
import { allocate, NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { take } from '../ops/index.ts';
import { predict, type ChunkedSum, type Point, type Problem } from '../problem/index.ts';
import { jvp, vjp, vmap } from '../transforms/index.ts';
import { gram, transposed } from './algebra.ts';
import { linearMap, linearOperator, type LinearMap, type LinearOperator } from './operator.ts';
import { BLOCK, problemSum, traceOutputs, type CurvatureOptions, type ExtraArrays, type ProblemSum } from './problem-operator.ts';

/** Options of `jacobian` and `ntkOperator`. `requireDeterministic` is their `check`. */
export type JacobianOptions = Omit<CurvatureOptions, 'check'>;

/** The numbers of the examples, for functions that need their own rows of an array over all of them. */
export const exampleIndices = (count: number): ExtraArrays => ({ index: new NDArray(Int32Array.from({ length: count }, (_, i) => i), [count], 'int32') });

/** Vectors over examples * outputs as one array [examples, ...outputs], or stacked [k, examples, ...outputs]. */
export function rowArray(vectors: readonly Float64Array[], shape: Shape, dtype: 'float32' | 'float64'): NDArray {
  const size = sizeOf(shape);
  const data = allocate(dtype, vectors.length * size);
  vectors.forEach((vector, i) => data.set(vector, i * size));
  return new NDArray(data, vectors.length > 1 ? [vectors.length, ...shape] : shape, dtype);
}

/** Calls a function whose result a chunk is [count, ...] or [k, count, ...], and lays the chunks end to end: k vectors. */
export async function collectRows<Call extends unknown[]>(total: ChunkedSum<Call, Tensor>, call: Parameters<ChunkedSum<Call, Tensor>['each']>[0], vectors: number, examples: number): Promise<Float64Array[]> {
  let out: Float64Array[] = [];
  await total.each(call, (part, { start, count }) => {
    const { data } = part as unknown as NDArray;
    const width = data.length / (vectors * count);
    if (out.length === 0) out = Array.from({ length: vectors }, () => new Float64Array(examples * width));
    out.forEach((vector, i) => vector.set(data.subarray(i * count * width, (i + 1) * count * width), start * width));
  });
  return out;
}

/**
 * The Jacobian of the outputs of all examples with respect to the parameters, [examples * outputs, parameters]: row
 * n * outputs + k is the gradient of output k of example n (further axes of an output in row-major order). `multiply` moves the
 * outputs along a direction of parameters (forward mode), `multiplyTransposed` pulls a change of the outputs back. Not divided
 * by anything. Model in eval mode.
 *
 * @throws ArgumentError when no parameter or more samples than there are are chosen; DtypeError when parameters mix types.
 */
export function jacobian<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: JacobianOptions = {}): LinearMap {
  const { block = BLOCK, data = problem.train, samples = data.size } = options;
  const forward: ProblemSum<[Tensor[]], Tensor> = problemSum('Jacobian', problem, point, ({ paramsAt, state, batch }, chosen, vector: Tensor[]) => {
    const move = (v: Tensor[]): Tensor => jvp((leaves: Tensor[]) => predict(problem, paramsAt(leaves), state, batch.inputs), [chosen], [v] as [Tensor[]])[1];
    return vector[0].rank === chosen[0].rank ? move(vector) : vmap(move)(vector);
  }, options);
  const { space, split, name } = forward;
  const shape = [split.size, ...traceOutputs(problem, point, split, space.dtype).outputs.shape.slice(1)];
  const backward: ProblemSum<[Tensor], Tensor[]> = problemSum('transposed Jacobian', problem, point, ({ paramsAt, state, batch, extra }, chosen, cotangent: Tensor) => {
    const [, pull] = vjp((leaves: Tensor[]) => predict(problem, paramsAt(leaves), state, batch.inputs), chosen);
    // Only the chunk's own rows are used.
    const own = (rows: Tensor): Tensor[] => pull(take(rows, extra.index, 0))[0];
    return cotangent.rank === shape.length ? own(cotangent) : vmap(own)(cotangent);
  }, options, exampleIndices(samples));
  return linearMap({
    name, rows: sizeOf(shape), columns: space.size, precision: space.dtype, block, space,
    apply: (vectors) => collectRows(forward.total, [space.split(vectors, vectors.length > 1)] as never, vectors.length, split.size),
    async applyTransposed(vectors) {
      const arrays = await backward.total.evaluate(rowArray(vectors, shape, space.dtype));
      return vectors.map((_, row) => space.join(arrays.map((leaf, i) => {
        const { size } = space.ranges[i];
        return new NDArray((leaf.data as Float64Array).subarray(row * size, (row + 1) * size), [size], leaf.dtype);
      })));
    },
    chunks: () => forward.total.cost ?? backward.total.cost,
    dispose: async () => { await Promise.all([forward.total.dispose(), backward.total.dispose()]); },
  });
}

/**
 * The empirical neural tangent kernel J J' over examples * outputs (Jacot, Gabriel, Hongler 2018), matrix-free: two passes over
 * the data a product. Neither traced over the outputs nor divided by their number (neural-tangents' `trace_axes=()`). Its nonzero
 * eigenvalues are those of J' J, which is N times the GGN of half the squared error.
 */
export function ntkOperator<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: JacobianOptions = {}): LinearOperator {
  const map = jacobian(problem, point, options);
  const { size, precision, block, multiply } = gram(transposed(map));
  return linearOperator({ name: `NTK of ${problem.name}`, size, precision, block, apply: multiply, chunks: () => map.chunks, dispose: () => map.dispose() });
}
