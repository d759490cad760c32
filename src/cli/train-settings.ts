/** The options of `thalweg train`: their texts, what is kept of them beside a run, and what is taken from there when it goes on. @module */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { dataHelp, lossHelp } from './data.ts';
import { isDataFile } from '../interop/node.ts';
import { optimizers, schedules } from '../optim/index.ts';
import { losses } from '../losses/index.ts';
import type { RunSettings } from '../survey/index.ts';
import { probes } from '../train/index.ts';
import { DataError } from '../util/errors.ts';
import { UsageError } from './exit.ts';
import { addModelFileOptions, batchNormOption, isModelFile, modelFileOptionsOf } from './imported.ts';
import { integer, positive } from './options.ts';

/** Values of the options, as commander gives them. */
export interface TrainCommandOptions extends Omit<RunSettings, 'learningRate' | 'batchSize' | 'probes' | 'sha256'> {
  readonly data: string;
  readonly lr?: number;
  readonly batch?: number | 'full';
  readonly probe?: readonly string[];
  readonly checkpointEvery?: number;
  readonly resume?: true | string;
  readonly log?: true;
  readonly tensorboard?: true | string;
  readonly out: string;
  readonly json?: true;
  readonly threads?: number;
  readonly replicas?: number;
  readonly vary?: readonly string[];
}

/** What is kept beside a run, so that `--resume` alone goes on. */
export interface KeptSettings {
  readonly data: string;
  readonly settings: RunSettings;
  readonly checkpointEvery?: number;
  readonly log?: true;
  readonly tensorboard?: true | string;
}

/** Its file in the folder of results. */
export const SETTINGS_FILE = 'settings.json';

const full = (name: string) => (text: string): number | 'full' => (text === 'full' ? 'full' : integer(name, 1)(text));
const auto = (name: string) => (text: string): number | 'auto' => (text === 'auto' ? 'auto' : integer(name, 1)(text));
const share = (name: string) => (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) throw new UsageError(`--${name} must be a number of at least 0 and below 1, got '${text}'`);
  return value;
};
const also = (text: string, before: readonly string[] = []): string[] => [...before, text];
const names = (registry: object): string => Object.keys(registry).join(', ');

/** The command without its action. */
export function trainOptions(): Command {
  const command = new Command('train')
    .description('Trains a model, or one of your own from its weights, with any optimizer, watched by any probe. Writes run.json, report.html, figures and the trained model; checkpoints on the way, so that a run that was stopped goes on with --resume.')
    .argument('[model]', 'a model of your own, model.onnx: the same as --model')
    .option('--model <text or file>', 'model, such as mlp:784-128-64-10, cnn, resnet:20,width=8, or a file, model.onnx', 'mlp')
    .option('--data <name or file>', dataHelp, 'mnist')
    .option('--loss <name or file>', `loss: ${names(losses)}, ${lossHelp}; mse for squared-error (default: cross-entropy, or mean-squared-error for regression)`)
    .option('--optimizer <text>', `optimizer with its options, as adam:beta1=0.9; what wraps another stands before it with a plus: ${names(optimizers)}`, 'sgd:momentum=0.9')
    .option('--lr <rate>', 'learning rate, the largest of the schedule (default: the usual one of the optimizer)', positive('lr'))
    .option('--schedule <text>', `course of the learning rate, as cosine:warmup=100: ${names(schedules)}`, 'constant')
    .option('--batch <n>', 'examples a step, or full (default: 128, or all where there are fewer)', full('batch'))
    .option('--subset <n>', 'train on so many examples, every label with its share', integer('subset', 1))
    .option('--steps <n>', 'steps (default: five epochs and at least 500 steps; 2,000 steps with all examples in a batch)', integer('steps', 1))
    .option('--epochs <n>', 'passes over the training set, instead of steps', integer('epochs', 1))
    .option('--seed <n>', 'seed of everything random', integer('seed', 0), 0)
    .option('--probe <text>', `measure while training, as sharpness:every=20; may be given again; loss and accuracy of the test split are measured each epoch (at most 100 times) unless named: ${names(probes)}`, also)
    .option('--label-smoothing <share>', 'probability moved from the label to all classes alike', share('label-smoothing'))
    .option('--mixup <alpha>', 'mix the examples of each batch, shares from Beta(alpha, alpha)', positive('mixup'))
    .option('--clip <norm>', 'shorten gradients to this norm', positive('clip'))
    .option('--average <text>', 'evaluate and keep an average of the weights: ema:decay=0.999, swa:start=1000')
    .option('--micro-batch <n>', 'examples evaluated at a time, or auto: for batches that do not fit in memory', auto('micro-batch'))
    .option('--replicas <n>', 'train so many replicas at once, from the seed, the next one and so on unless --vary says otherwise', integer('replicas', 1))
    .option('--vary <text>', 'what replicas differ in: seed, initialisation, order, lr=0.01,0.1 or initial-scale=1,2; may be given again, for all combinations', also)
    .option('--checkpoint-every <n>', 'steps between checkpoints (default: a tenth of the run)', integer('checkpoint-every', 1))
    .option('--resume [folder]', 'go on with the run of this folder (default: that of --out), with the options it was begun with')
    .option('--log', 'write all measurements as they come, to log.jsonl and log.csv')
    .option('--tensorboard [folder]', 'write event files for TensorBoard as well (default: tensorboard in the folder of results)')
    .option('--out <folder>', 'where results go', 'thalweg-out/train')
    .option('--json', 'print the record as JSON on standard output; progress goes to standard error')
    .option('--threads <n>', 'threads of an operation (default: all cores)', integer('threads', 1));
  return addModelFileOptions(command, 'of a model from a file: ').addOption(batchNormOption());
}

/** The options as settings of a run. */
export function settingsOfOptions(options: TrainCommandOptions): KeptSettings {
  const { data, model, loss, optimizer, lr, schedule, batch, subset, steps, epochs, seed, probe = [], labelSmoothing, mixup, clip, average, microBatch, checkpointEvery, log, tensorboard } = options;
  return {
    data: isDataFile(data) ? resolve(data) : data, ...defined({ checkpointEvery, log, tensorboard }),
    // Whoever reads the settings later may stand in another folder.
    settings: { model: absolute(model), optimizer, schedule, seed, probes: probe, ...modelFileOptionsOf(options), ...defined({ loss: loss && absolute(loss), learningRate: lr, batchSize: batch, subset, steps, epochs, labelSmoothing, mixup, clip, average, microBatch }) },
  };
}

const absolute = (text: string): string => (isModelFile(text) ? resolve(text) : text);

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** The folder whose run goes on; undefined for a new one. */
export const resumedFolder = ({ resume, out }: TrainCommandOptions): string | undefined => (resume === true ? out : resume);

/** The settings in the folder of a run; undefined where there are none. @throws DataError when they cannot be read. */
export function keptSettings(folder: string): KeptSettings | undefined {
  const file = join(folder, SETTINGS_FILE);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as KeptSettings;
  } catch (error) {
    throw new DataError({ operation: `settings ${file}`, required: 'the file must be the JSON that thalweg train writes', received: (error as Error).message });
  }
}

/**
 * The settings of the run of a folder, changed by the options that were written on the command line.
 * @throws UsageError when there is no run.
 */
export function resumedSettings(folder: string, options: TrainCommandOptions, isWritten: (name: keyof TrainCommandOptions) => boolean): KeptSettings {
  const kept = keptSettings(folder);
  if (kept === undefined) throw new UsageError(`--resume must name the folder of a run that was begun, got '${folder}', which has no ${SETTINGS_FILE}`);
  const { settings: given, ...others } = settingsOfOptions(options);
  const written = <T extends object>(values: T): Partial<T> => Object.fromEntries(Object.entries(values).filter(([name]) => isWritten(optionOf(name)))) as Partial<T>;
  const changed = written(given);
  const { steps, ...settings } = kept.settings;
  // Epochs that are asked for now replace the steps of before.
  return { ...kept, ...written(others), settings: { ...settings, ...(changed.epochs === undefined && steps !== undefined && { steps }), ...changed } };
}

/** The option behind a setting of another name. */
const optionOf = (setting: string): keyof TrainCommandOptions => ({ learningRate: 'lr', batchSize: 'batch', probes: 'probe' } as const)[setting] ?? (setting as keyof TrainCommandOptions);
