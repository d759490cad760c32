/** `npm run bench -- instrument`: whole measurements here, in PyTorch and in JAX, in turns. README.md describes the figures. @module */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import '../src/runtime/node.ts';
import { judge, type Verdict } from './instrument/aims.ts';
import { cases, TASKS, writeInstrumentCase, type Settings, type TaskName } from './instrument/cases.ts';
import { holdContest, type Contest, type Entry } from './instrument/contest.ts';
import { formatContest, formatMisses, formatVerdicts, isWrong } from './instrument/table.ts';
import type { Program } from './shared/contestant.ts';
import { print, readBenchmarkOptions, runBenchmark, say, type BenchmarkOptions } from './shared/options.ts';
import { KNOWN_PEERS } from './shared/programs.ts';
import { conclude, findContestants, store } from './shared/report.ts';

const USAGE = `Usage: npm run bench -- instrument [options]
  --models LIST    of ${Object.keys(cases).join(', ')}; default all
  --tasks LIST     of ${TASKS.join(', ')}; default all
  --repeat N       rounds after the first runs; default 2, for convolutional nets 1; 0 for first runs only
  --peers LIST     of ${KNOWN_PEERS.join(', ')}, or none; default those installed (peers/README.md)
  --threads N      of every library; default 2
  --seed N         of weights, directions and probes; default 1
  --quick          small efforts, one process a library: does it run and agree?
  --out FILE       default bench/results/instrument.json, with --quick none`;

// The first entry of a task that finishes is what the others' results are compared with: a peer, where there is one.
const ENTRIES: Readonly<Record<TaskName, readonly (readonly [library: string, variant: string])[]>> = {
  eigenpairs: [['pytorch', 'lanczos'], ['pytorch', 'pyhessian'], ['jax', 'lanczos'], ['thalweg', '']],
  density: [['pytorch', 'lanczos'], ['pytorch', 'pyhessian'], ['jax', 'lanczos'], ['thalweg', '']],
  trace: [['pytorch', 'hutchinson'], ['jax', 'hutchinson'], ['thalweg', '']],
  plane: [['pytorch', 'grid'], ['jax', 'grid'], ['thalweg', '']],
  ntk: [['pytorch', 'by-output'], ['pytorch', 'jacobian'], ['jax', 'by-output'], ['jax', 'jacobian'], ['thalweg', '']],
};

interface ModelResult {
  readonly model: string;
  readonly description: string;
  readonly settings: Readonly<Record<TaskName, Settings>>;
  readonly contest: Contest;
  readonly verdicts: readonly Verdict[];
}

async function measure(model: string, { seed, isQuick, tasks, rounds }: BenchmarkOptions<TaskName>, programs: ReadonlyMap<string, Program>): Promise<ModelResult> {
  const known = cases[model];
  const directory = mkdtempSync(path.join(tmpdir(), 'thalweg-bench-'));
  try {
    const effort = isQuick ? known.quick : known.settings;
    const settings = Object.fromEntries(TASKS.map((task) => [task, { ...effort[task], seed }])) as unknown as ModelResult['settings'];
    say(`${model}: training`);
    await writeInstrumentCase(directory, model, { seed, steps: isQuick ? known.quickTrainingSteps : known.trainingSteps, settings: Object.fromEntries(tasks.map((task) => [task, settings[task]])) });
    const entries = tasks.flatMap((task) => ENTRIES[task].flatMap(([library, variant]): Entry[] => {
      const program = programs.get(library);
      return program === undefined ? [] : [{ id: `${library} ${variant}`.trim(), program, task, variant }];
    }));
    const contest = await holdContest({ directory, settings, entries, rounds: rounds ?? (isQuick ? known.quickRounds : known.rounds), isolated: !isQuick, progress: (text) => say(`${model}: ${text}`) });
    // Quick runs have other sizes: the aims are not about them.
    return { model, description: known.description, settings, contest, verdicts: isQuick ? [] : judge(model, contest.entries) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main(options: BenchmarkOptions<TaskName>): Promise<void> {
  const { programs, environment } = await findContestants('instrument', options);
  const results: ModelResult[] = [];
  for (const model of options.models) {
    const result = await measure(model, options, programs);
    results.push(result);
    print(`${formatContest(result.description, result.contest, result.settings)}\n`);
    // Written after each model, so that an interrupted run keeps what it has.
    store(options, environment, results);
  }
  const verdicts = results.flatMap((result) => result.verdicts);
  if (verdicts.length > 0) print([formatVerdicts(verdicts), formatMisses(verdicts, results)].filter((text) => text !== '').join('\n\n'));
  const named = results.flatMap(({ model, contest }) => contest.entries.map((entry) => ({ entry, name: `${model}: ${entry.task}, ${entry.id}` })));
  const wrong = named.filter(({ entry }) => isWrong(entry));
  const failed = named.filter(({ entry }) => entry.failure !== undefined && entry.id === 'thalweg');
  conclude(options, environment, wrong.length === 0 ? 'All results agree within the tolerances of their tasks.' : `Results disagree: ${wrong.map(({ name }) => name).join('; ')}`);
  if (wrong.length + failed.length > 0) process.exitCode = 1;
}

await runBenchmark(USAGE, () => readBenchmarkOptions('instrument', { models: Object.keys(cases), tasks: TASKS, leastRounds: 0 }), main);
