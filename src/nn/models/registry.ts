/** Models by name, made for data of a given shape. @module */
import { ArgumentError } from '../../util/errors.ts';
import { sizeOf, type Shape } from '../../core/ndarray.ts';
import type { AnyModel } from '../model.ts';
import { cnn } from './cnn.ts';
import { mlp } from './mlp.ts';
import { mupMlp } from './mup-mlp.ts';
import { oneOf, parseOptions, positiveInteger, type OptionKinds, type OptionValues } from '../../util/options.ts';
import { pair, readout, weightOptions, widths } from './options.ts';
import { resnet } from './resnet.ts';
import { transformer } from './transformer.ts';

/** What a model must know of the data. */
export interface DataShape {
  /** Shape of one example: [1, 28, 28], [4], or [tokens]. */
  readonly inputShape: Shape;
  /** Outputs: number of classes, or of targets in regression. */
  readonly classes: number;
  /** Number of distinct tokens where inputs are tokens. */
  readonly vocabulary?: number;
}

export interface ModelEntry {
  /** One line for lists. */
  readonly description: string;
  /** How the model is written. */
  readonly example: string;
  /** The options and how their values are written. */
  readonly options: OptionKinds;
  /** A model for the data from the text after its name. @throws ArgumentError when options or data do not fit. */
  make(text: string, data: DataShape): AnyModel;
}

/** An entry whose option values have the types of their kinds. */
function entry<const K extends OptionKinds>(description: string, example: string, options: K, positional: (keyof K & string) | undefined, make: (values: OptionValues<K>, data: DataShape) => AnyModel): ModelEntry {
  const operation = `model ${example.split(':')[0]}`;
  return { description, example, options, make: (text, data) => make(parseOptions(operation, text, options, positional), data) };
}

function mlpSizes({ sizes, hidden }: { readonly sizes?: readonly number[]; readonly hidden?: readonly number[] }, data: DataShape): readonly number[] {
  const features = requireNumbers('mlp', data);
  const { classes } = data;
  if (sizes === undefined) return [features, ...(hidden ?? [128, 64]), classes];
  const right = [features, ...(hidden ?? sizes.slice(1, -1)), classes];
  if (hidden === undefined && sizes.length >= 2 && sizes[0] === features && sizes[sizes.length - 1] === classes) return sizes;
  throw new ArgumentError({
    operation: 'model mlp', required: hidden === undefined ? `sizes must start with the data's ${features} features and end with its ${classes} outputs` : 'sizes and hidden exclude each other',
    received: sizes.join('-'), remedy: `mlp:${right.join('-')}${right.length > 2 ? `, or mlp:hidden=${right.slice(1, -1).join('-')}` : ''}`,
  });
}

/** Features of an example. @throws ArgumentError for tokens. */
function requireNumbers(model: string, { inputShape, vocabulary }: DataShape): number {
  if (vocabulary === undefined) return sizeOf(inputShape);
  throw new ArgumentError({ operation: `model ${model}`, required: 'the data must be numbers', received: `tokens of a vocabulary of ${vocabulary}`, remedy: 'transformer' });
}

function requireImages(model: string, data: DataShape): readonly [number, number, number] {
  requireNumbers(model, data);
  const [channels, height, width] = data.inputShape;
  if (data.inputShape.length === 3) return [channels, height, width];
  throw new ArgumentError({ operation: `model ${model}`, required: 'the data must be images [channels, height, width]', received: `examples of shape [${data.inputShape.join(',')}]`, remedy: 'mlp' });
}

/** All models. */
export const models = {
  mlp: entry('dense layers with an activation between them', 'mlp:784-128-64-10,activation=tanh', { sizes: widths, hidden: widths, ...weightOptions }, 'sizes',
    ({ sizes, hidden, ...options }, data) => mlp({ ...options, sizes: mlpSizes({ sizes, hidden }, data) })),
  'mup-mlp': entry('dense layers by the maximal update parametrisation: one learning rate, times the width, for all widths', 'mup-mlp:256,depth=2',
    { width: positiveInteger, depth: positiveInteger, activation: weightOptions.activation, parametrization: oneOf(['mup', 'ntk']) }, 'width',
    ({ width = 128, ...options }, data) => mupMlp({ ...options, width, inputs: requireNumbers('mup-mlp', data), outputs: data.classes })),
  cnn: entry('two convolutions and three dense layers, in the manner of LeNet-5', 'cnn:6-16,hidden=120-84', { channels: pair, hidden: pair, ...weightOptions }, 'channels',
    (options, data) => cnn({ ...options, inputShape: requireImages('cnn', data), classes: data.classes })),
  resnet: entry('residual network with batch norm for small images', 'resnet:20,width=16', { depth: positiveInteger, width: positiveInteger, ...weightOptions }, 'depth',
    (options, data) => resnet({ ...options, inputShape: requireImages('resnet', data), classes: data.classes })),
  transformer: entry('causal transformer over tokens; reads its answer after the last token unless readout=every', 'transformer:width=128,depth=2,heads=4',
    { width: positiveInteger, depth: positiveInteger, heads: positiveInteger, hidden: positiveInteger, readout, ...weightOptions }, undefined,
    (options, { inputShape, classes, vocabulary }) => {
      if (vocabulary === undefined || inputShape.length !== 1) {
        throw new ArgumentError({ operation: 'model transformer', required: 'the data must be sequences of tokens', received: `examples of shape [${inputShape.join(',')}]${vocabulary === undefined ? ' without a vocabulary' : ''}`, remedy: 'mlp' });
      }
      return transformer({ readout: 'last', ...options, vocabulary, context: inputShape[0], outputs: classes });
    }),
} as const satisfies Readonly<Record<string, ModelEntry>>;

/** Names that a model's text may start with. */
export type ModelName = keyof typeof models;

/**
 * A model for the data from a text: a name and, after a colon, options separated by commas, such as
 * `mlp:784-128-64-10,activation=relu`, `mlp:hidden=64` or `resnet:20,width=8`.
 * @throws ArgumentError naming the part that is wrong.
 */
export function parseModel(text: string, data: DataShape): AnyModel {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (Object.hasOwn(models, name)) return models[name as ModelName].make(colon < 0 ? '' : text.slice(colon + 1), data);
  throw new ArgumentError({ operation: 'parseModel', required: `the model must start with one of ${Object.keys(models).join(', ')}`, received: `'${text}'`, remedy: models.mlp.example });
}
