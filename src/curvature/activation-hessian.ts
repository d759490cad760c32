/** The Hessian of the loss with respect to what an inner layer of a model reads or makes, example by example. @module */
import { sizeOf, type DType, type Shape } from '../core/ndarray.ts';
import { substitute } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import { subset, takeRows, type Split } from '../data/index.ts';
import { sum, take } from '../ops/index.ts';
import { ParameterSpace, predict, type Point, type Problem } from '../problem/index.ts';
import { hvp, vmap } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { activationsIn, type Activation } from './activations.ts';
import { collectRows, exampleIndices, rowArray } from './jacobian.ts';
import { linearOperator } from './operator.ts';
import { BLOCK, problemSum, traceOutputs, type CurvatureOptions, type ProblemOperator } from './problem-operator.ts';

/** Options of `activationHessian`. */
export interface ActivationHessianOptions extends Omit<CurvatureOptions, 'parameters' | 'check'> {
  /** Which examples of `data`, by index; one may occur twice. Default: the first `samples`. */
  readonly examples?: ArrayLike<number>;
  /** `mean`: of the mean loss, so that blocks carry 1 / examples; `sum`: each block is that of the example's own loss. Default `mean`. */
  readonly reduction?: 'mean' | 'sum';
}

/** A value that `activationHessian` can be taken with respect to. */
export interface ActivationShape {
  /** As `activationHessian` takes it: `before layers.1`, `after layers.1`, `inputs`, `outputs`. */
  readonly name: string;
  /** Of one example. */
  readonly shape: Shape;
}

/** An operator over the activations of examples. */
export interface ActivationHessian extends ProblemOperator {
  /** Of one example's activation; `size` is examples times its elements. */
  readonly shape: Shape;
  readonly examples: number;
}

/** The named activations of a trace on so many examples. */
function tracedActivations<P, State>(problem: Problem<P, State>, point: Point<P, State>, split: Split, dtype: DType, examples: number): Activation[] {
  const { params, state, inputs, outputs } = traceOutputs(problem, point, split, dtype, examples);
  return activationsIn(params, state, inputs, outputs);
}

/**
 * The names under which `activationHessian` knows the inner values of a problem's model, in the order they arise, with the shape of one
 * example's. Nothing is run: they are read from the traced model, whatever it is made of.
 */
export function activationNames<P, State>(problem: Problem<P, State>, point: Point<P, State>, data: Split = problem.train): ActivationShape[] {
  const { dtype } = new ParameterSpace(point.params);
  // Two traces tell an axis of examples from one that is as long by chance.
  const other = new Map(tracedActivations(problem, point, data, dtype, 3).map(({ name, tensor }) => [name, tensor.shape]));
  return tracedActivations(problem, point, data, dtype, 2)
    .filter(({ name, tensor: { shape } }) => other.get(name)?.every((n, axis) => n === (axis === 0 ? 3 : shape[axis])))
    .map(({ name, tensor: { shape } }) => ({ name, shape: shape.slice(1) }));
}

/**
 * The Hessian of the mean loss with respect to one inner value of the model, of chosen examples: [examples * elements of the value], an
 * example's elements next to each other in row-major order. In eval mode examples do not see each other, so it is block-diagonal; the
 * block of example n is d^2 l_n / dh_n^2 / examples, with everything that reaches the outputs around h held fixed (a
 * residual connection). Of z = W x + b it gives the blocks of W, (1/N) sum x x' times
 * d^2 l / dz^2, exactly; its trace a layer is what mixed-precision quantisation weighs layers by (Dong et al. 2020, HAWQ-V2).
 *
 * @throws ArgumentError naming those there are when the model has no activation of that name.
 */
export function activationHessian<P, State>(problem: Problem<P, State>, point: Point<P, State>, activation: string, options: ActivationHessianOptions = {}): ActivationHessian {
  const { block = BLOCK, examples, reduction = 'mean', data = problem.train, samples = data.size, ...others } = options;
  const split = examples ? takeRows(data, examples) : subset(data, samples);
  const names = activationNames(problem, point, split);
  const named = names.find(({ name }) => name === activation);
  if (named === undefined) {
    throw new ArgumentError({ operation: 'activationHessian', required: `activation must be one of '${problem.name}'`, received: `'${activation}'`, remedy: `one of ${names.map(({ name }) => `'${name}'`).join(', ')}` });
  }
  if (reduction !== 'mean' && reduction !== 'sum') throw new ArgumentError({ operation: 'activationHessian', required: "reduction must be 'mean' or 'sum'", received: `'${String(reduction)}'` });
  const prepared = problemSum(`Hessian at '${activation}'`, problem, point, ({ paramsAt, state, batch, extra }, chosen, vector: Tensor) => {
    const params = paramsAt(chosen);
    const outputs = predict(problem, params, state, batch.inputs);
    const { tensor } = activationsIn(params, state, batch.inputs, outputs).find(({ name }) => name === activation)!;
    const loss = (value: Tensor): Tensor => sum(problem.loss(substitute([outputs], new Map([[tensor, value]]))[0], batch.targets));
    const curve = (rows: Tensor): Tensor => hvp(loss)(tensor, take(rows, extra.index, 0));
    return vector.rank === tensor.rank ? curve(vector) : vmap(curve)(vector);
  }, { ...others, data: split }, exampleIndices(split.size));
  const { space: { dtype }, name, total } = prepared;
  const shape = [split.size, ...named.shape];
  const scale = reduction === 'mean' ? 1 / split.size : 1;
  const operator = linearOperator({
    name, size: sizeOf(shape), precision: dtype, block,
    async apply(vectors) {
      const rows = await collectRows(total, [rowArray(vectors, shape, dtype)] as never, vectors.length, split.size);
      return rows.map((row) => row.map((x) => x * scale));
    },
    chunks: () => total.cost,
    dispose: () => total.dispose(),
  });
  let predicted: ProblemOperator['predicted'] | undefined;
  return Object.defineProperties(operator, {
    shape: { enumerable: true, value: named.shape },
    examples: { enumerable: true, value: split.size },
    predicted: { enumerable: true, get: () => (predicted ??= prepared.predict(rowArray([new Float64Array(sizeOf(shape))], shape, dtype))) },
  }) as ActivationHessian;
}
