/** The Hessian of the loss with respect to a model's outputs, example by example. @module */
import { sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { sum, take } from '../ops/index.ts';
import { predict, type Point, type Problem } from '../problem/index.ts';
import { hvp, vmap } from '../transforms/index.ts';
import { collectRows, exampleIndices, rowArray } from './jacobian.ts';
import { linearOperator, type LinearOperator } from './operator.ts';
import { BLOCK, problemSum, traceOutputs, type CurvatureOptions } from './problem-operator.ts';

/**
 * The Hessian of the mean loss with respect to the outputs of all examples, [examples * outputs] in the order of the rows of
 * `jacobian`: block-diagonal, the block of an example being H_n / N. So the GGN is J' (this) J. Cross-entropy has
 * (diag p - p p') / N, squared error 2 / (N outputs) I. The option `parameters` has no effect.
 */
export function outputHessian<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: CurvatureOptions = {}): LinearOperator {
  const { block = BLOCK } = options;
  const { data = problem.train, samples = data.size } = options;
  const prepared = problemSum('output Hessian', problem, point, ({ paramsAt, state, batch, extra }, chosen, vector: Tensor) => {
    const outputs = predict(problem, paramsAt(chosen), state, batch.inputs);
    const curve = (rows: Tensor): Tensor => hvp((o: Tensor) => sum(problem.loss(o, batch.targets)))(outputs, take(rows, extra.index, 0));
    return vector.rank === outputs.rank ? curve(vector) : vmap(curve)(vector);
  }, options, exampleIndices(samples));
  const { space, split, name, total } = prepared;
  const shape = [split.size, ...traceOutputs(problem, point, split, space.dtype).outputs.shape.slice(1)];
  return linearOperator({
    name, size: sizeOf(shape), precision: space.dtype, block,
    async apply(vectors) {
      const rows = await collectRows(total, [rowArray(vectors, shape, space.dtype)] as never, vectors.length, split.size);
      return rows.map((row) => row.map((x) => x / split.size));
    },
    chunks: () => total.cost,
    dispose: () => total.dispose(),
  });
}
