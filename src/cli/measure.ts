/** Runs surveys for commands: trains or reads checkpoints, measures, writes files, chooses the exit code. @module */
import { writeFileSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { formatSeconds } from '../charts/index.ts';
import type { Executor } from '../core/backend.ts';
import { openSafetensors, writeSafetensors } from '../interop/node.ts';
import { nodeExecutor } from '../runtime/node.ts';
import {
  checkpointLines, checkpointOf, COMPARISON_SCHEMA, comparisonReport, pointFromFile, settledPoint, survey, surveyFigures, surveyReport, type AnyPoint, type AnyProblem, type CheckpointLine, type ComparisonRecord, type PreparedProblem, type SurveyOptions, type SurveyRecord,
  type SurveySettings,
} from '../survey/index.ts';
import { EXIT } from './exit.ts';
import { interruptible } from './interrupt.ts';
import { isModelFile, matchedPoint } from './imported.ts';
import { problemOf, provenance, requireWritable, type ProblemOptions } from './options.ts';
import { progressLine } from './progress.ts';
import { alignedRows, reporter, summaryTable } from './reporter.ts';
import { key } from '../util/random/index.ts';
import { VERSION } from '../util/version.ts';

/** A job: which parts are measured with which settings. */
export interface Job {
  /** Name of the command, and of the JSON file. */
  readonly name: string;
  readonly settings: SurveySettings;
  /** Parts; default: those of the settings. */
  readonly only?: readonly string[];
}

/** A point to be measured: given by a checkpoint, or to be trained. */
interface Subject {
  readonly label: string;
  readonly folder: string;
  readonly start?: AnyPoint;
}

/** Measures every checkpoint of the options, or what training ends with; sets the exit code. */
export async function runJob(options: ProblemOptions, { name, settings, only }: Job): Promise<void> {
  const text = options.json === true ? process.stderr : process.stdout;
  const started = performance.now();
  const prepared = await problemOf(options);
  const out = resolve(options.out);
  requireWritable(out);
  const subjects = await subjectsOf(options, prepared, out);
  text.write(`Thalweg ${VERSION}: ${prepared.problem.name}, seed ${options.seed}, preset ${options.preset}\n`);
  process.exitCode = await interruptible(process, async (signal) => {
    const executor = nodeExecutor(options.threads === undefined ? {} : { threads: options.threads });
    const records: SurveyRecord[] = [];
    for (const subject of subjects) {
      if (signal.aborted) break;
      if (subjects.length > 1) text.write(`\n${subject.label}\n`);
      records.push(await runOne(subject, { name, text, prepared, executor }, { settings, seed: options.seed, only, signal, provenance: { ...provenance(options), ...(subject.start && { weights: subject.label }) } }));
    }
    const comparison = records.length < 2 ? undefined : comparisonOf(subjects, records, await linesBetween(subjects.slice(0, records.length), { text, prepared, executor }, { settings, seed: options.seed, signal }));
    if (options.json === true) process.stdout.write(`${JSON.stringify(comparison ?? records[0])}\n`);
    if (comparison) writeComparison(out, comparison, text);
    const page = join(records.length === 1 ? subjects[0].folder : out, records.length === 1 ? 'report.html' : 'comparison.html');
    const isComplete = records.length === subjects.length && records.every(({ complete }) => complete);
    text.write(`${isComplete ? 'done' : 'incomplete'} in ${formatSeconds((performance.now() - started) / 1000)}: ${page}\n`);
    return signal.aborted ? EXIT.interrupted : Math.max(...records.map(exitCode));
  });
}

/** @throws DataError | UsageError when a checkpoint cannot be read or is of another model. */
async function subjectsOf({ weights = [], model, epochs }: ProblemOptions, prepared: PreparedProblem, out: string): Promise<Subject[]> {
  const isFile = isModelFile(model);
  // A model from a file is measured as it is, unless it is told to be trained.
  if (weights.length === 0) return [isFile && epochs === undefined ? { label: basename(model), folder: out, start: await settledPoint(prepared, prepared.problem.model.init(key(0)), nodeExecutor()) } : { label: 'trained', folder: out }];
  const subjects: Subject[] = [];
  for (const [i, path] of weights.entries()) {
    const start = await settledPoint(prepared, await (isFile ? matchedPoint : readPoint)(prepared.problem, path), nodeExecutor());
    const folder = weights.length === 1 ? out : join(out, `${i + 1}-${basename(path).replace(/\.safetensors$/, '')}`);
    mkdirSync(folder, { recursive: true });
    subjects.push({ label: path, folder, start });
  }
  return subjects;
}

/** Paths by their last names, with as many folders in front as it takes to tell them apart. */
export function distinctNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split(/[\\/]/));
  const longest = Math.max(...parts.map(({ length }) => length));
  for (let count = 1; count < longest; count++) {
    const names = parts.map((part) => part.slice(-count).join('/'));
    if (new Set(names).size === names.length) return names;
  }
  return [...paths];
}

/** Reads a checkpoint file, or a `state_dict()` of PyTorch. @throws DataError */
export async function readPoint(problem: AnyProblem, path: string): Promise<AnyPoint> {
  const file = await openSafetensors(path);
  try {
    const arrays = Object.fromEntries(await Promise.all(file.tensors.map(async ({ name }) => [name, await file.read(name)] as const)));
    return pointFromFile(problem, arrays, path, file.metadata);
  } finally {
    await file.close();
  }
}

interface Surroundings {
  readonly name: string;
  readonly text: NodeJS.WriteStream;
  readonly prepared: PreparedProblem;
  readonly executor: Executor;
}

async function runOne({ folder, start }: Subject, { name, text, prepared, executor }: Surroundings, options: SurveyOptions): Promise<SurveyRecord> {
  let point: AnyPoint | undefined;
  const record = await survey(prepared, { ...options, executor, ...(start && { start }), onPoint: (reached) => { point = reached; }, onEvent: reporter(text) });
  if (point !== undefined && start === undefined) {
    await writeSafetensors(join(folder, 'model.safetensors'), checkpointOf(point), { model: prepared.problem.name, thalweg: VERSION, seed: String(options.seed) });
  }
  writeResults(folder, name, record);
  text.write(summaryTable(record));
  return record;
}

function writeResults(folder: string, name: string, record: SurveyRecord): void {
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(record, null, 1)}\n`);
  const figures = surveyFigures(record);
  figures.forEach((figure) => writeFileSync(join(folder, `${figure.name}.svg`), figure.svg));
  writeFileSync(join(folder, 'report.html'), surveyReport(record, figures));
}

/** The loss on straight lines between the checkpoints. */
async function linesBetween(subjects: readonly Subject[], { text, prepared, executor }: Omit<Surroundings, 'name'>, options: Pick<SurveyOptions, 'settings' | 'seed' | 'signal'>): Promise<CheckpointLine[]> {
  const title = 'loss on the lines between checkpoints';
  const line = progressLine(text, true);
  const started = performance.now();
  text.write('\n');
  line.start(title);
  const seconds = (): string => formatSeconds((performance.now() - started) / 1000);
  try {
    const lines = await checkpointLines(prepared, subjects.map(({ start }) => start!), { ...options, executor, onProgress: (_, done, total) => { line.update(done, total, 'points'); } });
    line.end(`  ${title.padEnd(56)} ${seconds()}`);
    return lines;
  } catch (error) {
    // What was measured of each checkpoint is kept.
    line.end(`  ${title.padEnd(56)} ${seconds()}  FAILED: ${(error as Error).message}`);
    return [];
  }
}

const comparisonOf = (subjects: readonly Subject[], surveys: readonly SurveyRecord[], lines: readonly CheckpointLine[]): ComparisonRecord =>
  ({ schema: COMPARISON_SCHEMA, labels: distinctNames(subjects.map(({ label }) => label)).slice(0, surveys.length), surveys, lines });

function writeComparison(out: string, comparison: ComparisonRecord, text: NodeJS.WriteStream): void {
  const { labels, surveys, lines } = comparison;
  const { html, rows, lineRows, figures } = comparisonReport(surveys.map((record, i) => ({ label: labels[i], record })), lines);
  writeFileSync(join(out, 'comparison.html'), html);
  writeFileSync(join(out, 'comparison.json'), `${JSON.stringify(comparison, null, 1)}\n`);
  figures.forEach((figure) => writeFileSync(join(out, `${figure.name}.svg`), figure.svg));
  text.write(`\n${alignedRows(rows)}\n\n${lineRows.length === 0 ? '' : `${alignedRows(lineRows)}\n\n`}`);
}

function exitCode(record: SurveyRecord): number {
  if (record.training?.divergence !== undefined) return EXIT.diverged;
  return record.failures.length > 0 ? EXIT.failure : EXIT.ok;
}
