/** The atlas: papers as programs, with claims that can fail. @module */
export { computed, exact, extremeOver, judge, judgeCheck, meanOver } from './claim.ts';
export type { Check, ClaimDefinition, JudgedCheck, JudgedClaim, Quantity, QuantityErrorKind, Relation, Verdict } from './claim.ts';
export { defineEntry, entryPath, InterruptedError, topics } from './entry.ts';
export type { BuiltPiece, Entry, EntryContext, EntryDefinition, PlainData, PresetName, Source, Topic } from './entry.ts';
export { runEntry } from './run.ts';
export type { EntryRun, RunEntryOptions } from './run.ts';
