/** What is kept of a run so that it can go on: arrays, and a record of numbers and words. @module */
import type { NDArray } from '../core/ndarray.ts';
import { leavesWithPaths, unflatten } from '../tree/index.ts';
import { DataError } from '../util/errors.ts';
import { differences, type Configuration } from './configuration.ts';
import type { Provenance } from './provenance.ts';
import type { TableLine } from './table.ts';

/** Arrays by name. */
export type Arrays = Readonly<Record<string, NDArray>>;

/** What a checkpoint says besides its arrays; JSON. */
export interface CheckpointRecord {
  readonly format: 'thalweg training 1';
  /** Steps done. */
  readonly step: number;
  readonly configuration: Configuration;
  /** Of the run so far; its end is the time of the checkpoint. */
  readonly provenance: Provenance;
  /** Columns of the table, in their order. */
  readonly columns: readonly string[];
  /** What probes measured, except the loss and the rate of every step: these are among the arrays. */
  readonly table: readonly TableLine[];
}

/** A run as far as it went. */
export interface Checkpoint {
  /**
   * Parameters by path; `state:` (batch statistics), `memory:` (the optimizer's), `inside:` (of probes in the step) and `probe:` (of
   * others), each with a path; `history:losses` and `history:learningRates`, float64.
   */
  readonly arrays: Arrays;
  readonly record: CheckpointRecord;
}

/** Where checkpoints are kept. */
export interface CheckpointStore {
  /** Keeps a checkpoint; once this resolves, `latest` gives it or a later one, whatever happens to the process. */
  save(checkpoint: Checkpoint): Promise<void>;
  /** The one with the most steps; undefined when there is none. */
  latest(): Promise<Checkpoint | undefined>;
}

/** Checkpoints in memory, the latest only: for tests and for places without a disk. */
export function memoryStore(): CheckpointStore {
  let kept: Checkpoint | undefined;
  return {
    save: (checkpoint) => { kept = checkpoint; return Promise.resolve(); },
    latest: () => Promise.resolve(kept),
  };
}

/** A tree's leaves by path, each name with a prefix. */
export const namedLeaves = (prefix: string, tree: unknown): Record<string, NDArray> =>
  Object.fromEntries((leavesWithPaths(tree) as [string, NDArray][]).map(([path, leaf]) => [`${prefix}${path}`, leaf]));

/** The inverse: a tree like `like` with the arrays of these names. @throws DataError when one is missing or of another type. */
export function treeOf<T>(arrays: Arrays, prefix: string, like: T): T {
  return unflatten(like, (leavesWithPaths(like) as [string, NDArray][]).map(([path, { dtype, shape }]) => {
    const name = `${prefix}${path}`;
    const found = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
    if (found?.dtype !== dtype || found.shape.join() !== shape.join()) {
      throw new DataError({ operation: 'resume', required: `the checkpoint must hold '${name}' as ${dtype} [${shape.join(', ')}]`, received: found === undefined ? 'none' : String(found) });
    }
    return found;
  })) as T;
}

/** @throws DataError when a checkpoint belongs to a run of another configuration, naming what differs. */
export function requireSameRun({ record: { configuration, step } }: Checkpoint, current: Configuration, steps: number): void {
  const differing = differences(configuration, current);
  if (differing.length > 0) {
    throw new DataError({
      operation: 'resume', required: 'the checkpoint must be of a run with this configuration', received: `other values of ${differing.join('; ')}`,
      remedy: 'the options of the run that was saved, or a new folder for a new run',
    });
  }
  if (step > steps) throw new DataError({ operation: 'resume', required: `the checkpoint must have at most ${steps} steps`, received: `${step}`, remedy: 'more steps' });
}
