/** Models from files on the command line: which option says what of them. @module */
import { basename } from 'node:path';
import { loadOnnx, openSafetensors } from '../interop/node.ts';
import type { ImportedModel } from '../interop/index.ts';
import { checkpointOf, matchCheckpoint, matchedArrays, pointFromCheckpoint, prepareImported, type AnyPoint, type AnyProblem, type PreparedProblem } from '../survey/index.ts';
import { key } from '../util/random/index.ts';
import { datasetOf, lossOf } from './data.ts';
import { UsageError } from './exit.ts';
import { alignedRows } from './reporter.ts';

/** What the options say of a model from a file. */
export interface ImportedOptions {
  readonly model: string;
  readonly data: string;
  readonly loss?: string;
  readonly input?: string;
  readonly output?: string;
  readonly params?: readonly string[];
  readonly bn?: BatchNormOption;
}

export const batchNormOptions = ['eval', 'batch', 'recompute'] as const;
export type BatchNormOption = typeof batchNormOptions[number];

/** Whether a model's text names a file. */
export const isModelFile = (text: string): boolean => /\.onnx$/i.test(text);

/** Patterns of `--params`, separated by commas. */
export const patternsOf = (text: string): string[] => text.split(',').map((pattern) => pattern.trim()).filter((pattern) => pattern !== '');

/** Reads the model of the options. @throws DataError | ArgumentError */
export const modelOf = ({ model, input, output, params, bn }: Omit<ImportedOptions, 'data' | 'loss'>): Promise<ImportedModel> =>
  loadOnnx(model, { ...(input !== undefined && { input }), ...(output !== undefined && { output }), ...(params !== undefined && { params }), ...(bn === 'batch' && { batchNormalisation: 'batch' as const }) });

/** The problem of a model from a file; remarks go to standard error. @throws UsageError | DataError | ArgumentError */
export async function importedProblem(options: ImportedOptions): Promise<PreparedProblem> {
  const imported = await modelOf(options);
  if (imported.parameters.length === 0) throw new UsageError(`${options.model} has no parameters: thalweg inspect ${options.model} says why each array is frozen, and --params '+NAME' takes one`);
  for (const notice of imported.notices) process.stderr.write(`model: ${notice}\n`);
  const bn = options.bn === 'recompute' ? 'recomputed' : options.bn;
  const loss = await lossOf(options.loss);
  const prepared = prepareImported(imported, await datasetOf(options.data), { name: basename(options.model), ...(loss !== undefined && { loss }), ...(bn !== undefined && { batchNorm: bn }) });
  process.stderr.write(`model: ${imported.parameters.length} arrays are parameters, ${imported.frozen.length} frozen, ${imported.statistics.length} running statistics; loss ${prepared.lossName}\n`);
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
