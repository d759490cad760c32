/** Options that several commands share, and how their text becomes values. @module */
import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { dataHelp, datasetOf, lossHelp, lossOf } from './data.ts';
import { addModelFileOptions, batchNormOption, importedProblem, isModelFile, requireModelFile, type BatchNormOption, type ModelFileOptions } from './imported.ts';
import { prepareProblem, presets, type PreparedProblem, type PresetName, type SurveySettings } from '../survey/index.ts';
import { UsageError } from './exit.ts';
import { VERSION } from '../util/version.ts';

/** Values of the options of `addProblemOptions`. */
export interface ProblemOptions extends ModelFileOptions {
  readonly model: string;
  readonly data: string;
  readonly loss?: string;
  readonly seed: number;
  readonly out: string;
  readonly preset: PresetName;
  readonly weights?: readonly string[];
  readonly json?: boolean;
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly samples?: number;
  readonly threads?: number;
}

/** Parses an integer of at least `least`. @throws UsageError */
export const integer = (name: string, least: number) => (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) throw new UsageError(`--${name} must be an integer of at least ${least}, got '${text}'`);
  return value;
};

/** Parses a number above zero. @throws UsageError */
export const positive = (name: string) => (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new UsageError(`--${name} must be a positive number, got '${text}'`);
  return value;
};

/** Another name of a preset, kept from before there were three. */
const OTHER_NAMES: Readonly<Record<string, PresetName>> = { quick: 'economy' };
const presetNames = Object.keys(presets) as PresetName[];

function preset(text: string): PresetName {
  const name = OTHER_NAMES[text] ?? text;
  if (!Object.hasOwn(presets, name)) throw new UsageError(`--preset must be one of ${presetNames.join(', ')}, got '${text}'`);
  return name as PresetName;
}

/** The options that choose a problem, how its model is come by, and where results go. */
export function addProblemOptions(command: Command, folder: string): Command {
  const measuring = command
    .argument('[model]', 'a model of your own, model.onnx: the same as --model')
    .option('--model <text or file>', 'model, such as mlp:784-128-64-10, cnn, resnet:20,width=8, or a file, model.onnx', 'mlp:784-128-64-10')
    .option('--data <name or file>', dataHelp, 'mnist')
    .option('--loss <name or file>', `loss, or ${lossHelp} (default: cross-entropy, next-token for tokens with a target each, or mean-squared-error for regression)`)
    .option('--weights <files...>', 'checkpoints (safetensors) to measure, instead of training')
    .option('--seed <n>', 'seed of everything random', integer('seed', 0), 0)
    .option('--out <folder>', 'where results go', folder)
    .addOption(new Option('--preset <name>', `how thorough: ${presetNames.join(', ')}`).argParser(preset).default('standard'))
    .option('--samples <n>', 'training examples that are measured on (default: that of the preset)', integer('samples', 2))
    .option('--epochs <n>', 'passes over the training set (default: that of the preset)', integer('epochs', 1))
    .option('--learning-rate <rate>', 'peak learning rate (default: that of the preset)', positive('learning-rate'))
    .option('--json', 'print the record as JSON on standard output; progress goes to standard error')
    .option('--threads <n>', 'threads of an operation (default: all cores)', integer('threads', 1));
  return addModelFileOptions(measuring, 'of a model from a file: ').addOption(batchNormOption());
}

/** The problem that the options name. @throws UsageError | ArgumentError | DataError */
export async function problemOf(options: ProblemOptions): Promise<PreparedProblem> {
  const { data, model, loss, target } = options;
  if (isModelFile(model)) return importedProblem(options);
  requireModelFile(model, loss, options);
  return prepareProblem(model, await datasetOf(data), await lossOf(loss, target));
}

/** The preset's settings with what the options change. */
export const settingsOf = ({ preset: name, epochs, learningRate, samples }: ProblemOptions): SurveySettings =>
  ({ ...presets[name], ...(epochs !== undefined && { epochs }), ...(learningRate !== undefined && { learningRate }), ...(samples !== undefined && { samples }) });

/** @throws UsageError when the folder cannot be made or written to. */
export function requireWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    const probe = join(folder, '.writable');
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new UsageError(`--out must be a folder that can be written to, got '${folder}' (${(error as Error).message})`);
  }
}

const statistics: Readonly<Record<BatchNormOption, string>> = { eval: 'eval (kept statistics)', batch: 'batch (statistics of each batch)', recompute: 'recompute (kept statistics, computed anew on the training examples)' };

/** What is needed to repeat a measurement. */
export function provenance(options: ProblemOptions): Record<string, string> {
  return {
    thalweg: VERSION, node: process.version, platform: `${process.platform} ${process.arch}`, processor: `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`, load: loadavg()[0].toFixed(2), backend: 'onnxruntime-node', seed: String(options.seed), preset: options.preset,
    model: options.model, 'batch normalisation': statistics[options.bn ?? 'eval'], command: ['thalweg', ...process.argv.slice(2)].join(' '),
  };
}
