/** What a benchmark says and stores around its contests. @module */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Program } from './contestant.ts';
import { noteOnLoad, readEnvironment, readLoad, type Environment } from './environment.ts';
import { print, say, type BenchmarkOptions } from './options.ts';
import { findPrograms, root } from './programs.ts';

type Common = Pick<BenchmarkOptions, 'peers' | 'threads' | 'seed' | 'out'>;

/** Starts every library once, and prints where the figures are from. */
export async function findContestants(benchmark: string, options: Common): Promise<{ programs: Map<string, Program>; environment: Environment }> {
  // Before anything is started.
  const load = readLoad();
  const { programs, versions } = await findPrograms(benchmark, options, say);
  const environment = readEnvironment(root, options.threads, versions, load);
  print(`${environment.cpu}, ${environment.cores} cores, ${options.threads} threads each; ${Object.entries(versions).map((pair) => pair.join(' ')).join(', ')}; ${environment.commit}; load ${load.join(' ')}\n`);
  return { programs, environment };
}

/** Writes what there is so far, where it was asked for. */
export function store({ out, seed }: Common, environment: Environment, results: readonly unknown[]): void {
  if (out === undefined) return;
  mkdirSync(path.dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify({ environment, loadAtEnd: readLoad(), seed, results }, undefined, 1)}\n`);
}

/** The last lines: whether results agree, and where they are. */
export function conclude({ out }: Common, environment: Environment, agreement: string): void {
  print(agreement);
  print(`${out === undefined ? '' : `Stored in ${path.relative(process.cwd(), out)}.`}${noteOnLoad(environment)}`.trim());
}
