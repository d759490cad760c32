/** What an update may ask of a model and its batch beyond the loss and its derivatives, and the random numbers some of it takes. @module */
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { distributionOf, type DistributionChoice, type DistributionName } from '../curvature/fisher-distribution.ts';
import { traceOutputs } from '../curvature/problem-operator.ts';
import type { Draw, ModelQuantities } from '../optim/index.ts';
import { expandDims, mean, mul, sum } from '../ops/index.ts';
import { ParameterSpace, type Examples, type Point, type Problem } from '../problem/index.ts';
import { ggnvp, grad, vjp, vmap, type Host } from '../transforms/index.ts';
import { leaves, mapTree } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { normal, split, uniform, type Key } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import { layerFactors } from './layer-factors.ts';

/** Random numbers of a step, on the host or traced. */
export interface StepDraws<P, A = Tensor> {
  /** Standard normal numbers shaped like the parameters. */
  readonly normal?: P;
  /** Examples along axis 0: uniform numbers for each label to draw, or normal numbers for each output, as the loss asks. */
  readonly targets?: A;
}

/** A step's batch at the parameters before its update. */
export interface QuantitiesInput<P, State> {
  readonly params: P;
  readonly state: State;
  readonly batch: Examples;
  /** What the model's noisy layers read, examples along axis 0. */
  readonly noise?: readonly Tensor[];
  readonly draws?: StepDraws<P>;
  /** The distribution behind a loss of one's own; needed by `sampledGrad` alone. */
  readonly distribution?: DistributionName | DistributionChoice;
}

/**
 * The quantities of a model on a batch, in train mode, so that they belong to the loss that is descended: `ggnvp` differentiates
 * through batch statistics as the gradient does. Two of them have their own conventions.
 *
 * `perExampleGrad`: each example by itself. With batch statistics no example has a gradient of its own, so models that
 * keep a state are taken in eval mode, with kept statistics and without dropout.
 *
 * `sampledGrad`: batch size times its outer product has the batch's Fisher matrix (GGN) as expectation. So a loss that is a
 * mean over several terms an example (tokens, outputs) weights each term's gradient by the root of its weight.
 *
 * @throws ArgumentError when a quantity is asked for whose draw is absent, or whose loss is not known to be a likelihood.
 */
export function modelQuantities<P, State>(problem: Problem<P, State>, { params, state, batch, noise = [], draws = {}, distribution }: QuantitiesInput<P, State>): ModelQuantities<P> {
  const { model, loss } = problem;
  const { inputs, targets } = batch;
  const outputsAt = (at: P): Tensor => model.apply(at, inputs, { mode: 'train', state, noise }).outputs;
  const sampledSlopes = (outputs: Tensor, drawn: Tensor): Tensor => distributionOf('sampledGrad', loss, distribution).draw(outputs, drawn);
  const absent = (quantity: string, kind: Draw['kind']): never => {
    throw new ArgumentError({ operation: quantity, required: `the optimizer must declare the draw '${kind}'`, received: 'none', remedy: `add { kind: '${kind}' } to its draws` });
  };
  return {
    ggnvp: (vector) => ggnvp(outputsAt, (outputs: Tensor) => mean(loss(outputs, targets)))(params, vector),
    perExampleGrad: () => perExampleGradients(problem, params, state, batch, noise),
    sampledGrad() {
      const drawn = draws.targets ?? absent('sampledGrad', 'targets');
      const [outputs, pull] = vjp(outputsAt, params);
      return pull(mul(sampledSlopes(outputs, drawn), 1 / outputs.shape[0]))[0];
    },
    layerFactors() {
      const outputs = outputsAt(params);
      const slopes = draws.targets === undefined ? grad((o: Tensor) => sum(loss(o, targets)))(outputs) : sampledSlopes(outputs, draws.targets);
      return layerFactors({ params, inputs, outputs, slopes });
    },
    normal: () => draws.normal ?? absent('normal', 'normal'),
  };
}

function perExampleGradients<P, State>({ model, loss }: Problem<P, State>, params: P, state: State, { inputs, targets }: Examples, noise: readonly Tensor[]): P {
  const mode = leaves(state).length === 0 ? 'train' : 'eval';
  const alone = (x: Tensor): Tensor => expandDims(x, 0);
  const ofOne = (input: Tensor, target: Tensor, random: Tensor[]): P =>
    grad((at: P) => sum(loss(model.apply(at, alone(input), { mode, state, noise: random.map(alone) }).outputs, alone(target))))(params);
  return vmap(ofOne)(inputs, targets, [...noise]);
}

export interface StepDrawsOptions {
  readonly batchSize: number;
  /** Where the numbers come from. */
  readonly key: Key;
  readonly distribution?: DistributionName | DistributionChoice;
}

/**
 * The draws of each step for an optimizer that declares `draws`, as a function of the step: those of a step depend on it and the
 * key alone, in the parameters' type. Kinds that are not declared are absent. A draw that is kept for several steps is the same
 * object for all of them.
 *
 * @throws ArgumentError when targets are to be drawn and the loss is not known to be a likelihood, or `every` is not positive.
 */
export function stepDraws<P, State>(problem: Problem<P, State>, start: Point<P, State>, draws: readonly Draw[], { batchSize, key, distribution }: StepDrawsOptions): (step: number) => StepDraws<Host<P>, NDArray> {
  const { dtype } = new ParameterSpace(start.params);
  const kept = (kind: Draw['kind'], prepare: () => (from: Key) => unknown): ((step: number) => unknown) | undefined => {
    const declared = draws.find((draw) => draw.kind === kind);
    if (declared === undefined) return undefined;
    const every = requireInteger('stepDraws', 'every', declared.every ?? 1, 1);
    const make = prepare();
    let last: { readonly at: number; readonly value: unknown } | undefined;
    return (step) => {
      const at = step - (step % every);
      if (last?.at !== at) last = { at, value: make(split(key, kind, at)) };
      return last.value;
    };
  };
  const normals = kept('normal', () => (from) => {
    let leaf = 0;
    return mapTree(({ shape }: NDArray) => new NDArray(normal(split(from, leaf++), shape, { dtype }), shape, dtype), start.params);
  });
  const targets = kept('targets', () => {
    const { noise, noiseShape } = distributionOf('stepDraws', problem.loss, distribution);
    const { outputs } = traceOutputs(problem, start, problem.train, dtype);
    const shape = [batchSize, ...noiseShape(outputs.shape.slice(1))];
    return (from) => new NDArray((noise === 'normal' ? normal : uniform)(from, shape, { dtype }), shape, dtype);
  });
  return (step) => ({ ...(normals && { normal: normals(step) as Host<P> }), ...(targets && { targets: targets(step) as NDArray }) });
}
