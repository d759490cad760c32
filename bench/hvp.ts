/** `npm run bench -- hvp`: Hessian-vector products here, in PyTorch and in JAX, in turns. README.md describes the figures. @module */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { judge, type Verdict } from './hvp/aims.ts';
import { benchmarkNamed, benchmarks, makeCase } from './hvp/cases.ts';
import { holdContest, type Contest, type Entry } from './hvp/contest.ts';
import type { Program } from './shared/contestant.ts';
import { writeCase } from './shared/manifest.ts';
import { print, readBenchmarkOptions, runBenchmark, say, type BenchmarkOptions } from './shared/options.ts';
import { KNOWN_PEERS, pythonProgram } from './shared/programs.ts';
import { conclude, findContestants, store } from './shared/report.ts';
import { formatContest, formatVerdicts, TOLERANCE } from './hvp/table.ts';
import { countOperations, type Count } from './hvp/variants.ts';

const VECTORS = 10;
const QUICK = { vectors: 3, rounds: 2 };

const USAGE = `Usage: npm run bench -- hvp [options]
  --models LIST    of ${Object.keys(benchmarks).join(', ')}; default all
  --repeat N       rounds; default 10, for resnet20 5
  --peers LIST     of ${KNOWN_PEERS.join(', ')}, or none; default those installed (peers/README.md)
  --threads N      of every library; default 2
  --seed N         of weights, data and vectors; default 1
  --quick          small batches, few rounds: does it run and agree?
  --out FILE       default bench/results/hvp.json, with --quick none`;

// The first entry that finishes is what the others' results are compared with: a peer, where there is one.
const ENTRIES = [
  ['pytorch', 'double-backward', 'one'], ['jax', 'jit', 'one'], ['thalweg', 'whole', 'one'],
  ['pytorch', 'retained', 'many'], ['pytorch', 'retained-block', 'many'], ['jax', 'linearize', 'many'], ['jax', 'linearize-block', 'many'],
  ['thalweg', 'bound', 'many'], ['thalweg', 'bound-unembedded', 'many'], ['thalweg', 'bound-block', 'many'],
] as const;

interface ModelResult {
  readonly model: string;
  readonly description: string;
  readonly batch: number;
  readonly vectors: number;
  readonly gflop: Count;
  readonly contest: Contest;
  readonly verdicts: readonly Verdict[];
}

async function measure(name: string, options: BenchmarkOptions, programs: ReadonlyMap<string, Program>): Promise<ModelResult> {
  const benchmark = benchmarkNamed(name);
  const batch = options.isQuick ? benchmark.quickBatch : benchmark.batch;
  const vectors = options.isQuick ? QUICK.vectors : VECTORS;
  const directory = mkdtempSync(path.join(tmpdir(), 'thalweg-bench-'));
  try {
    const made = makeCase(name, { seed: options.seed, batch, vectors });
    writeCase(directory, made);
    const count = countOperations(made);
    const entries = ENTRIES.flatMap(([library, variant, kind]): Entry[] => {
      const program = programs.get(library);
      const isSame = variant === 'bound-unembedded' && !count.embeds;
      return program === undefined || isSame ? [] : [{ id: `${library} ${variant}`, program, variant, kind }];
    });
    const python = programs.get('gemm');
    const gemm = [{ id: 'onnxruntime', program: programs.get('thalweg')!, variant: 'onnxruntime' }];
    if (python !== undefined) gemm.push({ id: 'numpy', program: python, variant: 'numpy' });
    if (python !== undefined && programs.has('pytorch')) gemm.push({ id: 'torch', program: python, variant: 'torch' });
    const rounds = options.rounds ?? (options.isQuick ? QUICK.rounds : benchmark.rounds);
    const contest = await holdContest({ directory, vectors, rounds, entries, gemm, progress: (text) => say(`${name}: ${text}`) });
    // Quick runs have other sizes: the aims are not about them.
    const verdicts = options.isQuick ? [] : judge(name, contest, count.whole);
    return { model: name, description: benchmark.description, batch, vectors, gflop: count, contest, verdicts };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main(options: BenchmarkOptions): Promise<void> {
  const { programs, environment } = await findContestants('hvp', options);
  if (programs.size > 1) programs.set('gemm', pythonProgram('gemm', 'gemm.py', options.threads));
  const results: ModelResult[] = [];
  for (const name of options.models) {
    const result = await measure(name, options, programs);
    results.push(result);
    print(`${formatContest(`${result.description}; batch ${result.batch}`, result.contest, result.gflop, result.vectors)}\n`);
    // Written after each model, so that an interrupted run keeps what it has.
    store(options, environment, results);
  }
  const verdicts = results.flatMap((result) => result.verdicts);
  if (verdicts.length > 0) print(formatVerdicts(verdicts));
  const records = results.flatMap(({ model, contest }) => contest.entries.map((entry) => ({ ...entry, id: `${model}: ${entry.id}` })));
  const wrong = records.filter(({ difference }) => difference !== null && !(difference <= TOLERANCE));
  const failed = records.filter(({ id, failure }) => failure !== undefined && id.includes(': thalweg '));
  conclude(options, environment, wrong.length === 0 ? `All results agree within ${TOLERANCE} (relative, float32).` : `Results disagree: ${wrong.map(({ id }) => id).join(', ')}`);
  if (wrong.length + failed.length > 0) process.exitCode = 1;
}

await runBenchmark(USAGE, () => readBenchmarkOptions('hvp', { models: Object.keys(benchmarks), leastRounds: 1 }), main);
