/** `thalweg train`: any optimizer, watched by any probe. @module */
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { formatSeconds } from '../../charts/index.ts';
import { datasetOf, lossOf } from '../data.ts';
import { writeSafetensors } from '../../interop/node.ts';
import { nodeExecutor } from '../../runtime/node.ts';
import { checkpointOf, prepareRun, runFigures, runRecord, runReport, runSummary, type AnyTrainingRun, type PreparedRun, type RunRecord, type RunSettings } from '../../survey/index.ts';
import { train, type CheckpointStore } from '../../train/index.ts';
import { directoryStore } from '../../train/checkpoint-store.node.ts';
import { EXIT, UsageError } from '../exit.ts';
import { isModelFile, modelAndLossOf, requireModelFile, tellProblem, unchangedHash } from '../imported.ts';
import { interruptible } from '../interrupt.ts';
import { requireWritable } from '../options.ts';
import { alignedRows } from '../reporter.ts';
import { runEnsemble } from '../train-ensemble.ts';
import { tableLog, type TableLog } from '../train-log.ts';
import { runReporter } from '../train-progress.ts';
import { resumedFolder, resumedSettings, SETTINGS_FILE, settingsOfOptions, trainOptions, type KeptSettings, type TrainCommandOptions } from '../train-settings.ts';
import { VERSION } from '../../util/version.ts';

/** Checkpoints of a run unless told otherwise. */
const CHECKPOINTS = 10;

/** The command with its options. */
export function trainCommand(): Command {
  const command = trainOptions();
  return command.action((model: string | undefined, options: TrainCommandOptions) =>
    run({ ...options, ...(model !== undefined && { model }) }, (name) => command.getOptionValueSource(name) === 'cli' || (name === 'model' && model !== undefined)));
}

async function run(options: TrainCommandOptions, isWritten: (name: keyof TrainCommandOptions) => boolean): Promise<void> {
  if (options.replicas !== undefined || options.vary !== undefined) {
    await runEnsemble(await preparedOf(settingsOfOptions(options)), options);
    return;
  }
  const text = options.json === true ? process.stderr : process.stdout;
  const from = resumedFolder(options);
  // A run goes on in its own folder unless another is named.
  const folder = from !== undefined && !isWritten('out') ? from : options.out;
  const kept = from === undefined ? settingsOfOptions(options) : resumedSettings(from, options, isWritten);
  const prepared = await preparedOf(kept);
  const out = resolve(folder);
  requireWritable(out);
  const store = directoryStore(join(out, 'checkpoints'));
  const checkpoint = from === undefined ? undefined : await directoryStore(join(resolve(from), 'checkpoints')).latest();
  if (checkpoint === undefined) rmSync(join(out, 'checkpoints'), { recursive: true, force: true });
  writeFileSync(join(out, SETTINGS_FILE), `${JSON.stringify({ ...kept, settings: prepared.settings }, null, 1)}\n`);
  const { settings: { steps, seed }, stepsPerEpoch } = prepared;
  text.write(`Thalweg ${VERSION}: training ${prepared.prepared.problem.name} by ${prepared.optimizer}, learning rate ${prepared.settings.learningRate}, ${steps.toLocaleString('en')} steps (${stepsPerEpoch.toLocaleString('en')} an epoch), seed ${seed}\n`);
  if (isModelFile(prepared.settings.model) && checkpoint === undefined) text.write(`  from the weights of ${prepared.settings.model}\n`);
  if (from !== undefined) text.write(checkpoint === undefined ? '  no checkpoint yet: from the start\n' : `  from the checkpoint after step ${checkpoint.record.step.toLocaleString('en')}\n`);
  process.exitCode = await interruptible(process, async (signal) => {
    const ended = await trained(prepared, { kept, out, store, signal, text, ...(checkpoint && { resume: checkpoint }), ...(options.threads !== undefined && { threads: options.threads }) });
    const record = runRecord(prepared, ended, { command: ['thalweg', ...process.argv.slice(2)].join(' '), ...originOf(prepared) });
    await write(out, ended, record);
    if (options.json === true) process.stdout.write(`${JSON.stringify(record)}\n`);
    else text.write(`\n${alignedRows(runSummary(record).map(({ label, value, note }) => [label, String(value), note ?? '']))}\n\n`);
    return conclude(record, folder, text);
  });
}

/** @throws UsageError | ArgumentError | DataError before anything is written. */
async function preparedOf({ data, settings }: KeptSettings): Promise<PreparedRun> {
  if (isModelFile(settings.model)) return preparedFile(data, settings);
  requireModelFile(settings.model, settings.loss, settings);
  const loss = await lossOf(settings.loss, settings.target);
  return prepareRun(settings, await datasetOf(data), typeof loss === 'object' ? loss : undefined);
}

/** A run of a model from a file. @throws UsageError when the file has changed since the run was begun. */
async function preparedFile(data: string, settings: RunSettings): Promise<PreparedRun> {
  if (settings.bn === 'recompute') throw new UsageError('--bn must be eval or batch while training, got recompute: that is for measuring what training ends with, thalweg survey --weights');
  const { imported, loss } = await modelAndLossOf(settings);
  const sha256 = await unchangedHash(settings);
  const run = prepareRun({ ...settings, sha256 }, await datasetOf(data), typeof loss === 'object' ? loss : undefined, imported);
  tellProblem(imported, run.prepared);
  return run;
}

/** Where the model of a file comes from, and where training starts. */
const originOf = ({ settings: { model, sha256, bn = 'eval' } }: PreparedRun): Record<string, string> =>
  (sha256 === undefined ? {} : { 'model file': model, 'model (SHA-256)': sha256, 'initial parameters': 'the weights of the file', 'batch normalisation': bn });

interface Surroundings {
  readonly kept: KeptSettings;
  readonly out: string;
  readonly store: CheckpointStore;
  readonly signal: AbortSignal;
  readonly text: NodeJS.WriteStream;
  readonly resume?: Awaited<ReturnType<CheckpointStore['latest']>>;
  readonly threads?: number;
}

/** Trains, and shows and logs what happens. */
async function trained({ prepared: { problem }, options, settings: { steps } }: PreparedRun, { kept, out, store, signal, text, resume, threads }: Surroundings): Promise<AnyTrainingRun> {
  const { log, tensorboard, checkpointEvery = Math.ceil(steps / CHECKPOINTS) } = kept;
  const reporter = runReporter(text);
  const files = { ...(log === true && { log: out }), ...(tensorboard !== undefined && { tensorboard: tensorboard === true ? join(out, 'tensorboard') : resolve(tensorboard) }) };
  let written: TableLog | undefined;
  try {
    const ended = await train(problem, {
      ...options, signal, checkpoint: { store, every: checkpointEvery }, ...(resume && { resume }), executor: nodeExecutor(threads === undefined ? {} : { threads }),
      onEvent(event) {
        if (event.type === 'begin') written = tableLog(event.table, event.step, files);
        if (event.type === 'step') written?.update();
        reporter.event(event);
      },
    });
    written?.update();
    reporter.end();
    return ended;
  } finally {
    written?.close();
  }
}

/** Everything that the run left. */
async function write(out: string, { params, answer, state }: AnyTrainingRun, record: RunRecord): Promise<void> {
  await writeSafetensors(join(out, 'model.safetensors'), checkpointOf({ params: answer ?? params, state } as never), { model: record.problem.name, thalweg: VERSION, seed: String(record.settings.seed), step: String(record.end.steps) });
  writeFileSync(join(out, 'run.json'), `${JSON.stringify(record)}\n`);
  const figures = runFigures(record);
  figures.forEach(({ name, svg }) => { writeFileSync(join(out, `${name}.svg`), svg); });
  writeFileSync(join(out, 'report.html'), runReport(record, figures));
}

/** The last lines, and the exit code. */
function conclude({ end, settings, costs }: RunRecord, folder: string, text: NodeJS.WriteStream): number {
  const seconds = formatSeconds(costs.reduce((sum, cost) => sum + (Number.isFinite(cost.seconds) ? cost.seconds : 0), 0));
  const page = join(resolve(folder), 'report.html');
  if (end.reason === 'diverged') text.write(`diverged at step ${end.step!.toLocaleString('en')}, loss ${end.loss}: ${end.message!.replaceAll(/\s*\n\s*/g, ' ')}\neverything until then in ${seconds}: ${page}\n`);
  else if (end.reason === 'interrupted') text.write(`interrupted after step ${end.steps.toLocaleString('en')} of ${settings.steps.toLocaleString('en')} in ${seconds}: ${page}\nto go on: thalweg train --resume ${folder}\n`);
  else text.write(`done in ${seconds}: ${page}\n`);
  return { finished: EXIT.ok, interrupted: EXIT.interrupted, diverged: EXIT.diverged }[end.reason];
}
