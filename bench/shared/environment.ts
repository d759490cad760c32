/** The machine and the versions that figures belong to. @module */
import { spawnSync } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface Environment {
  readonly date: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly threads: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Over 1, 5 and 15 minutes, before anything was started. */
  readonly loadAverage: readonly number[];
}

/** The checked-out commit; `-dirty` when files differ from it. */
function commit(root: string): string {
  const result = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : 'unknown';
}

export function readEnvironment(root: string, threads: number, versions: Readonly<Record<string, string>>, load: readonly number[]): Environment {
  return {
    date: new Date().toISOString(), commit: commit(root), cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), threads,
    memoryGb: Math.round(totalmem() / 2 ** 30), system: `${platform()} ${release()} ${arch()}`, versions, loadAverage: load,
  };
}

/** The load averages, two decimals. */
export const readLoad = (): number[] => loadavg().map((value) => Math.round(value * 100) / 100);

/** Above this load a core, others are taking time from the benchmark. */
const QUIET_LOAD = 0.25;

/** A sentence for the end of the report when others loaded the machine; empty when it was quiet. */
export const noteOnLoad = ({ loadAverage: [load], cores }: Environment): string =>
  (load > QUIET_LOAD * cores ? `\nNot a quiet machine: load average ${load} on ${cores} cores before the start. Ratios are of neighbours in time, yet take no figure from this run for a result.` : '');
