import { describe, expect, test } from 'vitest';
import { judgeCheck, type Check, type Quantity } from './claim.ts';
import { compareRecords, type RecordChange } from './compare.ts';
import type { EntryRecord } from './record.ts';

const measured = (value: number, error = 0, kind: Quantity['kind'] = 'exact'): Quantity => ({ value, error, kind });
const record = (check: Partial<Check>): EntryRecord => ({
  entry: 'games/a', preset: 'quick', seed: 0,
  claims: [{ id: 'c', text: 't', verdict: 'holds', checks: [judgeCheck({ what: 'x', measured: measured(1), relation: '>', threshold: 0, ...check })], controls: [] }],
}) as unknown as EntryRecord;
const changes = (before: Partial<Check>, now: Partial<Check>): RecordChange[] => compareRecords(record(before), record(now));
const valueChanged = (before: Quantity, now: Quantity): boolean => changes({ measured: before }, { measured: now }).length > 0;

describe('values', () => {
  test('are compared to three significant digits', () => {
    expect(changes({ measured: measured(123.4) }, { measured: measured(124.2) })).toEqual([{ kind: 'value', claim: 'c', text: 'c: x is 124, it was 123' }]);
    expect(valueChanged(measured(1.2344), measured(1.2341))).toBe(false);
    // Either side of where the rounding tips.
    expect(valueChanged(measured(1.23499), measured(1.23501))).toBe(false);
    expect(valueChanged(measured(1.234), measured(1.2399))).toBe(true);
    expect(valueChanged(measured(-1), measured(1))).toBe(true);
  });

  test('that rounding or a bound explains have not changed; the spread of runs explains nothing', () => {
    expect(valueChanged(measured(1e-17, 1e-12, 'rounding'), measured(-3e-16, 1e-12, 'rounding'))).toBe(false);
    expect(valueChanged(measured(1, 0.2, 'bound'), measured(1.3, 0.2, 'bound'))).toBe(false);
    expect(valueChanged(measured(1, 1, 'standard error'), measured(1.3, 1, 'standard error'))).toBe(true);
  });

  test('that are not finite are the same only as themselves', () => {
    expect(valueChanged(measured(NaN), measured(NaN))).toBe(false);
    expect(valueChanged(measured(NaN), measured(1))).toBe(true);
    expect(valueChanged(measured(Infinity), measured(-Infinity))).toBe(true);
  });
});

test('another threshold, relation or check is a change of the check', () => {
  expect(changes({}, { threshold: 0.5 })).toEqual([{ kind: 'check', claim: 'c', text: "c: the check 'x' compares > 0.5, it was > 0" }]);
  expect(changes({}, { relation: 'within', threshold: [0, 2] })).toEqual([{ kind: 'check', claim: 'c', text: "c: the check 'x' compares within 0 to 2, it was > 0" }]);
  expect(changes({}, { what: 'y' }).map(({ text }) => text)).toEqual(["c: the check 'x' is gone", "c: the check 'y' is new"]);
});

test('figures are compared as texts', () => {
  expect(compareRecords(record({}), record({}), { before: '<svg/>', now: '<svg />' })).toEqual([{ kind: 'figure', text: 'the figure is drawn differently' }]);
  expect(compareRecords(record({}), record({}), { before: '<svg/>', now: '<svg/>' })).toEqual([]);
});
