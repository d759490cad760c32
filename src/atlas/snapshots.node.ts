/** Files of runs: `TOPIC/ID.PRESET.json` and `.svg`, as snapshots beside the entries and as results elsewhere. Node only. @module */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataError } from '../util/errors.ts';
import { compareRecords, type RecordChange } from './compare.ts';
import type { PresetName } from './entry.ts';
import { parseRecord, recordText, type EntryRecord } from './record.ts';

/** A stored run. */
export interface Snapshot {
  readonly record: EntryRecord;
  /** SVG. */
  readonly figure: string;
}

/** The stored run of an entry (`TOPIC/ID`) at a preset; undefined when there is none. @throws DataError when it is damaged. */
export function readSnapshot(folder: string, path: string, preset: PresetName): Snapshot | undefined {
  const { json, svg } = filesOf(folder, path, preset);
  if (!existsSync(json)) return undefined;
  if (!existsSync(svg)) throw new DataError({ operation: 'readSnapshot', required: `${svg} must lie beside its record`, received: 'no such file', remedy: 'store both anew with `thalweg atlas run ... --update`.' });
  return { record: parseRecord(readFileSync(json, 'utf8'), json), figure: readFileSync(svg, 'utf8') };
}

/** Writes a run into a folder; makes the folder of the topic. Returns the file of the record. */
export function writeSnapshot(folder: string, { record, figure }: Snapshot): string {
  const files = filesOf(folder, record.entry, record.preset);
  write(files, { record, figure });
  removeChanged(folder, record.entry, record.preset);
  return files.json;
}

/**
 * Writes a run that differs from its snapshot as `TOPIC/ID.PRESET.changed.json` and `.svg`: beside the snapshot, or into `otherwise` where the
 * snapshots' folder cannot be written to. Returns the file of the record.
 */
export function writeChanged(folder: string, otherwise: string, snapshot: Snapshot): string {
  const files = filesOf(isWritable(folder) ? folder : otherwise, snapshot.record.entry, snapshot.record.preset, '.changed');
  write(files, snapshot);
  return files.json;
}

/** Removes what `writeChanged` left beside a snapshot that agrees again. */
export function removeChanged(folder: string, path: string, preset: PresetName): void {
  if (!isWritable(folder)) return;
  for (const file of Object.values(filesOf(folder, path, preset, '.changed'))) rmSync(file, { force: true });
}

/** How a run stands to what is stored. */
export interface SnapshotReport {
  /** `absent`: none is stored for this preset and seed. `stored`: the run replaced it, or is the first. */
  readonly status: 'absent' | 'same' | 'changed' | 'stored';
  /** From the stored run to this one. */
  readonly changes: readonly RecordChange[];
  /** The record that was written, where one was. */
  readonly file?: string;
}

/**
 * Compares a run with its snapshot. A run that differs is written as `.changed` (into `out` where the snapshots' folder cannot be written to); what an earlier
 * run left so is removed when they agree. With `update` the run becomes the snapshot.
 *
 * @throws DataError when the snapshot is damaged.
 */
export function checkSnapshot(folder: string, run: Snapshot, { update = false, out }: { readonly update?: boolean; readonly out: string }): SnapshotReport {
  const { entry, preset, seed } = run.record;
  const stored = readSnapshot(folder, entry, preset);
  const isOfSeed = stored?.record.seed === seed;
  const changes = stored !== undefined && isOfSeed ? compareRecords(stored.record, run.record, { before: stored.figure, now: run.figure }) : [];
  if (update) return { status: 'stored', changes, file: writeSnapshot(folder, run) };
  if (!isOfSeed) return { status: 'absent', changes };
  if (changes.length > 0) return { status: 'changed', changes, file: writeChanged(folder, out, run) };
  removeChanged(folder, entry, preset);
  return { status: 'same', changes };
}

/** Whether files can be written into an existing folder. */
export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const filesOf = (folder: string, path: string, preset: PresetName, note = ''): { readonly json: string; readonly svg: string } => {
  const stem = join(folder, `${path}.${preset}${note}`);
  return { json: `${stem}.json`, svg: `${stem}.svg` };
};

function write({ json, svg }: ReturnType<typeof filesOf>, { record, figure }: Snapshot): void {
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, recordText(record));
  writeFileSync(svg, figure);
}
