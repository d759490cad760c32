/** `thalweg inspect`: what a model's file holds, before anything is run. @module */
import { Command } from 'commander';
import type { NDArray } from '../../core/ndarray.ts';
import { formatNumber } from '../../charts/index.ts';
import type { DeclaredValue, ImportedModel } from '../../interop/index.ts';
import { traceDeclared } from '../../interop/onnx-trial.ts';
import { openSafetensors } from '../../interop/node.ts';
import { ThalwegError } from '../../util/errors.ts';
import { key } from '../../util/random/index.ts';
import { addModelFileOptions, isModelFile, modelOf, type ModelFileOptions } from '../imported.ts';
import { UsageError } from '../exit.ts';
import { alignedRows } from '../reporter.ts';

interface Options extends ModelFileOptions {
  readonly loss?: string;
  readonly json?: boolean;
}

/** One array of a file. */
interface ArrayRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  /** Euclidean norm. */
  readonly norm: number;
}

/** The command with its options. */
export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('What a model file holds, before anything is run: inputs, outputs, layers, parameters with their norms, what is frozen and why, operators without a derivative. Reads ONNX and safetensors.')
    .argument('<file>', 'model.onnx, or weights.safetensors')
    .option('--loss <inside>', 'inside: the model contains its loss, and is cut where it begins')
    .option('--json', 'print as JSON');
  return addModelFileOptions(command).action((file: string, options: Options) => run(file, options));
}

async function run(file: string, { json, ...options }: Options): Promise<void> {
  if (/\.safetensors(\.index\.json)?$/.test(file)) {
    const arrays = await arraysOf(file);
    process.stdout.write(json === true ? `${JSON.stringify({ arrays })}\n` : `${file}: ${arrays.length} arrays, ${count(arrays)} elements\n${table(arrays)}\n`);
    return;
  }
  if (!isModelFile(file)) throw new UsageError(`the file must end with .onnx or .safetensors, got '${file}'`);
  if (options.loss !== undefined && !/^inside(:|$)/.test(options.loss)) throw new UsageError(`--loss must be inside, got '${options.loss}': other losses are no part of the file`);
  const imported = await modelOf({ model: file, ...options });
  // Some remarks come from a trace. It may need other extents than those that stand in for open ones; a survey has the data's own.
  try { traceDeclared(imported); } catch (error) { if (!(error instanceof ThalwegError)) throw error; }
  const { params } = imported.model.init(key(0)) as unknown as { params: Record<string, NDArray> };
  const rows = imported.parameters.map(({ name, shape, size }): ArrayRow => ({ name, shape, size, norm: normOf(params[name].data) }));
  const { inputs, outputs, frozen, statistics, layers, notDifferentiable, producer, notices } = imported;
  process.stdout.write(json === true
    ? `${JSON.stringify({ producer, inputs, outputs, input: imported.input.name, output: imported.output, parameters: rows, frozen, statistics, layers, notDifferentiable, notices })}\n`
    : describe(file, imported, rows));
}

async function arraysOf(path: string): Promise<ArrayRow[]> {
  const file = await openSafetensors(path);
  try {
    const rows: ArrayRow[] = [];
    for (const { name, shape } of file.tensors) {
      const { data } = await file.read(name);
      rows.push({ name, shape, size: data.length, norm: normOf(data) });
    }
    return rows;
  } finally {
    await file.close();
  }
}

const normOf = (values: ArrayLike<number>): number => {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] ** 2;
  return Math.sqrt(squares);
};
const count = (rows: readonly { readonly size: number }[]): string => rows.reduce((sum, { size }) => sum + size, 0).toLocaleString('en');
const shapeText = (shape: readonly (number | string | undefined)[] | undefined): string => (shape === undefined ? '[...]' : `[${shape.map((extent) => extent ?? '?').join(', ')}]`);

function table(rows: readonly ArrayRow[]): string {
  const total = rows.reduce((sum, { size }) => sum + size, 0);
  return alignedRows([
    ['name', 'shape', 'elements', 'share', 'norm'],
    ...rows.map(({ name, shape, size, norm }) => [name, shapeText(shape), size.toLocaleString('en'), `${(100 * size / total).toFixed(1)} %`, formatNumber(norm)]),
  ]);
}

function describe(file: string, imported: ImportedModel, rows: readonly ArrayRow[]): string {
  const { inputs, outputs, input, output, frozen, statistics, layers, notDifferentiable, loss, producer, notices } = imported;
  const values = (all: readonly DeclaredValue[], chosen: string): string => all.map(({ name, type, shape }) => `  ${name}  ${type ?? '?'}${shapeText(shape)}${name === chosen ? '  <-' : ''}`).join('\n');
  const parts = [
    `${file}${producer === '' ? '' : `, written by ${producer}`}`,
    `inputs (<- takes the data)\n${values(inputs, input.name)}`,
    `outputs${outputs.some(({ name }) => name === output) ? ' (<- is looked at)' : `, of which none is looked at but '${output}' before them${loss === undefined ? '' : `, with the loss ${loss}`}`}\n${values(outputs, output)}`,
    `${rows.length} parameters, ${count(rows)} elements\n${table(rows)}`,
    ...(layers.length === 0 ? [] : [`layers with parameters\n${alignedRows(layers.map(({ node, parameters }) => [node, parameters.join(', ')]))}`]),
    ...(statistics.length === 0 ? [] : [`running statistics, kept as state: ${statistics.join(', ')}`]),
    ...(frozen.length === 0 ? [] : [`frozen\n${alignedRows(frozen.map(({ name, shape, reason }) => [name, shapeText(shape), reason]))}`]),
    notDifferentiable.length === 0 ? 'every operator on the way from parameters to output has its derivative' : `operators without a true derivative\n${alignedRows(notDifferentiable.map(({ node, operator, gradient }) => [node, operator, gradient === 'zero' ? 'derivative zero' : 'rounding passed straight through']))}`,
    ...notices,
  ];
  return `${parts.join('\n\n')}\n`;
}
