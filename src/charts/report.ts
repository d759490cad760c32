/** The report: one self-contained HTML page that opens offline. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { escapeHtml } from './escape-html.ts';
import { formatMeasurement, formatNumber } from './format.ts';
import { reportCss } from './report-css.ts';
import { surfaceHtml, type ReportSurface } from './surface-view.ts';
import { viewerHash, viewerScript } from './viewer-bundle.js';

/** A headline number with its error and one line on what it means. */
export interface SummaryItem {
  readonly label: string;
  /** Numbers are written by `formatMeasurement`; text as it is. */
  readonly value: number | string;
  readonly error?: number;
  readonly note?: string;
}

/** A figure of a section with the caption set below it. */
export interface ReportFigure {
  /** An SVG document as the figure functions return it; inserted unescaped. */
  readonly svg: string;
  readonly caption: string;
  /** Name of the plane it draws, if it does: surfaces of this name put a cross on it. */
  readonly plane?: string;
}

/** A table of a section; a column of nothing but numbers is aligned on the right. */
export interface ReportTable {
  readonly columns: readonly string[];
  /** Cells in the order of the columns; numbers are written by `formatNumber`. */
  readonly rows: readonly (readonly (string | number)[])[];
  readonly caption?: string;
  /** What each row is about, by the name that figures give it; null for nothing. */
  readonly links?: readonly (string | null)[];
}

/** A part of the report with its own anchor; the figures follow the text, the tables follow the figures. */
export interface ReportSection {
  /** Anchor of the section: a letter, then letters, digits, `-` or `_`. */
  readonly id: string;
  readonly heading: string;
  /** Plain text; an empty line parts paragraphs. */
  readonly text: string;
  /** Comes before the figures. */
  readonly surface?: ReportSurface;
  readonly figures?: readonly ReportFigure[];
  readonly tables?: readonly ReportTable[];
}

/** All that `reportPage` writes. Texts are plain and are escaped; only the figures' SVG is not. */
export interface Report {
  readonly title: string;
  readonly subtitle?: string;
  /** How the numbers came about: versions, seed, machine, commands. */
  readonly provenance: Readonly<Record<string, string>>;
  readonly summary: readonly SummaryItem[];
  readonly sections: readonly ReportSection[];
}

const paragraphs = (text: string): string =>
  text.split(/\n\s*\n/).map((part) => part.trim()).filter((part) => part !== '').map((part) => `<p>${escapeHtml(part)}</p>`).join('\n');

function summaryItem({ label, value, error, note }: SummaryItem): string {
  const text = typeof value === 'number' ? formatMeasurement(value, error) : value;
  // In `(1.2 ± 0.1)×10⁷` the error stays inside its brackets; only a plain pair is set in two weights.
  const pair = /^([^()]*?)( ± [^()]*)$/.exec(text);
  const shown = pair === null ? escapeHtml(text) : `${escapeHtml(pair[1])}<span class="error">${escapeHtml(pair[2])}</span>`;
  const remark = note === undefined ? '' : `<dd class="note">${escapeHtml(note)}</dd>`;
  return `<div><dt>${escapeHtml(label)}</dt><dd class="value">${shown}</dd>${remark}</div>`;
}

const figureHtml = ({ svg, caption, plane }: ReportFigure): string =>
  `<figure${plane === undefined ? '' : ` data-plane="${escapeHtml(plane)}"`}><div class="plate">${svg}</div><figcaption>${escapeHtml(caption)}</figcaption></figure>`;

const looksNumeric = (cell: string | number): boolean => typeof cell === 'number' || /^[(−+-]?\d|^(NaN|[−-]?∞|—|–)$/.test(cell);

function tableHtml({ columns, rows, caption, links }: ReportTable): string {
  const ragged = rows.find((row) => row.length !== columns.length);
  if (ragged !== undefined) {
    throw new ShapeError({ operation: 'reportPage', required: `rows of a table must have its ${columns.length} columns`, received: `${ragged.length} cells` });
  }
  const kind = columns.map((_, i) => (rows.length > 0 && rows.every((row) => looksNumeric(row[i])) ? ' class="number"' : ''));
  const cell = (value: string | number): string => escapeHtml(typeof value === 'number' ? formatNumber(value) : value);
  const head = columns.map((column, i) => `<th scope="col"${kind[i]}>${escapeHtml(column)}</th>`).join('');
  const link = (i: number): string => { const name = links?.[i] ?? null; return name === null ? '' : ` data-link="${escapeHtml(name)}"`; };
  const body = rows.map((row, at) => `<tr${link(at)}>${row.map((value, i) => `<td${kind[i]}>${cell(value)}</td>`).join('')}</tr>`).join('\n');
  const note = caption === undefined ? '' : `<caption>${escapeHtml(caption)}</caption>`;
  return `<div class="scroll"><table>${note}<thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

const sectionHtml = ({ id, heading, text, surface, figures = [], tables = [] }: ReportSection): string => [
  `<section aria-labelledby="${id}"><h2 id="${id}">${escapeHtml(heading)}</h2>`,
  paragraphs(text), ...(surface ? [surfaceHtml(surface, escapeHtml)] : []), ...figures.map(figureHtml), ...tables.map(tableHtml), '</section>',
].join('\n');

const entry = ([name, value]: readonly [string, string]): string => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`;

function requireAnchors(sections: readonly ReportSection[]): void {
  const seen = new Set(['provenance']);
  for (const { id } of sections) {
    if (!/^[A-Za-z][\w-]*$/.test(id) || seen.has(id)) {
      throw new ArgumentError({ operation: 'reportPage', required: 'section ids must be distinct, a letter followed by letters, digits, - or _, and not provenance', received: id });
    }
    seen.add(id);
  }
}

/**
 * A report as one HTML file: no external resource and no script but its own viewer (a content security policy forbids them),
 * light and dark by the reader's preference, readable on a phone, and printable; without scripts everything but the surfaces
 * is there. All text is escaped; only `svg` is inserted as it is.
 * @throws ArgumentError on a section id that cannot be an anchor or is used twice; ShapeError on a ragged table.
 */
export function reportPage({ title, subtitle, provenance, summary, sections }: Report): string {
  requireAnchors(sections);
  const contents = sections.map(({ id, heading }) => `<li><a href="#${id}">${escapeHtml(heading)}</a></li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline';img-src data:;script-src 'sha256-${viewerHash}'">
<title>${escapeHtml(title)}</title>
<style>${reportCss()}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
${subtitle === undefined ? '' : `<p class="subtitle-line">${escapeHtml(subtitle)}</p>`}
<dl class="summary">
${summary.map(summaryItem).join('\n')}
</dl>
</header>
<nav class="contents" aria-label="Contents"><h2>Contents</h2><ol>
${contents.join('\n')}
<li><a href="#provenance">How this was made</a></li>
</ol></nav>
<main>
${sections.map(sectionHtml).join('\n')}
</main>
<footer><h2 id="provenance">How this was made</h2><dl class="provenance">
${Object.entries(provenance).map(entry).join('\n')}
</dl></footer>
<script>${viewerScript}</script>
</body>
</html>
`;
}
