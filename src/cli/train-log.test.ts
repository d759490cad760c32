import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readEvents } from '../interop/tensorboard.test-helper.ts';
import { MeasurementTable, tableAsCsv, tableAsJsonLines } from '../train/index.ts';
import { tableLog } from './train-log.ts';

let folder = '';
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'thalweg-log-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const add = (table: MeasurementTable, name: string, step: number, value: number): void => { table.add(name, { step, epoch: step / 2, measurement: { value, error: 0.1, kind: 'bound' } }); };
/** A step's loss, and every other step a probe whose second part appears late. */
function step(table: MeasurementTable, at: number): void {
  if (at % 2 === 0) add(table, 'top.1', at, at);
  add(table, 'loss', at, 1 / (at + 1));
  if (at >= 3) add(table, 'top.2, "second"', at, NaN);
}

describe('JSON lines and CSV', () => {
  test('are at every step what the whole table would be written as', () => {
    const table = new MeasurementTable();
    const log = tableLog(table, 0, { log: folder });
    for (let at = 0; at < 6; at++) {
      step(table, at);
      log.update();
      expect(read('log.jsonl')).toBe(tableAsJsonLines(table));
      expect(read('log.csv')).toBe(tableAsCsv(table));
    }
    log.update();
    log.close();
    expect(read('log.csv').split('\n')).toHaveLength(8);
  });

  test('of a resumed run lose what was written beyond the checkpoint, and half a line of a killed process', () => {
    writeFileSync(join(folder, 'log.jsonl'), '{"name":"loss","step":0}\n{"name":"lo');
    writeFileSync(join(folder, 'log.csv'), 'step,epoch\n0,0\n1,');
    const table = new MeasurementTable();
    for (let at = 0; at < 4; at++) step(table, at);
    const [lines, rows] = [tableAsJsonLines(table), tableAsCsv(table)];
    // Measured before step 4, as a checkpoint has it: the rest of that row follows.
    add(table, 'top.1', 4, 4);
    const log = tableLog(table, 4, { log: folder });
    expect([read('log.jsonl'), read('log.csv')]).toEqual([lines, rows]);
    add(table, 'loss', 4, 0.2);
    log.update();
    log.close();
    expect(read('log.jsonl')).toBe(tableAsJsonLines(table));
    expect(read('log.csv')).toBe(tableAsCsv(table));
  });
});

describe('event files', () => {
  const events = (): ReturnType<typeof readEvents> => readdirSync(join(folder, 'tb')).sort().flatMap((name) => readEvents(readFileSync(join(folder, 'tb', name))));

  test('hold the scalars of each step, grouped by probe', () => {
    const table = new MeasurementTable();
    const log = tableLog(table, 0, { tensorboard: join(folder, 'tb') });
    step(table, 0);
    log.update();
    step(table, 1);
    log.update();
    log.close();
    const [header, ...rest] = events();
    expect(header.fileVersion).toBe('brain.Event:2');
    expect(rest.map(({ step: at, scalars }) => [at, scalars])).toEqual([[0, [['top/1', 0], ['loss', 1]]], [1, [['loss', 0.5]]]]);
  });

  test('of a resumed run begin with a restart, or with the steps before where the folder is new', () => {
    const table = new MeasurementTable();
    step(table, 0);
    tableLog(table, 1, { tensorboard: join(folder, 'tb') }).close();
    expect(events().map(({ step: at, scalars, restart }) => [at, scalars.length, restart])).toEqual([[0, 0, undefined], [0, 2, undefined]]);
    rmSync(join(folder, 'tb'), { recursive: true });
    mkdirSync(join(folder, 'tb'));
    writeFileSync(join(folder, 'tb', 'events.out.tfevents.1.host.1.0'), '');
    tableLog(table, 1, { tensorboard: join(folder, 'tb') }).close();
    expect(events().map(({ step: at, scalars, restart }) => [at, scalars.length, restart])).toEqual([[0, 0, undefined], [1, 0, true]]);
  });
});

test('without a folder nothing is written', () => {
  const table = new MeasurementTable();
  const log = tableLog(table, 0, {});
  step(table, 0);
  log.update();
  log.close();
  expect(readdirSync(folder)).toEqual([]);
});
