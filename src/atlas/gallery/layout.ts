/** What every page of the gallery has around its content. @module */
import { escapeHtml } from '../../charts/escape-html.ts';
import type { Verdict } from '../claim.ts';
import type { Outcome, Tally } from './view.ts';
import { outcomes } from './view.ts';

/** A page. */
export interface PageParts {
  readonly title: string;
  /** For search engines and previews: plain text. */
  readonly description: string;
  /** From the page to the folder of the site: empty, or `../`. */
  readonly toRoot: '' | '../';
  /** On the right of the bar at the top. */
  readonly bar?: string;
  readonly className: string;
  readonly content: string;
}

/** A whole page; everything it refers to lies in the folder of the site. */
export const pageHtml = ({ title, description, toRoot, bar = '', className, content }: PageParts): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="description" content="${escapeHtml(description)}">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${toRoot}assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${toRoot}assets/katex.css">
<link rel="stylesheet" href="${toRoot}assets/gallery.css">
<script src="${toRoot}assets/gallery.js" defer></script>
</head>
<body class="${className}">
<a class="skip" href="#content">Skip to the content</a>
<nav class="bar" aria-label="Site"><a class="home" href="${toRoot}index.html">Thalweg Atlas</a>${bar}</nav>
${content}
<footer class="foot"><p>Made by <code>thalweg atlas site</code>. Formulas are set by KaTeX and search is by MiniSearch, <a href="${toRoot}assets/licences.txt">both under the MIT licence</a>.</p></footer>
</body>
</html>
`;

const signs: Readonly<Record<Outcome, string>> = { holds: '✓', 'holds with deviation': '≈', fails: '✕', untested: '·' };
/** The class of an outcome, which its colour hangs on. */
export const outcomeClass = (outcome: Outcome): string => (outcome === 'holds with deviation' ? 'deviation' : outcome);

/** An outcome in words behind its sign. */
export const verdictBadge = (outcome: Outcome, words: string = outcome === 'untested' ? 'not tested yet' : outcome): string =>
  `<span class="badge ${outcomeClass(outcome)}"><span class="sign" aria-hidden="true">${signs[outcome]}</span>${escapeHtml(words)}</span>`;

const verbs: Readonly<Record<Verdict | 'untested', readonly [one: string, several: string]>> = {
  holds: ['holds', 'hold'], 'holds with deviation': ['holds with deviation', 'hold with deviation'], fails: ['fails', 'fail'], untested: ['not tested yet', 'not tested yet'],
};

/** `3 hold, 1 fails` as badges; outcomes that do not occur are left out. */
export const tallyBadges = (tally: Tally): string =>
  outcomes.filter((outcome) => tally[outcome] > 0).map((outcome) => verdictBadge(outcome, `${tally[outcome]} ${verbs[outcome][tally[outcome] === 1 ? 0 : 1]}`)).join('\n');

const MOST_AUTHORS = 5;

/** Authors as text, `A, B and C`; of many the first four. */
export function authorsText(authors: readonly string[]): string {
  if (authors.length > MOST_AUTHORS) return `${authors.slice(0, MOST_AUTHORS - 1).join(', ')} and ${authors.at(-1)!.startsWith('and ') ? '' : `${authors.length - MOST_AUTHORS + 1} `}others`;
  if (authors.length < 2 || authors.at(-1)!.startsWith('and ')) return authors.join(' ');
  return `${authors.slice(0, -1).join(', ')} and ${authors.at(-1)!}`;
}
