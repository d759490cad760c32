/** A landscape as plain JSON: what was measured where, by which conventions, and what is still to do. @module */
import { ArgumentError } from '../util/errors.ts';
import type { ErrorKind, Measurement } from '../problem/index.ts';
import type { AxisProvenance } from './axes.ts';
import type { BatchNormRecord } from './batch-norm.ts';

/** One metric over all cells; null where a cell is masked (not finite) or not finished. */
export interface MetricGrid {
  readonly name: string;
  /** Of `errors`. */
  readonly errorKind: ErrorKind;
  readonly values: readonly (number | null)[];
  readonly errors: readonly (number | null)[];
}

/**
 * A sampled box, of any number of axes. Cells lie in order of the first axis fastest: the cell at indices (i0, i1, ...) is number
 * i0 + n0 (i1 + n1 (...)), at the point `centre + sum_k coordinates[k][ik] axes[k]`. In a plane the first axis is x, a row runs along it.
 */
export interface LandscapeRecord {
  readonly format: 'thalweg landscape';
  readonly version: 1;
  readonly problem: string;
  /** SHA-256 of everything that decides the numbers besides what stands here: program, centre, data. */
  readonly fingerprint: string;
  readonly axes: readonly AxisProvenance[];
  /** Cosines of the angles between axes; null beside an axis of length zero. */
  readonly cosines: readonly (readonly (number | null)[])[];
  /** Coordinates along each axis. */
  readonly coordinates: readonly (readonly number[])[];
  readonly batchNorm: BatchNormRecord;
  /** Examples of the split. */
  readonly examples: number;
  /** Examples a chunk, which decides the last bits; 0 until a cell has been evaluated. */
  readonly chunk: number;
  /** Cells evaluated by one call. */
  readonly cells: number;
  /** Whether products of the first layer were distributed over the axes, which decides the last bits. */
  readonly distributed: boolean;
  readonly precision: 'float32' | 'float64';
  /** The backend's name. */
  readonly executor: string;
  /** One entry a cell: whether it has been evaluated. A finished cell without a value was not finite. */
  readonly finished: readonly boolean[];
  readonly metrics: readonly MetricGrid[];
  /** Wall-clock seconds, of all runs together. */
  readonly seconds: number;
}

/** Number of cells of coordinates along axes. */
export const cellCount = (coordinates: readonly (readonly number[])[]): number => coordinates.reduce((count, { length }) => count * length, 1);

/** The indices along the axes of a cell, by its number. */
export function cellIndices(coordinates: readonly (readonly number[])[], cell: number): number[] {
  let rest = cell;
  return coordinates.map(({ length }) => {
    const index = rest % length;
    rest = Math.floor(rest / length);
    return index;
  });
}

/** The coordinates of a cell, by its number. */
export const cellCoordinates = (coordinates: readonly (readonly number[])[], cell: number): number[] => cellIndices(coordinates, cell).map((index, axis) => coordinates[axis][index]);

/** How far a record is. */
export function landscapeProgress({ finished, metrics }: LandscapeRecord): { readonly finished: number; readonly masked: number; readonly total: number } {
  const done = finished.filter(Boolean).length;
  return { finished: done, masked: finished.filter((is, cell) => is && metrics[0]?.values[cell] === null).length, total: finished.length };
}

/** One metric of a record, by name. @throws ArgumentError when the record does not hold it. */
export function metricGrid({ metrics }: LandscapeRecord, name: string): MetricGrid {
  const grid = metrics.find((metric) => metric.name === name);
  if (grid === undefined) throw new ArgumentError({ operation: 'metricGrid', required: `name must be one of ${metrics.map((metric) => metric.name).join(', ')}`, received: `'${name}'` });
  return grid;
}

/** A metric at a cell, given by its indices along the axes; null where it is masked or not finished. */
export function measurementAt(record: LandscapeRecord, name: string, indices: readonly number[]): Measurement | null {
  const { values, errors, errorKind } = metricGrid(record, name);
  const cell = indices.reduceRight((number, index, axis) => number * record.coordinates[axis].length + index, 0);
  const value = values[cell];
  if (value === null || value === undefined) return null;
  return { value, error: errors[cell] ?? NaN, kind: errorKind, ...(errorKind === 'standard error' && { samples: record.examples }) };
}

/** Rows of a metric over a plane (or line: one row), NaN where there is no value: `rows[j][i]` lies at (x_i, y_j). @throws ArgumentError for more than two axes. */
export function planeRows(record: LandscapeRecord, name: string): number[][] {
  const { coordinates } = record;
  if (coordinates.length > 2) throw new ArgumentError({ operation: 'planeRows', required: 'a record of one or two axes', received: String(coordinates.length), remedy: 'read metricGrid(record, name).values' });
  const { values } = metricGrid(record, name);
  const width = coordinates[0].length;
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width).map((value) => value ?? NaN));
}
