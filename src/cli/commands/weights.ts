/** `thalweg weights`: the spectra of a trained model's weight matrices, without data. @module */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { analyzeWeights, summarizeWeights, weightWatcherMatrices, type WeightAnalysis, type WeightAnalysisOptions } from '../../analysis/index.ts';
import { formatSeconds } from '../../charts/index.ts';
import { openSafetensors, type SafetensorsFile } from '../../interop/node.ts';
import { nodeExecutor } from '../../runtime/node.ts';
import { key } from '../../util/random/index.ts';
import { EXIT, UsageError } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { integer, requireWritable } from '../options.ts';
import { progressLine } from '../progress.ts';
import { VERSION } from '../../util/version.ts';
import { layerFigure, layerTable, modelTable, weightsJson, type MeasuredModel } from './weights-output.ts';

interface Options {
  readonly layers?: (name: string) => boolean;
  readonly minEvals: number;
  readonly randomize?: boolean;
  readonly bootstrap: number;
  readonly weightwatcher?: boolean;
  readonly seed: number;
  readonly threads?: number;
  readonly out?: string;
  readonly json?: string;
}

/** Names that match one of the patterns, separated by commas: `*` stands for any characters, `?` for one. */
function globs(text: string): (name: string) => boolean {
  const patterns = text.split(',').map((pattern) => pattern.trim()).filter((pattern) => pattern !== '');
  if (patterns.length === 0) throw new UsageError(`--layers must hold at least one pattern such as '*.weight', got '${text}'`);
  const expressions = patterns.map((pattern) => new RegExp(`^${pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`, 's'));
  return (name) => expressions.some((expression) => expression.test(name));
}

/** The command with its options. */
export function weightsCommand(): Command {
  return new Command('weights')
    .description('Spectra of the weight matrices of trained models, layer by layer and without data: power-law exponents, norms, noise bulk. Reads safetensors one tensor at a time.')
    .argument('<files...>', 'model.safetensors, model.safetensors.index.json, or a folder that holds one')
    .option('--layers <patterns>', "only tensors whose names match, such as '*.mlp.*,lm_head*'", globs)
    .option('--min-evals <n>', 'skip matrices with fewer eigenvalues', integer('min-evals', 1), 10)
    .option('--randomize', 'compare each spectrum with that of its shuffled entries')
    .option('--bootstrap <n>', 'resamples for the error of alpha and the plausibility of the power law', integer('bootstrap', 2), 0)
    .option('--weightwatcher', "WeightWatcher's convolutions: pooled slices scaled by 1/sqrt(2), instead of the reshaped kernel and unscaled slices")
    .option('--seed <n>', 'seed of shuffles and resamples', integer('seed', 0), 0)
    .option('--out <folder>', "write weights.json and each layer's spectrum as a figure there")
    .option('--json <file>', 'write everything measured as JSON')
    .option('--threads <n>', 'threads of a matrix product (default: all cores)', integer('threads', 1))
    .action((files: string[], options: Options) => run(files, options));
}

async function run(files: readonly string[], options: Options): Promise<void> {
  const out = options.out === undefined ? undefined : resolve(options.out);
  const opened: SafetensorsFile[] = [];
  try {
    // All headers before the first spectrum: a wrong name is known at once.
    for (const file of files) opened.push(await openSafetensors(file));
    if (options.layers !== undefined) opened.forEach((file) => { requireMatch(file, options.layers!); });
    if (out !== undefined) requireWritable(out);
    if (options.json !== undefined) requireWritableFile(options.json);
    process.exitCode = await interruptible(process, (signal) => measureAll(opened, options, out, signal));
  } finally {
    await Promise.all(opened.map((file) => file.close()));
  }
}

/** @throws UsageError when nothing would be measured. */
function requireMatch({ path, tensors }: SafetensorsFile, layers: (name: string) => boolean): void {
  if (tensors.length === 0 || tensors.some(({ name }) => layers(name))) return;
  throw new UsageError(`--layers must match some tensor of ${path}, which has ${tensors.slice(0, 5).map(({ name }) => name).join(', ')}${tensors.length > 5 ? ` and ${tensors.length - 5} more` : ''}`);
}

/** @throws UsageError before anything is measured. */
function requireWritableFile(path: string): void {
  try {
    closeSync(openSync(path, 'a'));
  } catch (error) {
    throw new UsageError(`--json must be a file that can be written, got '${path}' (${(error as Error).message})`);
  }
}

async function measureAll(files: readonly SafetensorsFile[], options: Options, out: string | undefined, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  const executor = nodeExecutor(options.threads === undefined ? {} : { threads: options.threads });
  const settings: WeightAnalysisOptions = {
    minEigenvalues: options.minEvals, bootstrap: options.bootstrap, randomize: options.randomize === true, key: key(options.seed), executor, signal,
    ...(options.layers && { layers: options.layers }), ...(options.weightwatcher === true && weightWatcherMatrices),
  };
  process.stdout.write(`Thalweg ${VERSION}: weight spectra, seed ${options.seed}\n`);
  const models: MeasuredModel[] = [];
  for (const file of files) {
    if (signal.aborted) break;
    const analysis = await measure(file, settings);
    const model = { file: file.path, analysis, summary: summarizeWeights(analysis) };
    models.push(model);
    process.stdout.write(layerTable(model));
  }
  if (models.length > 1) process.stdout.write(modelTable(models));
  write(models, options, out);
  const where = [out, options.json].filter((path) => path !== undefined).join(', ');
  process.stdout.write(`${signal.aborted ? 'incomplete' : 'done'} in ${formatSeconds((performance.now() - started) / 1000)}${where === '' ? '' : `: ${where}`}\n`);
  return signal.aborted ? EXIT.interrupted : models.some(({ analysis }) => hasDiverged(analysis)) ? EXIT.diverged : EXIT.ok;
}

/** NaN or infinity among the weights: what a diverged training leaves. */
const hasDiverged = ({ skipped }: WeightAnalysis): boolean => skipped.some(({ nonFinite }) => nonFinite === true);

async function measure(file: SafetensorsFile, settings: WeightAnalysisOptions): Promise<WeightAnalysis> {
  const line = progressLine(process.stdout, true);
  const started = performance.now();
  const title = basename(file.path);
  line.start(title);
  const analysis = await analyzeWeights(file, {
    ...settings,
    onProgress: ({ name, layer, layers, done, total }) => { line.update(Math.round(done / 1e6), Math.round(total / 1e6), `Mflop, layer ${Math.min(layer + 1, layers)}/${layers} ${name}`); },
  });
  line.end(`\n${file.path}: ${analysis.layers.length} spectra in ${formatSeconds((performance.now() - started) / 1000)}`);
  return analysis;
}

function write(models: readonly MeasuredModel[], { json, seed }: Options, out: string | undefined): void {
  const text = `${JSON.stringify(weightsJson(models, { thalweg: VERSION, node: process.version, seed: String(seed), command: ['thalweg', ...process.argv.slice(2)].join(' ') }))}\n`;
  if (json !== undefined) writeFileSync(json, text);
  if (out === undefined) return;
  writeFileSync(join(out, 'weights.json'), text);
  models.forEach(({ file, analysis }, i) => {
    for (const layer of analysis.layers) {
      const { name, svg } = layerFigure(layer, file);
      writeFileSync(join(out, `${models.length > 1 ? `${i + 1}-` : ''}${name}.svg`), svg);
    }
  });
}
