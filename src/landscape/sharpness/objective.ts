/** The loss of a problem as a function of a flat vector of parameters: what sharpness measures move about in. @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { subset, type Split } from '../../data/index.ts';
import { div, mean, sqrt, square, sub, sum } from '../../ops/index.ts';
import {
  chunkedSum, correctness, examplesOf, gradientSum, losses, ParameterSpace, pointOf, predict, type ChunkOptions, type Cost, type Examples, type Measurement, type ParameterFilter, type Point,
  type PointTensors, type Problem,
} from '../../problem/index.ts';
import { ArgumentError, NonFiniteError } from '../../util/errors.ts';
import { key as makeKey, type Key } from '../../util/random/index.ts';

/** What every sharpness measure takes. */
export interface SharpnessOptions extends ChunkOptions {
  /** Perturbs these parameters only. Default: all. */
  readonly parameters?: ParameterFilter;
  /** The examples; default: the problem's training split. */
  readonly data?: Split;
  /** The first so many examples of the split; default all. */
  readonly samples?: number;
  /**
   * Divides each example's outputs by their standard deviation before the loss (Andriushchenko et al. 2023, section 3), so that
   * networks whose outputs differ by a factor compare. For outputs [batch, classes >= 2]. Default false.
   */
  readonly logitNormalized?: boolean;
  /** The seed of random perturbations. Default `key(0)`: same key, same bits. */
  readonly key?: Key;
  /** Stops at the next evaluation: the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a sharpness measure cost. */
export interface SharpnessCost extends Cost {
  /** Evaluations of the loss over all examples. */
  readonly losses: number;
  /** Evaluations of the loss and its gradient over all examples. */
  readonly gradients: number;
}

/** A sharpness with its error and what it does not depend on. */
export interface Sharpness extends Measurement {
  readonly measure: string;
  /** Whether it is the same for all networks that a positive factor moved between layers of a ReLU network makes of this one. */
  readonly rescaling: 'invariant' | 'changes';
  readonly cost: SharpnessCost;
}

/** A loss as a function of the parameters that are perturbed. */
export interface Objective {
  readonly space: ParameterSpace;
  /** The point itself, [space.size]. */
  readonly centre: Float64Array;
  readonly key: Key;
  /** Mean loss at a vector; may be infinite or NaN away from the centre. */
  lossAt(vector: Float64Array): Promise<number>;
  gradientAt(vector: Float64Array): Promise<{ readonly loss: number; readonly gradient: Float64Array }>;
  /** Share of examples whose largest output is not at the label. @throws ArgumentError when targets are no labels. */
  errorAt(vector: Float64Array): Promise<number>;
  /** Estimated rounding of the difference of two mean losses. */
  rounding(first: number, second: number): number;
  cost(): SharpnessCost;
  dispose(): Promise<void>;
}

/** The same problem with outputs divided by their standard deviation over the classes. */
function normalized<P, State>(problem: Problem<P, State>): Problem<P, State> {
  return {
    ...problem, name: `${problem.name}, logits normalised`,
    loss: (outputs, targets) => {
      if (outputs.rank !== 2 || outputs.shape[1] < 2) throw new ArgumentError({ operation: 'logitNormalized', required: 'outputs must be [batch, classes] with at least two classes', received: outputs.toString() });
      const spread = sqrt(mean(square(sub(outputs, mean(outputs, 1, { keepDims: true }))), 1, { keepDims: true }));
      return problem.loss(div(outputs, spread), targets);
    },
  };
}

// Measured on ReLU MLPs at 64 to 5,000 examples, ONNX Runtime in float32 against float64: at most 2.2 units of roundoff of the sum of both losses.
const ROUNDING = 8;

/** Prepares the mean loss over the examples and its gradient. Programs are compiled at their first use. Model in eval mode. */
export function sharpnessObjective<P, State>(given: Problem<P, State>, point: Point<P, State>, options: SharpnessOptions = {}): Objective {
  const { parameters, data = given.train, samples = data.size, logitNormalized = false, signal, executor, chunk, memoryBudget } = options;
  const problem = logitNormalized ? normalized(given) : given;
  const start = performance.now();
  const space = new ParameterSpace(point.params, parameters);
  const split = subset(data, samples);
  const settings = { executor, chunk, memoryBudget, bind: false };
  const examples = examplesOf(split, space.dtype);
  const at = (fixed: PointTensors<P, State>, chosen: Tensor[]): P => space.replace(fixed.params, chosen) as P;
  const loss = chunkedSum<PointTensors<P, State>, Examples, [Tensor[]], Tensor>(
    (fixed, batch, chosen) => sum(losses(problem, at(fixed, chosen), fixed.state, batch)), pointOf(point), examples, { ...settings, name: `loss of ${problem.name}` });
  const gradient = chunkedSum<PointTensors<P, State>, Examples, [Tensor[]], [Tensor, Tensor[]]>(gradientSum(problem, space), pointOf(point), examples, { ...settings, name: `gradient of ${problem.name}` });
  const correct = chunkedSum<PointTensors<P, State>, Examples, [Tensor[]], Tensor>((fixed, batch, chosen) => {
    const right = correctness(predict(problem, at(fixed, chosen), fixed.state, batch.inputs), batch.targets);
    if (right === null) throw new ArgumentError({ operation: 'errorAt', required: 'targets must be labels of at least two classes', received: batch.targets.toString(), remedy: "metric: 'loss'" });
    return sum(right);
  }, pointOf(point), examples, { ...settings, name: `error of ${problem.name}` });
  const counts = { losses: 0, gradients: 0 };
  const leaves = (vector: Float64Array): NDArray[] => { signal?.throwIfAborted(); return space.split([vector], false); };
  return {
    space, centre: space.flatten(), key: options.key ?? makeKey(0),
    async lossAt(vector) {
      const total = await loss.evaluate(leaves(vector));
      counts.losses++;
      return total.item() / split.size;
    },
    async gradientAt(vector) {
      const [total, parts] = await gradient.evaluate(leaves(vector));
      counts.gradients++;
      return { loss: total.item() / split.size, gradient: space.join(parts).map((x) => x / split.size) };
    },
    async errorAt(vector) {
      const right = await correct.evaluate(leaves(vector));
      counts.losses++;
      return 1 - right.item() / split.size;
    },
    rounding: (first, second) => ROUNDING * (space.dtype === 'float32' ? 2 ** -24 : 2 ** -53) * (Math.abs(first) + Math.abs(second)),
    cost: () => ({ products: 0, seconds: (performance.now() - start) / 1000, ...counts }),
    async dispose() { await Promise.all([loss.dispose(), gradient.dispose(), correct.dispose()]); },
  };
}

/** @throws NonFiniteError unless the loss at the point itself is finite. */
export function requireFiniteLoss(operation: string, loss: number): void {
  if (!Number.isFinite(loss)) throw new NonFiniteError({ operation, required: 'the loss at the point must be finite', received: String(loss) });
}
