/** `thalweg train --replicas`: many replicas of a run at once, a line each. @module */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatNumber, formatSeconds, trainingSeries } from '../charts/index.ts';
import { writeSafetensors } from '../interop/node.ts';
import { scheduleNamed } from '../optim/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { checkpointOf, type PreparedRun } from '../survey/index.ts';
import { grid, trainEnsemble, type EnsembleEvent, type EnsembleRun, type ReplicaRun, type Variation } from '../train/index.ts';
import { EXIT, UsageError } from './exit.ts';
import { interruptible } from './interrupt.ts';
import { requireWritable } from './options.ts';
import { progressLine } from './progress.ts';
import { alignedRows } from './reporter.ts';
import type { TrainCommandOptions } from './train-settings.ts';
import { VERSION } from '../util/version.ts';

const SEEDS = ['seed', 'initialisation', 'order'];
const NUMBERS: Readonly<Record<string, string>> = { lr: 'learningRate', 'initial-scale': 'initialScale' };
/** Lines of progress where output is not a terminal. */
const PLAIN_LINES = 10;

type AnyReplica = ReplicaRun<unknown, unknown>;

/** What differs, by name; lists of one length. */
type Lists = Readonly<Record<string, readonly number[]>>;

/**
 * What `--vary` and `--replicas` ask for: all combinations of the lists, each as often as it takes to make the replicas; a seed without a
 * list counts these repetitions from the run's seed.
 * @throws UsageError
 */
export function listsOf(texts: readonly string[], replicas: number | undefined, seed: number): Lists {
  const axes: Record<string, readonly number[]> = {};
  const counted: string[] = [];
  for (const text of texts.length > 0 ? texts : ['seed']) {
    const [name, list] = text.split('=', 2);
    if (![...SEEDS, ...Object.keys(NUMBERS)].includes(name)) throw new UsageError(`--vary must start with one of ${[...SEEDS, ...Object.keys(NUMBERS)].join(', ')}, got '${text}'`);
    if (list === undefined && SEEDS.includes(name)) counted.push(name);
    else axes[NUMBERS[name] ?? name] = numbersOf(name, list);
  }
  const combinations = grid(axes);
  const count = Object.values(axes).reduce((product, { length }) => product * length, 1);
  const total = replicas ?? count;
  if (counted.length === 0 && total !== count) throw new UsageError(`--replicas must be the ${count} combinations of --vary, got ${total}; add --vary seed to repeat them`);
  if (total % count !== 0) throw new UsageError(`--replicas must be a multiple of the ${count} combinations of --vary, got ${total}`);
  const times = total / count;
  const repeated = Object.entries(combinations).map(([name, values]) => [name, values.flatMap((value) => new Array<number>(times).fill(value))] as const);
  return Object.fromEntries([...repeated, ...counted.map((name) => [name, Array.from({ length: total }, (_, r) => seed + (r % times))] as const)]);
}

function numbersOf(name: string, list: string | undefined): number[] {
  const texts = list?.split(',') ?? [];
  const values = texts.map(Number);
  if (values.length === 0 || texts.some((text, i) => text.trim() === '' || !Number.isFinite(values[i]))) throw new UsageError(`--vary ${name} must be followed by numbers, as ${name}=1,2, got '${list ?? ''}'`);
  return values;
}

/** Trains the replicas and writes what they left. Sets the exit code. @throws UsageError for options that ensembles do not have. */
export async function runEnsemble(run: PreparedRun, options: TrainCommandOptions): Promise<void> {
  const unsupported = (['resume', 'log', 'tensorboard', 'checkpointEvery'] as const).find((name) => options[name] !== undefined);
  if (unsupported !== undefined || run.options.microBatch === 'auto') throw new UsageError(`--replicas and --vary do not go with ${unsupported === undefined ? '--micro-batch auto' : `--${unsupported.replace('E', '-e')}`}`);
  const { settings: { seed, steps, schedule, sha256 }, prepared: { problem } } = run;
  const lists = listsOf(options.vary ?? [], options.replicas, seed);
  if (sha256 !== undefined && Object.hasOwn(lists, 'initialisation')) throw new UsageError('--vary initialisation needs a model by name: replicas of a model from a file all start from its weights');
  const replicas = Object.values(lists)[0].length;
  const out = resolve(options.out);
  requireWritable(out);
  const text = options.json === true ? process.stderr : process.stdout;
  text.write(`Thalweg ${VERSION}: training ${replicas} replicas of ${problem.name} by ${run.optimizer}, ${steps.toLocaleString('en')} steps; different: ${Object.keys(lists).join(', ')}\n${sha256 === undefined ? '' : '  all from the weights of the file\n'}`);
  const { learningRate: rates, ...vary } = lists;
  const { labels: _, microBatch, ...rest } = run.options;
  process.exitCode = await interruptible(process, async (signal) => {
    const begun = performance.now();
    const ended: EnsembleRun<unknown, unknown> = await trainEnsemble(problem, {
      ...rest, ...(typeof microBatch === 'number' && { microBatch }), replicas, vary: vary as Variation, signal, onEvent: reporter(text),
      // Of each rate as a run of its own would make it.
      ...(rates && { schedule: rates.map((rate) => scheduleNamed(schedule, { rate, steps })) }), executor: nodeExecutor(options.threads === undefined ? {} : { threads: options.threads }),
    });
    const rows = ended.replicas.map((replica, r) => rowOf(replica, r, lists));
    await write(out, ended, rows, run, lists);
    if (options.json === true) process.stdout.write(`${JSON.stringify(recordOf(ended, run, lists))}\n`);
    else text.write(`\n${alignedRows([Object.keys(rows[0]), ...rows.map((row) => Object.values(row).map((cell) => (typeof cell === 'number' && !Number.isInteger(cell) ? formatNumber(cell) : String(cell))))])}\n\n`);
    return conclude(ended, text, out, (performance.now() - begun) / 1000);
  });
}

function reporter(text: NodeJS.WriteStream): (event: EnsembleEvent) => void {
  const line = progressLine(text, true);
  return (event) => {
    if (event.type === 'begin' && event.slices.length > 1) text.write(`  memory: ${event.slices.length} slices of up to ${event.slices[0]} replicas, so that a step takes less than ${Math.round(event.memoryBudget / 2 ** 20)} MiB\n`);
    if (event.type === 'slice') line.start(`replicas ${event.first} to ${event.first + event.replicas - 1}`);
    if (event.type === 'diverged') text.write(`  replica ${event.replica} diverged at step ${event.step.toLocaleString('en')}, loss ${event.loss}\n`);
    if (event.type !== 'step') return;
    const { step, steps, losses, stepsPerSecond } = event;
    const median = losses.filter(Number.isFinite).sort((a, b) => a - b).at(Math.floor(losses.length / 2));
    const note = `median loss ${formatNumber(median ?? NaN)}`;
    if (text.isTTY === true) line.update(step, steps, () => `steps  ${note}`);
    else if (Math.floor((step * PLAIN_LINES) / steps) > Math.floor(((step - 1) * PLAIN_LINES) / steps)) text.write(`  step ${step.toLocaleString('en')}/${steps.toLocaleString('en')}  ${note}  ${formatNumber(stepsPerSecond)} steps/s  ETA ${formatSeconds((steps - step) / stepsPerSecond)}\n`);
  };
}

/** One line of the table: what differs, how it ended, and the last values of columns of one number or of whole splits. */
function rowOf({ end, losses, table }: AnyReplica, replica: number, lists: Lists): Record<string, number | string> {
  const names = table.columns.filter((name) => name !== 'learningRate' && name !== 'loss' && (!name.includes('.') || /\.(test|train)$/.test(name)));
  return {
    replica, ...Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values[replica]])),
    end: end.reason, steps: losses.length, loss: losses.at(-1) ?? NaN, ...Object.fromEntries(names.map((name) => [name, table.last(name)?.measurement.value ?? NaN])),
  };
}

/** Everything but parameters, as JSON holds it. */
function recordOf({ replicas, slices, bytes, costs, provenance }: EnsembleRun<unknown, unknown>, { settings, optimizer, prepared: { problem } }: PreparedRun, lists: Lists): object {
  const json = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
  return {
    schema: 'thalweg-ensemble/1', complete: replicas.every(({ end }) => end.reason !== 'interrupted'), problem: problem.name, optimizer, settings, slices, bytes, costs, provenance,
    replicas: replicas.map(({ end, table }, r) => ({
      values: Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values[r]])), end: end.reason === 'diverged' ? { ...end, loss: json(end.loss) } : end,
      columns: table.columns.map((name) => {
        const { steps, values, errors } = table.series(name);
        const kind = table.entries(name)[0]?.measurement.kind;
        return { name, kind, steps, values: values.map(json), ...(kind !== 'rounding' && { errors: errors.map(json) }) };
      }),
    })),
  };
}

async function write(out: string, ended: EnsembleRun<unknown, unknown>, rows: readonly Record<string, number | string>[], run: PreparedRun, lists: Lists): Promise<void> {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  writeFileSync(join(out, 'ensemble.csv'), [names, ...rows.map((row) => names.map((name) => row[name] ?? ''))].map((cells) => `${cells.join(',')}\n`).join(''));
  writeFileSync(join(out, 'ensemble.json'), `${JSON.stringify(recordOf(ended, run, lists))}\n`);
  const series = ended.replicas.flatMap(({ table, losses }, r) => (losses.length === 0 ? [] : [{ name: Object.entries(lists).map(([name, values]) => `${name} ${values[r]}`).join(', '), ...table.series('loss'), errors: undefined }]));
  if (series.length > 0) writeFileSync(join(out, 'loss.svg'), trainingSeries({ series: series.map(({ errors: _, ...one }) => one) }, { title: 'Loss of each replica', label: 'loss' }));
  mkdirSync(join(out, 'models'), { recursive: true });
  const digits = String(ended.replicas.length - 1).length;
  for (const [r, { params, answer, state, losses }] of ended.replicas.entries()) {
    await writeSafetensors(join(out, 'models', `replica-${String(r).padStart(digits, '0')}.safetensors`), checkpointOf({ params: answer ?? params, state } as never), { model: run.prepared.problem.name, thalweg: VERSION, step: String(losses.length) });
  }
}

function conclude({ replicas }: EnsembleRun<unknown, unknown>, text: NodeJS.WriteStream, out: string, seconds: number): number {
  const [diverged, interrupted] = (['diverged', 'interrupted'] as const).map((reason) => replicas.filter(({ end }) => end.reason === reason).length);
  const notes = [...(diverged > 0 ? [`${diverged} diverged`] : []), ...(interrupted > 0 ? [`${interrupted} interrupted`] : [])];
  text.write(`${replicas.length} replicas${notes.length > 0 ? `, ${notes.join(', ')},` : ''} in ${formatSeconds(seconds)}: ${join(out, 'ensemble.csv')}\n`);
  if (interrupted > 0) return EXIT.interrupted;
  return diverged === replicas.length ? EXIT.diverged : EXIT.ok;
}
