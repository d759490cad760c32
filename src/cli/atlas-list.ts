/** The list of entries on the command line, and the site that shows them. @module */
import { resolve } from 'node:path';
import type { JudgedClaim } from '../atlas/index.ts';
import { emptyState } from '../atlas/gallery/client/state.ts';
import { paperSearch } from '../atlas/gallery/client/search.ts';
import { documentOf } from '../atlas/gallery/index-page.ts';
import { writeGallery } from '../atlas/gallery/index.node.ts';
import { plainText } from '../atlas/gallery/plain-text.ts';
import { entryViews, type EntryView } from '../atlas/gallery/view.ts';
import { loadEntries } from '../atlas/node.ts';
import { formatSeconds } from '../charts/index.ts';
import { verdictCounts, wrapped } from './atlas-text.ts';

/** `Levent Sagun and others`. */
const authorsText = (authors: readonly string[]): string => (authors.length === 1 ? authors[0] : authors.length === 2 && authors[1] !== 'and others' ? authors.join(' and ') : `${authors[0]} and others`);

/** A line of `thalweg atlas list`. */
export interface ListedEntry {
  readonly entry: string;
  readonly title: string;
  readonly authors: readonly string[];
  readonly year: number;
  readonly question: string;
  /** Of the stored run at full size, else at quick size; absent where none is stored. */
  readonly stored?: { readonly preset: string; readonly seconds: number; readonly verdicts: Readonly<Record<string, string>> };
}

/** What the list says of an entry. */
export function listedEntry({ path, entry: { source, question }, loaded: { records } }: EntryView): ListedEntry {
  const record = records.full ?? records.quick;
  return {
    entry: path, title: plainText(source.title, path), authors: source.authors, year: source.year, question: plainText(question, path),
    ...(record && { stored: { preset: record.preset, seconds: record.seconds, verdicts: Object.fromEntries(record.claims.map(({ id, verdict }) => [id, verdict])) } }),
  };
}

/** Two lines an entry: what it is, and the paper. */
export function listText(views: readonly EntryView[]): string {
  if (views.length === 0) return 'no entry matches';
  const rows = views.map((view) => {
    const { entry, title, authors, year, stored } = listedEntry(view);
    const status = stored === undefined ? 'not run yet' : `${verdictCounts(Object.values(stored.verdicts).map((verdict) => ({ verdict }) as JudgedClaim))} (${stored.preset}, ${formatSeconds(stored.seconds)})`;
    return { entry, status, paper: `${title}. ${authorsText(authors)}, ${year}` };
  });
  const width = Math.max(...rows.map(({ entry }) => entry.length)) + 2;
  return rows.map(({ entry, status, paper }) => `${entry.padEnd(width)}${status}\n${wrapped(paper, '    ')}`).join('\n');
}

/** What `thalweg atlas list` prints: the entries of a topic that match, as the search of the site has them. */
export async function listedText({ topic, search, json }: { readonly topic: string; readonly search: string; readonly json: boolean }): Promise<string> {
  const views = entryViews(await loadEntries());
  const found = paperSearch(views.map(documentOf)).find({ ...emptyState, search, topic }).map(({ document }) => views.find(({ path }) => path === document.path)!);
  return json ? JSON.stringify(found.map(listedEntry), null, 2) : listText(found);
}

/** Writes the site of all entries; returns what to say. */
export async function writeSite(folder: string): Promise<string> {
  const { pages } = await writeGallery({ entries: await loadEntries(), out: folder });
  return `${pages} pages: ${resolve(folder, 'index.html')}`;
}
