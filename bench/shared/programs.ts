/** The programs of a benchmark: Thalweg's own, and the peers that are installed. @module */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withContestant, type Program } from './contestant.ts';

const bench = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** The repository. */
export const root = path.dirname(bench);
export const KNOWN_PEERS = ['pytorch', 'jax'];
export const resultsFile = (benchmark: string): string => path.join(bench, 'results', `${benchmark}.json`);

/** The Python that has the peers. */
function peersPython(): string {
  return process.env.THALWEG_PEERS_PYTHON ?? path.join(bench, 'peers', '.venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
}

/** A script of bench/peers. */
export const pythonProgram = (name: string, script: string, threads: number): Program =>
  ({ name, command: peersPython(), args: [path.join(bench, 'peers', script)], env: { THALWEG_PEER_THREADS: String(threads) } });

/** All libraries that start, and their versions. A peer's script is PEER_BENCHMARK.py; our program is BENCHMARK/ours.ts. */
export async function findPrograms(benchmark: string, { peers, threads }: { readonly peers: readonly string[]; readonly threads: number }, say: (text: string) => unknown): Promise<{ programs: Map<string, Program>; versions: Record<string, string> }> {
  const ours: Program = {
    name: 'thalweg', command: process.execPath, args: ['--conditions', 'thalweg-source', '--import', 'tsx', path.join(bench, benchmark, 'ours.ts')],
    env: { THALWEG_PEER_THREADS: String(threads) },
  };
  const python = peersPython();
  const programs = new Map<string, Program>();
  const versions: Record<string, string> = {};
  for (const name of ['thalweg', ...peers]) {
    const program = name === 'thalweg' ? ours : pythonProgram(name, `${name}_${benchmark}.py`, threads);
    try {
      if (name !== 'thalweg' && !existsSync(python)) throw new Error(`no Python at ${path.relative(root, python)}; bench/peers/README.md says how to install it, THALWEG_PEERS_PYTHON names another`);
      const info = await withContestant(program, (contestant) => contestant.ask({ cmd: 'info' }));
      programs.set(name, program);
      Object.assign(versions, info.versions);
    } catch (error) {
      if (name === 'thalweg') throw error;
      say(`${name} is missing: ${(error as Error).message}`);
    }
  }
  return { programs, versions };
}
