import { expect, test } from 'vitest';
import { judgeCheck } from './claim.ts';
import { countVerdicts, ENTRY_SCHEMA, parseRecord, recordText, type EntryRecord } from './record.ts';

const check = judgeCheck({ what: 'x', measured: { value: Infinity, error: NaN, kind: 'standard error', samples: 1 }, relation: 'within', threshold: [-Infinity, 2] });
const record: EntryRecord = {
  schema: ENTRY_SCHEMA, entry: 'games/a', preset: 'quick', seed: 0, seconds: 1.5, digest: 'd',
  claims: [{ id: 'c', text: 't', verdict: 'fails', checks: [check], controls: [judgeCheck({ what: 'y', measured: { value: -Infinity, error: 0.5, kind: 'bound' }, relation: '<', threshold: 1 })] }],
  provenance: { thalweg: '0', runtime: { node: '20' }, platform: 'linux x64', executor: 'e', date: '2026-01-01T00:00:00.000Z' },
};

test('a record survives JSON, numbers that are not finite included', () => {
  const text = recordText(record);
  expect(text).toContain('"value": "Infinity"');
  expect(text).toContain('"error": "NaN"');
  expect(text).not.toContain('null');
  expect(parseRecord(text, 'a.json')).toEqual(record);
});

test('what is no record is refused by its file', () => {
  expect(() => parseRecord('{', 'a.json')).toThrow('a.json must be JSON');
  expect(() => parseRecord('{"schema":"thalweg-entry/0"}', 'a.json')).toThrow('a.json must be the record of an entry (schema thalweg-entry/1, with claims), got schema "thalweg-entry/0"');
  expect(() => parseRecord('null', 'a.json')).toThrow('got schema missing');
});

test('verdicts are counted', () => {
  expect(countVerdicts([{ verdict: 'fails' }, { verdict: 'holds' }, { verdict: 'fails' }])).toEqual({ 'holds': 1, 'holds with deviation': 0, 'fails': 2 });
});
