/** A model from a file and the user's data as a problem. @module */
import { NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import { makeSplit, type Dataset, type Split } from '../data/index.ts';
import type { ImportedModel } from '../interop/index.ts';
import { requireDataRange } from '../interop/onnx-inputs.ts';
import type { NamedLoss } from './prepare.ts';
import { problemOfModel, type PreparedProblem } from './prepare.ts';
import type { Executor } from '../core/backend.ts';
import { recalibrate } from '../problem/index.ts';
import type { AnyPoint } from './prepare.ts';
import { ArgumentError } from '../util/errors.ts';

/** What decides about a model from a file besides its data. */
export interface ImportedProblemOptions {
  /** Name in records: that of the file. */
  readonly name: string;
  /** Default: the loss inside the model where it was asked for, the loss that belongs to an activation left off the end of the model, else that of the data. */
  readonly loss?: string | NamedLoss;
  /** Statistics of batch normalisation. Default `eval`: those of the file. */
  readonly batchNorm?: 'eval' | 'batch' | 'recomputed';
}

/**
 * The problem of a model from a file on a data set. Examples are given the shape that the model declares where it has as many elements: rows
 * of 784 pixels become images [1, 28, 28].
 * @throws ArgumentError when examples cannot have that shape, or outputs and targets do not fit the loss.
 */
export function prepareImported(imported: ImportedModel, dataset: Dataset, { name, loss, batchNorm }: ImportedProblemOptions): PreparedProblem {
  const shape = exampleShape(imported, dataset);
  const shaped = (split: Split): Split => makeSplit(new NDArray(split.inputs.data, [split.size, ...shape], split.inputs.dtype), split.targets);
  const fitted: Dataset = { ...dataset, train: shaped(dataset.train), test: shaped(dataset.test), inputShape: shape };
  requireDataRange(imported.input, fitted.train.inputs, 'training data');
  requireDataRange(imported.input, fitted.test.inputs, 'test data');
  const { ownLoss } = imported;
  const prepared = problemOfModel(imported.model, fitted, name, loss ?? (ownLoss === undefined ? imported.loss : { name: `${ownLoss.name} inside ${name}`, loss: ownLoss.loss }));
  return { ...prepared, ...(batchNorm !== undefined && { batchNorm }) };
}

/** The declared shape of an example where it is known and holds as many elements, else that of the data. */
function exampleShape({ input }: ImportedModel, { train }: Dataset): Shape {
  const own = train.inputs.shape.slice(1);
  const declared = input.shape?.slice(1);
  if (declared === undefined || declared.some((extent) => typeof extent !== 'number')) return own;
  const wanted = declared as readonly number[];
  if (sizeOf(wanted) === sizeOf(own)) return wanted;
  throw new ArgumentError({ operation: `input '${input.name}'`, required: `an example must have the shape [${wanted.join(',')}] that the model declares`, received: `[${own.join(',')}] of the data`, remedy: 'export the model for this shape, or with dynamic axes; images are [n, channels, height, width]' });
}

/** The point that a prepared problem measures: with its kept statistics computed anew over the training examples where that was asked for. */
export const settledPoint = async ({ problem, batchNorm }: PreparedProblem, point: AnyPoint, executor?: Executor): Promise<AnyPoint> =>
  (batchNorm === 'recomputed' ? { params: point.params, state: await recalibrate(problem, point, { ...(executor && { executor }) }) } : point);
