/** Running the entries of the atlas, and what is stored of their runs. Node only. @module */
export { checkRegistry, entriesLocation, loadEntries, loadEntry, loadRegistry } from './entries.node.ts';
export type { EntriesLocation, LoadedEntry, Registry } from './entries.node.ts';
export { runEntries } from './harness.node.ts';
export type { EntryOutcome, HarnessEvent, RunEntriesOptions } from './harness.node.ts';
export { checkSnapshot, readSnapshot, writeSnapshot } from './snapshots.node.ts';
export type { Snapshot, SnapshotReport } from './snapshots.node.ts';
