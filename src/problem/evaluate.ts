/** Loss, accuracy and gradient of a problem over a split, in chunks. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Split } from '../data/index.ts';
import { valueAndGrad } from '../transforms/index.ts';
import { chunkedSum, type ChunkCost, type ChunkOptions } from './chunked.ts';
import type { Measurement } from './measurement.ts';
import { correctness, examplesOf, lossSum, meanOf, moments, pointOf, predict, type Examples, type Moments, type PointTensors } from './objective.ts';
import { ParameterSpace, type ParameterFilter } from './parameter-space.ts';
import type { Point, Problem } from './problem.ts';

/** Loss and accuracy over a split. Standard errors are those of the examples as a sample of what they were drawn from. */
export interface Evaluation {
  readonly loss: Measurement;
  /** Fraction of examples whose largest output is at the label; only where targets are labels. */
  readonly accuracy?: Measurement;
}

/** Evaluates one split at any point; keeps its compiled programs. */
export interface Evaluator<P, State> {
  evaluate(point: Point<P, State>): Promise<Evaluation>;
  readonly cost: ChunkCost | undefined;
  dispose(): Promise<void>;
}

interface Sums<A = Tensor> {
  readonly loss: Moments<A>;
  readonly correct?: Moments<A>;
}

/**
 * Prepares the mean loss (and the accuracy, where targets are labels) over a split. With `{ dtype }` of float64 parameters
 * the data are converted once. Model in eval mode.
 */
export function evaluator<P, State>(problem: Problem<P, State>, split: Split, options: ChunkOptions & { readonly dtype?: 'float32' | 'float64' } = {}): Evaluator<P, State> {
  const sums = (_: Record<string, never>, batch: Examples, params: P, state: State): Sums => {
    const outputs = predict(problem, params, state, batch.inputs);
    const correct = correctness(outputs, batch.targets);
    return { loss: moments(problem.loss(outputs, batch.targets)), ...(correct && { correct: moments(correct) }) };
  };
  const { dtype = 'float32', ...chunking } = options;
  const total = chunkedSum(sums, {}, examplesOf(split, dtype), { ...chunking, bind: false, name: `loss of ${problem.name}` });
  return {
    async evaluate({ params, state }) {
      const result = (await total.evaluate(params as never, state as never)) as Sums<NDArray>;
      return evaluation(split.size, result);
    },
    get cost() { return total.cost; },
    dispose: () => total.dispose(),
  };
}

function evaluation(n: number, { loss, correct }: Sums<NDArray>): Evaluation {
  const mean = ({ sum, squares }: Moments<NDArray>): Measurement => meanOf({ sum: sum.item(), squares: squares.item() }, n);
  return { loss: mean(loss), ...(correct && { accuracy: mean(correct) }) };
}

/** Loss and accuracy over a split at one point. */
export async function evaluate<P, State>(problem: Problem<P, State>, point: Point<P, State>, split: Split, options: ChunkOptions = {}): Promise<Evaluation> {
  const prepared = evaluator(problem, split, { ...options, dtype: new ParameterSpace(point.params).dtype });
  try {
    return await prepared.evaluate(point);
  } finally {
    await prepared.dispose();
  }
}

export interface GradientOptions extends ChunkOptions {
  /** Differentiate with respect to these parameters only. */
  readonly parameters?: ParameterFilter;
}

/** A gradient as a flat vector with its coordinates' names. */
export interface Gradient {
  /** Mean loss. */
  readonly loss: number;
  /** [space.size] */
  readonly gradient: Float64Array;
  readonly space: ParameterSpace;
}

/** The sum of losses and its gradient with respect to the space's parameters, as a function of those. */
export function gradientSum<P, State>(problem: Problem<P, State>, space: ParameterSpace) {
  return (fixed: PointTensors<P, State>, batch: Examples, chosen: Tensor[]): [Tensor, Tensor[]] =>
    valueAndGrad((leaves: Tensor[]) => lossSum(problem, space.replace(fixed.params, leaves) as P, fixed.state, batch))(chosen);
}

/** Mean loss over a split and its gradient. */
export async function evaluateGradient<P, State>(problem: Problem<P, State>, point: Point<P, State>, split: Split, options: GradientOptions = {}): Promise<Gradient> {
  const { parameters, ...chunking } = options;
  const space = new ParameterSpace(point.params, parameters);
  const total = chunkedSum<PointTensors<P, State>, Examples, [Tensor[]], [Tensor, Tensor[]]>(
    gradientSum(problem, space), pointOf(point), examplesOf(split, space.dtype), { ...chunking, bind: false, name: `gradient of ${problem.name}` },
  );
  try {
    const [loss, gradient] = await total.evaluate(space.pick<NDArray>(point.params));
    const flat = space.join(gradient);
    for (let i = 0; i < flat.length; i++) flat[i] /= split.size;
    return { loss: loss.item() / split.size, gradient: flat, space };
  } finally {
    await total.dispose();
  }
}
