/** What tests of probes share: small problems at several points, and dense derivatives there. */
import type { Executor } from '../../core/backend.ts';
import { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { sgd, type Optimizer } from '../../optim/index.ts';
import { examplesOf, lossSum, ParameterSpace, type Point, type Problem } from '../../problem/index.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { compile, grad, hessian as denseHessian, type Host } from '../../transforms/index.ts';
import { leaves, mapTree } from '../../tree/index.ts';
import { key, normal, split } from '../../util/random/index.ts';
import type { Moment, ProbeSetting } from '../probe.ts';

/** What a probe of a tiny problem is prepared with: in float64, by the reference interpreter unless told otherwise. */
export function settingOf<P>(problem: Problem<P>, { optimizer = sgd(), executor = referenceExecutor, start = problem.model.init(key(0)) as Point<P> }: { optimizer?: Optimizer; executor?: Executor; start?: Point<P> } = {}): ProbeSetting<P, Record<string, never>> {
  return { problem, optimizer, executor, key: key(5), batchSize: problem.train.size, start, signal: undefined };
}

/** A place in a run: `number` random displacements away from a point, by default where the model starts. */
export function momentAt<P>({ model }: Problem<P>, number: number, step = 10 * number): Moment<P, Record<string, never>> {
  const point = model.init(key(0)) as Point<P>;
  let leaf = 0;
  const params = mapTree(({ data, shape, dtype }: NDArray) => {
    const noise = normal(split(key(3), number * 100 + leaf++), data.length, { dtype: 'float64', deviation: 0.3 });
    const moved = Float64Array.from(data, (x, i) => x + (number === 0 ? 0 : noise[i]));
    return new NDArray(dtype === 'float64' ? moved : Float32Array.from(moved), shape, dtype);
  }, point.params) as Host<P>;
  return { params, state: point.state, step, epoch: step, memory: {}, learningRate: 0.1 };
}

/** Gradient and Hessian of the mean loss over the training split, in the order of the parameters. */
export async function denseDerivatives<P>(problem: Problem<P>, { params }: Pick<Point<P>, 'params'>): Promise<{ gradient: Float64Array; hessian: Float64Array; size: number }> {
  const space = new ParameterSpace(params);
  const { inputs, targets } = examplesOf(problem.train, space.dtype);
  const f = (chosen: Tensor[], x: Tensor, y: Tensor, like: P): Tensor => lossSum(problem, space.replace(like, chosen) as P, {}, { inputs: x, targets: y });
  const run = compile((chosen: Tensor[], x: Tensor, y: Tensor, like: P) => ({ g: grad((c: Tensor[]) => f(c, x, y, like))(chosen), h: denseHessian(f)(chosen, x, y, like) }), { executor: referenceExecutor });
  const { g, h } = (await run(space.pick<NDArray>(params) as never, inputs, targets, params as never)) as unknown as { g: NDArray[]; h: unknown };
  const blocks = leaves<NDArray>(h);
  const { ranges, size } = space;
  const hessian = new Float64Array(size ** 2);
  ranges.forEach((row, a) => ranges.forEach((column, b) => {
    const { data } = blocks[a * ranges.length + b];
    for (let i = 0; i < row.size; i++) for (let j = 0; j < column.size; j++) hessian[(row.offset + i) * size + column.offset + j] = data[i * column.size + j] / problem.train.size;
  }));
  return { gradient: space.join(g).map((x) => x / problem.train.size), hessian, size };
}

/** Counts the programs that are prepared. */
export function countingExecutor(executor: Executor = referenceExecutor): Executor & { readonly prepared: number } {
  let prepared = 0;
  return {
    name: executor.name,
    prepare: (graph, constants) => { prepared++; return executor.prepare(graph, constants); },
    get prepared() { return prepared; },
  };
}

/** x' A y. */
export const quadratic = (x: Float64Array, a: Float64Array, y: Float64Array): number => x.reduce((sum, xi, i) => sum + xi * y.reduce((inner, yj, j) => inner + a[i * y.length + j] * yj, 0), 0);
