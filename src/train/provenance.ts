/** What made a result: versions, machine, seed, configuration. @module */
import { defaultExecutor, type Executor } from '../core/backend.ts';
import { machine, type Machine } from '../util/machine.ts';
import { VERSION } from '../util/version.ts';
import { configurationHash, type Configuration } from './configuration.ts';

/** Where and how a run was made; JSON. */
export interface Provenance extends Machine {
  /** Version of the package. */
  readonly thalweg: string;
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

/** Provenance of a run that ends now. */
export function provenanceOf(parts: { readonly executor: Executor | undefined; readonly seed: number; readonly configuration: Configuration; readonly started: string; readonly resumedAt: readonly number[] }): Provenance {
  const { seed, configuration, started, resumedAt } = parts;
  const { name, version } = parts.executor ?? defaultExecutor();
  return {
    thalweg: VERSION, ...machine(), executor: version === undefined ? name : `${name} ${version}`, seed, configuration, hash: configurationHash(configuration), started,
    ended: new Date().toISOString(), ...(resumedAt.length > 0 && { resumedAt }),
  };
}
