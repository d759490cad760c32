/** What a run measured, column by column, and its forms as text. @module */
import type { ErrorKind, Measurement } from '../problem/index.ts';
import { fromJsonNumber, toJsonNumber, type JsonNumber } from '../util/json-number.ts';

/** One measurement of a column. */
export interface TableEntry {
  /** Steps done before it. */
  readonly step: number;
  /** Epochs done before it, with fractions. */
  readonly epoch: number;
  readonly measurement: Measurement;
}

/**
 * Everything measured in a run: entries by column name, in the order of steps. `loss` and `learningRate` have an entry a step:
 * the batch loss before the step's update, and the rate of that update. A probe's columns are `probe` or `probe.part`.
 */
export class MeasurementTable {
  readonly #columns: Map<string, TableEntry[]>;

  /** A table, empty; `columns` come first, in this order. */
  constructor(columns: readonly string[] = []) {
    this.#columns = new Map(columns.map((name) => [name, []]));
  }

  /** Names, in the order of their first entries where none was asked for. */
  get columns(): readonly string[] { return [...this.#columns.keys()]; }

  /** The entries of a column; none for a name that was never measured. */
  entries(name: string): readonly TableEntry[] { return this.#columns.get(name) ?? []; }

  /** The latest entry of a column. */
  last(name: string): TableEntry | undefined { return this.#columns.get(name)?.at(-1); }

  /** Adds an entry; steps of a column must not fall. */
  add(name: string, entry: TableEntry): void {
    const entries = this.#columns.get(name);
    if (entries === undefined) this.#columns.set(name, [entry]);
    else entries.push(entry);
  }

  /** Steps and values of a column, for drawing. */
  series(name: string): { readonly steps: number[]; readonly values: number[]; readonly errors: number[] } {
    const entries = this.entries(name);
    return { steps: entries.map(({ step }) => step), values: entries.map(({ measurement }) => measurement.value), errors: entries.map(({ measurement }) => measurement.error) };
  }
}

/** One entry as a line of JSON lines. */
export interface TableLine {
  readonly name: string;
  readonly step: number;
  readonly epoch: number;
  readonly value: JsonNumber;
  readonly error: JsonNumber;
  readonly kind: ErrorKind;
  readonly samples?: number;
}

/** An entry as an object for JSON. */
export const tableLine = (name: string, { step, epoch, measurement: { value, error, kind, samples } }: TableEntry): TableLine =>
  ({ name, step, epoch, value: toJsonNumber(value), error: toJsonNumber(error), kind, ...(samples !== undefined && { samples }) });

/** The inverse of `tableLine`, without the cost. */
export const entryOfLine = ({ step, epoch, value, error, kind, samples }: TableLine): TableEntry =>
  ({ step, epoch, measurement: { value: fromJsonNumber(value), error: fromJsonNumber(error), kind, ...(samples !== undefined && { samples }) } });

/** All entries in the order of steps, those of one step in the order of columns. */
function* inOrder(table: MeasurementTable): Generator<[name: string, entry: TableEntry]> {
  const places = table.columns.map((name) => ({ name, entries: table.entries(name), next: 0 }));
  for (;;) {
    const step = Math.min(...places.map(({ entries, next }) => entries[next]?.step ?? Infinity));
    if (step === Infinity) return;
    for (const place of places) for (; place.entries[place.next]?.step === step; place.next++) yield [place.name, place.entries[place.next]];
  }
}

/** JSON lines, one an entry: `{"name":"loss","step":0,"epoch":0,"value":2.3,"error":1e-7,"kind":"rounding"}`. Ends with a line break where there is any. */
export function tableAsJsonLines(table: MeasurementTable): string {
  return [...inOrder(table)].map(([name, entry]) => `${JSON.stringify(tableLine(name, entry))}\n`).join('');
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * CSV with a header line (RFC 4180, lines end in \n): `step`, `epoch`, then two columns each: the value, and its error as
 * `NAME error`. One row a step at which anything was measured; cells that were not measured are empty.
 */
export function tableAsCsv(table: MeasurementTable): string {
  const { columns } = table;
  const position = new Map(columns.map((name, i) => [name, 2 + 2 * i]));
  const rows: string[][] = [['step', 'epoch', ...columns.flatMap((name) => [quoted(name), quoted(`${name} error`)])]];
  let step: number | undefined;
  for (const [name, entry] of inOrder(table)) {
    if (entry.step !== step) rows.push([String(entry.step), String(entry.epoch), ...new Array<string>(2 * columns.length).fill('')]);
    ({ step } = entry);
    const row = rows[rows.length - 1];
    const at = position.get(name)!;
    row[at] = String(entry.measurement.value);
    row[at + 1] = String(entry.measurement.error);
  }
  return rows.map((row) => `${row.join(',')}\n`).join('');
}
