/** What made a result: versions, machine, seed, configuration. @module */
import { defaultExecutor, type Executor } from '../core/backend.ts';
import { VERSION } from '../util/version.ts';
import { configurationHash, type Configuration } from './configuration.ts';

/** Where and how a run was made; JSON. */
export interface Provenance {
  /** Version of the package. */
  readonly thalweg: string;
  /** Versions by name: `node`, `v8`; in a browser its own words. */
  readonly runtime: Readonly<Record<string, string>>;
  /** `linux x64`. */
  readonly platform: string;
  /** Undefined where the platform does not tell. */
  readonly cores?: number;
  /** Backend, with its version where it has one. */
  readonly executor: string;
  readonly seed: number;
  readonly configuration: Configuration;
  /** SHA-256 of the configuration. */
  readonly hash: string;
  /** ISO 8601. */
  readonly started: string;
  readonly ended: string;
  /** Steps that were done before the run was resumed, each time it was. */
  readonly resumedAt?: readonly number[];
}

/** The parts of a platform's globals that tell what it is. */
interface Globals {
  readonly process?: { readonly versions?: Readonly<Record<string, string | undefined>>; readonly platform?: string; readonly arch?: string; getBuiltinModule?(name: 'os'): { availableParallelism(): number } | undefined };
  readonly navigator?: { readonly userAgent?: string; readonly hardwareConcurrency?: number };
}

function machine(): Pick<Provenance, 'runtime' | 'platform' | 'cores'> {
  const { process, navigator } = globalThis as Globals;
  const cores = process?.getBuiltinModule?.('os')?.availableParallelism() ?? navigator?.hardwareConcurrency;
  if (process?.versions?.node === undefined) return { runtime: { browser: navigator?.userAgent ?? 'unknown' }, platform: 'browser', ...(cores !== undefined && { cores }) };
  const { node, v8 = 'unknown' } = process.versions;
  return { runtime: { node, v8 }, platform: `${process.platform} ${process.arch}`, ...(cores !== undefined && { cores }) };
}

/** Provenance of a run that ends now. */
export function provenanceOf(parts: { readonly executor: Executor | undefined; readonly seed: number; readonly configuration: Configuration; readonly started: string; readonly resumedAt: readonly number[] }): Provenance {
  const { seed, configuration, started, resumedAt } = parts;
  const { name, version } = parts.executor ?? defaultExecutor();
  return {
    thalweg: VERSION, ...machine(), executor: version === undefined ? name : `${name} ${version}`, seed, configuration, hash: configurationHash(configuration), started,
    ended: new Date().toISOString(), ...(resumedAt.length > 0 && { resumedAt }),
  };
}
