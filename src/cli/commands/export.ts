/** `thalweg export`: trained models for other systems, as ONNX and as safetensors with PyTorch's names. @module */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { NDArray } from '../../core/ndarray.ts';
import { encodeSafetensors, exportOnnx, torchStateDict, type ExampleType, type ImportedModel, type ModelPoint, type NamedArrays, type OnnxExport, type OnnxExportOptions } from '../../interop/index.ts';
import type { AnyModel } from '../../nn/index.ts';
import { exampleOf, prepareImported, prepareProblem, type AnyPoint, type AnyProblem } from '../../survey/index.ts';
import { key } from '../../util/random/index.ts';
import { VERSION } from '../../util/version.ts';
import { datasetOf, lossOf } from '../data.ts';
import { UsageError } from '../exit.ts';
import { isModelFile, matchedPoint, modelAndLossOf, modelOf, unchangedHash } from '../imported.ts';
import { readPoint } from '../measure.ts';
import { integer } from '../options.ts';
import { alignedRows } from '../reporter.ts';
import { keptSettings, SETTINGS_FILE, type KeptSettings } from '../train-settings.ts';

interface Options {
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly batch?: number;
  readonly weights?: string;
  readonly model?: string;
  readonly data?: string;
  readonly shape?: readonly number[];
  readonly input?: string;
  readonly output?: string;
}

/** What is exported, and how its arrays are called. */
interface Subject {
  readonly name: string;
  readonly model: AnyModel;
  readonly point: ModelPoint;
  readonly example: ExampleType;
  readonly stateDict: NamedArrays;
  readonly onnx: OnnxExportOptions;
}

function extents(text: string): number[] {
  return text.split(/[,x]/).map((part) => integer('shape', 1)(part));
}

/** The command with its options. */
export function exportCommand(): Command {
  return new Command('export')
    .description("A trained model for other systems: as ONNX (Netron, ONNX Runtime) and as safetensors with the names and layouts of PyTorch's state_dict().")
    .argument('<what>', 'the folder of a run of thalweg train; weights.safetensors with --model and --data; or model.onnx')
    .option('--onnx <file>', 'write the model as ONNX')
    .option('--safetensors <file>', 'write the weights as safetensors')
    .option('--batch <n>', 'an ONNX model for batches of this size alone (default: for every size)', integer('batch', 1))
    .option('--weights <file>', 'of a model from a file: the weights to put in (safetensors)')
    .option('--model <text>', 'of weights: the model that they are of, such as mlp:784-128-64-10')
    .option('--data <name or file>', 'of weights: the data that the model was made for, which say its inputs and outputs')
    .option('--shape <extents>', 'of a model from a file whose input is open in more than the batch: the shape of one example, as 3,224,224', extents)
    .option('--input <name>', 'of a model from a file: the input that takes the data, where there are several')
    .option('--output <name>', 'of a model from a file: the value that is written as output (default: the first output, before a final softmax)')
    .action((what: string, options: Options) => run(what, options));
}

async function run(what: string, options: Options): Promise<void> {
  const { onnx, safetensors, batch } = options;
  if (onnx === undefined && safetensors === undefined) throw new UsageError('--onnx or --safetensors must say what is written, or both');
  const subject = isModelFile(what) ? await importedSubject(what, options) : await ownSubject(what, options);
  const made = onnx === undefined ? undefined : exportOnnx(subject.model, subject.point, subject.example, { ...subject.onnx, ...(batch !== undefined && { batch }) });
  if (onnx !== undefined) {
    write(onnx, made!.bytes);
    process.stdout.write(`${onnx}: ${subject.name} as ONNX, operator set ${made!.opset}\n${describe(made!)}\n`);
  }
  if (safetensors !== undefined) {
    const bytes = encodeSafetensors(subject.stateDict, { format: 'pt', model: subject.name, thalweg: VERSION });
    write(safetensors, bytes);
    const arrays: readonly NDArray[] = Object.values(subject.stateDict);
    process.stdout.write(`${safetensors}: ${arrays.length} arrays, ${count(arrays.reduce((sum, { size }) => sum + size, 0))} elements, ${count(bytes.length)} bytes\n`);
  }
}

/** @throws UsageError when the file cannot be written. */
function write(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new UsageError(`'${file}' must be a file that can be written (${(error as Error).message})`);
  }
}

const count = (value: number): string => value.toLocaleString('en');

function describe({ bytes, input, output, parameters, arrays, unused, domains }: OnnxExport): string {
  const value = ({ dtype, shape }: OnnxExport['input']): string => `${dtype}[${shape.join(', ')}]`;
  return alignedRows([
    ['input', `${input.name}  ${value(input)}`], ['output', `${output.name}  ${value(output)}`],
    ['parameters', `${count(parameters)}; ${arrays.length} arrays with the running statistics`], ['bytes', count(bytes.length)],
    ...(unused.length === 0 ? [] : [['left out', `${unused.join(', ')}: the output does not depend on them`]]),
    ...(domains.length === 0 ? [] : [['operators of', domains.join(', ')]]),
  ]);
}

/** A run's folder, or weights with the model that they are of. */
async function ownSubject(what: string, { model, data, weights, shape, input, output, batch }: Options): Promise<Subject> {
  const foreign = Object.entries({ weights, shape, input, output }).find(([, value]) => value !== undefined);
  if (foreign !== undefined) throw new UsageError(`--${foreign[0]} belongs to a model from a file, model.onnx, got '${what}'`);
  if (!existsSync(what)) throw new UsageError(`there must be a folder of a run, weights.safetensors or model.onnx, got '${what}', which does not exist`);
  const isFolder = statSync(what).isDirectory();
  const kept = isFolder ? keptSettings(what) : undefined;
  const [modelText, dataText] = [model ?? kept?.settings.model, data ?? kept?.data];
  if (modelText === undefined || dataText === undefined) {
    throw new UsageError(isFolder ? `'${what}' must be the folder of a run of thalweg train, with its ${SETTINGS_FILE}, or --model and --data must say what was trained` : `--model and --data must say what '${what}' are the weights of`);
  }
  const file = isFolder ? join(what, 'model.safetensors') : what;
  if (!existsSync(file)) throw new UsageError(`the run of '${what}' must have ended: it has no model.safetensors`);
  if (kept !== undefined && isModelFile(modelText)) return trainedFile(kept, dataText, file, batch);
  const { problem } = prepareProblem(modelText, await datasetOf(dataText), await lossOf(kept?.settings.loss));
  const point = await readPoint(problem, file);
  const example = exampleOf(problem);
  return { name: problem.name, model: problem.model, point, example, stateDict: torchStateDict(problem.model, point, example), onnx: { names: 'torch' } };
}

/** A run that began with a model from a file, which must still lie where it was. */
async function trainedFile({ settings }: KeptSettings, data: string, weights: string, batch: number | undefined): Promise<Subject> {
  const { imported, loss } = await modelAndLossOf(settings);
  await unchangedHash(settings);
  const { problem } = prepareImported(imported, await datasetOf(data), { name: settings.model, ...(loss !== undefined && { loss }) });
  return subjectOf(settings.model, imported, await readPoint(problem, weights), exampleOf(problem), batch);
}

/** A model from a file with its own weights or others. */
async function importedSubject(file: string, { weights, input, output, shape, batch, model, data }: Options): Promise<Subject> {
  if (model !== undefined || data !== undefined) throw new UsageError(`--${model === undefined ? 'data' : 'model'} belongs to weights without a model, got '${file}'`);
  const imported = await modelOf({ model: file, ...(input !== undefined && { input }), ...(output !== undefined && { output }) });
  for (const notice of imported.notices) process.stderr.write(`model: ${notice}\n`);
  const point = weights === undefined ? imported.model.init(key(0)) as AnyPoint : await matchedPoint({ name: file, model: imported.model } as AnyProblem, weights);
  return subjectOf(file, imported, point, exampleOfInput(imported, shape), batch);
}

/** Names and layouts stay those of the file. */
function subjectOf(file: string, imported: ImportedModel, point: AnyPoint, example: ExampleType, batch?: number): Subject {
  const fixed = fixedBatch(imported, batch);
  return {
    name: file, model: imported.model, point, example,
    stateDict: { ...point.params as NamedArrays, ...point.state as NamedArrays },
    onnx: { input: imported.input.name, output: imported.output, wide: imported.input.type === 'int64', ...(fixed !== undefined && { batch: fixed }) },
  };
}

/** A model that was made for one batch size stays so. */
function fixedBatch({ input }: ImportedModel, asked: number | undefined): number | undefined {
  const extent = input.shape?.[0];
  if (asked !== undefined || typeof extent !== 'number' || extent === 1) return asked;
  process.stderr.write(`model: its file says batches of ${extent}, and so does the export\n`);
  return extent;
}

function exampleOfInput({ input: { name, shape: declared, type } }: ImportedModel, given: readonly number[] | undefined): ExampleType {
  const shape = given ?? declared?.slice(1);
  if (shape === undefined || shape.some((extent) => typeof extent !== 'number')) {
    throw new UsageError(`--shape must say the shape of one example, as 3,224,224: input '${name}' is open, ${declared === undefined ? 'even in its rank' : `[${declared.map((extent) => extent ?? '?').join(', ')}]`}`);
  }
  const isInteger = type !== undefined && !/^(double|float|float16|bfloat16)$/.test(type);
  return { shape: shape as readonly number[], ...(isInteger && { dtype: 'int32' as const }), ...(type === 'double' && { dtype: 'float64' as const }) };
}
