/** Tables as text: comma- or tab-separated values with or without a header. @module */
import { dsvFormat } from 'd3-dsv';
import { NDArray } from '../core/ndarray.ts';
import { DataError } from '../util/errors.ts';

/** A table split into what is predicted and what it is predicted from. */
export interface Table {
  /** f32[rows, columns]. */
  readonly inputs: NDArray;
  /** i32[rows] labels where the column holds names or whole numbers in float form; else f32[rows]. */
  readonly targets: NDArray;
  /** Names of the input columns; numbers as text where there is no header. */
  readonly columns: readonly string[];
  readonly target: string;
  /** What labels stand for, where the column holds names: in the order of the labels. */
  readonly classes?: readonly string[];
}

/** Options of `parseTable`. */
export interface TableOptions {
  /** The column that is predicted, by name or number from 0. Default: one called label, class, target or y, else the last. */
  readonly target?: string;
  /** Default: what the first line has more of. */
  readonly separator?: string;
  /** Of what stands in messages. */
  readonly name?: string;
}

const TARGET_NAMES = ['label', 'labels', 'class', 'target', 'targets', 'y'];
const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

/**
 * Reads a table. The first line is a header where one of its fields is no number and the same field of the second line is one, or where
 * none of its fields is a number.
 * @throws DataError naming row and column of a missing or unreadable value, or a row of another length.
 */
export function parseTable(text: string, { target, separator, name = 'table' }: TableOptions = {}): Table {
  const refuse = (required: string, received: string, remedy?: string): never => { throw new DataError({ operation: name, required, received, remedy }); };
  const firstLine = text.slice(0, text.search(/[\r\n]|$/));
  const chosen = separator ?? [',', '\t', ';'].reduce((best, candidate) => (firstLine.split(candidate).length > firstLine.split(best).length ? candidate : best), ',');
  const rows = dsvFormat(chosen).parseRows(text.replace(/^\uFEFF/, '')).filter((row) => row.length > 1 || row[0].trim() !== '');
  if (rows.length === 0) refuse('the table must have rows', 'none');
  const hasHeader = isHeader(rows[0], rows[1]);
  const columns = hasHeader ? rows[0].map((field) => field.trim()) : rows[0].map((_, i) => String(i));
  const body = hasHeader ? rows.slice(1) : rows;
  if (body.length === 0) refuse('the table must have rows besides its header', 'none');
  if (columns.length < 2) refuse('the table must have a column of targets and at least one of inputs', `${columns.length} column`);
  const at = targetColumn(columns, target, refuse);
  const line = (row: number): number => row + (hasHeader ? 2 : 1);
  const inputColumns = columns.map((_, i) => i).filter((i) => i !== at);
  const inputs = new Float32Array(body.length * inputColumns.length);
  body.forEach((row, n) => {
    if (row.length !== columns.length) refuse(`every row must have ${columns.length} values`, `${row.length} in line ${line(n)}`);
    inputColumns.forEach((column, i) => {
      const field = row[column].trim();
      if (!isNumber(field)) refuse(`column '${columns[column]}' must hold finite numbers`, `${field === '' ? 'nothing' : `'${field}'`} in line ${line(n)}`, 'replace names by numbers, and leave out or fill in what is missing');
      inputs[n * inputColumns.length + i] = Number(field);
    });
  });
  const targets = targetsOf(body.map((row) => row[at].trim()), (n) => line(n), columns[at], refuse);
  return { inputs: new NDArray(inputs, [body.length, inputColumns.length], 'float32'), ...targets, columns: inputColumns.map((column) => columns[column]), target: columns[at] };
}

function isHeader(first: readonly string[], second: readonly string[] | undefined): boolean {
  if (first.every((field) => !isNumber(field))) return second === undefined || second.some(isNumber);
  return second !== undefined && first.some((field, i) => !isNumber(field) && isNumber(second[i] ?? ''));
}

function targetColumn(columns: readonly string[], target: string | undefined, refuse: (required: string, received: string) => never): number {
  if (target === undefined) {
    const named = columns.findIndex((column) => TARGET_NAMES.includes(column.toLowerCase()));
    return named >= 0 ? named : columns.length - 1;
  }
  const at = columns.includes(target) ? columns.indexOf(target) : /^\d+$/.test(target) ? Number(target) : -1;
  return at >= 0 && at < columns.length ? at : refuse(`the target must be one of the columns ${columns.join(', ')}`, `'${target}'`);
}

/** Whole numbers and names are labels, other numbers what is regressed on. */
function targetsOf(fields: readonly string[], line: (row: number) => number, column: string, refuse: (required: string, received: string) => never): Pick<Table, 'targets' | 'classes'> {
  const missing = fields.indexOf('');
  if (missing >= 0) refuse(`column '${column}' must have a value in every row`, `nothing in line ${line(missing)}`);
  const shape = [fields.length];
  if (fields.every(isNumber)) {
    const values = fields.map(Number);
    // `1.0` is a measurement, `1` a label.
    if (fields.every((field) => /^\d{1,9}$/.test(field))) return { targets: new NDArray(Int32Array.from(values), shape, 'int32') };
    return { targets: new NDArray(Float32Array.from(values), shape, 'float32') };
  }
  const classes = [...new Set(fields)].sort();
  if (classes.length > Math.max(2, fields.length / 2)) refuse(`column '${column}' must hold labels that repeat, or numbers`, `${classes.length} different texts in ${fields.length} rows`);
  return { targets: new NDArray(Int32Array.from(fields, (field) => classes.indexOf(field)), shape, 'int32'), classes };
}
