/** Dense matrices to compare operators with, computed example by example. */
import { array, NDArray, toDtype } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { grad, compile, jacrev } from '../transforms/index.ts';
import { examplesOf, lossSum, ParameterSpace, predict, type Problem } from '../problem/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { leaves } from '../tree/index.ts';
import { key } from '../util/random/index.ts';

export const largest = (a: Float64Array): number => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
export const difference = (a: Float64Array, b: Float64Array): number => {
  if (a.length !== b.length) throw new Error(`${a.length} entries against ${b.length}`);
  return largest(a.map((x, i) => x - b[i]));
};

/** Rows [from, from + count) of an array. */
export function rowsOf({ data, shape, dtype }: NDArray, count: number, from = 0): NDArray {
  const width = data.length / shape[0];
  return array(data.slice(from * width, (from + count) * width), [count, ...shape.slice(1)], dtype);
}

/** Gradients of the examples' losses, [examples][parameters], one call each. */
export async function exampleGradients<P>(problem: Problem<P>): Promise<Float64Array[]> {
  const { params } = problem.model.init(key(0));
  const space = new ParameterSpace(params);
  const gradient = compile((p: P, inputs: Tensor, targets: Tensor) => grad((q: P) => lossSum(problem, q, {}, { inputs, targets }))(p), { executor: referenceExecutor });
  const { inputs, targets } = examplesOf(problem.train, space.dtype);
  const out: Float64Array[] = [];
  for (let n = 0; n < problem.train.size; n++) out.push(space.flatten(await gradient(params as never, rowsOf(inputs, 1, n), rowsOf(targets, 1, n))));
  return out;
}

/** The Jacobian [examples * outputs, parameters] by `jacrev`, row-major. */
export async function denseJacobian<P>(problem: Problem<P>): Promise<Float64Array> {
  const { params } = problem.model.init(key(0));
  const space = new ParameterSpace(params);
  const { inputs } = examplesOf(problem.train, space.dtype);
  const tree = await compile((p: P, x: Tensor) => jacrev((q: P) => predict(problem, q, {}, x))(p), { executor: referenceExecutor })(params as never, inputs);
  const blocks = leaves<NDArray>(tree);
  const rows = blocks[0].size / space.ranges[0].size;
  const matrix = new Float64Array(rows * space.size);
  space.ranges.forEach(({ offset, size }, i) => {
    for (let r = 0; r < rows; r++) for (let j = 0; j < size; j++) matrix[r * space.size + offset + j] = blocks[i].data[r * size + j];
  });
  return matrix;
}

/** sum_k weights[k] u_k u_k' as a dense matrix. */
export function outerSum(vectors: readonly Float64Array[], weight: (k: number) => number): Float64Array {
  const n = vectors[0].length;
  const out = new Float64Array(n * n);
  vectors.forEach((u, k) => {
    const w = weight(k);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j] += w * u[i] * u[j];
  });
  return out;
}

/** J' M J of a Jacobian [rows, columns] and M [rows, rows]. */
export function congruence(jacobian: Float64Array, rows: number, middle: Float64Array): Float64Array {
  const columns = jacobian.length / rows;
  const moved = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let s = 0; s < rows; s++) if (middle[r * rows + s] !== 0) for (let j = 0; j < columns; j++) moved[r * columns + j] += middle[r * rows + s] * jacobian[s * columns + j];
  const out = new Float64Array(columns * columns);
  for (let r = 0; r < rows; r++) for (let i = 0; i < columns; i++) for (let j = 0; j < columns; j++) out[i * columns + j] += jacobian[r * columns + i] * moved[r * columns + j];
  return out;
}

/** The same point in float32. */
export const singlePrecision = <T>(params: T): T => (Array.isArray(params) ? params.map(singlePrecision)
  : params instanceof NDArray ? toDtype(params, 'float32')
    : Object.fromEntries(Object.entries(params as object).map(([name, value]) => [name, singlePrecision(value)]))) as T;
