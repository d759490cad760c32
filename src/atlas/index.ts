/** The atlas: papers as programs, with claims that can fail. @module */
export { computed, exact, extremeOver, judge, judgeCheck, meanOver } from './claim.ts';
export type { Check, ClaimDefinition, JudgedCheck, JudgedClaim, Quantity, QuantityErrorKind, Relation, Verdict } from './claim.ts';
export { compareRecords } from './compare.ts';
export type { RecordChange } from './compare.ts';
export { defineEntry, entryPath, InterruptedError, topics } from './entry.ts';
export type { BuiltPiece, Entry, EntryContext, EntryDefinition, PlainData, PresetName, Source, Topic } from './entry.ts';
export { digestOf, firstDifference } from './plain-data.ts';
export { countVerdicts, ENTRY_SCHEMA, parseRecord, recordOf, recordText } from './record.ts';
export type { EntryProvenance, EntryRecord } from './record.ts';
export { runEntry } from './run.ts';
export type { EntryRun, RunEntryOptions } from './run.ts';
