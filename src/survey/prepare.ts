/** From names and options to a problem. @module */
import { subset, type Dataset } from '../data/index.ts';
import { lossNamed, lossNameOf, type Loss } from '../losses/index.ts';
import { parseModel, type AnyModel } from '../nn/index.ts';
import { examplesOf, lossSum, type Examples, type Point, type Problem } from '../problem/index.ts';
import { compile } from '../transforms/index.ts';
import { ArgumentError, DtypeError, ShapeError } from '../util/errors.ts';
import { key } from '../util/random/index.ts';

/** A problem without static knowledge of its parameters. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the structure is known when the model's name is parsed, at run time
export type AnyProblem = Problem<any, any>;

/** A point of such a problem. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export type AnyPoint = Point<any, any>;

/** A problem with what its record tells besides: the dataset and the name of the loss. */
export interface PreparedProblem {
  readonly problem: AnyProblem;
  readonly dataset: Dataset;
  readonly lossName: string;
  /** Statistics that batch normalisation uses in what is measured. Default `eval`: kept ones. */
  readonly batchNorm?: 'eval' | 'batch' | 'recomputed';
}

/** A loss and the name that records give it. */
export interface NamedLoss {
  readonly name: string;
  readonly loss: Loss;
}

function namedLoss(text: string): NamedLoss {
  const name = lossNameOf(text);
  return { name, loss: lossNamed(name) };
}

/** By what the targets are. */
const usualLoss = ({ kind, train }: Dataset): string => (kind === 'regression' ? 'mean-squared-error' : kind === 'sequence' && train.targets.shape.length === 2 ? 'next-token' : 'cross-entropy');

/** The problem of fitting a model, as text such as `mlp:784-128-64-10`, to a dataset. @throws ArgumentError */
export function prepareProblem(modelText: string, dataset: Dataset, loss?: string | NamedLoss): PreparedProblem {
  const classes = dataset.classes?.length ?? (dataset.train.targets.shape[1] ?? 1);
  const model: AnyModel = parseModel(modelText, { inputShape: dataset.inputShape, classes, ...(dataset.vocabulary !== undefined && { vocabulary: dataset.vocabulary }) });
  return problemOfModel(model, dataset, modelText, loss);
}

/** The problem of fitting a model to a dataset, by the dataset's usual loss unless another is named. @throws ArgumentError */
export function problemOfModel(model: AnyModel, dataset: Dataset, modelName: string, loss?: string | NamedLoss): PreparedProblem {
  const { name, loss: chosen } = typeof loss === 'object' ? loss : namedLoss(loss ?? usualLoss(dataset));
  const problem: AnyProblem = { name: `${modelName} on ${dataset.name}`, model, loss: chosen, train: dataset.train, ...(dataset.test.size > 0 && { test: dataset.test }) };
  requireFit(problem, name);
  return { problem, dataset, lossName: name };
}

/** Traces the loss of one example. @throws ArgumentError where the loss takes other outputs or targets than there are. */
function requireFit(problem: AnyProblem, lossName: string): void {
  const { params, state } = problem.model.init(key(0));
  const trace = compile((p: unknown, s: unknown, batch: Examples) => lossSum(problem, p, s, batch));
  try {
    trace.graph(params, state, examplesOf(subset(problem.train, 1), 'float32'));
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof DtypeError)) throw error;
    throw new ArgumentError({ operation: 'prepareProblem', required: `the loss ${lossName} must fit the model's outputs and the data's targets`, received: error.message });
  }
}
