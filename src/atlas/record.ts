/** The record of an entry's run: what is kept of it as JSON, and how it is read back. @module */
import type { Executor } from '../core/backend.ts';
import { DataError } from '../util/errors.ts';
import { fromJsonNumber, toJsonNumber, type JsonNumber } from '../util/json-number.ts';
import { machine, type Machine } from '../util/machine.ts';
import { VERSION } from '../util/version.ts';
import type { JudgedCheck, JudgedClaim } from './claim.ts';
import { digestOf } from './plain-data.ts';
import type { PresetName } from './entry.ts';
import type { EntryRun } from './run.ts';

/** The version of the layout below; raised when a field changes its meaning or goes. */
export const ENTRY_SCHEMA = 'thalweg-entry/1';

/** Where and when a run was made. */
export interface EntryProvenance extends Machine {
  /** Version of the package. */
  readonly thalweg: string;
  /** Backend, with its version where it has one. */
  readonly executor: string;
  /** ISO 8601, at the end of the run. */
  readonly date: string;
}

/** A run as it is kept. In memory its numbers are numbers; the JSON of `recordText` writes those that are not finite as `"NaN"`, `"Infinity"` and `"-Infinity"`. */
export interface EntryRecord {
  readonly schema: typeof ENTRY_SCHEMA;
  /** `TOPIC/ID`. */
  readonly entry: string;
  readonly preset: PresetName;
  readonly seed: number;
  /** Judged, in the entry's order. */
  readonly claims: readonly JudgedClaim[];
  /** Wall-clock time of the run. */
  readonly seconds: number;
  /** SHA-256 of the result: on the same machine and backend the same for the same preset and seed. */
  readonly digest: string;
  readonly provenance: EntryProvenance;
}

/** The record of a run that ended now, on this machine, by `executor`. */
export function recordOf({ entry, preset, seed, claims, seconds, result }: EntryRun, { name, version }: Pick<Executor, 'name' | 'version'>): EntryRecord {
  return {
    schema: ENTRY_SCHEMA, entry, preset, seed, claims, seconds: Number(seconds.toFixed(3)), digest: digestOf(result),
    provenance: { thalweg: VERSION, ...machine(), executor: version === undefined ? name : `${name} ${version}`, date: new Date().toISOString() },
  };
}

/** The record as JSON, indented, with a newline at the end. */
export const recordText = (record: EntryRecord): string => `${JSON.stringify(record, (_, value: unknown) => (typeof value === 'number' ? toJsonNumber(value) : value), 1)}\n`;

/**
 * A record from its JSON.
 * @throws DataError naming `source` when the text is not JSON, or not of this layout.
 */
export function parseRecord(text: string, source: string): EntryRecord {
  let parsed: EntryRecord;
  try {
    parsed = JSON.parse(text) as EntryRecord;
  } catch (error) {
    throw new DataError({ operation: 'parseRecord', required: `${source} must be JSON`, received: (error as Error).message });
  }
  if (parsed?.schema !== ENTRY_SCHEMA || !Array.isArray(parsed.claims)) {
    throw new DataError({ operation: 'parseRecord', required: `${source} must be the record of an entry (schema ${ENTRY_SCHEMA}, with claims)`, received: `schema ${JSON.stringify(parsed?.schema) ?? 'missing'}`, remedy: 'store it anew with `thalweg atlas run ... --update`.' });
  }
  return { ...parsed, claims: parsed.claims.map((claim) => ({ ...claim, checks: claim.checks.map(revived), controls: claim.controls.map(revived) })) };
}

/** Texts that stand for numbers become numbers again. */
function revived({ measured, threshold, margin, ...rest }: JudgedCheck): JudgedCheck {
  const number = (value: number): number => fromJsonNumber(value as JsonNumber);
  return {
    ...rest, measured: { ...measured, value: number(measured.value), error: number(measured.error) },
    threshold: typeof threshold === 'object' ? [number(threshold[0]), number(threshold[1])] : number(threshold),
    ...(margin !== undefined && { margin: number(margin) }),
  };
}

/** How many claims a record has of each verdict. */
export function countVerdicts(claims: readonly Pick<JudgedClaim, 'verdict'>[]): Readonly<Record<JudgedClaim['verdict'], number>> {
  const count = (verdict: JudgedClaim['verdict']): number => claims.filter((claim) => claim.verdict === verdict).length;
  return { 'holds': count('holds'), 'holds with deviation': count('holds with deviation'), 'fails': count('fails') };
}
