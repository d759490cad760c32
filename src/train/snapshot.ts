/** A run at a moment as a checkpoint, and back. @module */
import { NDArray } from '../core/ndarray.ts';
import { namedLeaves, treeOf, type Arrays, type Checkpoint } from './checkpoint.ts';
import type { Configuration } from './configuration.ts';
import type { HostCarry } from './program.ts';
import type { Provenance } from './provenance.ts';
import { entryOfLine, tableLine, type MeasurementTable, type TableEntry } from './table.ts';

const LOSSES = 'history:losses';
const RATES = 'history:learningRates';
/** Columns that have an entry a step, which the histories hold. */
const HISTORIES = ['loss', 'learningRate'];

export interface SnapshotParts<P, State> {
  readonly carry: HostCarry<P, State>;
  readonly losses: readonly number[];
  readonly learningRates: readonly number[];
  readonly table: MeasurementTable;
  /** What the probes beside the step remember. */
  readonly probes: Arrays;
  readonly configuration: Configuration;
  readonly provenance: Provenance;
}

/** Everything that a run needs to go on. */
export function checkpointOf<P, State>({ carry, losses, learningRates, table, probes, configuration, provenance }: SnapshotParts<P, State>): Checkpoint {
  const vector = (values: readonly number[]): NDArray => new NDArray(Float64Array.from(values), [values.length], 'float64');
  return {
    arrays: {
      ...namedLeaves('', carry.params), ...namedLeaves('state:', carry.state), ...namedLeaves('memory:', carry.memory), ...namedLeaves('inside:', carry.probes), ...probes,
      [LOSSES]: vector(losses), [RATES]: vector(learningRates),
    },
    record: {
      format: 'thalweg training 1', step: losses.length, configuration, provenance, columns: table.columns,
      table: table.columns.filter((name) => !HISTORIES.includes(name)).flatMap((name) => table.entries(name).map((entry) => tableLine(name, entry))),
    },
  };
}

/** What a checkpoint holds of a run whose first step would be given `like`. @throws DataError when arrays are missing or of another type. */
export function restored<P, State>({ arrays, record }: Checkpoint, like: HostCarry<P, State>): { readonly carry: HostCarry<P, State>; readonly losses: readonly number[]; readonly learningRates: readonly number[]; readonly entries: readonly { readonly name: string; readonly entry: TableEntry }[] } {
  const history = new NDArray(new Float64Array(record.step), [record.step], 'float64');
  return {
    carry: { params: treeOf(arrays, '', like.params), state: treeOf(arrays, 'state:', like.state), memory: treeOf(arrays, 'memory:', like.memory), probes: treeOf(arrays, 'inside:', like.probes) },
    losses: [...treeOf(arrays, LOSSES, history).data], learningRates: [...treeOf(arrays, RATES, history).data],
    entries: record.table.map((line) => ({ name: line.name, entry: entryOfLine(line) })),
  };
}
