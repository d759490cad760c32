/** Hessians of batches of one problem at one point, by programs that are compiled once. @module */
import type { Tensor } from '../core/tensor.ts';
import { takeRows, type Split } from '../data/index.ts';
import { examplesOf, lossSum, ParameterSpace, pointOf, type ChunkOptions, type Examples, type ParameterFilter, type Point, type PointTensors, type Problem } from '../problem/index.ts';
import type { NDArray } from '../core/ndarray.ts';
import { compile, hvp, type Binder } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { linearOperator, type LinearOperator } from './operator.ts';
import { addRows } from './problem-operator.ts';

/** Options of `batchHessians`. */
export interface BatchHessianOptions extends Pick<ChunkOptions, 'executor'> {
  /** The diagonal block of these parameters. Default: all. */
  readonly parameters?: ParameterFilter;
  /** What batches are drawn from; default: the problem's training split. */
  readonly data?: Split;
}

/** Makes Hessians of batches. */
export interface BatchHessians {
  readonly space: ParameterSpace;
  /**
   * The Hessian of the mean loss over these examples, by their places in the split. Disposing of it frees what belongs to the batch;
   * batches of one size share their program.
   * @throws ArgumentError when there is no example, or one is out of range.
   */
  of(indices: ArrayLike<number>): LinearOperator;
  /** Releases the compiled programs, which all operators share. */
  dispose(): Promise<void>;
}

/**
 * Prepares the Hessians that single batches see at a point: H_B = (1/B) sum of H_i over the batch, H plus sampling noise of size
 * 1 / sqrt(B). `hessian` with `data` is the same matrix, compiled for each batch; here a batch costs its gradient, once, and then a
 * tangent pass a product. The whole batch is evaluated at once, and the model in eval mode.
 */
export function batchHessians<P, State>(problem: Problem<P, State>, point: Point<P, State>, { parameters, data = problem.train, executor }: BatchHessianOptions = {}): BatchHessians {
  const space = new ParameterSpace(point.params, parameters);
  const product = ({ params, state }: PointTensors<P, State>, batch: Examples, vector: Tensor[]): Tensor[] =>
    hvp((chosen: Tensor[]) => lossSum(problem, space.replace(params, chosen) as P, state, batch))(space.pick<Tensor>(params), vector);
  type Hvp = [PointTensors<P, State>, Examples, Tensor[]];
  const name = `batch Hessian of ${problem.name}`;
  // Not embedded: a session a batch would be made for convolutions otherwise.
  const binder = compile(product as never, { name, bind: 2, embed: false, ...(executor && { executor }) }) as unknown as Binder<Hvp, 2, Tensor[]>;
  const fixed = pointOf(point);
  return {
    space,
    of(indices) {
      if (indices.length === 0) throw new ArgumentError({ operation: 'batchHessians', required: 'indices must have at least one example', received: 'none' });
      const bound = binder(fixed as never, examplesOf(takeRows(data, indices), space.dtype) as never);
      return linearOperator({
        name, size: space.size, precision: space.dtype, space,
        async apply([vector]) {
          const mean = new Float64Array(space.size);
          addRows(space, (await (await bound)(space.split([vector], false) as never)) as unknown as NDArray[], [mean], indices.length);
          return [mean];
        },
        dispose: async () => { await (await bound).dispose(); },
      });
    },
    dispose: () => binder.dispose(),
  };
}
