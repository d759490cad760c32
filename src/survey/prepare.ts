/** From names and options to a problem. @module */
import type { Dataset } from '../data/index.ts';
import { lossNamed } from '../losses/index.ts';
import { parseModel, type AnyModel } from '../nn/index.ts';
import type { Point, Problem } from '../problem/index.ts';

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
}

/** The problem of fitting a model, as text such as `mlp:784-128-64-10`, to a dataset. @throws ArgumentError */
export function prepareProblem(modelText: string, dataset: Dataset, lossName?: string): PreparedProblem {
  const classes = dataset.classes?.length ?? (dataset.train.targets.shape[1] ?? 1);
  const model: AnyModel = parseModel(modelText, { inputShape: dataset.inputShape, classes, ...(dataset.vocabulary !== undefined && { vocabulary: dataset.vocabulary }) });
  const name = lossName ?? (dataset.kind === 'regression' ? 'mean-squared-error' : 'cross-entropy');
  return {
    problem: { name: `${modelText} on ${dataset.name}`, model, loss: lossNamed(name), train: dataset.train, test: dataset.test },
    dataset, lossName: name,
  };
}
