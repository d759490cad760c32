/** Entries of the atlas as they are named on the command line. @module */
import { topics } from '../atlas/index.ts';
import { UsageError } from './exit.ts';
import { nearNames } from './near-names.ts';

const idOf = (path: string): string => path.slice(path.indexOf('/') + 1);

/** The entry of a name: `TOPIC/ID`, or `ID` where only one topic has it. @throws UsageError with near names when there is none. */
export function entryNamed(name: string, paths: readonly string[]): string {
  if (paths.includes(name)) return name;
  const found = paths.filter((path) => idOf(path) === name);
  if (found.length === 1) return found[0];
  if (found.length > 1) throw new UsageError(`'${name}' is the id of several entries: name one of ${found.join(', ')}`);
  const near = nearNames(name, paths);
  throw new UsageError(`no entry of the atlas is named '${name}'${near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`} (thalweg atlas list shows all)`);
}

/** The entries of `all`, of topics and of names, each once, in the atlas's order. @throws UsageError as `entryNamed`, and for a topic without entries. */
export function entriesNamed(names: readonly string[], paths: readonly string[]): string[] {
  const chosen = new Set(names.flatMap((name): readonly string[] => {
    if (name === 'all') return paths;
    if (!(topics as readonly string[]).includes(name)) return [entryNamed(name, paths)];
    const ofTopic = paths.filter((path) => path.startsWith(`${name}/`));
    if (ofTopic.length === 0) throw new UsageError(`the topic ${name} has no entries yet`);
    return ofTopic;
  }));
  return paths.filter((path) => chosen.has(path));
}
