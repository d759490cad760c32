import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ENTRY_SCHEMA, type EntryRecord } from './record.ts';
import { checkSnapshot, readSnapshot, writeChanged, writeSnapshot } from './snapshots.node.ts';

const record: EntryRecord = {
  schema: ENTRY_SCHEMA, entry: 'games/a', preset: 'quick', seed: 0, seconds: 1, digest: 'd', claims: [],
  provenance: { thalweg: '0', runtime: {}, platform: 'p', executor: 'e', date: 'd' },
};
const [run, other] = [{ record, figure: '<svg/>' }, { record, figure: '<svg id="b"/>' }];
let folder = '';
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'thalweg-snapshots-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });
const files = (): string[] => readdirSync(join(folder, 'games')).sort();

test('a snapshot is read as it was written; a record without its figure is refused', () => {
  expect(readSnapshot(folder, 'games/a', 'quick')).toBeUndefined();
  writeSnapshot(folder, run);
  expect(readSnapshot(folder, 'games/a', 'quick')).toEqual(run);
  expect(readSnapshot(folder, 'games/a', 'full')).toBeUndefined();
  rmSync(join(folder, 'games', 'a.quick.svg'));
  expect(() => readSnapshot(folder, 'games/a', 'quick')).toThrow(/a\.quick\.svg must lie beside its record/);
});

test('a changed run lies beside its snapshot until one agrees again or replaces it', () => {
  writeSnapshot(folder, run);
  expect(checkSnapshot(folder, other, { out: folder }).status).toBe('changed');
  expect(files()).toEqual(['a.quick.changed.json', 'a.quick.changed.svg', 'a.quick.json', 'a.quick.svg']);
  expect(checkSnapshot(folder, run, { out: folder }).status).toBe('same');
  expect(files()).toEqual(['a.quick.json', 'a.quick.svg']);
  checkSnapshot(folder, other, { out: folder });
  expect(checkSnapshot(folder, other, { out: folder, update: true })).toMatchObject({ status: 'stored', changes: [{ kind: 'figure' }] });
  expect(files()).toEqual(['a.quick.json', 'a.quick.svg']);
  expect(readSnapshot(folder, 'games/a', 'quick')).toEqual(other);
});

test('a run of another seed has nothing to be compared with', () => {
  writeSnapshot(folder, run);
  expect(checkSnapshot(folder, { ...other, record: { ...record, seed: 1 } }, { out: folder })).toEqual({ status: 'absent', changes: [] });
});

test('where the snapshots cannot be written to, a changed run goes to the results', () => {
  const out = join(folder, 'out');
  // A folder that is not there cannot be written to, whoever asks; permissions do not stop a superuser.
  expect(writeChanged(join(folder, 'missing'), out, other)).toBe(join(out, 'games', 'a.quick.changed.json'));
  expect(existsSync(join(out, 'games', 'a.quick.changed.svg'))).toBe(true);
});
