/** The page of one entry. @module */
import { escapeHtml } from '../../charts/escape-html.ts';
import { formatSeconds } from '../../charts/format.ts';
import { stackedFigure } from '../../charts/rearrange.ts';
import type { PresetName } from '../entry.ts';
import { claimHtml } from './claims-html.ts';
import { paragraphsHtml, textHtml } from './formulas.ts';
import { pageHtml, tallyBadges } from './layout.ts';
import { plainText } from './plain-text.ts';
import type { RelatedEntry } from './related.ts';
import { lineUsing, sourceHtml } from './source-code.ts';
import { topicTexts } from './topics.ts';
import type { EntryView } from './view.ts';

/** What stands around an entry, and its text. */
export interface EntrySurroundings {
  readonly previous?: EntryView;
  readonly next?: EntryView;
  readonly related: readonly RelatedEntry[];
  /** The program, TypeScript. */
  readonly source: string;
}

/** Where the program lies as a file, from the folder of the site. */
export const sourceFile = ({ path }: EntryView): string => `source/${path}.ts.txt`;

const TO_ROOT = '../';
const filterLink = (name: string, value: string): string => `${TO_ROOT}index.html#${new URLSearchParams({ [name]: value }).toString()}`;
const section = (id: string, heading: string, content: string): string => `<section aria-labelledby="${id}"><h2 id="${id}">${heading}</h2>\n${content}\n</section>`;

function head({ entry: { source, question }, path, tally }: EntryView): string {
  const authors = source.authors.map((author) => (author.startsWith('and ') ? escapeHtml(author) : `<a class="author" href="${escapeHtml(filterLink('author', author))}">${escapeHtml(author)}</a>`));
  const joined = authors.map((author, i) => (i === 0 || source.authors[i].startsWith('and ') ? (i === 0 ? author : ` ${author}`) : `, ${author}`)).join('');
  const arxiv = source.arxiv === undefined ? '' : ` · <a href="https://arxiv.org/abs/${escapeHtml(source.arxiv)}">arXiv:${escapeHtml(source.arxiv)}</a>`;
  return `<header class="hero">
<h1>${textHtml(source.title, `${path}, title`)}</h1>
<p class="authors">${joined} · <span class="place"><a href="${filterLink('year', String(source.year))}">${source.year}</a>${arxiv}</span></p>
<p class="question">${textHtml(question, `${path}, question`)}</p>
<p class="badges">${tallyBadges(tally)}</p>
</header>`;
}

/** Figures wider than this, in pixels, need more than the column of text. */
const COLUMN = 900;
const figureWidth = (svg: string): number => Number(/viewBox="0 0 ([\d.]+) /.exec(svg)?.[1] ?? 0);

function figureSection({ figure, path }: EntryView): string {
  if (figure === undefined) return section('figure', 'Figure', `<p>Not run yet. This draws it: <code class="command">thalweg atlas run ${path}</code></p>`);
  const note = figure.preset === 'full' ? 'Drawn from the run at full size.' : 'Drawn from the run at quick size.';
  const stacked = stackedFigure(figure.svg);
  const plates = stacked === undefined ? `<div class="plate">${figure.svg}</div>` : `<div class="plate on-wide">${figure.svg}</div><div class="plate on-narrow">${stacked}</div>`;
  return `<figure id="figure"${figureWidth(figure.svg) > COLUMN ? ' class="broad"' : ''}>${plates}<figcaption>${note}</figcaption></figure>`;
}

function claimsSection(view: EntryView): string {
  const main = view.figure?.preset;
  const legend = view.claims.every(({ judged }) => judged === undefined) ? ''
    : '<p class="legend">In the strips <span class="key check" aria-hidden="true"></span> is the measured value with its error, <span class="key control" aria-hidden="true"></span> a control, which must lie outside, and the shaded stretch is where the comparison holds.</p>';
  return section('claims', 'Claims', `${legend}\n${view.claims.map((claim) => claimHtml(claim, main, view.path)).join('\n')}`);
}

function builtSection({ entry: { built }, path }: EntryView, source: string): string {
  const rows = built.map(({ name, from, what }) => {
    const line = lineUsing(source, name);
    const code = `<code>${escapeHtml(name)}</code>`;
    return `<li><p><b>${line === undefined ? code : `<a href="#L${line}">${code}</a>`}</b> <span class="from">from <code>${escapeHtml(from)}</code></span></p><p>${textHtml(what, `${path}, built ${name}`)}</p></li>`;
  });
  return section('built', 'Built from', `<ul class="built">${rows.join('\n')}</ul>`);
}

/** Settings of a preset as `name = value`, in their own order. */
const settingsText = (settings: unknown): string =>
  (typeof settings === 'object' && settings !== null ? Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)?.replace(/,/g, ', ') ?? 'undefined'}`) : [String(settings)]).join('\n');

function runSection({ entry, path, loaded: { records } }: EntryView): string {
  const presets = (['quick', 'full'] as const).map((preset: PresetName) => {
    const record = records[preset];
    const facts: [string, string][] = record === undefined ? [] : [
      ['Time', formatSeconds(record.seconds)], ['Seed', String(record.seed)], ['Run', record.provenance.date.slice(0, 10)],
      ['Machine', machineText(record.provenance)], ['Backend', `${record.provenance.executor}, one thread`], ['Thalweg', record.provenance.thalweg],
      ['Digest', record.digest.slice(0, 16)],
    ];
    const rows = facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('');
    return `<div><h3>${preset === 'quick' ? 'Quick' : 'Full'}</h3>
<p><code class="command">thalweg atlas run ${path}${preset === 'full' ? ' --preset full' : ''}</code></p>
<pre class="settings" tabindex="0">${escapeHtml(settingsText(entry.presets[preset]))}</pre>
${record === undefined ? '<p class="muted">No stored run.</p>' : `<dl>${rows}</dl>`}</div>`;
  });
  return section('run', 'Run it', `<div class="presets">${presets.join('\n')}</div>`);
}

function machineText(machine: { readonly platform?: string; readonly cores?: number; readonly runtime?: Readonly<Record<string, string>> }): string {
  const runtime = Object.entries(machine.runtime ?? {}).map(([name, version]) => `${name} ${version}`);
  return [machine.platform, machine.cores === undefined ? undefined : `${machine.cores} cores`, ...runtime].filter((part) => part !== undefined).join(', ');
}

function relatedSection(related: readonly RelatedEntry[], views: ReadonlyMap<string, EntryView>): string {
  if (related.length === 0) return '';
  const items = related.map(({ entry, reason }) => {
    const { page, path } = views.get(`${entry.topic}/${entry.id}`)!;
    return `<li><p><a href="${TO_ROOT}${page}">${textHtml(entry.source.title, `${path}, title`)}</a></p><p class="muted">${entry.source.year} · ${topicTexts[entry.topic].heading} · ${escapeHtml(reason)}</p></li>`;
  });
  return section('related', 'Beside it', `<ul class="related">${items.join('\n')}</ul>`);
}

function pager({ previous, next }: EntrySurroundings): string {
  const link = (view: EntryView | undefined, relation: 'prev' | 'next', label: string): string =>
    (view === undefined ? '<span></span>' : `<a rel="${relation}" class="${relation}" href="${TO_ROOT}${view.page}"><span>${label}</span>${textHtml(view.entry.source.title, `${view.path}, title`)}</a>`);
  return `<nav class="pager" aria-label="Neighbouring papers">${link(previous, 'prev', 'Previous')}${link(next, 'next', 'Next')}</nav>`;
}

/** The page of an entry. @throws ArgumentError naming the entry and the text whose formula cannot be read. */
export function entryPage(view: EntryView, around: EntrySurroundings, views: ReadonlyMap<string, EntryView>): string {
  const { entry, path } = view;
  const title = plainText(entry.source.title, `${path}, title`);
  const { related, source } = around;
  const contents = [['figure', 'Figure'], ['method', 'Method'], ...(entry.deviations.length > 0 ? [['deviations', 'What differs']] : []), ['claims', 'Claims'], ['built', 'Built from'], ['run', 'Run it'], ...(related.length > 0 ? [['related', 'Beside it']] : []), ['source', 'Source']];
  return pageHtml({
    title: `${title} · Thalweg Atlas`, description: plainText(entry.question, `${path}, question`), toRoot: TO_ROOT, className: 'entry',
    bar: `<a class="crumb" href="${filterLink('topic', entry.topic)}">${topicTexts[entry.topic].heading}</a>`,
    content: `<div class="columns">
<nav class="contents" aria-label="On this page"><ul>${contents.map(([id, heading]) => `<li><a href="#${id}">${heading}</a></li>`).join('')}</ul></nav>
<main id="content" tabindex="-1">
${head(view)}
${figureSection(view)}
${section('method', 'Method', paragraphsHtml(entry.method, `${path}, method`))}
${entry.deviations.length === 0 ? '' : section('deviations', 'What differs from the paper', `<ul class="deviations">${entry.deviations.map((text) => `<li>${textHtml(text, `${path}, deviations`)}</li>`).join('\n')}</ul>`)}
${claimsSection(view)}
${builtSection(view, source)}
${runSection(view)}
${relatedSection(related, views)}
${section('source', 'Source', `<p>The whole program, also as <a href="${TO_ROOT}${sourceFile(view)}">a file</a>.</p>\n${sourceHtml(source)}`)}
${pager(around)}
</main>
</div>`,
  });
}
