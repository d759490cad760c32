/** Every entry of the atlas, in the order of the papers' first appearance here. @module */
import type { Entry } from 'thalweg/atlas';

/** By `TOPIC/ID`; each is loaded when it is asked for. A test fails on a file that is not here. */
export const entries: Readonly<Record<string, () => Promise<{ readonly entry: Entry }>>> = {
};
