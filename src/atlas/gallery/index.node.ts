/** The gallery: the atlas as a folder of pages that opens from disk, without a server and without the network. Node only. @module */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { figureThumbnail } from '../../charts/rearrange.ts';
import type { LoadedEntry } from '../entries.node.ts';
import { clientScript } from './client-bundle.js';
import { entryPage, sourceFile } from './entry-page.ts';
import { galleryCss } from './gallery-css.ts';
import { indexPage, thumbnailPath } from './index-page.ts';
import { relatedEntries } from './related.ts';
import { entryViews, type EntryView } from './view.ts';

/** What the site is made of. */
export interface GalleryOptions {
  /** With their stored runs; an entry that was not run yet has a page that says so. */
  readonly entries: readonly LoadedEntry[];
  /** Folder of the site; made when it is not there. Files of the same names are replaced, others stay. */
  readonly out: string;
}

const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>path{fill:none;stroke:#0068a8;stroke-width:3}@media (prefers-color-scheme:dark){path{stroke:#5fb4ee}}</style><path d="M2,5C8,5 8,27 16,27S24,5 30,5"/><path d="M8,5C11,5 12,17 16,17S21,5 24,5"/></svg>\n';

/** Writes KaTeX's style sheet and fonts: woff2 alone, which every browser of the last years reads. */
function writeFormulaStyles(write: (name: string, text: string) => void, out: string): string {
  const folder = dirname(createRequire(import.meta.url).resolve('katex'));
  const css = readFileSync(join(folder, 'katex.min.css'), 'utf8').replace(/,url\(fonts\/[\w-]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, '');
  write('assets/katex.css', css);
  mkdirSync(join(out, 'assets', 'fonts'), { recursive: true });
  for (const name of readdirSync(join(folder, 'fonts')).filter((file) => file.endsWith('.woff2')).sort()) copyFileSync(join(folder, 'fonts', name), join(out, 'assets', 'fonts', name));
  return readFileSync(join(folder, '..', 'LICENSE'), 'utf8');
}

const minisearchLicence = (): string => {
  const resolve = createRequire(import.meta.url).resolve('minisearch');
  return readFileSync(join(dirname(resolve), '..', '..', 'LICENSE.txt'), 'utf8');
};

/**
 * Writes the atlas as a static site: `index.html` with search and filters, `TOPIC/ID.html` for each entry, and all that they refer to.
 * The same entries and records give the same files, byte for byte.
 * @returns how many pages were written.
 * @throws ArgumentError naming the entry, the text and the formula that cannot be read.
 */
export async function writeGallery({ entries, out }: GalleryOptions): Promise<{ readonly pages: number }> {
  const views = entryViews(entries);
  const byPath = new Map(views.map((view) => [view.path, view]));
  const related = relatedEntries(views.map(({ entry }) => entry));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(out, name)), { recursive: true });
    writeFileSync(join(out, name), text);
  };
  // Everything is composed before anything is written: a formula that cannot be read leaves the folder as it was.
  const pages = views.map((view, i) => pageOf(view, { previous: views[i - 1], next: views[i + 1] }, related, byPath));
  const index = indexPage(views);
  write('index.html', index);
  for (const { name, text } of pages.flat()) write(name, text);
  const formulaLicence = writeFormulaStyles(write, out);
  write('assets/licences.txt', `KaTeX\n\n${formulaLicence}\n\nMiniSearch\n\n${minisearchLicence()}`);
  write('assets/gallery.css', galleryCss());
  write('assets/gallery.js', clientScript);
  write('assets/icon.svg', ICON);
  return { pages: views.length + 1 };
}

/** The files of one entry. */
function pageOf(view: EntryView, neighbours: { readonly previous?: EntryView; readonly next?: EntryView }, related: ReturnType<typeof relatedEntries>, byPath: ReadonlyMap<string, EntryView>): { readonly name: string; readonly text: string }[] {
  const source = readFileSync(view.loaded.sourcePath, 'utf8');
  return [
    { name: view.page, text: entryPage(view, { ...neighbours, related: related.get(view.path) ?? [], source }, byPath) },
    { name: sourceFile(view), text: source },
    ...(view.figure === undefined ? [] : [{ name: thumbnailPath(view), text: figureThumbnail(view.figure.svg) }]),
  ];
}
