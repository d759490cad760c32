import { describe, expect, test } from 'vitest';
import { estimated, rounded } from '../problem/index.ts';
import { entryOfLine, MeasurementTable, tableAsCsv, tableAsJsonLines, tableLine, type TableLine } from './table.ts';

function example(): MeasurementTable {
  const table = new MeasurementTable();
  for (const step of [0, 1, 2]) table.add('loss', { step, epoch: step / 2, measurement: rounded(2 - step / 4, 1e-7) });
  table.add('sharpness, top', { step: 0, epoch: 0, measurement: estimated([3, 5]) });
  table.add('sharpness, top', { step: 2, epoch: 1, measurement: { value: NaN, error: Infinity, kind: 'bound' } });
  table.add('test.loss', { step: 3, epoch: 1.5, measurement: rounded(0.1 + 0.2, 0) });
  return table;
}

describe('the table of a run', () => {
  test('keeps entries by column, in order', () => {
    const table = example();
    expect(table.columns).toEqual(['loss', 'sharpness, top', 'test.loss']);
    expect(table.series('loss')).toEqual({ steps: [0, 1, 2], values: [2, 1.75, 1.5], errors: [1e-7, 1e-7, 1e-7] });
    expect(table.last('sharpness, top')?.step).toBe(2);
    expect([table.entries('none'), table.last('none')]).toEqual([[], undefined]);
  });

  test('as CSV has a value and an error a column, and a row a step', () => {
    expect(tableAsCsv(example())).toBe([
      'step,epoch,loss,loss error,"sharpness, top","sharpness, top error",test.loss,test.loss error',
      '0,0,2,1e-7,4,1,,', '1,0.5,1.75,1e-7,,,,', '2,1,1.5,1e-7,NaN,Infinity,,', '3,1.5,,,,,0.30000000000000004,0', '',
    ].join('\n'));
    expect(tableAsCsv(new MeasurementTable())).toBe('step,epoch\n');
  });

  test('as JSON lines has an entry a line, in the order of steps, and comes back bit by bit', () => {
    const table = example();
    const lines = tableAsJsonLines(table).trimEnd().split('\n').map((line) => JSON.parse(line) as TableLine);
    expect(lines.map(({ name, step }) => `${name} ${step}`)).toEqual(['loss 0', 'sharpness, top 0', 'loss 1', 'loss 2', 'sharpness, top 2', 'test.loss 3']);
    expect(lines[1]).toEqual({ name: 'sharpness, top', step: 0, epoch: 0, value: 4, error: 1, kind: 'standard error', samples: 2 });
    const again = new MeasurementTable(table.columns);
    for (const line of lines) again.add(line.name, entryOfLine(line));
    for (const name of table.columns) expect(again.entries(name)).toEqual(table.entries(name));
    expect(tableLine('x', { step: 1, epoch: 0, measurement: { value: -Infinity, error: NaN, kind: 'bound' } })).toMatchObject({ value: '-Infinity', error: 'NaN' });
    expect(tableAsJsonLines(new MeasurementTable())).toBe('');
  });
});
