/** What a run measures, on disk while it runs: JSON lines, CSV, event files for TensorBoard. @module */
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { tensorboardHeader, tensorboardRestart, tensorboardScalars } from '../interop/index.ts';
import { MeasurementTable, tableAsCsv, tableAsJsonLines } from '../train/index.ts';

/** A form of the table that grows with it. Each write is handed to the system at once, so that it outlives the process. */
interface Writer {
  /** Takes what is new, as a table with the columns of the whole one. */
  add(news: MeasurementTable): void;
  close(): void;
}

const openedAfter = (path: string, text: string): number => { writeFileSync(path, text); return openSync(path, 'a'); };

function jsonLines(path: string, table: MeasurementTable): Writer {
  const file = openedAfter(path, tableAsJsonLines(table));
  return { add: (news) => { writeSync(file, tableAsJsonLines(news)); }, close: () => { closeSync(file); } };
}

const headerEnd = (text: string): number => text.indexOf('\n') + 1;

/** Rows are appended; where a column is new, the file is written anew, since its header changes. */
function commaSeparated(path: string, table: MeasurementTable, before: MeasurementTable): Writer {
  let known = table.columns.length;
  let file = openedAfter(path, tableAsCsv(before));
  return {
    add(news) {
      if (table.columns.length === known) {
        const text = tableAsCsv(news);
        writeSync(file, text.slice(headerEnd(text)));
        return;
      }
      known = table.columns.length;
      closeSync(file);
      file = openedAfter(path, tableAsCsv(table));
    },
    close: () => { closeSync(file); },
  };
}

/** `loss.test` becomes `loss/test`, so that TensorBoard shows what belongs together together. */
const tagOf = (column: string): string => column.replace('.', '/');

function scalarsByStep(table: MeasurementTable): Map<number, Record<string, number>> {
  const steps = new Map<number, Record<string, number>>();
  for (const name of table.columns) {
    for (const { step, measurement: { value } } of table.entries(name)) {
      const scalars = steps.get(step) ?? {};
      scalars[tagOf(name)] = value;
      steps.set(step, scalars);
    }
  }
  return new Map([...steps].sort(([a], [b]) => a - b));
}

/** A new event file. Where the folder has others, they hold the steps before `step`, and what they hold beyond is dropped by the reader. */
function eventFile(folder: string, table: MeasurementTable, step: number): Writer {
  mkdirSync(folder, { recursive: true });
  const now = (): number => Date.now() / 1000;
  const isFirst = !readdirSync(folder).some((name) => name.includes('.tfevents.'));
  const file = openSync(join(folder, `events.out.tfevents.${Math.floor(now())}.${hostname()}.${process.pid}.0`), 'a');
  const add = (news: MeasurementTable): void => {
    const records = [...scalarsByStep(news)].map(([at, scalars]) => tensorboardScalars({ wallTime: now(), step: at, scalars }));
    writeSync(file, Buffer.concat(records));
  };
  writeSync(file, tensorboardHeader(now()));
  if (isFirst) add(table);
  else writeSync(file, tensorboardRestart(now(), step));
  return { add, close: () => { closeSync(file); } };
}

/** Where the forms go. */
export interface LogOptions {
  /** Folder of `log.jsonl` and `log.csv`. */
  readonly log?: string;
  /** Folder of event files. */
  readonly tensorboard?: string;
}

/** A log of one run. */
export interface TableLog {
  /** Writes what was measured since the last call. */
  update(): void;
  close(): void;
}

/**
 * Begins a log with what a table holds: of a run that is resumed, the steps before `step`; what an earlier process wrote beyond them is
 * replaced. Afterwards the files hold at any moment what the table held at the last `update`.
 */
export function tableLog(table: MeasurementTable, step: number, { log, tensorboard }: LogOptions): TableLog {
  const taken = new Map<string, number>();
  /** What has come since the last time, of steps before a limit. */
  const newsBefore = (limit: number): { news: MeasurementTable; count: number } => {
    const news = new MeasurementTable(table.columns);
    let count = 0;
    for (const name of table.columns) {
      const entries = table.entries(name);
      let at = taken.get(name) ?? 0;
      for (; at < entries.length && entries[at].step < limit; at++, count++) news.add(name, entries[at]);
      taken.set(name, at);
    }
    return { news, count };
  };
  // What a checkpoint holds of its own step is not the whole row of that step.
  const { news: before } = newsBefore(step);
  const writers = [
    ...(log === undefined ? [] : [jsonLines(join(log, 'log.jsonl'), before), commaSeparated(join(log, 'log.csv'), table, before)]),
    ...(tensorboard === undefined ? [] : [eventFile(tensorboard, before, step)]),
  ];
  return {
    update() {
      if (writers.length === 0) return;
      const { news, count } = newsBefore(Infinity);
      if (count > 0) writers.forEach((writer) => { writer.add(news); });
    },
    close() { writers.forEach((writer) => { writer.close(); }); },
  };
}
