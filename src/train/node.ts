/** Checkpoints on disk. Node only. @module */
export { directoryStore, type DirectoryStoreOptions } from './checkpoint-store.node.ts';
