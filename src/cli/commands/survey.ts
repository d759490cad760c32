/** `thalweg survey`: train, measure, report. @module */
import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { datasets, loadDataset } from '../../data/node.ts';
import { nodeExecutor } from '../../runtime/node.ts';
import {
  partNames, prepareProblem, presets, survey, surveyFigures, surveyReport, surveySummary, type PresetName, type SurveyEvent, type SurveyRecord, type SurveySettings,
} from '../../survey/index.ts';
import { formatSeconds } from '../../charts/index.ts';
import { EXIT, UsageError } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { progressLine } from '../progress.ts';
import { VERSION } from '../version.ts';

interface Options {
  readonly model: string;
  readonly data: string;
  readonly loss?: string;
  readonly seed: number;
  readonly out: string;
  readonly preset: PresetName;
  readonly json?: boolean;
  readonly only?: readonly string[];
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly threads?: number;
}

const integer = (name: string, least: number) => (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) throw new UsageError(`--${name} must be an integer of at least ${least}, got '${text}'`);
  return value;
};

function rate(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new UsageError(`--learning-rate must be a positive number, got '${text}'`);
  return value;
}

function parts(text: string): string[] {
  const names = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  const unknown = names.find((name) => !partNames.includes(name));
  if (unknown !== undefined || names.length === 0) throw new UsageError(`--only must list parts among ${partNames.join(', ')}, got '${text}'`);
  return names;
}

/** The command with its options. */
export function surveyCommand(): Command {
  return new Command('survey')
    .description('Trains a model and measures its terrain: Hessian spectrum, sharpness, noise scale, loss plane and lines. Writes report.html, survey.json and figures.')
    .option('--model <text>', 'model, such as mlp:784-128-64-10, cnn, resnet:20,width=8', 'mlp:784-128-64-10')
    .option('--data <name>', `dataset: ${Object.keys(datasets).join(', ')}`, 'mnist')
    .option('--loss <name>', 'loss (default: cross-entropy, or mean-squared-error for regression)')
    .option('--seed <n>', 'seed of everything random', integer('seed', 0), 0)
    .option('--out <folder>', 'where the report goes', 'thalweg-out/survey')
    .addOption(new Option('--preset <name>', 'how thorough').choices(Object.keys(presets)).default('full'))
    .option('--only <parts>', `measure only these, separated by commas: ${partNames.join(', ')}`, parts)
    .option('--epochs <n>', 'passes over the training set (default: that of the preset)', integer('epochs', 1))
    .option('--learning-rate <rate>', 'peak learning rate (default: that of the preset)', rate)
    .option('--json', 'print the record as JSON on standard output; progress goes to standard error')
    .option('--threads <n>', 'threads of an operation (default: all cores)', integer('threads', 1))
    .action((options: Options) => run(options));
}

async function run(options: Options): Promise<void> {
  const text = options.json === true ? process.stderr : process.stdout;
  if (!Object.hasOwn(datasets, options.data)) throw new UsageError(`--data must be one of ${Object.keys(datasets).join(', ')}, got '${options.data}'`);
  const started = performance.now();
  const dataset = await loadDataset(options.data as keyof typeof datasets);
  const prepared = prepareProblem(options.model, dataset, options.loss);
  const out = resolve(options.out);
  requireWritable(out);
  text.write(`Thalweg ${VERSION}: ${prepared.problem.name}, seed ${options.seed}, preset ${options.preset}\n`);
  process.exitCode = await interruptible(process, async (signal) => {
    const executor = nodeExecutor(options.threads === undefined ? {} : { threads: options.threads });
    const record = await survey(prepared, { settings: settingsOf(options), seed: options.seed, only: options.only, executor, signal, provenance: provenance(options), onEvent: reporter(text) });
    writeResults(out, record);
    if (options.json === true) process.stdout.write(`${JSON.stringify(record)}\n`);
    else text.write(summaryTable(record));
    text.write(`${record.complete ? 'done' : 'incomplete'} in ${formatSeconds((performance.now() - started) / 1000)}: ${join(out, 'report.html')}\n`);
    return exitCode(record, signal);
  });
}

const settingsOf = ({ preset, epochs, learningRate }: Options): SurveySettings =>
  ({ ...presets[preset], ...(epochs !== undefined && { epochs }), ...(learningRate !== undefined && { learningRate }) });

function exitCode(record: SurveyRecord, signal: AbortSignal): number {
  if (signal.aborted) return EXIT.interrupted;
  if (record.training?.divergence !== undefined) return EXIT.diverged;
  return record.failures.length > 0 ? EXIT.failure : EXIT.ok;
}

/** @throws UsageError when the folder cannot be made or written to. */
function requireWritable(folder: string): void {
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

function writeResults(out: string, record: SurveyRecord): void {
  writeFileSync(join(out, 'survey.json'), `${JSON.stringify(record, null, 1)}\n`);
  const figures = surveyFigures(record);
  figures.forEach(({ name, svg }) => writeFileSync(join(out, `${name}.svg`), svg));
  writeFileSync(join(out, 'report.html'), surveyReport(record, figures));
}

function provenance(options: Options): Record<string, string> {
  return {
    thalweg: VERSION, node: process.version, platform: `${process.platform} ${process.arch}`, processor: `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`, load: loadavg()[0].toFixed(2), backend: 'onnxruntime-node', seed: String(options.seed), preset: options.preset,
    model: options.model, 'batch normalisation': 'eval (kept statistics)', command: ['thalweg', ...process.argv.slice(2)].join(' '),
  };
}

function reporter(stream: NodeJS.WriteStream): (event: SurveyEvent) => void {
  const line = progressLine(stream, true);
  let title = '';
  return (event) => {
    if (event.kind === 'start') line.start(title = event.title);
    else if (event.kind === 'progress') line.update(event.done, event.total, event.note);
    else line.end(`  ${title.padEnd(56)} ${formatSeconds(event.seconds)}${event.failure === undefined ? '' : `  FAILED: ${event.failure}`}`);
  };
}

function summaryTable(record: SurveyRecord): string {
  const rows = surveySummary(record).map(({ label, value, note }) => [label, String(value), note ?? '']);
  const width = (column: number): number => Math.max(0, ...rows.map((row) => row[column].length));
  return `\n${rows.map((row) => `  ${row[0].padEnd(width(0))}  ${row[1].padEnd(width(1))}  ${row[2]}`).join('\n')}\n\n`;
}
