/** Models from files on the command line: which option says what of them. @module */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Option, type Command } from 'commander';
import { loadOnnx, openSafetensors } from '../interop/node.ts';
import type { ImportedModel } from '../interop/index.ts';
import { checkpointOf, matchCheckpoint, matchedArrays, pointFromCheckpoint, prepareImported, type AnyPoint, type AnyProblem, type NamedLoss, type PreparedProblem } from '../survey/index.ts';
import { key } from '../util/random/index.ts';
import { datasetOf, lossOf, toldLoss } from './data.ts';
import { UsageError } from './exit.ts';
import { alignedRows } from './reporter.ts';

export const batchNormOptions = ['eval', 'batch', 'recompute'] as const;
export type BatchNormOption = typeof batchNormOptions[number];

/** What the options say of a model's file, besides its name. */
export interface ModelFileOptions {
  readonly input?: string;
  readonly output?: string;
  readonly target?: string;
  readonly params?: readonly string[];
  readonly bn?: BatchNormOption;
  readonly values?: Readonly<Record<string, number>>;
  readonly dimensions?: Readonly<Record<string, number>>;
  readonly tied?: Readonly<Record<string, string>>;
}

/** What the options say of the problem of a model from a file. */
export interface ImportedOptions extends ModelFileOptions {
  readonly model: string;
  readonly data: string;
  readonly loss?: string;
}

/** Whether a model's text names a file. */
export const isModelFile = (text: string): boolean => /\.onnx$/i.test(text);

/** Patterns of `--params`, separated by commas. */
export const patternsOf = (text: string): string[] => text.split(',').map((pattern) => pattern.trim()).filter((pattern) => pattern !== '');

/** `a=1,b=2` of an option as names and texts. Names may contain `=`. @throws UsageError */
function pairs(option: string, example: string, text: string): [string, string][] {
  return patternsOf(text).map((entry) => {
    const at = entry.lastIndexOf('=');
    if (at < 1 || at === entry.length - 1) throw new UsageError(`--${option} must be as ${example}, got '${text}'`);
    return [entry.slice(0, at), entry.slice(at + 1)];
  });
}

const numbers = (option: string, example: string, fits: (value: number) => boolean, required: string) => (text: string): Record<string, number> =>
  Object.fromEntries(pairs(option, example, text).map(([name, value]) => {
    if (!fits(Number(value))) throw new UsageError(`--${option} must give ${required}, as ${example}, got '${name}=${value}'`);
    return [name, Number(value)];
  }));

/** The options of a model's file, but for batch normalisation; each with `before` in front of its help. */
export function addModelFileOptions(command: Command, before = ''): Command {
  return command
    .option('--input <name>', `${before}the input that takes the data, where there are several`)
    .option('--output <name>', `${before}the value that is looked at (default: the first output, before a final softmax)`)
    .option('--target <name>', `${before}with --loss inside, or of a loss from a file, the input that takes the targets (default: the one called target or label)`)
    .option('--params <patterns>', `${before}what is trained besides the default, '+NAME' or '-NAME', separated by commas; * stands for anything`, patternsOf)
    .option('--values <pairs>', `${before}numbers for its other inputs, as mask=1,token_type=0`, numbers('values', 'mask=1,token_type=0', Number.isFinite, 'numbers'))
    .option('--dimensions <pairs>', `${before}extents of named dimensions that the data leave open, as sequence=16`, numbers('dimensions', 'sequence=16', (n) => Number.isSafeInteger(n) && n > 0, 'positive integers'))
    .option('--tied <pairs>', `${before}weights that are one, as head.weight=tokens.weight`, (text: string) => Object.fromEntries(pairs('tied', 'head.weight=tokens.weight', text)));
}

/** `--bn` of commands that measure or train. */
export const batchNormOption = (): Option =>
  new Option('--bn <statistics>', 'of a model from a file: batch normalisation by its kept statistics, those of each batch, or kept ones recomputed on the training examples').choices(batchNormOptions);

/** The options of a model's file among others. */
export const modelFileOptionsOf = ({ input, output, target, params, bn, values, dimensions, tied }: ModelFileOptions): ModelFileOptions =>
  Object.fromEntries(Object.entries({ input, output, target, params, bn, values, dimensions, tied }).filter(([, value]) => value !== undefined));

/** @throws UsageError when options of a model's file are given for a model by name; `target` also belongs to a loss from a file. */
export function requireModelFile(model: string, loss: string | undefined, options: ModelFileOptions): void {
  const [name] = Object.keys(modelFileOptionsOf(options)).filter((option) => option !== 'target' || loss === undefined || !isModelFile(loss));
  if (name !== undefined) throw new UsageError(`--${name} belongs to a model from a file, model.onnx, got --model ${model}`);
}

/** `inside` or `inside:NAME` of `--loss`: the name of the output that is the loss, empty where none is given. */
const insideOf = (loss: string | undefined): string | undefined => /^inside(?::(.+))?$/.exec(loss ?? '')?.slice(1).map((name) => name ?? '')[0];

/** Reads the model of the options. @throws DataError | ArgumentError */
export function modelOf({ model, loss, bn, target, ...options }: Omit<ImportedOptions, 'data'>): Promise<ImportedModel> {
  const { input, output, params, values, dimensions, tied } = modelFileOptionsOf(options);
  const inside = insideOf(loss);
  return loadOnnx(model, {
    ...(input !== undefined && { input }), ...(output !== undefined && { output }), ...(params && { params }), ...(values && { values }), ...(dimensions && { dimensions }), ...(tied && { tied }),
    ...(bn === 'batch' && { batchNormalisation: 'batch' as const }), ...(inside !== undefined && { lossInside: { ...(inside !== '' && { name: inside }), ...(target !== undefined && { target }) } }),
  });
}

/** A model from a file with its loss: its own, one by name or from a file, or undefined for the usual one. */
export interface ModelAndLoss {
  readonly imported: ImportedModel;
  readonly loss: string | NamedLoss | undefined;
}

/** Model and loss of the options; remarks go to standard error. @throws UsageError | DataError | ArgumentError */
export async function modelAndLossOf(options: Omit<ImportedOptions, 'data'>): Promise<ModelAndLoss> {
  const imported = await modelOf(options);
  if (imported.parameters.length === 0) throw new UsageError(`${options.model} has no parameters: thalweg inspect ${options.model} says why each array is frozen, and --params '+NAME' takes one`);
  for (const notice of imported.notices) process.stderr.write(`model: ${notice}\n`);
  const loss = imported.ownLoss === undefined ? await lossOf(options.loss, options.target) : { name: `${imported.ownLoss.name} inside ${basename(options.model)}`, loss: toldLoss(imported.ownLoss, imported.ownLoss.notices.length) };
  return { imported, loss };
}

/** The SHA-256 of a model's file. @throws UsageError when it is not that of the run whose settings these are. */
export async function unchangedHash({ model, sha256 }: { readonly model: string; readonly sha256?: string }): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(model)) hash.update(part as Uint8Array);
  const found = hash.digest('hex');
  if ((sha256 ?? found) !== found) throw new UsageError(`${model} must be the file that the run was begun with, of SHA-256 ${sha256}, got one of ${found}`);
  return found;
}

/** Says on standard error what of a model is trained, and by which loss. */
export const tellProblem = ({ parameters, frozen, statistics }: ImportedModel, { lossName }: PreparedProblem): void => {
  process.stderr.write(`model: ${parameters.length} arrays are parameters, ${frozen.length} frozen, ${statistics.length} running statistics; loss ${lossName}\n`);
};

/** The problem of a model from a file; remarks go to standard error. @throws UsageError | DataError | ArgumentError */
export async function importedProblem(options: ImportedOptions): Promise<PreparedProblem> {
  const { imported, loss } = await modelAndLossOf(options);
  const bn = options.bn === 'recompute' ? 'recomputed' : options.bn;
  const prepared = prepareImported(imported, await datasetOf(options.data), { name: basename(options.model), ...(loss !== undefined && { loss }), ...(bn !== undefined && { batchNorm: bn }) });
  tellProblem(imported, prepared);
  return prepared;
}

/** The point that a checkpoint holds, its arrays matched with the parameters by name, then by shape; the mapping goes to standard error. @throws DataError */
export async function matchedPoint(problem: AnyProblem, path: string): Promise<AnyPoint> {
  const file = await openSafetensors(path);
  try {
    const like = problem.model.init(key(0)) as AnyPoint;
    const wanted = checkpointOf(like);
    // PyTorch keeps running statistics under their own names, our checkpoints under `state:`.
    const plain = (name: string): string => name.replace(/^state:/, '');
    const arrays = Object.fromEntries(await Promise.all(file.tensors.map(async ({ name }) => [plain(name), await file.read(name)] as const)));
    const matching = matchCheckpoint(Object.fromEntries(Object.entries(wanted).map(([name, value]) => [plain(name), value])), arrays, path);
    const others = matching.matches.filter(({ by }) => by !== 'name');
    process.stderr.write(`${path}: ${matching.matches.length - others.length} of ${matching.matches.length} arrays by name${others.length === 0 ? '' : `\n${alignedRows(others.map(({ parameter, array, by, isTransposed }) => [parameter, array, `by ${by}${isTransposed ? ', transposed' : ''}`]))}`}${matching.unused.length === 0 ? '' : `\n  not used: ${matching.unused.join(', ')}`}\n`);
    const found = matchedArrays(matching, arrays);
    return pointFromCheckpoint(problem, Object.fromEntries(Object.keys(wanted).map((name) => [name, found[plain(name)]])), path);
  } finally {
    await file.close();
  }
}
