/** `npm run bench -- train`: steps of training here, in PyTorch and in JAX, in turns. README.md describes the figures. @module */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import '../src/runtime/node.ts';
import type { Program } from './shared/contestant.ts';
import { print, readBenchmarkOptions, runBenchmark, say, type BenchmarkOptions } from './shared/options.ts';
import { KNOWN_PEERS } from './shared/programs.ts';
import { conclude, findContestants, store } from './shared/report.ts';
import { judge, type Verdict } from './train/aims.ts';
import { cases, OPTIMIZERS, settingsOf, writeTrainCase, type OptimizerName, type Settings } from './train/cases.ts';
import { FIRST, TOLERANCE } from './train/compare.ts';
import { holdContest, type Contest, type Entry } from './train/contest.ts';
import { formatContest, formatVerdicts, isWrong } from './train/table.ts';

const USAGE = `Usage: npm run bench -- train [options]
  --models LIST    of ${Object.keys(cases).join(', ')}; default all
  --tasks LIST     optimizers, of ${OPTIMIZERS.join(', ')}; default all that a model has
  --repeat N       rounds after the first runs; default ${Object.values(cases).map(({ rounds }) => rounds).join(', ')}; 0 for first runs only
  --peers LIST     of ${KNOWN_PEERS.join(', ')}, or none; default those installed (peers/README.md)
  --threads N      of every library; default 2
  --seed N         of weights and batches; default 1
  --quick          few steps, one process a library, one round: does it run and agree?
  --out FILE       default bench/results/train.json, with --quick none`;

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

async function measure(task: string, { seed, isQuick, tasks, rounds }: BenchmarkOptions<OptimizerName>, programs: ReadonlyMap<string, Program>): Promise<CaseResult | undefined> {
  const known = cases[task];
  const chosen = known.optimizers.filter((optimizer) => tasks.includes(optimizer));
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

async function main(options: BenchmarkOptions<OptimizerName>): Promise<void> {
  const { programs, environment } = await findContestants('train', options);
  const results: CaseResult[] = [];
  for (const model of options.models) {
    const result = await measure(model, options, programs);
    if (result === undefined) continue;
    results.push(result);
    print(`${formatContest(result.description, result.contest, result.settings as Record<OptimizerName, Settings>)}\n`);
    // Written after each model, so that an interrupted run keeps what it has.
    store(options, environment, results);
  }
  const verdicts = results.flatMap((result) => result.verdicts);
  if (verdicts.length > 0) print(formatVerdicts(verdicts));
  const named = results.flatMap(({ task, contest }) => contest.entries.map((entry) => ({ entry, name: `${task}: ${entry.optimizer}, ${entry.id}` })));
  const wrong = named.filter(({ entry }) => isWrong(entry));
  const failed = named.filter(({ entry }) => entry.failure !== undefined && entry.id === 'thalweg');
  conclude(options, environment, wrong.length === 0 ? `Losses agree: the first ${FIRST} within ${TOLERANCE.first}, the mean of the others within ${TOLERANCE.later}.` : `Losses disagree: ${wrong.map(({ name }) => name).join('; ')}`);
  if (wrong.length + failed.length > 0) process.exitCode = 1;
}

await runBenchmark(USAGE, () => readBenchmarkOptions('train', { models: Object.keys(cases), tasks: OPTIMIZERS, leastRounds: 0 }), main);
