/** `npm run bench -- train`: steps of training here, in PyTorch and in JAX, in turns. README.md describes the figures. @module */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import '../src/runtime/node.ts';
import type { Program } from './shared/contestant.ts';
import { noteOnLoad, readEnvironment, readLoad } from './shared/environment.ts';
import { integerOption, listOption, print, runBenchmark, say } from './shared/options.ts';
import { findPrograms, KNOWN_PEERS, resultsFile, root } from './shared/programs.ts';
import { judge, type Verdict } from './train/aims.ts';
import { cases, OPTIMIZERS, settingsOf, writeTrainCase, type OptimizerName, type Settings } from './train/cases.ts';
import { FIRST, TOLERANCE } from './train/compare.ts';
import { holdContest, type Contest, type Entry } from './train/contest.ts';
import { formatContest, formatVerdicts, isWrong } from './train/table.ts';

interface Options {
  readonly models: readonly string[];
  readonly optimizers: readonly OptimizerName[];
  readonly peers: readonly string[];
  readonly rounds: number | undefined;
  readonly threads: number;
  readonly seed: number;
  readonly isQuick: boolean;
  /** Where results go; undefined for nowhere. */
  readonly out: string | undefined;
}

const USAGE = `Usage: npm run bench -- train [options]
  --models LIST    of ${Object.keys(cases).join(', ')}; default all
  --tasks LIST     optimizers, of ${OPTIMIZERS.join(', ')}; default all that a model has
  --repeat N       rounds after the first runs; default ${Object.values(cases).map(({ rounds }) => rounds).join(', ')}; 0 for first runs only
  --peers LIST     of ${KNOWN_PEERS.join(', ')}, or none; default those installed (peers/README.md)
  --threads N      of every library; default 2
  --seed N         of weights and batches; default 1
  --quick          few steps, one process a library, one round: does it run and agree?
  --out FILE       default bench/results/train.json, with --quick none`;

/** @throws ArgumentError | TypeError when an option is unknown or malformed; undefined when help was asked for. */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      models: { type: 'string' }, tasks: { type: 'string' }, repeat: { type: 'string' }, peers: { type: 'string' }, threads: { type: 'string' }, seed: { type: 'string' },
      quick: { type: 'boolean' }, out: { type: 'string' }, help: { type: 'boolean' },
    },
  });
  if (values.help === true) return undefined;
  const list = (name: 'models' | 'tasks' | 'peers', known: readonly string[]): string[] => listOption('bench train', name, values[name], known);
  const whole = (name: 'repeat' | 'threads' | 'seed', least: number): number | undefined => integerOption('bench train', name, values[name], least);
  const isQuick = values.quick === true;
  return {
    models: list('models', Object.keys(cases)), optimizers: list('tasks', OPTIMIZERS) as OptimizerName[], peers: list('peers', KNOWN_PEERS), rounds: whole('repeat', 0), threads: whole('threads', 1) ?? 2,
    seed: whole('seed', 0) ?? 1, isQuick, out: values.out ?? (isQuick ? undefined : resultsFile('train')),
  };
}

const PEERS = [['pytorch', 'default'], ['pytorch', 'fused'], ['jax', 'jit'], ['jax', 'scan']] as const;

// The first entry of an optimizer that finishes is what the others' losses are compared with: a peer, where there is one.
const ENTRIES: Readonly<Record<OptimizerName, readonly (readonly [library: string, variant: string])[]>> = {
  sgd: [...PEERS, ['thalweg', '']],
  adam: [...PEERS, ['thalweg', '']],
  muon: [['pytorch', 'float32'], ['pytorch', 'bfloat16'], ['jax', 'jit'], ['jax', 'scan'], ['thalweg', '']],
};

interface CaseResult {
  readonly task: string;
  readonly description: string;
  readonly settings: Readonly<Partial<Record<OptimizerName, Settings>>>;
  readonly contest: Contest;
  readonly verdicts: readonly Verdict[];
}

async function measure(task: string, { seed, isQuick, optimizers, rounds }: Options, programs: ReadonlyMap<string, Program>): Promise<CaseResult | undefined> {
  const known = cases[task];
  const chosen = known.optimizers.filter((optimizer) => optimizers.includes(optimizer));
  if (chosen.length === 0) return undefined;
  const directory = mkdtempSync(path.join(tmpdir(), 'thalweg-bench-'));
  try {
    const effort = isQuick ? known.quick : known.effort;
    const settings = Object.fromEntries(chosen.map((optimizer) => [optimizer, settingsOf(task, optimizer, effort, seed)])) as Record<OptimizerName, Settings>;
    await writeTrainCase(directory, task, { seed, effort });
    const entries = chosen.flatMap((optimizer) => ENTRIES[optimizer].flatMap(([library, variant]): Entry[] => {
      const program = programs.get(library);
      return program === undefined ? [] : [{ id: `${library} ${variant}`.trim(), program, optimizer, variant }];
    }));
    const contest = await holdContest({ task, directory, settings, entries, rounds: rounds ?? (isQuick ? 1 : known.rounds), isolated: !isQuick, progress: (text) => say(`${task}: ${text}`) });
    // Quick runs have other sizes: the aims are not about them.
    return { task, description: known.description, settings, contest, verdicts: isQuick ? [] : judge(task, contest.entries) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main(options: Options): Promise<void> {
  const load = readLoad();
  const { programs, versions } = await findPrograms('train', options, say);
  const environment = readEnvironment(root, options.threads, versions, load);
  print(`${environment.cpu}, ${environment.cores} cores, ${options.threads} threads each; ${Object.entries(versions).map((pair) => pair.join(' ')).join(', ')}; ${environment.commit}; load ${load.join(' ')}\n`);
  const results: CaseResult[] = [];
  for (const model of options.models) {
    const result = await measure(model, options, programs);
    if (result === undefined) continue;
    results.push(result);
    print(`${formatContest(result.description, result.contest, result.settings as Record<OptimizerName, Settings>)}\n`);
    // Written after each model, so that an interrupted run keeps what it has.
    if (options.out !== undefined) {
      mkdirSync(path.dirname(options.out), { recursive: true });
      writeFileSync(options.out, `${JSON.stringify({ environment, loadAtEnd: readLoad(), seed: options.seed, results }, undefined, 1)}\n`);
    }
  }
  const verdicts = results.flatMap((result) => result.verdicts);
  if (verdicts.length > 0) print(formatVerdicts(verdicts));
  const named = results.flatMap(({ task, contest }) => contest.entries.map((entry) => ({ entry, name: `${task}: ${entry.optimizer}, ${entry.id}` })));
  const wrong = named.filter(({ entry }) => isWrong(entry));
  const failed = named.filter(({ entry }) => entry.failure !== undefined && entry.id === 'thalweg');
  print(wrong.length === 0 ? `Losses agree: the first ${FIRST} within ${TOLERANCE.first}, the mean of the others within ${TOLERANCE.later}.` : `Losses disagree: ${wrong.map(({ name }) => name).join('; ')}`);
  print(`${options.out === undefined ? '' : `Stored in ${path.relative(process.cwd(), options.out)}.`}${noteOnLoad(environment)}`.trim());
  if (wrong.length + failed.length > 0) process.exitCode = 1;
}

await runBenchmark(USAGE, readOptions, main);
