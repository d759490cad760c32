/** The entries of the installed package: the registry, the files of each, and what is stored of their runs. Node only. @module */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '../util/errors.ts';
import { entryPath, topics, type Entry, type PresetName } from './entry.ts';
import type { EntryRecord } from './record.ts';
import { readSnapshot } from './snapshots.node.ts';

/** `TOPIC/ID` -> its module. */
export type Registry = Readonly<Record<string, () => Promise<{ readonly entry: Entry }>>>;

/** An entry with what is stored of its runs. */
export interface LoadedEntry {
  readonly entry: Entry;
  /** Of the stored snapshots, seed 0. */
  readonly records: Readonly<Partial<Record<PresetName, EntryRecord>>>;
  /** SVG, of the same runs. */
  readonly figures: Readonly<Partial<Record<PresetName, string>>>;
  /** The entry's TypeScript, as it was written. */
  readonly sourcePath: string;
}

/** Where entries lie. */
export interface EntriesLocation {
  /** URL of the module that exports `entries`. */
  readonly registry: string;
  /** Folder of the sources and the snapshots, `TOPIC/ID.*`. */
  readonly folder: string;
}

/** Both in the repository and in `dist` the package begins two folders up. */
const packageRoot = new URL('../../', import.meta.url);
/** True when this runs from the TypeScript sources, by a loader. */
export const runsFromSources = import.meta.url.endsWith('.ts');

/**
 * Where the entries of this package lie. The registry is the one beside this file's own build. Sources and snapshots
 * lie in `atlas/` of the repository, from a build of it too, so that a snapshot is stored where it is kept; else in `dist/entries`.
 */
export function entriesLocation(): EntriesLocation {
  const sources = fileURLToPath(new URL('atlas', packageRoot));
  return {
    registry: new URL(runsFromSources ? 'atlas/registry.ts' : 'dist/entries/registry.js', packageRoot).href,
    folder: existsSync(join(sources, 'registry.ts')) ? sources : fileURLToPath(new URL('dist/entries', packageRoot)),
  };
}

/** The registry at a location. @throws DataError when there is none. */
export async function loadRegistry({ registry }: EntriesLocation = entriesLocation()): Promise<Registry> {
  const { entries } = await import(/* @vite-ignore */ registry) as { readonly entries?: Registry };
  if (entries === undefined) throw new DataError({ operation: 'loadRegistry', required: `${registry} must export entries`, received: 'no such name' });
  return entries;
}

/** Loads one entry. @throws DataError naming it when its module cannot be loaded, has no `entry`, or is another entry than its place says. */
export async function loadEntry(path: string, registry: Registry): Promise<Entry> {
  if (!Object.hasOwn(registry, path)) throw new DataError({ operation: 'loadEntry', required: 'the path must be one of the registry', received: `'${path}'` });
  let entry: Entry | undefined;
  try {
    ({ entry } = await registry[path]());
  } catch (error) {
    throw new DataError({ operation: `atlas ${path}`, required: 'the entry must load', received: `${(error as Error).name}: ${(error as Error).message}` });
  }
  if (entry === undefined) throw new DataError({ operation: `atlas ${path}`, required: 'the file must export entry', received: 'no such name', remedy: 'export const entry = defineEntry({ ... }).' });
  if (entryPath(entry) !== path) throw new DataError({ operation: `atlas ${path}`, required: `topic and id must be those of the file, ${path}`, received: entryPath(entry) });
  return entry;
}

/** The entries named (`TOPIC/ID`; default all) with their snapshots, in the registry's order. @throws DataError naming the first that cannot be loaded. */
export async function loadEntries(paths?: readonly string[], location: EntriesLocation = entriesLocation()): Promise<LoadedEntry[]> {
  const registry = await loadRegistry(location);
  return Promise.all((paths ?? Object.keys(registry)).map(async (path) => {
    const entry = await loadEntry(path, registry);
    const [quick, full] = (['quick', 'full'] as const).map((preset) => readSnapshot(location.folder, path, preset));
    return {
      entry, sourcePath: sourceOf(location.folder, path),
      records: { ...(quick && { quick: quick.record }), ...(full && { full: full.record }) },
      figures: { ...(quick && { quick: quick.figure }), ...(full && { full: full.figure }) },
    };
  }));
}

/** In an installed package the source is kept as text: TypeScript would take a `.ts` file there for a module of its own. */
function sourceOf(folder: string, path: string): string {
  const file = join(folder, `${path}.ts`);
  return existsSync(file) ? file : `${file}.txt`;
}

/**
 * Compares the files `TOPIC/*.ts` of a folder with the registry: one line for each file that is not registered, each registered entry without a file,
 * and each entry that does not load or says another topic or id than its place. Empty when all is well.
 */
export async function checkRegistry(location: EntriesLocation = entriesLocation()): Promise<string[]> {
  const registry = await loadRegistry(location);
  const files = readdirSync(location.folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap((folder) =>
    readdirSync(join(location.folder, folder.name)).filter((name) => name.endsWith('.ts')).map((name) => `${folder.name}/${name.slice(0, -'.ts'.length)}`)).sort();
  const named = Object.keys(registry);
  const problems = [
    ...files.filter((path) => !topics.includes(path.split('/')[0] as never)).map((path) => `${path}.ts: a folder of the atlas must be one of ${topics.join(', ')}`),
    ...files.filter((path) => !named.includes(path)).map((path) => `${path}.ts is not in the registry: add '${path}': () => import('./${path}.ts') to registry.ts`),
    ...named.filter((path) => !files.includes(path)).map((path) => `${path} is in the registry and has no file ${path}.ts`),
  ];
  for (const path of named.filter((name) => files.includes(name))) {
    try {
      await loadEntry(path, registry);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return problems;
}
